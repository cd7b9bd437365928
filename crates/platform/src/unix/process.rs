//! Other processes, and what the system grants this one.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// The program that opens a file with what the user prefers for it.
pub const OPENER: &str = if cfg!(target_os = "macos") {
    "open"
} else {
    "xdg-open"
};

/// The command that opens a file with what the user prefers for it. The file comes last.
pub(crate) fn opener() -> Command {
    Command::new(OPENER)
}

/// Whether a browser has a screen to be shown on: not over SSH, for one.
#[must_use]
pub fn has_screen() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

/// The command of a program that goes on when this one ends, and that no key of this one's terminal
/// ends.
#[must_use]
pub fn detached(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.process_group(0);
    command
}

/// Whether a process is stopped, by a signal or a debugger. Only Linux says so.
#[must_use]
pub fn is_stopped(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"));
    stat.is_ok_and(|stat| matches!(state(&stat), Some('T' | 't')))
}

/// The state of a process in its line of `/proc`: the letter behind the program's name, which
/// is in parentheses and may contain some.
fn state(stat: &str) -> Option<char> {
    let (_, behind) = stat.rsplit_once(')')?;
    behind.trim_start().chars().next()
}

/// What a user types to end a process in order.
#[must_use]
pub fn end_command(process: u32) -> String {
    format!("kill {process}")
}

/// The number of the user who runs this program, 0 for root.
#[must_use]
pub fn user_id() -> Option<u32> {
    Some(rustix::process::getuid().as_raw())
}

/// The name of this machine in its network.
#[must_use]
pub fn host_name() -> String {
    let uname = rustix::system::uname();
    uname.nodename().to_string_lossy().into_owned()
}

/// Raises the limit of open files and connections as far as the system allows, and returns it;
/// `None` if there is none.
///
/// # Errors
/// If the system does not say.
pub fn raise_file_limit() -> std::io::Result<Option<u64>> {
    let limit = rlimit::increase_nofile_limit(u64::MAX)?;
    Ok(Some(limit).filter(|&limit| limit != rlimit::INFINITY))
}

/// Lowers the priority of the calling thread, to a third of the weight of the others.
///
/// # Errors
/// If the system refuses.
#[cfg(target_os = "linux")]
pub fn lower_priority_of_thread() -> std::io::Result<()> {
    const NICENESS: i32 = 5;
    Ok(rustix::process::setpriority_process(None, NICENESS)?)
}

/// Nothing: elsewhere only whole processes have a niceness.
///
/// # Errors
/// Never.
#[cfg(not(target_os = "linux"))]
pub fn lower_priority_of_thread() -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_found_behind_any_name() {
        assert_eq!(state("12 (p2pchat) T 1 12"), Some('T'));
        assert_eq!(state("12 (a) R (b) S 1 12"), Some('S'));
        assert_eq!(state("nonsense"), None);
    }

    #[test]
    fn the_limit_is_raised_as_far_as_it_goes() {
        let limit = raise_file_limit().unwrap().unwrap_or(rlimit::INFINITY);
        let (soft, hard) = rlimit::Resource::NOFILE.get().unwrap();
        assert_eq!(soft, limit);
        // macOS has a further limit, which the hard one does not show.
        assert!(
            cfg!(target_os = "macos") || soft == hard,
            "{soft} of {hard}"
        );
    }
}
