//! Floods of datagrams, from one address, as fast as the system takes them.

use std::net::UdpSocket;

use anyhow::Result;
use p2pchat_protocol::Hello;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Flood;
use super::attack::Lane;
use super::connections::FLOODER;
use super::online_users::OnlineUsers;
use super::scene::Target;

/// How many lanes send at a time.
pub(super) const SENDERS: usize = 2;
/// How many different datagrams are sent again and again.
const DIFFERENT: usize = 1000;
/// The longest random datagram, in bytes.
const LONGEST: usize = 64;

/// Sends datagrams of one kind until the flood is over.
pub(super) fn send(flood: Flood, lane: &Lane) -> Result<()> {
    let mut random = ChaCha8Rng::seed_from_u64(u64::try_from(lane.number)?);
    let datagrams: Vec<_> = (0..DIFFERENT)
        .map(|n| datagram(flood, n, lane.target, &mut random))
        .collect();
    let socket = UdpSocket::bind((FLOODER, 0))?;
    socket.connect(lane.target.udp)?;
    lane.connected();
    for datagram in datagrams.iter().cycle() {
        if lane.is_over() {
            break;
        }
        if socket.send(datagram).is_ok() {
            lane.count();
        }
    }
    Ok(())
}

fn datagram(flood: Flood, n: usize, target: Target, random: &mut ChaCha8Rng) -> Vec<u8> {
    if flood == Flood::Random {
        let mut bytes = vec![0; random.random_range(0..=LONGEST)];
        random.fill_bytes(&mut bytes);
        return bytes;
    }
    let username = OnlineUsers::name(n % target.users.max(1));
    let mut bytes = Hello { username }.encode().to_vec();
    if flood == Flood::Almost {
        match n % 4 {
            0 => bytes[0] ^= 1,
            1 => bytes[11] ^= 0x20,
            2 => bytes.truncate(Hello::LEN - 1),
            _ => bytes.push(0),
        }
    }
    bytes
}
