//! Logs, to standard error or to a file. A line that cannot be written is lost, and nothing
//! else: a program does not end because nobody reads its logs, and does not wait for a reader
//! that has stopped.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::env::VarError;
use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::panic::{self, PanicHookInfo};
use std::path::Path;
use std::thread;

use tracing_subscriber::EnvFilter;

use crate::streams::IfRoom;

/// The variable that selects what is logged.
const VARIABLE: &str = EnvFilter::DEFAULT_ENV;

/// Starts logging to standard error: what `RUST_LOG` selects, or `default` without it.
/// In colours if standard error is a terminal that has them.
///
/// # Panics
/// If logging has already started.
pub fn to_stderr(default: &str) {
    let (filter, mistake) = filter(default, std::env::var(VARIABLE));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal() && has_colours())
        // Locked, so that no other thread takes the room.
        .with_writer(|| IfRoom::now(io::stderr().lock()))
        // It would panic where the report of a lost line is lost too.
        .log_internal_errors(false)
        .init();
    report(mistake);
    panic::set_hook(Box::new(report_panic));
}

/// Says on standard error what the hook of the standard library says, which would wait for a
/// reader that has stopped.
fn report_panic(panic: &PanicHookInfo<'_>) {
    let thread = thread::current();
    let name = thread.name().unwrap_or("<unnamed>");
    let backtrace = Backtrace::capture();
    let backtrace = match backtrace.status() {
        BacktraceStatus::Captured => backtrace.to_string(),
        _ => String::new(),
    };
    let words = format!("thread '{name}' {panic}\n{backtrace}");
    let _ = IfRoom::soon(io::stderr()).write_all(words.as_bytes());
}

/// Starts logging to the end of this file, which is created if it does not
/// exist.
///
/// # Errors
/// If the file cannot be opened.
///
/// # Panics
/// If logging has already started.
pub fn to_file(path: &Path, default: &str) -> io::Result<()> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let (filter, mistake) = filter(default, std::env::var(VARIABLE));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(file)
        .log_internal_errors(false)
        .init();
    report(mistake);
    Ok(())
}

/// What is logged, and what is wrong with the variable.
fn filter(default: &str, variable: Result<String, VarError>) -> (EnvFilter, Option<String>) {
    let given = match variable {
        Ok(text) if text.trim().is_empty() => return (EnvFilter::new(default), None),
        Ok(text) => EnvFilter::try_new(text).map_err(|error| error.to_string()),
        Err(VarError::NotPresent) => return (EnvFilter::new(default), None),
        Err(VarError::NotUnicode(_)) => Err("it is not UTF-8".to_owned()),
    };
    match given {
        Ok(filter) => (without_frames(filter), None),
        Err(reason) => (EnvFilter::new(default), Some(reason)),
    }
}

/// The same without what the WebSocket library logs of each frame, at `trace`: all that is in
/// it, a password too.
fn without_frames(filter: EnvFilter) -> EnvFilter {
    let directive = "tungstenite=info".parse();
    filter.add_directive(directive.expect("this is a target and a level"))
}

fn report(mistake: Option<String>) {
    if let Some(reason) = mistake {
        tracing::warn!("{VARIABLE} is left aside: {reason}");
    }
}

fn has_colours() -> bool {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_counts_as_none_and_a_wrong_one_is_told() {
        let shown = |variable: Result<&str, VarError>| {
            let (filter, mistake) = filter("info", variable.map(str::to_owned));
            (filter.to_string(), mistake.is_some())
        };
        let default = ("info".to_owned(), false);
        assert_eq!(shown(Err(VarError::NotPresent)), default);
        assert_eq!(shown(Ok("")), default);
        let debug = ("tungstenite=info,debug".to_owned(), false);
        assert_eq!(shown(Ok("debug")), debug);
        assert_eq!(shown(Ok("a=b=c[")), ("info".to_owned(), true));
    }
}
