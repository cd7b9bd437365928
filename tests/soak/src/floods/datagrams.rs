//! Floods of datagrams, from one address, as fast as the system takes them.

use std::net::UdpSocket;
use std::sync::Arc;

use anyhow::Result;
use p2pchat_protocol::Hello;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::runtime::Runtime;

use super::Flood;
use super::attack::Progress;
use super::hold::FLOODER;
use super::residents::Residents;
use super::scene::Target;

/// How many send at a time.
const SENDERS: u64 = 2;
/// How many different datagrams are sent again and again.
const DIFFERENT: usize = 1000;
/// The longest random datagram, in bytes.
const LONGEST: usize = 64;

/// Sends datagrams of one kind.
pub(super) fn flood(
    runtime: &Runtime,
    flood: Flood,
    target: Target,
    progress: &Arc<Progress>,
) -> usize {
    for sender in 0..SENDERS {
        let progress = Arc::clone(progress);
        runtime.spawn_blocking(move || send(flood, sender, target, &progress));
    }
    SENDERS as usize
}

fn send(flood: Flood, seed: u64, target: Target, progress: &Progress) -> Result<()> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let datagrams: Vec<_> = (0..DIFFERENT)
        .map(|n| datagram(flood, n, target, &mut random))
        .collect();
    let socket = UdpSocket::bind((FLOODER, 0))?;
    socket.connect(target.udp)?;
    progress.rise();
    for datagram in datagrams.iter().cycle() {
        if progress.is_over() {
            break;
        }
        if socket.send(datagram).is_ok() {
            progress.did();
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
    let username = Residents::name(n % target.users.max(1));
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
