//! Who logged in on a connection.

use std::net::SocketAddr;

use p2pchat_protocol::{PeerAddr, Username};

use super::peer_at;
use super::slots::Place;
use crate::presence::SessionId;
use crate::source::Source;

/// How many names a connection remembers to have logged in. A client logs in one; a
/// name that falls out is judged by its address like any that was logged in elsewhere.
const MAX_NAMES: usize = 16;

/// The sessions that began on a connection, whether or not they still last.
#[derive(Debug)]
pub(super) struct Sessions {
    address: SocketAddr,
    begun: Vec<(Username, SessionId)>,
    place: Place,
}

impl Sessions {
    pub(super) fn new(address: SocketAddr, place: Place) -> Self {
        Self {
            address,
            begun: Vec::new(),
            place,
        }
    }

    /// Where the connection comes from.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whose limits it counts for.
    pub(super) fn source(&self) -> Source {
        self.place.source()
    }

    /// The peer that it comes from, `None` if that is no IPv4 address of one machine.
    pub(super) fn peer(&self) -> Option<PeerAddr> {
        peer_at(self.address)
    }

    /// Remembers that `name` was logged in here; an earlier session of that name is
    /// forgotten.
    pub(super) fn began(&mut self, name: Username, session: SessionId) {
        self.begun.retain(|(other, _)| *other != name);
        if self.begun.len() == MAX_NAMES {
            self.begun.remove(0);
        }
        // There is one name for as long as most connections last.
        self.begun.reserve_exact(1);
        self.begun.push((name, session));
        self.place.own(name, session);
    }

    /// The session that `name` got here, if it was logged in here.
    pub(super) fn of(&self, name: Username) -> Option<SessionId> {
        self.begun
            .iter()
            .find(|(other, _)| *other == name)
            .map(|&(_, session)| session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Limits;
    use crate::presence::Presence;
    use crate::server::slots::Places;
    use std::time::Duration;

    #[tokio::test]
    async fn a_connection_remembers_so_many_names_and_no_more() {
        let presence = Presence::new(Duration::from_secs(60));
        let address: SocketAddr = "10.0.0.1:1".parse().unwrap();
        let places = Places::new(&Limits::default());
        let (place, _) = places.take(address.into()).await.unwrap();
        let mut sessions = Sessions::new(address, place);
        let names: Vec<Username> = (0..=MAX_NAMES)
            .map(|n| Username::new(&format!("n{n}")).unwrap())
            .collect();
        for &name in &names {
            sessions.began(
                name,
                presence.login(name, peer_at(address).unwrap(), Duration::ZERO),
            );
        }
        assert_eq!(sessions.begun.len(), MAX_NAMES);
        assert_eq!(sessions.of(names[0]), None);
        assert!(sessions.of(names[MAX_NAMES]).is_some());
    }
}
