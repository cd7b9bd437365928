//! The options of the registry: one declaration each, see [`p2pchat_settings::options`].
//!
//! The defaults are for a machine with two cores. The comment at an option says where its
//! number comes from.

use std::ffi::OsString;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueHint};
use p2pchat_protocol::{REGISTRY_TCP_PORT, REGISTRY_UDP_PORT};
use p2pchat_settings::options::{defaults, seconds};
use p2pchat_settings::{Manual, Program, Section};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::manual;

/// The registry of p2pchat: accounts, and who is online where.
#[derive(Debug, Parser)]
#[command(name = "p2pchat-registry", after_help = manual::EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    /// What to do; without one, the registry runs.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The options.
    #[command(flatten)]
    pub options: Options,
}

impl Program for Cli {
    const SECTION: Section = Section::Registry;
    const MANUAL: Manual = manual::MANUAL;
}

/// What else the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Manage accounts, also while a registry runs on the same store.
    Users {
        /// What to do with them.
        #[command(subcommand)]
        command: UsersCommand,
    },
    /// Print the fingerprint of the registry's key as users need it, and as a QR code.
    Fingerprint {
        /// The name or address by which users reach this registry, with :PORT if it is not the
        /// usual one. Default: the name of this machine.
        host: Option<String>,
    },
    /// Ask the registry that serves --metrics whether it can serve a login: exits with 0 if so.
    Ready,
    /// Let the registry run as a service that starts by itself.
    ///
    /// As root a service of this system, from each boot on; else one of this user, from each login
    /// on. It is enabled and started, and the last line that is printed is what others type to
    /// chat. Once more after an update of the program, it goes on with that.
    Install {
        /// Which service, and what is only shown.
        #[command(flatten)]
        which: WhichService,
    },
    /// Stop the service and remove it; accounts and key are kept.
    Uninstall {
        /// Which service, and what is only shown.
        #[command(flatten)]
        which: WhichService,
        /// Delete accounts and key too. Users have to create their accounts again, and to accept
        /// the key of the next registry.
        #[arg(long)]
        purge: bool,
    },
}

/// Which service is meant.
#[derive(Debug, Args)]
pub struct WhichService {
    /// A service of this user, also for root.
    #[arg(long)]
    pub user: bool,
    /// Only show what would be written and run.
    #[arg(long)]
    pub dry_run: bool,
}

/// The operator commands. They take effect at the next login, and a user who is online by
/// version 1 stays online. What a person may no longer do on a device ends within a minute.
#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// Print the names of all accounts, one a line.
    List,
    /// Create an account.
    Add {
        /// Its name: 1 to 10 bytes, no white space, and not an IP address.
        name: String,
        /// Where its password comes from.
        #[command(flatten)]
        source: PasswordSource,
    },
    /// Delete an account.
    Remove {
        /// Its name.
        name: String,
    },
    /// Set the password of an account.
    SetPassword {
        /// Its name.
        name: String,
        /// Where the new password comes from.
        #[command(flatten)]
        source: PasswordSource,
    },
    /// Print the devices of an account, one a line; those that were forgotten are marked.
    Devices {
        /// The name of the account.
        name: String,
    },
    /// Lock a device out of an account, for good: it was lost or stolen.
    ForgetDevice {
        /// The name of the account.
        name: String,
        /// The device, as `users devices` prints it.
        device: String,
    },
    /// Free an account from the person it is bound to, with all their devices: the person
    /// who signs in with the password next is the one it is bound to then.
    ResetKey {
        /// The name of the account.
        name: String,
    },
}

