//! The options of every program that runs a peer. Each can also stand after a subcommand.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};
use etcetera::BaseStrategy;
use p2pchat_model::{Fingerprint, PeerAddr};
use p2pchat_peer::Options;

use crate::options::{OptionsError, Places};

/// The longest time a chat request may wait, in seconds: a day.
pub const MAX_REQUEST_LIMIT: u64 = 24 * 60 * 60;

/// The longest time that messages are kept if there is a limit, in days: some hundred years.
pub const MAX_KEEP_DAYS: u64 = 36_500;

/// The options of a peer.
#[derive(Debug, Clone, Args)]
pub struct PeerArgs {
    /// The profile: whose account, chats and history. A name, or a folder (with a / in it).
    /// Programs of one profile share one peer; another person on this machine needs another
    /// profile
    #[arg(long, global = true, value_name = "NAME|FOLDER", value_hint = ValueHint::DirPath)]
    #[arg(default_value = "$DATA/")]
    // Parsed to the folder, however it is given; none without a home folder.
    pub profile: Option<PathBuf>,

    /// The registry: a name or an address; with commas, several that serve the same users. The
    /// line to it is encrypted. The fingerprint of its key makes the first contact sure too: its
    /// operator has it, and `p2pchat-registry fingerprint` prints it. Without this option, the one
    /// that the profile has used last; a new profile asks
    #[arg(long, global = true, value_name = "HOST[:PORT][#FINGERPRINT]", value_parser = registry)]
    pub registry: Option<String>,

    /// Speak to the registry unencrypted, in version 1 of the protocol: everyone who can listen
    /// to the network reads the password and who is online. For a registry that has no version
    /// 2. No effect on one that is known by its key or named with a fingerprint
    #[arg(long, global = true)]
    pub allow_plaintext: bool,

    /// The address to be reached at; each peer on a machine needs its own. Without it, the
    /// one from which this machine reaches the registry
    #[arg(long, global = true, value_name = "IPV4")]
    pub address: Option<PeerAddr>,

    /// The file to keep messages of the open chat in
    #[arg(long, global = true, value_name = "FILE")]
    #[arg(default_value = "$PROFILE/history.sqlite3")]
    pub history: Option<PathBuf>,

    /// Keep no messages of the open chat. Those of encrypted conversations are kept in the profile in
    /// any case, as others may need them
    #[arg(long, global = true)]
    pub no_history: bool,

    /// How many days messages are kept: those of the open chat, and those of encrypted
    /// conversations, also if someone has not got them yet. Others keep their own. Without it,
    /// the newest 100,000 of each conversation
    #[arg(long, global = true, value_name = "DAYS", value_parser = days)]
    pub keep_days: Option<Duration>,

    /// The file to keep the list of blocked users in
    #[arg(long, global = true, value_name = "FILE")]
    #[arg(default_value = "$PROFILE/blocks.sqlite3")]
    pub blocks: Option<PathBuf>,

    /// How long a chat request waits for an answer
    #[arg(long, global = true, value_name = "SECONDS", value_parser = request_limit)]
    #[arg(default_value = Options::REQUEST_LIMIT.as_secs().to_string())]
    pub request_limit: Duration,

    /// The UDP port where the registry takes hellos
    #[arg(long, global = true, value_name = "PORT", value_parser = port_number)]
    #[arg(default_value = Options::default().hello_port.to_string())]
    pub hello_port: u16,

    /// Take messages at port 5859 without trying 1010, which needs a privilege on most
    /// systems
    #[arg(long, global = true)]
    pub unprivileged: bool,
}

impl PeerArgs {
    /// The same as the peer takes them.
    ///
    /// # Errors
    /// If there is no file for the history, or it is both asked for and refused.
    pub fn options(&self, places: &Places) -> Result<Options, OptionsError> {
        let chosen = places.choose(("history", true), ("no_history", self.no_history))?;
        let history = match chosen {
            Some("no_history") => None,
            _ => Some(self.history.clone().ok_or_else(no_home)?),
        };
        Ok(Options {
            registry: self.registry.clone().unwrap_or_default(),
            hello_port: self.hello_port,
            address: self.address,
            unprivileged: self.unprivileged,
            request_limit: self.request_limit,
            history,
            keep: self.keep_days,
            // Without a home folder the list is forgotten at the end, and blocking says so.
            blocks: self.blocks.clone(),
            allow_plaintext: self.allow_plaintext,
            folder: self.profile.clone(),
            states: states(),
            account: None,
        })
    }
}

/// The folder for states of this user (`~/.local/state/p2pchat`), where the system has one.
fn states() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    let states = folders.state_dir()?;
    states.is_absolute().then(|| states.join("p2pchat"))
}

fn no_home() -> OptionsError {
    let instead = "--history FILE, or a folder with --profile, or give --no-history";
    OptionsError::NoHome(instead.to_owned())
}

