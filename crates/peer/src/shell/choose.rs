//! Another registry while the peer runs: how this machine reaches it, and the listeners at the
//! address from which it does.

use std::path::PathBuf;
use std::time::Duration;

use p2pchat_model::{PeerAddr, Problem};
use p2pchat_protocol::v2::Fingerprint;
use p2pchat_secure::Connector;

use super::bind::{self, Bound};
use super::error::StartError;
use super::resolve::RegistryNames;
use super::start_registry::{self, Started};
use crate::machine::NotChosen;

/// Where the peer is, and what of it is fixed.
#[derive(Debug, Clone)]
pub(super) struct OwnPlace {
    pub(super) address: PeerAddr,
    pub(super) message_port: u16,
    /// The user has named the address.
    pub(super) is_named: bool,
    /// Port 1010 is not tried.
    pub(super) unprivileged: bool,
    /// How long a chat request that came in may wait for its answer.
    pub(super) answer_limit: Duration,
    /// The folder of the profile.
    pub(super) folder: Option<PathBuf>,
}

impl OwnPlace {
    /// Whether what is reached from `address` is reached from here: it is the same, or the user has
    /// named another. On loopback each peer takes the next address that is free.
    pub(super) fn is_at(&self, address: PeerAddr) -> bool {
        let both_loopback = address.ip().is_loopback() && self.address.ip().is_loopback();
        address == self.address || both_loopback || self.is_named
    }
}

/// A registry, and how it is reached.
#[derive(Debug)]
pub(super) struct Reached {
    /// It, as it is named.
    pub(super) registry: String,
    pub(super) names: RegistryNames,
    /// It was started on this machine.
    pub(super) is_own: bool,
    /// The listeners, where it is reached from another address than before.
    pub(super) bound: Option<Bound>,
}

/// Reaches the registry that the user names.
pub(super) async fn reach(
    registry: String,
    is_own: bool,
    place: OwnPlace,
) -> Result<Reached, NotChosen> {
    let names = RegistryNames::new(&registry).map_err(|error| refused(&error))?;
    let own = names.own_address().await.map_err(|error| refused(&error))?;
    let bound = (!place.is_at(own)).then(|| bind::bind_first_free(own, place.unprivileged));
    let bound = bound.transpose().map_err(|error| refused(&error))?;
    Ok(Reached {
        registry,
        names,
        is_own,
        bound,
    })
}

/// Starts a registry on this machine, and reaches it.
pub(super) async fn start(
    known: Option<Fingerprint>,
    connector: Connector,
    place: OwnPlace,
) -> Result<Reached, NotChosen> {
    let log = place
        .folder
        .as_ref()
        .map(|folder| folder.join("registry.log"));
    match start_registry::start(log).await {
        Ok(registry) => reach(registry, true, place).await,
        Err(Started::InUse(at)) => {
            let (registry, key) = start_registry::look(at, place.address, connector).await?;
            if known == Some(key) {
                return reach(registry, true, place).await;
            }
            Err(NotChosen {
                problem: Problem::RegistryThere,
                detail: registry.clone(),
                found: Some(registry),
            })
        }
        Err(Started::Failed(detail)) => Err(not_started(detail)),
    }
}

/// No registry was started.
pub(super) fn not_started(detail: String) -> NotChosen {
    NotChosen {
        problem: Problem::RegistryNotStarted,
        detail,
        found: None,
    }
}

fn refused(error: &StartError) -> NotChosen {
    NotChosen {
        problem: Problem::BadRegistry,
        detail: error.to_string(),
        found: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_at(own: &str, address: &str, is_named: bool) -> bool {
        let place = OwnPlace {
            address: own.parse().unwrap(),
            message_port: 5859,
            is_named,
            unprivileged: true,
            answer_limit: Duration::ZERO,
            folder: None,
        };
        place.is_at(address.parse().unwrap())
    }

    #[test]
    fn a_peer_moves_to_another_address_unless_its_own_is_named_or_both_are_of_this_machine_alone() {
        assert!(is_at("10.0.0.3", "10.0.0.3", false));
        assert!(is_at("127.0.0.7", "127.0.0.1", false));
        assert!(is_at("10.0.0.3", "10.0.0.7", true));
        assert!(!is_at("10.0.0.3", "10.0.0.7", false));
        assert!(!is_at("127.0.0.1", "10.0.0.7", false));
    }
}