/// Where a password comes from: never from the command line, which others can see.
#[derive(Debug, Args)]
pub struct PasswordSource {
    /// Read the password from the first line of FILE (- is standard input) instead of
    /// asking for it on the terminal.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// Everything that a [`Server`](crate::Server) has to know.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Where accounts are kept: the path of a file, or a mongodb:// or mongodb+srv:// URI.
    // The value may hold a password.
    #[arg(
        long,
        global = true,
        value_name = "PATH|mongodb://…",
        value_hint = ValueHint::FilePath,
        value_parser = OsStringValueParser::new().try_map(StoreSpec::try_from),
        hide_env_values = true
    )]
    #[arg(default_value = "$DATA/registry.sqlite3")]
    pub store: StoreSpec,

    /// Be one of several registries over the same MongoDB replica set or sharded cluster,
    /// which all show the same users.
    #[arg(long)]
    pub cluster: bool,

    /// Where to listen for sessions. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR:PORT")]
    #[arg(default_value_t = (Ipv4Addr::UNSPECIFIED, REGISTRY_TCP_PORT).into())]
    pub tcp: SocketAddr,

    /// Where to listen for Hello datagrams. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR:PORT")]
    #[arg(default_value_t = (Ipv4Addr::UNSPECIFIED, REGISTRY_UDP_PORT).into())]
    pub udp: SocketAddr,

    /// Where to serve /healthz, /readyz and /metrics (for Prometheus) by HTTP. An address
    /// that only this machine reaches, such as 127.0.0.1:9131; port 0 takes a free one.
    /// Without it, nowhere.
    #[arg(long, value_name = "ADDR:PORT")]
    pub metrics: Option<SocketAddr>,

    /// Let --metrics name an address that others can reach: they can read how many users
    /// there are, and what fails.
    #[arg(long)]
    pub expose_metrics: bool,

    /// How long a user stays online without a Hello.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "60")]
    pub presence_timeout: Duration,

    /// The file with the key of this registry, which users recognise it by. It is made at the
    /// first start. Default: beside the account file, with .key at its end; with MongoDB it has
    /// to be named. All registries over one database have the same key.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub key_file: Option<PathBuf>,

    /// Refuse to register and to log in without encryption, as legacy clients do.
    #[arg(long)]
    pub require_encryption: bool,

    /// What the registry may use.
    #[command(flatten)]
    pub limits: Limits,
}

/// What a registry may use, and how much of everything it serves.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// How many connections there may be at a time. When all are in use, one without a
    /// logged in user is closed for the new one; if there is none, the new one is closed.
    // Each takes some 2 KiB of the registry, its buffers in the system (`send_buffer`) while
    // it does not read, and one file descriptor.
    #[arg(long, value_name = "NUMBER", default_value = "10000")]
    pub max_connections: NonZeroUsize,

    /// How many of them may come from one address. Further ones are closed at once.
    // A user has one, for a moment two. Hundreds, because behind one address there may be a
    // terminal server or a NAT with everybody of an office; a twentieth of all, so that it
    // takes many addresses to fill a registry.
    #[arg(long, value_name = "NUMBER", default_value = "500")]
    pub connections_per_address: NonZeroUsize,

    /// How long a connection may take to its first request.
    // Legacy clients connect first and then ask their user for a name.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "60")]
    pub first_request_timeout: Duration,

    /// How long a request may take from its first byte to its last.
    // 27 bytes, on the worst of lines.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "10")]
    pub request_timeout: Duration,

    /// How long a client may take to read a response.
    // The list of 2,000 users has 60 KB.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "10")]
    pub response_timeout: Duration,

    /// How many bytes of responses the system holds for a client that does not read.
    // The list of 2,000 users in one piece. Left alone, Linux lets this grow to 4 MiB for
    // each connection.
    #[arg(long, value_name = "BYTES", default_value = "65536")]
    pub send_buffer: NonZeroU32,

    /// How many threads hash passwords, each with 19 MiB of memory. Default: one for each
    /// core, at most 2.
    #[arg(long, value_name = "NUMBER")]
    #[arg(default_value_t = hash_workers(), hide_default_value = true)]
    pub hash_workers: NonZeroUsize,

    /// How many passwords may wait for those threads, of users who were logged in at the
    /// same address before, and as many of all others. Beyond that, logins and registrations
    /// fail, those from the address with the most waiting first.
    // About 3 seconds of work for two threads. Login is answered 49, Register 50.
    #[arg(long, value_name = "NUMBER", default_value = "256")]
    pub hash_queue: NonZeroUsize,

    /// How many accounts may be created in a row from one address, or asked for under a name
    /// that is taken.
    // A classroom, or an office behind one address, on its first day. Beyond that, Register
    // is answered 50.
    #[arg(long, value_name = "NUMBER", default_value = "100")]
    pub registrations: NonZeroU32,

    /// How long it then takes until one more may be created.
    // One a minute is 1,440 a day: too slow to fill a disk or to take all good names.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "60")]
    pub registration_interval: Duration,

    /// How long a client that asks for too much waits for the answer that says so.
    // A flood of refused requests is one request a second for each connection.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "1")]
    pub slow_answer: Duration,

    /// How long the handshake of an encrypted connection may take.
    // Two round trips, on the worst of lines.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "5")]
    pub handshake_timeout: Duration,

    /// How long an encrypted session may be silent, at most 45. Clients send a ping every 15
    /// seconds.
    // Three pings, as the protocol says.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "45")]
    pub session_timeout: Duration,

    /// How many encrypted connections may begin.
    #[command(flatten)]
    pub handshakes: Handshakes,

    /// How many failed logins are allowed.
    #[command(flatten)]
    pub guessing: Guessing,
}

