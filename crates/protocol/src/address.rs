//! Addresses of peers: [`PeerAddr`], and the lists of them in chat requests and notifies
//! ([`ChatList`]).

use std::fmt;
use std::net::{AddrParseError, Ipv4Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};
use thiserror::Error;

use crate::field;

/// The address of a peer: an IPv4 address that one machine can have.
///
/// It has no port, since no packet has one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PeerAddr(Ipv4Addr);

/// Why a text or an address is not a [`PeerAddr`], and what would be valid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Not four numbers with dots between them.
    #[error("not an IPv4 address such as 192.168.1.20")]
    NotIpv4,
    /// An address that no single machine has.
    #[error("{0} is not the address of one machine (it is unspecified, broadcast or multicast)")]
    NotOneMachine(Ipv4Addr),
}

impl From<AddrParseError> for AddressError {
    fn from(_: AddrParseError) -> Self {
        Self::NotIpv4
    }
}

impl PeerAddr {
    /// The width of an address field, in bytes: that of the longest dotted form.
    pub const FIELD: usize = 15;

    /// Checks and wraps an address.
    ///
    /// # Errors
    /// If it is unspecified (`0.…`), broadcast, multicast or reserved (`240.…` and above).
    pub fn new(address: Ipv4Addr) -> Result<Self, AddressError> {
        match address.octets()[0] {
            0 | 224.. => Err(AddressError::NotOneMachine(address)),
            _ => Ok(Self(address)),
        }
    }

    /// The address as the standard library has it.
    #[must_use]
    pub fn ip(self) -> Ipv4Addr {
        self.0
    }

    /// The address in dotted form, in a field of 15 bytes.
    pub(crate) fn to_field(self) -> [u8; Self::FIELD] {
        let mut field = [0; Self::FIELD];
        let len = self.write_dotted(&mut field);
        debug_assert!(len <= Self::FIELD);
        field
    }

    /// Writes the dotted form and returns its length, without `fmt`: this is the hot
    /// part of building an online list.
    fn write_dotted(self, out: &mut [u8; Self::FIELD]) -> usize {
        let mut at = 0;
        for (index, octet) in self.0.octets().into_iter().enumerate() {
            if index > 0 {
                out[at] = b'.';
                at += 1;
            }
            for (divisor, needed) in [(100, octet >= 100), (10, octet >= 10), (1, true)] {
                if needed {
                    out[at] = b'0' + octet / divisor % 10;
                    at += 1;
                }
            }
        }
        at
    }

    /// Appends the dotted form to `out`.
    pub(crate) fn put_dotted(self, out: &mut Vec<u8>) {
        let mut field = [0; Self::FIELD];
        let len = self.write_dotted(&mut field);
        out.extend_from_slice(&field[..len]);
    }

    pub(crate) fn from_text_bytes(bytes: &[u8]) -> Result<Self, AddressError> {
        std::str::from_utf8(bytes)
            .map_err(|_| AddressError::NotIpv4)?
            .parse()
    }

    pub(crate) fn from_field(bytes: &[u8]) -> Result<Self, AddressError> {
        Self::from_text_bytes(field::text_bytes(bytes))
    }
}

impl fmt::Debug for PeerAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for PeerAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for PeerAddr {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text.parse()?)
    }
}

impl<'de> Deserialize<'de> for PeerAddr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Ipv4Addr::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// The members of a chat as a packet lists them: addresses in order, none twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChatList(Vec<PeerAddr>);

/// Why bytes are not a chat_list.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChatListError {
    /// A line that is not an address.
    #[error("chat_list line {line}: {source}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        source: AddressError,
    },
    /// A line longer than any address.
    #[error("chat_list line {line} is longer than an address")]
    LongLine {
        /// Which line, from 1.
        line: usize,
    },
    /// More addresses, or lines of any kind, than [`ChatList::MAX`].
    #[error("a chat_list of more than {} addresses", ChatList::MAX)]
    TooLong,
}

impl ChatList {
    /// How many addresses a list may hold. A group, in which each text costs a connection to
    /// each member, is unusable long before this.
    pub const MAX: usize = 1024;

    /// Adds an address at the end, unless it is there already.
    ///
    /// # Errors
    /// If the list holds [`ChatList::MAX`] addresses.
    pub fn push(&mut self, address: PeerAddr) -> Result<(), ChatListError> {
        if self.0.contains(&address) {
            return Ok(());
        }
        if self.0.len() == Self::MAX {
            return Err(ChatListError::TooLong);
        }
        self.0.push(address);
        Ok(())
    }

    /// The list without one address, as it is sent to that member. Costs a copy, and no
    /// comparison of each address with each other.
    #[must_use]
    pub fn without(&self, one: PeerAddr) -> Self {
        Self(self.iter().filter(|address| *address != one).collect())
    }

    /// The addresses, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = PeerAddr> + '_ {
        self.0.iter().copied()
    }

    /// The addresses, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[PeerAddr] {
        &self.0
    }

    /// How many addresses there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no address.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        for address in self.iter() {
            address.put_dotted(out);
            out.push(b'\n');
        }
    }
}

/// Takes the first [`ChatList::MAX`] distinct addresses.
impl FromIterator<PeerAddr> for ChatList {
    fn from_iter<I: IntoIterator<Item = PeerAddr>>(addresses: I) -> Self {
        let mut list = Self::default();
        for address in addresses {
            if list.push(address).is_err() {
                break;
            }
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_address_of_one_machine_is_a_peer_address() {
        for bad in [
            "0.0.0.0",
            "0.1.2.3",
            "255.255.255.255",
            "224.0.0.1",
            "240.0.0.1",
        ] {
            assert!(
                matches!(bad.parse::<PeerAddr>(), Err(AddressError::NotOneMachine(_))),
                "{bad}"
            );
        }
        for bad in [
            "",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.256",
            " 1.2.3.4",
            "::1",
            "01.2.3.4",
        ] {
            assert_eq!(bad.parse::<PeerAddr>(), Err(AddressError::NotIpv4), "{bad}");
        }
        assert_eq!(
            "127.0.0.2".parse::<PeerAddr>().unwrap().to_string(),
            "127.0.0.2"
        );
    }

    #[test]
    fn the_dotted_form_is_that_of_the_standard_library() {
        for octet in 1..=223_u8 {
            let ip = Ipv4Addr::new(octet, 255 - octet, octet / 2, 0);
            let mut out = Vec::new();
            PeerAddr::new(ip).unwrap().put_dotted(&mut out);
            assert_eq!(out, ip.to_string().into_bytes());
        }
    }

    #[test]
    fn a_list_holds_an_address_once_and_has_an_end() {
        let mut list: ChatList = (0..ChatList::MAX as u32)
            .map(|n| PeerAddr::new(Ipv4Addr::from(0x0a00_0000 + n)).unwrap())
            .collect();
        assert_eq!(list.len(), ChatList::MAX);
        assert_eq!(list.push("10.0.0.0".parse().unwrap()), Ok(()));
        assert_eq!(
            list.push("11.0.0.0".parse().unwrap()),
            Err(ChatListError::TooLong)
        );
    }

    #[test]
    fn a_list_without_one_has_the_others_in_order() {
        let [a, b, c]: [PeerAddr; 3] =
            ["10.0.0.3", "10.0.0.1", "10.0.0.2"].map(|one| one.parse().unwrap());
        let list: ChatList = [a, b, c].into_iter().collect();
        assert_eq!(list.without(b).as_slice(), [a, c]);
        assert_eq!(list.without("10.0.0.9".parse().unwrap()), list);
    }
}
