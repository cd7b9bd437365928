//! Other processes, and what the system grants this one.

use std::env;
use std::io;
use std::os::windows::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// The program that opens a file with what the user prefers for it.
pub const OPENER: &str = "rundll32";

/// `CREATE_NEW_PROCESS_GROUP` and `CREATE_NO_WINDOW` of the system.
const NEW_PROCESS_GROUP: u32 = 0x0000_0200;
const NO_WINDOW: u32 = 0x0800_0000;

/// The command that opens a file with what the user prefers for it. The file comes last.
/// Unlike `start` of `cmd`, it reads no part of the file's name as a command.
pub(crate) fn opener() -> Command {
    let mut command = Command::new(OPENER);
    command.arg("url.dll,FileProtocolHandler");
    command
}

/// Whether a browser has a screen to be shown on.
#[must_use]
pub fn has_screen() -> bool {
    true
}

/// The command of a program that goes on when this one ends, and that no key of this one's terminal
/// ends.
#[must_use]
pub fn detached(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.creation_flags(NEW_PROCESS_GROUP | NO_WINDOW);
    command
}

/// Whether a process is stopped: only debuggers do that here, and nothing says so.
#[must_use]
pub fn is_stopped(_: u32) -> bool {
    false
}

/// What a user types to end a process. A program without a window is not asked, but ended.
#[must_use]
pub fn end_command(process: u32) -> String {
    format!("taskkill /F /PID {process}")
}

/// The number of the user who runs this program, 0 for root: `None`, users have none.
#[must_use]
pub fn user_id() -> Option<u32> {
    None
}

/// The name of this machine in its network.
#[must_use]
pub fn host_name() -> String {
    // Set for every process, the services too.
    env::var("COMPUTERNAME").unwrap_or_else(|_| "localhost".to_owned())
}

/// The limit of open files and connections: `None`, there is none but memory.
///
/// # Errors
/// Never.
pub fn raise_file_limit() -> io::Result<Option<u64>> {
    Ok(None)
}

/// Nothing: the system gives threads that were waiting for the network a little more than those
/// that only compute, and to set it takes unsafe code.
///
/// # Errors
/// Never.
pub fn lower_priority_of_thread() -> io::Result<()> {
    Ok(())
}