/// How many encrypted connections may begin, from an address and in all. Each pair of fields is a
/// number in a row, and how many a second from then on; one beyond it is closed at once.
///
/// A handshake costs some 0.2 ms of a core, hundreds of times as much as a request.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Handshakes")]
pub struct Handshakes {
    /// How many encrypted connections may begin in a row from one address.
    // As many as it may have: everybody of an office comes back after the registry was started
    // again. 0.1 s of a core.
    #[arg(long, value_name = "NUMBER", default_value = "500")]
    pub handshakes: NonZeroU32,

    /// How many may then begin each second.
    // A hundredth of a core.
    #[arg(long, value_name = "NUMBER", default_value = "50")]
    pub handshake_rate: NonZeroU32,

    /// How many encrypted connections may begin in a row from all addresses together where nobody
    /// was signed in before. Others are not counted here, so that no flood keeps users out.
    // Half of the users that a registry serves, when it has forgotten all addresses because it
    // was started again; the others come with their second try. 1 s of a core.
    #[arg(long, value_name = "NUMBER", default_value = "5000")]
    pub unknown_handshakes: NonZeroU32,

    /// How many of those may then begin each second.
    // A tenth of a core.
    #[arg(long, value_name = "NUMBER", default_value = "500")]
    pub unknown_handshake_rate: NonZeroU32,
}

/// How many failed logins are allowed, from an address and to an account. Each pair of fields is
/// a number in a row and the time until one more; a login beyond it is answered 49.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Failed logins")]
pub struct Guessing {
    /// How many logins in a row may fail from one address, whichever names it tries. As many,
    /// counted apart and with the interval of the name, of a name at an address where it was
    /// logged in before.
    // More than anyone mistypes, even a few users at one address.
    #[arg(long, value_name = "NUMBER", default_value = "10")]
    pub failed_logins: NonZeroU32,

    /// How long it then takes until one more may fail.
    // One guess in 2 seconds is 43,000 a day, for all names together.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "2")]
    pub failed_login_interval: Duration,

    /// How many logins in a row may fail of one name, from all addresses where it was not
    /// logged in before.
    // More than one address has: users who mistype at their own do not use up their name's.
    #[arg(long, value_name = "NUMBER", default_value = "20")]
    pub failed_logins_by_name: NonZeroU32,

    /// How long it then takes until one more may fail.
    // One guess in 30 seconds is 2,880 a day, from all addresses together: hopeless against
    // a fair password.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "30")]
    pub failed_login_by_name_interval: Duration,

    /// How many logins in a row may fail of one name from one address, while those of the
    /// name are used up: nobody can use them up for another user.
    // Enough to get a password right that one knows.
    #[arg(long, value_name = "NUMBER", default_value = "3")]
    pub failed_logins_spare: NonZeroU32,

    /// How long it then takes until one more may fail.
    // 72 guesses a day from each address.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "1200")]
    pub failed_login_spare_interval: Duration,
}

