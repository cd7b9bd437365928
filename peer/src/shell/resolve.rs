//! Where the registry is, and from which address this machine reaches it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::Duration;

use p2pchat_model::PeerAddr;
use p2pchat_protocol::REGISTRY_TCP_PORT;
use tokio::time::timeout;

use super::StartError;

/// How long the resolver may take. The system's own limit is often 30 s.
const RESOLVE_DEADLINE: Duration = Duration::from_secs(5);

/// The registry as the user named it: a host, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RegistryName {
    host: String,
    port: u16,
}

impl RegistryName {
    /// Reads `HOST` or `HOST:PORT`.
    pub(super) fn new(text: &str) -> Result<Self, StartError> {
        let bad = || StartError::BadRegistry(text.to_owned());
        let (host, port) = match text.trim().rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| bad())?),
            None => (text.trim(), REGISTRY_TCP_PORT),
        };
        if host.is_empty() || port == 0 || host.contains([':', '/', '[', ' ']) {
            return Err(bad());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }

    /// Its IPv4 addresses at this moment: one at the least.
    pub(super) async fn resolve(&self) -> io::Result<Vec<SocketAddrV4>> {
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
        match found.is_empty() {
            true => Err(io::Error::other("it has no IPv4 address")),
            false => Ok(found),
        }
    }

    /// The address from which this machine reaches the registry. No packet is sent.
    pub(super) async fn own_address(&self) -> Result<PeerAddr, StartError> {
        let found = self
            .resolve()
            .await
            .map_err(|reason| StartError::UnknownRegistry {
                name: self.host.clone(),
                reason,
            })?;
        source_address(found[0]).map_err(|reason| StartError::NoRoute {
            name: self.to_string(),
            reason,
        })
    }
}

impl std::fmt::Display for RegistryName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Connecting a UDP socket sends nothing, but makes the system choose a source address.
fn source_address(to: SocketAddrV4) -> io::Result<PeerAddr> {
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
        let parts = |text| {
            RegistryName::new(text)
                .map(|name| (name.host, name.port))
                .ok()
        };
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

    #[tokio::test]
    async fn a_loopback_registry_is_reached_from_loopback() {
        let name = RegistryName::new("127.0.0.1").unwrap();
        let own = name.own_address().await.unwrap();
        assert_eq!(own.ip(), Ipv4Addr::LOCALHOST);
    }

    #[tokio::test]
    async fn a_name_that_means_nothing_is_an_error_that_names_it() {
        let name = RegistryName::new("no-such-host.invalid").unwrap();
        let error = name.own_address().await.unwrap_err();
        assert!(
            error.to_string().contains("`no-such-host.invalid`"),
            "{error}"
        );
    }
}
