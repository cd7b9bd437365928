//! Other processes, and what the system grants this one.

use std::env;
use std::io;
use std::process::Command;

/// The program that opens a file with what the user prefers for it.
pub const OPENER: &str = "rundll32";

/// The command that opens a file with what the user prefers for it. The file comes last.
/// Unlike `start` of `cmd`, it reads no part of the file's name as a command.
#[must_use]
pub fn opener() -> Command {
    let mut command = Command::new(OPENER);
    command.arg("url.dll,FileProtocolHandler");
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