/// Others than this machine could read the metrics.
#[derive(Debug, Error)]
#[error(
    "--metrics {0}: others than this machine can reach that, and read how many users there are and what fails. If that is what you want, add --expose-metrics"
)]
pub struct Exposed(SocketAddr);

impl Options {
    /// The defaults: every IPv4 address of this machine, and the ports of the protocol.
    #[must_use]
    pub fn new(store: StoreSpec) -> Self {
        Self {
            store,
            ..defaults()
        }
    }

    /// The defaults on 127.0.0.1 and free ports, for tests.
    #[must_use]
    pub fn on_loopback(store: StoreSpec) -> Self {
        let any_port = (Ipv4Addr::LOCALHOST, 0).into();
        Self {
            tcp: any_port,
            udp: any_port,
            ..Self::new(store)
        }
    }

    /// Checks what options mean together.
    ///
    /// # Errors
    /// If others can reach the metrics and `expose_metrics` is off.
    pub fn check(&self) -> Result<(), Exposed> {
        match self.metrics {
            Some(address) if !address.ip().is_loopback() && !self.expose_metrics => {
                Err(Exposed(address))
            }
            _ => Ok(()),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        defaults()
    }
}

impl Default for Handshakes {
    fn default() -> Self {
        defaults()
    }
}

impl Default for Guessing {
    fn default() -> Self {
        defaults()
    }
}

/// Two threads compute some 75 hashes a second, and leave the other cores alone.
fn hash_workers() -> NonZeroUsize {
    const MAX: NonZeroUsize = NonZeroUsize::new(2).expect("not zero");
    thread::available_parallelism().map_or(NonZeroUsize::MIN, |cores| cores.min(MAX))
}

/// Where accounts are kept: a file, or a MongoDB database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreSpec {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A `mongodb://` or `mongodb+srv://` URI.
    Mongo(MongoUri),
}

/// Why a text names no store.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreSpecError {
    /// No text.
    #[error(
        "a store is needed: the path of a file, or a URI that starts with mongodb:// or mongodb+srv://"
    )]
    Empty,
    /// A URI of another kind.
    #[error(
        "there is no store of the kind {0}://; use the path of a file, or a URI that starts with mongodb:// or mongodb+srv://"
    )]
    UnknownKind(String),
}

impl FromStr for StoreSpec {
    type Err = StoreSpecError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once("://") {
            Some(("mongodb" | "mongodb+srv", _)) => Ok(Self::Mongo(MongoUri(text.to_owned()))),
            Some((kind, _)) => Err(StoreSpecError::UnknownKind(kind.to_owned())),
            None if text.is_empty() => Err(StoreSpecError::Empty),
            None => Ok(Self::Sqlite(PathBuf::from(text))),
        }
    }
}

/// A path need not be UTF-8.
impl TryFrom<OsString> for StoreSpec {
    type Error = StoreSpecError;

    fn try_from(text: OsString) -> Result<Self, Self::Error> {
        match text.into_string() {
            Ok(text) => text.parse(),
            Err(path) => Ok(Self::Sqlite(path.into())),
        }
    }
}

/// Shows no password.
impl fmt::Display for StoreSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Mongo(uri) => f.write_str(&uri.redacted()),
        }
    }
}

/// A MongoDB URI, which may hold a password. Hidden in `Debug`, wiped on drop.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct MongoUri(String);

impl MongoUri {
    /// The whole URI, for the driver.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The URI for people: without the password, and without the options, which may hold
    /// others.
    #[must_use]
    pub fn redacted(&self) -> String {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("mongodb", ""));
        // From the right: a careless password may hold any of the marks looked for.
        let (user, hosts) = match rest.rsplit_once('@') {
            Some((user, hosts)) => (user.split([':', '/', '?']).next(), hosts),
            None => (None, rest),
        };
        let hosts = hosts.split('?').next().unwrap_or_default();
        match user {
            Some(user) => format!("{scheme}://{user}:***@{hosts}"),
            None => format!("{scheme}://{hosts}"),
        }
    }
}

