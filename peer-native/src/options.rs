//! The options of the program: one declaration each, see [`p2pchat_settings::options`].
//! [`Settings`] are the options together with what follows from them, checked once.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Parser;
use p2pchat_model::{Passphrase, Username};
use p2pchat_settings::streams::first_line;
use p2pchat_settings::{Given, Manual, OptionsError, PeerArgs, Place, Program, Section};
use thiserror::Error;

use crate::once::args::Task;
use crate::{exit, manual};

/// Chat with people on a p2pchat registry, from a terminal.
///
/// On a terminal it fills the screen; elsewhere it reads and writes plain lines.
#[derive(Debug, Parser)]
#[command(name = "p2pchat", after_help = exit::HELP, max_term_width = 100)]
pub struct Options {
    /// What to do; without one, chat
    #[command(subcommand)]
    pub task: Option<Task>,

    /// Those of each program that runs a peer.
    #[command(flatten)]
    pub peer: PeerArgs,

    /// The account to log in with
    #[arg(long, global = true, value_name = "NAME")]
    pub user: Option<Username>,

    /// Log in as --user with the password in the first line of this file
    #[arg(long, global = true, value_name = "FILE")]
    pub password_file: Option<PathBuf>,

    /// Create the account of --user and --password-file first, if it does not exist
    #[arg(long, global = true)]
    pub register: bool,

    /// Read and write plain lines: for pipes and screen readers
    #[arg(long)]
    pub plain: bool,

    /// Read a command as JSON a line and write an event as JSON a line: for programs
    #[arg(long)]
    pub json: bool,

    /// Scroll with the mouse wheel, and click in the list of chats; to mark text, then hold the Shift key
    #[arg(long)]
    pub mouse: bool,

    /// Ring the terminal's bell for chat requests, and for messages that you want to be alerted of
    #[arg(long, default_value_t = true)]
    pub bell: bool,

    /// The file to write logs to, instead of standard error
    #[arg(long, global = true, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
}

impl Program for Options {
    const SECTION: Section = Section::Peer;
    const MANUAL: Manual = manual::MANUAL;
}

/// A front end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The whole screen.
    Screen,
    /// Plain lines.
    Plain,
    /// JSON lines.
    Json,
}

/// A login at the start, without asking the user.
#[derive(Debug, Clone)]
pub struct AutoLogin {
    /// The account.
    pub name: Username,
    /// Its password.
    pub password: Passphrase,
    /// Whether to create the account first.
    pub register: bool,
}

/// The options, checked, and what follows from them.
#[derive(Debug)]
pub struct Settings {
    /// The options as they are given.
    pub options: Options,
    /// Those of the peer, as it takes them.
    pub peer: p2pchat_peer::Options,
    /// The front end to run.
    pub mode: Mode,
    /// Why it is not the full screen, for a user who may expect it.
    pub notice: Option<String>,
    /// The login to make without asking.
    pub login: Option<AutoLogin>,
}

