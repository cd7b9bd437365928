//! Where a seat is, and what version 1 is shown of it.

use p2pchat_protocol::PeerAddr;
use p2pchat_protocol::v2::{Seat, SeatState};

use super::Entry;

/// Where a seat is. A user of version 1 takes no more memory than their address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Not online.
    Nowhere,
    /// Logged in by version 1.
    Version1(PeerAddr),
    /// Signed in on a device.
    Device(Box<SeatState>),
}

impl Place {
    pub(super) fn of(seat: Seat, state: Option<&SeatState>) -> Self {
        match (state, seat.device) {
            (None, _) => Self::Nowhere,
            (Some(state), None) => Self::Version1(state.endpoint.address),
            (Some(state), Some(_)) => Self::Device(Box::new(*state)),
        }
    }

    /// What is told of the seat.
    pub(super) fn state(&self) -> Option<SeatState> {
        match self {
            Self::Nowhere => None,
            Self::Version1(address) => Some(version_1::state(*address)),
            Self::Device(state) => Some(**state),
        }
    }

    /// Where it listens for version 1.
    pub(super) fn address(&self) -> Option<PeerAddr> {
        match self {
            Self::Nowhere => None,
            Self::Version1(address) => Some(*address),
            Self::Device(state) => state.version_1.then_some(state.endpoint.address),
        }
    }
}

/// The address that version 1 is shown of the seats of one name: where it is logged in by
/// version 1, else of the device that signed in last. No two registries choose differently.
pub(super) fn shown_to_version_1<'a>(
    seats: impl Iterator<Item = (&'a Seat, &'a Entry)>,
) -> Option<PeerAddr> {
    let listening = seats.filter_map(|(seat, entry)| Some((seat, entry, entry.place.address()?)));
    let chosen = listening.max_by_key(|(seat, entry, _)| {
        (
            seat.device.is_none(),
            entry.replication.epoch(),
            seat.device,
        )
    });
    chosen.map(|(_, _, address)| address)
}

/// Logins of version 1 as seats.
pub mod version_1 {
    use p2pchat_protocol::v2::{Endpoint, Seat, SeatState, Status};
    use p2pchat_protocol::{CONTACT_PORT, PeerAddr, Username};

    /// The seat of a login.
    #[must_use]
    pub fn seat(name: Username) -> Seat {
        Seat { name, device: None }
    }

    /// What is told of it: the address is all that version 1 knows.
    #[must_use]
    pub fn state(address: PeerAddr) -> SeatState {
        SeatState {
            endpoint: Endpoint {
                address,
                port: CONTACT_PORT,
            },
            version_1: true,
            status: Status::Available,
            serial: 0,
            display_name: None,
        }
    }
}
