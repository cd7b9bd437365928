//! The program `p2pchat`: flags, logs, exit code. All else is in the library.

use std::io;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use p2pchat::cli::{Cli, Task};
use p2pchat::{Exit, Settings, app, logs};

fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if let Some(Task::Completions { shell }) = cli.task {
        clap_complete::generate(shell, &mut Cli::command(), "p2pchat", &mut io::stdout());
        return Exit::Done.into();
    }
    let settings = match Settings::new(cli.given, &matches) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("p2pchat: {error}");
            return Exit::Usage.into();
        }
    };
    match run(settings) {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("p2pchat: {error:#}");
            Exit::Failed.into()
        }
    }
}

fn run(settings: Settings) -> anyhow::Result<Exit> {
    logs::start(&settings)?;
    // The front end has this thread, and may wait there for whoever reads what it writes. The
    // peer has another, and no more: what it does for a text is over before a third is awake.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let exit = runtime.block_on(app::run(settings));
    // A thread that reads the terminal cannot be stopped, and must not hold this up.
    runtime.shutdown_background();
    exit
}