/// Why there are no settings, and what to do about it.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// A value, or two options that contradict each other.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// An option without one that it needs.
    #[error("{0} needs {1} too")]
    Needs(&'static str, &'static str),
    /// The name or the password of the login is invalid.
    #[error("{option}: {reason}")]
    Login {
        /// The option it comes from.
        option: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The password file cannot be read.
    #[error("cannot read the password file {}: {source}", path.display())]
    PasswordFile {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Settings {
    /// Reads the options from the command line, the environment and the config file.
    ///
    /// # Errors
    /// If one of them is wrong, or the command line asks for something else than to chat.
    pub fn read(line: impl IntoIterator<Item = OsString>) -> Result<Self, SettingsError> {
        Self::new(p2pchat_settings::read(line)?)
    }

    fn new(given: Given<Options>) -> Result<Self, SettingsError> {
        let Given {
            mut options,
            places,
        } = given;
        if options.json
            && places.of("json") == Place::CommandLine
            && let Some(task) = &mut options.task
        {
            // As if it stood after the subcommand.
            task.print_json();
        }
        let chosen = places.choose(("plain", options.plain), ("json", options.json))?;
        let (mode, notice) = match chosen {
            _ if options.task.is_some() => (Mode::Plain, None),
            Some("json") => (Mode::Json, None),
            None => without_choice(
                io::stdin().is_terminal(),
                io::stdout().is_terminal(),
                std::env::var("TERM").ok().as_deref(),
            ),
            _ => (Mode::Plain, None),
        };
        let login = auto_login(&options)?;
        Ok(Self {
            peer: p2pchat_peer::Options {
                account: login.as_ref().map(|login| login.name),
                ..options.peer.options(&places)?
            },
            mode,
            notice,
            login,
            options,
        })
    }
}

/// The front end where none is chosen, and why it is not the full screen if a terminal is
/// there. `kind` is the variable TERM.
fn without_choice(input: bool, output: bool, kind: Option<&str>) -> (Mode, Option<String>) {
    let missing = match (input, output) {
        (true, true) if can_move_cursor(kind) => return (Mode::Screen, None),
        (true, true) => match kind {
            None | Some("") => "TERM does not say what this terminal can do".to_owned(),
            Some(kind) => format!("a terminal of the kind TERM={kind} cannot show it"),
        },
        (true, false) => "standard output is not a terminal".to_owned(),
        (false, true) => "standard input is not a terminal".to_owned(),
        (false, false) => return (Mode::Plain, None),
    };
    let notice = format!("plain lines instead of the full screen, as --plain: {missing}");
    (Mode::Plain, Some(notice))
}

/// Whether a terminal of this kind can place text, as full screen and line editing need it.
/// Where there is no variable TERM, on Windows, every terminal can.
pub(crate) fn can_move_cursor(kind: Option<&str>) -> bool {
    match kind {
        None | Some("") => cfg!(not(unix)),
        Some(kind) => !["dumb", "unknown", "emacs", "cons25"].contains(&kind),
    }
}

fn auto_login(options: &Options) -> Result<Option<AutoLogin>, SettingsError> {
    // There it is the password of an export.
    let is_identity = matches!(options.task, Some(Task::Identity(_)));
    let path = options.password_file.as_ref().filter(|_| !is_identity);
    let Some(path) = path else {
        return if options.register {
            Err(SettingsError::Needs("--register", "--password-file"))
        } else {
            Ok(None)
        };
    };
    let name = options.user;
    let name = name.ok_or(SettingsError::Needs("--password-file", "--user"))?;
    if options.register {
        name.check_new().map_err(|error| SettingsError::Login {
            option: "--user",
            reason: error.to_string(),
        })?;
    }
    Ok(Some(AutoLogin {
        name,
        password: read_password(path)?,
        register: options.register,
    }))
}

pub(crate) fn read_password(path: &Path) -> Result<Passphrase, SettingsError> {
    let line = File::open(path).and_then(first_line);
    let line = line.map_err(|source| SettingsError::PasswordFile {
        path: path.to_owned(),
        source,
    })?;
    Passphrase::new(&line).map_err(|error| SettingsError::Login {
        option: "--password-file",
        reason: format!("{}: {error}", path.display()),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use p2pchat_settings::options::{Environment, read_in};

    use super::*;

    /// Settings from a config file's text and a command line, without environment variables.
    fn settings(file: &str, line: &[&str]) -> Result<Settings, SettingsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, file).unwrap();
        let path = path.to_str().unwrap();
        let line = [&["p2pchat", "--config", path], line].concat();
        let environment = Environment {
            data: Some("/data".into()),
            ..Environment::default()
        };
        Settings::new(read_in(line, &environment)?)
    }

    #[test]
    fn the_full_screen_needs_two_terminals_that_can_show_it() {
        let xterm = Some("xterm-256color");
        assert_eq!(without_choice(true, true, xterm), (Mode::Screen, None));
        assert_eq!(without_choice(false, false, None), (Mode::Plain, None));
        for (input, output, kind, reason) in [
            (true, false, xterm, "standard output is not a terminal"),
            (false, true, xterm, "standard input is not a terminal"),
            (true, true, Some("dumb"), "TERM=dumb"),
            (true, true, Some(""), "TERM does not say"),
            (true, true, None, "TERM does not say"),
        ] {
            let (mode, notice) = without_choice(input, output, kind);
            assert_eq!(mode, Mode::Plain);
            assert!(notice.unwrap().contains(reason), "{reason}");
        }
    }

    #[test]
    fn the_command_line_goes_before_the_file() {
        let file = "[peer]\nregistry = \"a\"\nplain = true\nhistory = \"h\"\nmouse = true\n";
        let by_file = settings(file, &[]).unwrap();
        assert_eq!(by_file.peer.registry, "a");
        assert_eq!(by_file.mode, Mode::Plain);
        assert_eq!(by_file.peer.history, Some("h".into()));
        assert!(by_file.options.mouse);

        let line = ["--registry", "b", "--json", "--no-history", "--mouse=no"];
        let by_line = settings(file, &line).unwrap();
        assert_eq!(by_line.peer.registry, "b");
        assert_eq!(by_line.mode, Mode::Json);
        assert_eq!(by_line.peer.history, None);
        assert!(!by_line.options.mouse);
    }

    #[test]
    fn what_contradicts_itself_is_an_error_that_names_both() {
        let error = settings("", &["--plain", "--json"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--plain and --json exclude each other: give one of them"
        );
    }

    #[test]
    fn a_login_without_asking_needs_a_name_and_a_file() {
        let error = settings("", &["--register"]).unwrap_err();
        assert_eq!(error.to_string(), "--register needs --password-file too");
        let error = settings("", &["--password-file", "/x"]).unwrap_err();
        assert_eq!(error.to_string(), "--password-file needs --user too");
    }

    #[test]
    fn the_password_is_the_first_line_of_its_file_and_never_in_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let line = ["--user", "alice", "--password-file", path.to_str().unwrap()];
        fs::write(&path, "secret\nsecond\n").unwrap();
        let login = settings("", &line).unwrap().login.unwrap();
        assert_eq!(login.password.expose(), "secret");
        assert!(!login.register);
        fs::write(&path, "a secret of 22 letters".repeat(12) + "\n").unwrap();
        let error = settings("", &line).unwrap_err().to_string();
        assert!(error.contains("too long by 8"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn values_are_checked_before_anything_starts() {
        for line in [["--address", "300.1.1.1"], ["--user", "much-too-long"]] {
            let error = settings("", &line).unwrap_err().to_string();
            assert!(error.starts_with(line[0]), "{error}");
        }
    }

    #[test]
    fn options_of_the_peer_stand_before_or_after_a_subcommand() {
        let before = ["--registry", "r", "--profile", "./a", "who"];
        let after = ["who", "--registry", "r", "--profile", "./a"];
        for line in [before, after] {
            let settings = settings("", &line).unwrap();
            assert_eq!(settings.peer.registry, "r");
            assert_eq!(settings.peer.history, Some("./a/history.sqlite3".into()));
            assert_eq!(settings.options.peer.profile, Some("./a".into()));
        }
        let both = ["--registry", "a", "who", "--registry", "b"];
        assert_eq!(settings("", &both).unwrap().peer.registry, "b");
        // A name of the file is as good.
        let by_file = settings("[peer]\nuser = 'alice'\n", &["history", "--limit", "3"]);
        let by_file = by_file.unwrap();
        assert_eq!(by_file.options.user.unwrap().as_str(), "alice");
        assert_eq!(by_file.notice, None);
    }

    #[test]
    fn a_subcommand_prints_json_wherever_the_flag_stands() {
        let is_json = |file: &str, line: &[&str]| {
            let settings = settings(file, line).unwrap();
            match settings.options.task.unwrap() {
                Task::Who(who) => who.json,
                other => panic!("{other:?}"),
            }
        };
        assert!(is_json("", &["who", "--json"]));
        assert!(is_json("", &["--json", "who"]));
        assert!(!is_json("", &["who"]));
        // The front end of the file is another one.
        assert!(!is_json("[peer]\njson = true\n", &["who"]));
    }

    #[test]
    fn of_plain_and_json_the_one_from_the_greater_place_counts() {
        let by_line = settings("[peer]\njson = true\n", &["--plain"]).unwrap();
        assert_eq!(by_line.mode, Mode::Plain);
        let by_file = settings("[peer]\njson = true\n", &["--plain=false"]).unwrap();
        assert_eq!(by_file.mode, Mode::Json);
    }
}
