//! The address of the registry, and the one from which this machine reaches it.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::Duration;

use p2pchat_model::PeerAddr;
use p2pchat_protocol::REGISTRY_TCP_PORT;
use p2pchat_protocol::v2::Fingerprint;
use tokio::time::timeout;

use super::error::StartError;

/// How long the resolver may take. The system's own limit is often 30 s.
const RESOLVE_DEADLINE: Duration = Duration::from_secs(5);

/// The names of the registry as the user gave them: a host and a port, or several that serve
/// the same users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RegistryNames {
    names: Vec<RegistryName>,
    /// The fingerprint of its key, if the user gave one.
    pub(super) fingerprint: Option<Fingerprint>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct RegistryName {
    host: String,
    port: u16,
}

impl RegistryNames {
    /// No registry.
    pub(super) fn none() -> Self {
        Self {
            names: Vec::new(),
            fingerprint: None,
        }
    }

    /// Reads `HOST` or `HOST:PORT`, with or without `#FINGERPRINT`, or several with commas between
    /// them.
    pub(super) fn new(text: &str) -> Result<Self, StartError> {
        let bad = || StartError::BadRegistry(text.to_owned());
        let mut names = Vec::new();
        let mut fingerprints = BTreeSet::new();
        for name in text.split(',') {
            let (name, fingerprint) = match name.split_once('#') {
                Some((name, fingerprint)) => (name, Some(fingerprint)),
                None => (name, None),
            };
            names.push(RegistryName::new(name).ok_or_else(bad)?);
            if let Some(fingerprint) = fingerprint {
                let read = fingerprint.trim().parse::<Fingerprint>();
                fingerprints.insert(read.map_err(|_| bad())?);
            }
        }
        if fingerprints.len() > 1 {
            return Err(bad());
        }
        let fingerprint = fingerprints.pop_first();
        Ok(Self { names, fingerprint })
    }

    /// The names as they are pinned: without a port where it is the usual one.
    pub(super) fn to_pin(&self) -> Vec<String> {
        let pinned = |name: &RegistryName| match name.port {
            REGISTRY_TCP_PORT => name.host.clone(),
            port => format!("{}:{port}", name.host),
        };
        self.names.iter().map(pinned).collect()
    }

    /// The IPv4 addresses of all names at this moment, in their order: at least one. Names that
    /// cannot be resolved do not matter as long as one can.
    pub(super) async fn resolve(&self) -> io::Result<Vec<SocketAddrV4>> {
        let mut found = Vec::new();
        let mut failed = Ok(());
        for name in &self.names {
            match name.resolve().await {
                Ok(addresses) => found.extend(addresses),
                Err(error) => failed = Err(error),
            }
        }
        if found.is_empty() {
            return failed.map(|()| found);
        }
        Ok(found)
    }

    /// The address from which this machine reaches the first of them. No packet is sent. Without
    /// any it is one that no other machine reaches.
    pub(super) async fn own_address(&self) -> Result<PeerAddr, StartError> {
        if self.names.is_empty() {
            return Ok(loopback());
        }
        let name = self.to_string();
        match self.resolve().await {
            Ok(found) => {
                source_address(found[0]).map_err(|reason| StartError::NoRoute { name, reason })
            }
            Err(reason) => Err(StartError::UnknownRegistry { name, reason }),
        }
    }
}

impl Display for RegistryNames {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (number, name) in self.names.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}{}:{}", name.host, name.port)?;
        }
        Ok(())
    }
}

