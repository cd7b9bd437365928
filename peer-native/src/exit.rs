//! How the program ends, for scripts. The numbers are a contract: `--help` lists them.

use std::process::ExitCode;

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The user quit, or the input ended and all was done.
    Done = 0,
    /// It could not start or not go on: an address in use, a file that cannot be opened, …
    Failed = 1,
    /// The command line, the environment or the config file is wrong.
    Usage = 2,
    /// The login that `--user` and `--password-file` asked for did not succeed.
    Login = 3,
    /// SIGTERM or SIGHUP ended it before its input did. It stopped in order.
    Terminated = 4,
}

/// The list for `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0  the user quit, or the input ended and all was done
  1  it could not start or not go on (address in use, unreadable file, …)
  2  the command line, the environment or the config file is wrong
  3  the login asked for by --user and --password-file did not succeed
  4  SIGTERM or SIGHUP ended it; it stopped in order

Each option can also be set by the environment variable or by the key of the section
[peer] of the config file that stand beside it. The command line goes before the
environment, the environment before the file. RUST_LOG sets what is logged
(for instance RUST_LOG=p2pchat_peer=debug).";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
