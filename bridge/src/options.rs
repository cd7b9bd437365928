//! The options of the bridge: one declaration each, see [`p2pchat_settings::options`].
//! [`Settings`] are the options together with what follows from them, checked once.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use p2pchat_settings::{Given, Manual, OptionsError, PeerArgs, Places, Program, Section};
use thiserror::Error;

use crate::gate;
use crate::limits::Limits;

/// How the program ends, for `--help` and the man page.
const EXIT_CODES: &str = "\
Exit codes:
  0  done: a signal stopped it, in order
  1  it could not start or not go on (address in use, a file that cannot be opened, …)
  2  the command line, the environment or the config file is wrong
  3  install: nothing here starts services, neither systemd nor launchd";

const MANUAL: Manual = Manual {
    examples: &[
        (
            "p2pchat-bridge --registry 192.168.1.10 --open",
            "Chat in the browser of this machine with the people on a registry:",
        ),
        (
            "p2pchat-bridge --profile bob --listen 127.0.0.1:7879",
            "A second person on this machine, at a port of their own:",
        ),
        (
            "p2pchat-bridge install",
            "Run it as a service of yours, from your login on, with the options of the config file:",
        ),
    ],
    config: "registry = \"192.168.1.10\"\nlisten = \"127.0.0.1:7878\"",
    files: &[
        (
            "~/.local/share/p2pchat/bridge-secret",
            "The secret in the URL of the page.",
        ),
        (
            "~/.local/share/p2pchat/",
            "The profile, which the terminal shares: keys, conversations, blocked users.",
        ),
    ],
    see_also: &["p2pchat(1)", "p2pchat-registry(1)"],
    more: Vec::new,
};

/// Chat from a browser: one p2pchat user, and the web page to chat with.
///
/// It prints a URL. Everyone who has this URL is the user, so keep it to yourself. Closing
/// the page does not log out: the bridge goes on receiving until it is stopped.
#[derive(Debug, Parser)]
#[command(name = "p2pchat-bridge", after_help = EXIT_CODES, max_term_width = 100)]
pub struct Options {
    /// What to do; without one, the bridge runs
    #[command(subcommand)]
    pub task: Option<Task>,

    /// Where to listen for the browser. To use it from another machine, forward a port: `ssh -L
    /// 7878:127.0.0.1:7878 MACHINE`
    #[arg(long, value_name = "ADDR:PORT")]
    #[arg(default_value_t = (Ipv4Addr::LOCALHOST, 7878).into())]
    pub listen: SocketAddr,

    /// Let --listen name an address that others can reach. Nothing is encrypted: everyone who
    /// can listen to the network reads the secret and every message, and can chat as this user
    #[arg(long)]
    pub expose_unencrypted: bool,

    /// Let in pages of this origin too, for development: that of `trunk serve` for instance.
    /// Can be given several times; a list in the file, separated by commas in the variable
    #[arg(long, value_name = "URL", value_delimiter = ',', value_parser = gate::parse_origin)]
    pub allow_origin: Vec<String>,

    /// Open the page in the browser; if a bridge of this profile runs already, its page
    #[arg(long)]
    pub open: bool,

    /// The file with the secret of the URL; it is created if it does not exist
    #[arg(long, value_name = "FILE", default_value = "$PROFILE/bridge-secret")]
    pub secret_file: PathBuf,

    /// How many connections there may be at a time
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::CONNECTIONS)]
    pub max_browser_connections: NonZeroUsize,

    /// Those of each program that runs a peer.
    #[command(flatten)]
    pub peer: PeerArgs,
}

/// What else the program does.
#[derive(Debug, Clone, Subcommand)]
pub enum Task {
    /// Let the bridge run as a service of this user, from each login on
    ///
    /// It is enabled and started. Its options are those of the section `[bridge]` of the config file.
    /// Once more after an update of the program, it goes on with that.
    Install {
        /// Only show what would be written and run
        #[arg(long)]
        dry_run: bool,
    },
    /// Stop the service and remove it; the profile is kept
    Uninstall {
        /// Only show what would be removed and run
        #[arg(long)]
        dry_run: bool,
    },
}

impl Program for Options {
    const SECTION: Section = Section::Bridge;
    const MANUAL: Manual = MANUAL;
}

/// The options, checked, and what follows from them.
#[derive(Debug)]
pub struct Settings {
    /// The options as they are given.
    pub options: Options,
    /// Those of the peer, as it takes them.
    pub peer: p2pchat_peer::Options,
    /// The place that gave each option.
    pub places: Places,
}

