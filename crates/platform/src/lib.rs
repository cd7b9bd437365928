//! What p2pchat asks of the system where Linux, macOS and Windows differ: one function or type
//! for each need, the same on all of them. All other code is the same everywhere.
//!
//! | module | what it is for | Unix | Windows, and what is weaker there |
//! |---|---|---|---|
//! | [`files`] | files for one user alone | modes 0700 and 0600 | the access list of the folder above: `%APPDATA%` is its user's alone, another folder may not be |
//! | [`lock`] | who runs the peer of a profile | `flock`, and the file's inode | the file is open to one writer, and cannot be removed meanwhile |
//! | [`local`] | how front ends reach that process | a Unix socket in a folder of mode 0700, and the user id of the other end | TCP on loopback; both ends know secrets from the lock. Others see that there is a port, and can hold its places for five seconds each |
//! | [`signals`] | why a program has to end | SIGINT, SIGTERM, SIGHUP, the end of the terminal | Ctrl-C, Ctrl-Break, and the closing of the window, the session and the system |
//! | [`terminal`] | the modes of a terminal in plain mode | `termios` | the mode of the console; nothing is stopped and continued |
//! | [`streams`] | streams that are full or do not wait | `poll` | cannot be asked: a log waits for a reader that has stopped |
//! | [`process`] | other processes, and what this one may use | `/proc`, niceness, limits of descriptors | no stopped processes, no niceness, no such limit |
//! | [`opener`] | a file or a link for the browser | `xdg-open`, `open`; there is a screen if the environment names one | `rundll32` |
//! | [`clock`] | the time that counts while the computer sleeps | `CLOCK_BOOTTIME`; on macOS `CLOCK_MONOTONIC` | the performance counter |
//! | [`net`] | a server that is started again | `SO_REUSEADDR` | not needed, and it would mean something else |
//!
//! **Invariant:** only this crate has code for one system, tests aside; and it knows nothing of
//! chats, profiles or options.

pub mod opener;
mod shared;
// Needs nothing of Windows, so that it is tried everywhere.
#[cfg(all(test, unix))]
#[expect(unreachable_pub, dead_code, reason = "only its tests are of use here")]
#[path = "windows/local.rs"]
mod local_of_windows;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{clock, files, local, lock, net, process, signals, streams, terminal};
#[cfg(windows)]
pub use windows::{clock, files, local, lock, net, process, signals, streams, terminal};
