//! The program `p2pchat`: options, logs, exit code. All else is in the library.

// They panic where standard output or error cannot be written.
#![warn(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use anyhow::Context;
use p2pchat::options::{Mode, SettingsError};
use p2pchat::{Exit, NAME, Settings, app, once};
use p2pchat_settings::streams::complain;
use p2pchat_settings::{TOO_LITTLE, logs};

/// What is logged if `RUST_LOG` does not say it.
const LOGS: &str = "warn";

fn main() -> ExitCode {
    let settings = match Settings::read(std::env::args_os()) {
        Ok(settings) => settings,
        Err(SettingsError::Options(error)) => error.exit(NAME, Exit::Usage as i32),
        Err(error) => {
            complain(NAME, error);
            return Exit::Usage.into();
        }
    };
    match run(settings) {
        Ok(exit) => exit.into(),
        Err(error) => {
            complain(NAME, format_args!("{error:#}"));
            Exit::Failed.into()
        }
    }
}

fn run(settings: Settings) -> anyhow::Result<Exit> {
    match &settings.options.log_file {
        Some(path) => logs::to_file(path, LOGS)
            .with_context(|| format!("cannot open the log file {}", path.display()))?,
        // Never onto a screen that is filled.
        None if settings.mode == Mode::Screen => {}
        None => logs::to_stderr(LOGS),
    }
    // The front end has this thread, and may wait there until its output is read. The peer
    // has another, and no more: what it does for a message is over before a third is awake.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context(TOO_LITTLE)?;
    let exit = runtime.block_on(async {
        match settings.options.task.clone() {
            Some(task) => once::run(settings, task).await,
            None => app::run(settings).await,
        }
    });
    // A thread that reads the terminal cannot be stopped, and must not hold this up.
    runtime.shutdown_background();
    exit
}