/// The text as it is, once each name in it is one of a registry.
fn registry(text: &str) -> Result<String, String> {
    text.split(',').try_for_each(check_name)?;
    Ok(text.to_owned())
}

/// Checks `HOST`, `HOST:PORT`, `HOST#FINGERPRINT` or `HOST:PORT#FINGERPRINT`.
fn check_name(name: &str) -> Result<(), String> {
    let name = name.trim();
    let (place, fingerprint) = match name.split_once('#') {
        Some((place, fingerprint)) => (place, Some(fingerprint)),
        None => (name, None),
    };
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (place, None),
    };
    if host.is_empty() {
        return Err("a name or an address is needed".to_owned());
    }
    if host.contains(char::is_whitespace) {
        return Err(format!("{host} is neither a name nor an address"));
    }
    if let Some(text) = port {
        port_number(text)?;
    }
    match fingerprint.map(str::parse::<Fingerprint>) {
        Some(Err(error)) => Err(format!("what stands behind # is no fingerprint: {error}")),
        Some(Ok(_)) | None => Ok(()),
    }
}

fn port_number(text: &str) -> Result<u16, &'static str> {
    let port = text.parse().map(NonZeroU16::get);
    port.map_err(|_| "a port is 1 to 65535")
}

fn days(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(days @ 1..=MAX_KEEP_DAYS) => Ok(Duration::from_secs(days * 24 * 60 * 60)),
        _ => Err(format!("1 to {MAX_KEEP_DAYS} days are possible")),
    }
}

