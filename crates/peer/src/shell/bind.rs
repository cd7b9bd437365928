//! The peer's own address, and its two listeners.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};

use p2pchat_model::PeerAddr;
use p2pchat_platform::net::reuse_address;
use p2pchat_protocol::{CONTACT_PORT, MESSAGE_PORT, MESSAGE_PORT_UNPRIVILEGED};
use tokio::net::{TcpListener, TcpSocket};

use super::error::StartError;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;
/// The last byte of the last loopback address that is tried.
const LAST_HOST: u8 = 254;

/// The peer's own address, with both ports bound.
#[derive(Debug)]
pub(super) struct Bound {
    /// The own address.
    pub(super) address: PeerAddr,
    /// The listener for chat requests and notifies.
    pub(super) contacts: TcpListener,
    /// The listener for texts.
    pub(super) messages: TcpListener,
    /// The port of `messages`.
    pub(super) message_port: u16,
}

/// Binds both ports at `first`; where that is a loopback address in use, at the next one
/// that is free.
pub(super) fn bind_first_free(first: PeerAddr, unprivileged: bool) -> Result<Bound, StartError> {
    let [a, b, c, host] = first.ip().octets();
    if !first.ip().is_loopback() {
        return bind_at(first, unprivileged);
    }
    let mut last = first;
    for host in host..=LAST_HOST {
        last = PeerAddr::new(Ipv4Addr::new(a, b, c, host)).expect("all of 127/8 are addresses");
        match bind_at(last, unprivileged) {
            Err(StartError::PortInUse { .. }) => {}
            result => return result,
        }
    }
    Err(StartError::NoFreeAddress { first, last })
}

/// Binds both ports at this address.
pub(super) fn bind_at(address: PeerAddr, unprivileged: bool) -> Result<Bound, StartError> {
    let failed = |port| move |source| start_error(address, port, source);
    let contacts = listen(address, CONTACT_PORT).map_err(failed(CONTACT_PORT))?;
    let privileged = if unprivileged {
        None
    } else {
        match listen(address, MESSAGE_PORT) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => None,
            result => Some(result.map_err(failed(MESSAGE_PORT))?),
        }
    };
    let (messages, message_port) = match privileged {
        Some(listener) => (listener, MESSAGE_PORT),
        None => (
            listen(address, MESSAGE_PORT_UNPRIVILEGED)
                .map_err(failed(MESSAGE_PORT_UNPRIVILEGED))?,
            MESSAGE_PORT_UNPRIVILEGED,
        ),
    };
    Ok(Bound {
        address,
        contacts,
        messages,
        message_port,
    })
}

fn listen(address: PeerAddr, port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // A restart need not wait for old connections.
    reuse_address(&socket)?;
    socket.bind(SocketAddr::new(address.ip().into(), port))?;
    socket.listen(BACKLOG)
}

fn start_error(address: PeerAddr, port: u16, reason: io::Error) -> StartError {
    match reason.kind() {
        ErrorKind::AddrInUse => StartError::PortInUse { address, port },
        ErrorKind::AddrNotAvailable => StartError::NotOurAddress { address },
        _ => StartError::Listen {
            address,
            port,
            reason,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::testing::own_network;

    #[tokio::test]
    async fn the_second_peer_on_a_machine_gets_the_next_address() {
        let [a, b, c, _] = own_network().octets();
        let at = |host| PeerAddr::new(Ipv4Addr::new(a, b, c, host)).unwrap();

        let first = bind_first_free(at(1), true).unwrap();
        let second = bind_first_free(at(1), true).unwrap();
        assert_eq!((first.address, second.address), (at(1), at(2)));
        drop(first);
        assert_eq!(bind_first_free(at(1), true).unwrap().address, at(1));
    }

    #[tokio::test]
    async fn a_message_port_in_use_counts_like_the_contact_port() {
        let [a, b, c, _] = own_network().octets();
        let at = |host| PeerAddr::new(Ipv4Addr::new(a, b, c, host)).unwrap();
        let _other = listen(at(1), MESSAGE_PORT_UNPRIVILEGED).unwrap();

        let error = bind_at(at(1), true).unwrap_err();
        assert!(
            matches!(error, StartError::PortInUse { port: 5859, .. }),
            "{error}"
        );
        assert_eq!(bind_first_free(at(1), true).unwrap().address, at(2));
    }

    #[tokio::test]
    async fn when_all_addresses_are_taken_that_is_the_error() {
        let [a, b, c, _] = own_network().octets();
        let at = |host| PeerAddr::new(Ipv4Addr::new(a, b, c, host)).unwrap();
        let _taken = [253, 254].map(|host| bind_at(at(host), true).unwrap());

        let error = bind_first_free(at(253), true).unwrap_err();
        assert!(matches!(error, StartError::NoFreeAddress { .. }), "{error}");
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_refused() {
        // Reserved for documentation (RFC 5737): no machine has it.
        let error = bind_at("192.0.2.1".parse().unwrap(), true).unwrap_err();
        assert!(matches!(error, StartError::NotOurAddress { .. }), "{error}");
    }

    #[test]
    fn a_missing_loopback_address_comes_with_the_command_that_adds_it() {
        let address = "127.0.0.2".parse().unwrap();
        let error = StartError::NotOurAddress { address }.to_string();
        assert!(
            error.contains("sudo ifconfig lo0 alias 127.0.0.2 up"),
            "{error}"
        );
    }
}