/// Why there are no settings, and what to do about it.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// A value, or two options that contradict each other.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// Others could reach the page.
    #[error(
        "--listen {0}: others than this machine can reach that, and nothing is encrypted: everyone who can listen to the network reads the secret and every message, and can chat as this user. If that is what you want, add --expose-unencrypted"
    )]
    Exposed(SocketAddr),
}

impl Settings {
    /// Reads the options from the command line, the environment and the config file.
    ///
    /// # Errors
    /// If one of them is wrong, or the command line asks for something else than to run.
    pub fn read(line: impl IntoIterator<Item = OsString>) -> Result<Self, SettingsError> {
        Self::new(p2pchat_settings::read(line)?)
    }

    /// The limits of the server.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            connections: self.options.max_browser_connections,
            ..Limits::default()
        }
    }

    fn new(given: Given<Options>) -> Result<Self, SettingsError> {
        let Given { options, places } = given;
        if !options.listen.ip().is_loopback() && !options.expose_unencrypted {
            return Err(SettingsError::Exposed(options.listen));
        }
        Ok(Self {
            peer: options.peer.options(&places)?,
            options,
            places,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use p2pchat_settings::options::{Environment, read_in};

    use super::*;

    fn environment() -> Environment {
        Environment {
            data: Some("/data".into()),
            ..Environment::default()
        }
    }

    /// Settings from a config file's text and a command line.
    fn settings(file: &str, line: &[&str]) -> Result<Settings, SettingsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, file).unwrap();
        let path = path.to_str().unwrap();
        let line = [&["p2pchat-bridge", "--config", path], line].concat();
        Settings::new(read_in(line, &environment())?)
    }

    #[test]
    fn the_command_line_goes_before_the_file() {
        let file = "[bridge]\nregistry = 'a'\nlisten = '127.0.0.1:1'\nhistory = 'h'\nopen = true\n\
                    allow-origin = ['http://a']\n";
        let by_file = settings(file, &[]).unwrap();
        assert_eq!(by_file.peer.registry, "a");
        assert_eq!(by_file.options.listen.port(), 1);
        assert_eq!(by_file.peer.history, Some("h".into()));
        assert_eq!(by_file.options.allow_origin, ["http://a"]);
        assert!(by_file.options.open);

        let line = [
            "--registry",
            "b",
            "--listen",
            "[::1]:2",
            "--no-history",
            "--open=no",
            "--allow-origin",
            "http://b",
            "--allow-origin",
            "http://c",
        ];
        let by_line = settings(file, &line).unwrap();
        assert_eq!(by_line.peer.registry, "b");
        assert_eq!(by_line.options.listen.port(), 2);
        assert_eq!(by_line.peer.history, None);
        assert_eq!(by_line.options.allow_origin, ["http://b", "http://c"]);
        assert!(!by_line.options.open);
    }

    #[test]
    fn without_anything_it_listens_on_loopback() {
        let settings = settings("", &["--history", "h"]).unwrap();
        assert_eq!(settings.options.listen.to_string(), "127.0.0.1:7878");
        assert_eq!(
            settings.options.secret_file,
            Path::new("/data/p2pchat/bridge-secret")
        );
    }

    #[test]
    fn what_others_can_reach_takes_a_flag_that_says_so() {
        for address in ["0.0.0.0:7878", "192.168.1.2:7878", "[::]:7878"] {
            let error = settings("", &["--listen", address]).unwrap_err();
            assert!(
                error.to_string().contains("--expose-unencrypted"),
                "{error}"
            );
            let line = ["--listen", address, "--expose-unencrypted"];
            assert_eq!(
                settings("", &line).unwrap().options.listen.to_string(),
                address
            );
        }
    }

    #[test]
    fn values_are_checked_before_anything_starts() {
        for line in [["--address", "300.1.1.1"], ["--allow-origin", "*"]] {
            let error = settings("", &line).unwrap_err().to_string();
            assert!(error.starts_with(line[0]), "{error}");
        }
    }

    #[test]
    fn a_variable_may_name_several_origins() {
        let mut environment = environment();
        let origins = "http://a,http://b";
        let variable = ("P2PCHAT_ALLOW_ORIGIN".to_owned(), origins.into());
        environment.variables = [variable].into();
        let given = read_in::<Options>(["p2pchat-bridge"], &environment).unwrap();
        assert_eq!(given.options.allow_origin, ["http://a", "http://b"]);
    }

    #[test]
    fn without_a_home_folder_the_secret_needs_a_file() {
        let error = read_in::<Options>(["p2pchat-bridge"], &Environment::default()).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("name a file with --secret-file, or a folder with --profile"),
            "{error}"
        );
    }
}
