//! What the system tells of a socket.

use anyhow::{Context, Result};

/// How many datagrams the system has dropped because the socket on this UDP port was
/// full, and how many bytes wait in it.
///
/// # Errors
/// If there is no such socket, or the system does not tell.
pub fn udp_queue(port: u16) -> Result<(u64, u64)> {
    let table = std::fs::read_to_string("/proc/net/udp").context("no table of UDP sockets")?;
    let port = format!(":{port:04X}");
    let row: Vec<&str> = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|row| row.get(1).is_some_and(|local| local.ends_with(&port)))
        .with_context(|| format!("no UDP socket on port {port}"))?;
    let waiting = row
        .get(4)
        .and_then(|queues| queues.split_once(':'))
        .context("a row without queues")?;
    let drops = row.last().context("a row without drops")?;
    Ok((drops.parse()?, u64::from_str_radix(waiting.1, 16)?))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn datagrams_that_nobody_reads_are_seen_waiting_and_then_dropped() {
        let full = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let to = full.local_addr().unwrap();
        let from = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        from.send_to(&[0; 22], to).unwrap();
        let (drops, waiting) = udp_queue(to.port()).unwrap();
        assert_eq!(drops, 0);
        assert!(waiting > 0);
        for _ in 0..5000 {
            from.send_to(&[0; 22], to).unwrap();
        }
        assert!(udp_queue(to.port()).unwrap().0 > 0);
    }
}
