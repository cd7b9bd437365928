//! Loopback addresses and ports that no one else uses.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

/// A loopback address that no other caller has, in this process or in another test
/// process. The 251st call of a process gets the first one's again.
#[must_use]
pub fn own_address() -> Ipv4Addr {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed) % 250 + 1;
    // 127.128.0.0 and up; addresses that tests fix are lower.
    let [_, _, high, low] = (std::process::id() | 0x8000).to_be_bytes();
    Ipv4Addr::from_bits(u32::from_be_bytes([127, high, low, 0]) | count)
}

/// A free TCP port, on an own loopback address where the system has more than one: no
/// outgoing connection can take the port there while its server is down.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((own_address(), 0))
        .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .context("no free port")?;
    Ok(listener.local_addr()?)
}

/// A port for TCP and one for UDP that are free on 127.0.0.1, and so nearly always on
/// other addresses.
///
/// # Errors
/// If there are none.
pub fn free_ports() -> Result<[u16; 2]> {
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok([tcp.local_addr()?.port(), udp.local_addr()?.port()])
}
