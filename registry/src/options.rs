//! What a registry is told when it starts: [`Options`], checked once.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use p2pchat_protocol::{REGISTRY_TCP_PORT, REGISTRY_UDP_PORT};
use p2pchat_settings::folders;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

mod limits;

pub use limits::{Guessing, Limits};

/// Everything that a [`Server`](crate::Server) has to know.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where accounts are kept.
    pub store: StoreSpec,
    /// Whether this is one of several registries over the same database.
    pub cluster: bool,
    /// Where to listen for sessions. Port 0 takes a free one.
    pub tcp: SocketAddr,
    /// Where to listen for Hello datagrams. Port 0 takes a free one.
    pub udp: SocketAddr,
    /// Where to listen for those who watch this registry ([`crate::metrics`]). Port 0 takes
    /// a free one.
    pub metrics: Option<SocketAddr>,
    /// How long a user stays online without a Hello.
    pub presence_timeout: Duration,
    /// What it may use.
    pub limits: Limits,
}

impl Options {
    /// How long a user stays online without a Hello, if nothing else is said.
    pub const PRESENCE_TIMEOUT: Duration = Duration::from_secs(60);

    /// The defaults: every IPv4 address of this machine, and the ports of the protocol.
    #[must_use]
    pub fn new(store: StoreSpec) -> Self {
        Self {
            store,
            cluster: false,
            tcp: (Ipv4Addr::UNSPECIFIED, REGISTRY_TCP_PORT).into(),
            udp: (Ipv4Addr::UNSPECIFIED, REGISTRY_UDP_PORT).into(),
            metrics: None,
            presence_timeout: Self::PRESENCE_TIMEOUT,
            limits: Limits::default(),
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
}

/// Where accounts are kept: a file, or a MongoDB database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreSpec {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A `mongodb://` URI.
    Mongo(MongoUri),
}

/// Why a text names no store.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreSpecError {
    /// No text.
    #[error("a store is needed: the path of a file, or a URI that starts with mongodb://")]
    Empty,
    /// A URI of another kind.
    #[error(
        "there is no store of the kind {0}://; use the path of a file, or a URI that starts with mongodb://"
    )]
    UnknownKind(String),
    /// The user has no home folder.
    #[error("this user has no home folder to keep accounts in; name a file with --store PATH")]
    NoHome,
}

impl StoreSpec {
    /// The file in the user's data folder.
    ///
    /// # Errors
    /// If the user has no home folder.
    pub fn default_file() -> Result<Self, StoreSpecError> {
        let path = folders::data_file("registry.sqlite3").ok_or(StoreSpecError::NoHome)?;
        Ok(Self::Sqlite(path))
    }
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
}