impl fmt::Debug for MongoUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MongoUri({})", self.redacted())
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_settings::options::{Environment, read_in};

    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<StoreSpec>().unwrap().to_string()
    }

    #[test]
    fn a_password_in_a_uri_is_never_shown() {
        assert_eq!(
            shown("mongodb://u:p%40ss@h1,h2/db?tlsPass=x"),
            "mongodb://u:***@h1,h2/db"
        );
        assert_eq!(shown("mongodb://u:p?ss@h/db"), "mongodb://u:***@h/db");
        assert_eq!(
            shown("mongodb://127.0.0.1:27017"),
            "mongodb://127.0.0.1:27017"
        );
        let spec = "mongodb://u:secret@h".parse::<StoreSpec>().unwrap();
        assert!(!format!("{spec:?}").contains("secret"));
    }

    #[test]
    fn a_store_is_a_path_or_a_mongodb_uri() {
        assert_eq!("a/b".parse(), Ok(StoreSpec::Sqlite("a/b".into())));
        assert!(matches!("mongodb://h".parse(), Ok(StoreSpec::Mongo(_))));
        assert_eq!(
            "redis://h".parse::<StoreSpec>(),
            Err(StoreSpecError::UnknownKind("redis".to_owned()))
        );
        assert_eq!("".parse::<StoreSpec>(), Err(StoreSpecError::Empty));
    }

    /// Options from the keys of a config file and a command line.
    fn options(keys: &str, line: &[&str]) -> Result<Options, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, format!("[registry]\nstore = 'a'\n{keys}")).unwrap();
        let config = ["p2pchat-registry", "--config", path.to_str().unwrap()];
        let given = read_in::<Cli>([&config, line].concat(), &Environment::default());
        given
            .map(|given| given.options.options)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn metrics_for_others_need_an_option_that_says_so() {
        let checked = |keys: &str| {
            let options = options(keys, &[]).unwrap();
            options.check().map(|()| options.metrics)
        };
        assert_eq!(checked("").unwrap(), None);
        for address in ["127.0.0.1:0", "127.9.9.9:9131", "[::1]:9131"] {
            let metrics = checked(&format!("metrics = '{address}'")).unwrap();
            assert_eq!(metrics, Some(address.parse().unwrap()));
        }
        for address in ["0.0.0.0:0", "192.0.2.1:9131", "[::]:0"] {
            let line = format!("metrics = '{address}'\n");
            for line in [line.clone(), format!("{line}expose-metrics = false\n")] {
                let error = checked(&line).unwrap_err().to_string();
                assert!(
                    error.contains(address) && error.contains("--expose-metrics"),
                    "{error}"
                );
            }
            let exposed = checked(&format!("{line}expose-metrics = true\n")).unwrap();
            assert_eq!(exposed, Some(address.parse().unwrap()));
        }
    }

    #[test]
    fn the_defaults_of_the_command_line_are_those_of_the_library() {
        let by_line = format!("{:?}", options("", &[]).unwrap());
        let store = StoreSpec::Sqlite("a".into());
        assert_eq!(by_line, format!("{:?}", Options::new(store)));
    }

    #[test]
    fn an_invalid_store_is_refused_without_showing_its_password() {
        let keys = "cluster = true\n";
        let error = options(keys, &["--store", "mongo://u:hush@h"]).unwrap_err();
        assert!(
            error.starts_with("--store: there is no store of the kind mongo://"),
            "{error}"
        );
        assert!(!error.contains("hush"), "{error}");
    }

    #[test]
    fn without_a_home_folder_the_store_has_to_be_named() {
        let line = ["p2pchat-registry"];
        let error = read_in::<Cli>(line, &Environment::default()).unwrap_err();
        assert!(
            error.to_string().ends_with("name a file with --store"),
            "{error}"
        );
    }

    #[test]
    fn an_operator_command_takes_the_store_before_and_after_it() {
        for line in [
            ["--store=b", "users", "list"],
            ["users", "list", "--store=b"],
        ] {
            let store = options("", &line).unwrap().store;
            assert_eq!(store, StoreSpec::Sqlite("b".into()));
        }
    }
}