impl RegistryName {
    fn new(text: &str) -> Option<Self> {
        let (host, port) = match text.trim().rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (text.trim(), REGISTRY_TCP_PORT),
        };
        let is_bad = host.is_empty() || port == 0 || host.contains([':', '/', '[', ' ']);
        (!is_bad).then(|| Self {
            host: host.to_owned(),
            port,
        })
    }

    async fn resolve(&self) -> io::Result<Vec<SocketAddrV4>> {
        let found = timeout(
            RESOLVE_DEADLINE,
            tokio::net::lookup_host((self.host.as_str(), self.port)),
        )
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the resolver does not answer"))??;
        let found: Vec<_> = found
            .filter_map(|address| match address {
                SocketAddr::V4(address) => Some(address),
                SocketAddr::V6(_) => None,
            })
            .collect();
        if found.is_empty() {
            return Err(io::Error::other("it has no IPv4 address"));
        }
        Ok(found)
    }
}

/// An own address that no other machine reaches.
pub(super) fn loopback() -> PeerAddr {
    PeerAddr::new(Ipv4Addr::LOCALHOST).expect("it is an address of peers")
}

/// The source address that the system chooses for packets to `to`. To connect a UDP socket
/// sends nothing.
pub(super) fn source_address(to: SocketAddrV4) -> io::Result<PeerAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect(to)?;
    match socket.local_addr()? {
        SocketAddr::V4(own) => PeerAddr::new(*own.ip()).map_err(io::Error::other),
        SocketAddr::V6(_) => Err(io::Error::other("no IPv4 address")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_may_be_left_out() {
        let parts = |text| RegistryName::new(text).map(|name| (name.host, name.port));
        assert_eq!(
            parts("chat.example"),
            Some(("chat.example".to_owned(), 3131))
        );
        assert_eq!(
            parts("127.0.0.1:4000"),
            Some(("127.0.0.1".to_owned(), 4000))
        );
        for bad in [
            "",
            ":3131",
            "host:",
            "host:0",
            "host:99999",
            "::1",
            "[::1]:3131",
            "http://host:1",
        ] {
            assert_eq!(parts(bad), None, "{bad}");
        }
    }

    #[test]
    fn there_may_be_several() {
        let names = RegistryNames::new("a.example, 127.0.0.1:4000,b").unwrap();
        assert_eq!(names.to_string(), "a.example:3131, 127.0.0.1:4000, b:3131");
        for bad in ["", "a,", ",a", "a,,b", "a b", "a,b:0"] {
            let error = RegistryNames::new(bad).unwrap_err();
            assert!(error.to_string().contains(&format!("`{bad}`")), "{error}");
        }
    }

    #[test]
    fn a_name_may_have_the_fingerprint_of_its_key() {
        let key = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let names = RegistryNames::new(&format!("a.example#{key},b:4000#{key},c")).unwrap();
        assert_eq!(names.to_string(), "a.example:3131, b:4000, c:3131");
        assert_eq!(names.fingerprint, Some(key.parse().unwrap()));
        assert_eq!(names.to_pin(), ["a.example", "b:4000", "c"]);
        let other = "B".repeat(26);
        for bad in [
            "a#",
            "a#B",
            &format!("a#{key},b#{other}"),
            &format!("#{key}"),
        ] {
            assert!(RegistryNames::new(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_name_that_cannot_be_resolved_does_not_matter_beside_one_that_can() {
        let names = RegistryNames::new("no-such-host.invalid,127.0.0.1:7").unwrap();
        let found = names.resolve().await.unwrap();
        assert_eq!(found, ["127.0.0.1:7".parse().unwrap()]);
    }

    #[tokio::test]
    async fn a_loopback_registry_is_reached_from_loopback() {
        let name = RegistryNames::new("127.0.0.1").unwrap();
        let own = name.own_address().await.unwrap();
        assert_eq!(own.ip(), Ipv4Addr::LOCALHOST);
    }

    #[tokio::test]
    async fn a_name_that_cannot_be_resolved_is_an_error_that_names_it() {
        let name = RegistryNames::new("no-such-host.invalid").unwrap();
        let error = name.own_address().await.unwrap_err();
        assert!(
            error.to_string().contains("`no-such-host.invalid:3131`"),
            "{error}"
        );
    }
}