fn request_limit(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=MAX_REQUEST_LIMIT) => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("1 to {MAX_REQUEST_LIMIT} seconds are possible")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;

    use super::*;
    use crate::options::{self, Environment};
    use crate::{Manual, Program, Section};

    #[derive(Debug, Parser)]
    struct Peer {
        #[command(flatten)]
        peer: PeerArgs,
    }

    impl Program for Peer {
        const SECTION: Section = Section::Peer;
        const MANUAL: Manual = Manual::NONE;
    }

    /// Options from the keys of a config file and a command line.
    fn options(keys: &str, line: &[&str]) -> Result<Options, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, format!("[peer]\n{keys}")).unwrap();
        let line = [&["peer", "--config", path.to_str().unwrap()], line].concat();
        let environment = Environment {
            data: Some("/data".into()),
            ..Environment::default()
        };
        let given = options::read_in::<Peer>(line, &environment);
        given
            .and_then(|given| given.options.peer.options(&given.places))
            .map_err(|error| error.to_string())
    }

    const KEYS: &str = "registry = 'a'\nrequest-limit = 5\nhistory = 'h'\n";

    #[test]
    fn the_command_line_goes_before_the_file_and_the_file_before_the_default() {
        let by_file = options(KEYS, &[]).unwrap();
        assert_eq!(by_file.registry, "a");
        assert_eq!(by_file.request_limit, Duration::from_secs(5));
        assert_eq!(by_file.history, Some("h".into()));
        assert_eq!(by_file.hello_port, Options::default().hello_port);

        assert_eq!(by_file.keep, None);
        let week = Duration::from_secs(7 * 24 * 60 * 60);
        assert_eq!(options("keep-days = 7", &[]).unwrap().keep, Some(week));

        let by_line = options(KEYS, &["--registry", "b", "--no-history"]).unwrap();
        assert_eq!(by_line.registry, "b");
        assert_eq!(by_line.history, None);
        assert!(!by_line.allow_plaintext);
        let allowed = options("allow-plaintext = true\n", &[]).unwrap();
        assert!(allowed.allow_plaintext);
        assert_eq!(allowed.folder, Some("/data/p2pchat".into()));
        // The list of blocked users is kept all the same.
        let blocks = ["--no-history", "--blocks", "b"];
        assert_eq!(options(KEYS, &blocks).unwrap().blocks, Some("b".into()));
        let kept = options(KEYS, &["--no-history=no"]).unwrap();
        assert_eq!(kept.history, Some("h".into()));
        let kept = options("no-history = true\n", &["--history", "h"]).unwrap();
        assert_eq!(kept.history, Some("h".into()));
        let kept = options("no-history = true\n", &["--no-history=no"]).unwrap();
        assert_eq!(kept.history, Some("/data/p2pchat/history.sqlite3".into()));
    }

    #[test]
    fn files_are_kept_in_the_folder_of_the_profile_unless_named_themselves() {
        let kept = |keys, line: &[&str]| {
            let options = options(keys, line).unwrap();
            [options.history.unwrap(), options.blocks.unwrap()]
        };
        let [history, blocks] = kept("", &[]);
        assert_eq!(history, Path::new("/data/p2pchat/history.sqlite3"));
        assert_eq!(blocks, Path::new("/data/p2pchat/blocks.sqlite3"));
        let [history, blocks] = kept("profile = 'bob'", &["--blocks", "b"]);
        let named = "/data/p2pchat/profiles/bob/history.sqlite3";
        assert_eq!(history, Path::new(named));
        assert_eq!(blocks, Path::new("b"));
        let [history, blocks] = kept("profile = 'bob'", &["--profile", "/srv/carol/"]);
        assert_eq!(history, Path::new("/srv/carol/history.sqlite3"));
        assert_eq!(blocks, Path::new("/srv/carol/blocks.sqlite3"));
    }

    #[test]
    fn a_profile_is_known_to_the_program_as_its_folder() {
        let profile = |data: Option<&str>, line: &[&str]| {
            let environment = Environment {
                data: data.map(Into::into),
                ..Environment::default()
            };
            let line = [&["peer", "--no-history"], line].concat();
            let given = options::read_in::<Peer>(line, &environment)?;
            Ok::<_, OptionsError>(given.options.peer.profile)
        };
        let data = Some("/data");
        let default = profile(data, &[]).unwrap();
        assert_eq!(default.unwrap().as_os_str(), "/data/p2pchat");
        let named = profile(data, &["--profile", "bob"]).unwrap();
        assert_eq!(named, Some("/data/p2pchat/profiles/bob".into()));
        let folder = profile(None, &["--profile", "./bob"]).unwrap();
        assert_eq!(folder, Some("./bob".into()));
        assert_eq!(profile(None, &[]).unwrap(), None);
        let error = profile(None, &["--profile", "bob"]).unwrap_err();
        assert!(error.to_string().contains("no home folder"), "{error}");
        let error = profile(data, &["--profile", ".bob"]).unwrap_err();
        assert!(error.to_string().starts_with("--profile .bob: "), "{error}");
    }

    #[test]
    fn without_a_home_folder_the_history_needs_a_file_and_the_blocks_do_not() {
        let read = |line: &[&str]| {
            let given = options::read_in::<Peer>(line.iter().copied(), &Environment::default());
            given.and_then(|given| given.options.peer.options(&given.places))
        };
        let error = read(&["peer"]).unwrap_err().to_string();
        assert!(
            error.ends_with("--history FILE, or a folder with --profile, or give --no-history"),
            "{error}"
        );
        let options = read(&["peer", "--no-history"]).unwrap();
        assert_eq!((options.history, options.blocks), (None, None));
        let options = read(&["peer", "--profile", "/srv/bob"]).unwrap();
        assert_eq!(options.history, Some("/srv/bob/history.sqlite3".into()));
    }

    #[test]
    fn keeping_and_not_keeping_in_one_place_is_an_error_that_names_both() {
        let error = options("history = 'h'\nno-history = true\n", &[]).unwrap_err();
        assert!(error.contains("--history and --no-history"), "{error}");
        let error = options("", &["--history", "h", "--no-history"]).unwrap_err();
        assert!(error.contains("--history and --no-history"), "{error}");
    }

    #[test]
    fn a_registry_may_have_a_port_and_a_fingerprint() {
        let fingerprint = "ALGW-5BBC-YQD7-W3IJ-Q2IP-CEYL-PU";
        for name in [
            "chat.example".to_owned(),
            format!("chat.example#{fingerprint}"),
            format!(
                "10.0.0.1:3131#{}",
                fingerprint.replace('-', "").to_lowercase()
            ),
            format!("a:1#{fingerprint}, b:2#{fingerprint}"),
        ] {
            let given = options("", &["--registry", &name]).unwrap();
            assert_eq!(given.registry, name);
        }
    }

    #[test]
    fn values_are_checked() {
        for (line, reason) in [
            (["--address", "300.1.1.1"], "IPv4"),
            (["--request-limit", "0"], "1 to 86400 seconds are possible"),
            (["--request-limit", "86401"], "1 to 86400 seconds"),
            (["--keep-days", "0"], "1 to 36500 days are possible"),
            (["--hello-port", "0"], "a port is 1 to 65535"),
            (["--hello-port", "65536"], "a port is 1 to 65535"),
            (["--registry", " "], "a name or an address is needed"),
            (["--registry", "a,,b"], "a name or an address is needed"),
            (["--registry", "#ABCD"], "a name or an address is needed"),
            (["--registry", "a b"], "neither a name nor an address"),
            (["--registry", "a:0"], "a port is 1 to 65535"),
            (["--registry", "a:3131:x"], "a port is 1 to 65535"),
            (["--registry", "a#"], "a fingerprint has 26 letters"),
            (
                ["--registry", "a,b:3131#ABCD-EFGH"],
                "a fingerprint has 26 letters",
            ),
        ] {
            let error = options(KEYS, &line).unwrap_err();
            assert!(error.starts_with(line[0]), "{error}");
            assert!(error.contains(reason), "{error}");
        }
    }
}
