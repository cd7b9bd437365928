//! What the system tells of a process.

use std::time::Duration;

use anyhow::{Context, Result};

/// For how long a process has computed so far, in the kernel and outside.
///
/// # Errors
/// If there is no such process, or the system does not tell (it is Linux that does).
pub fn cpu(pid: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .with_context(|| format!("process {pid} has ended"))?;
    // Behind the name, which may hold anything: state is the first, utime the 12th.
    let (_, behind) = stat.rsplit_once(") ").context("a stat without a name")?;
    let ticks: Vec<u64> = behind
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let ticks = ticks.iter().sum::<u64>();
    Ok(Duration::from_nanos(
        ticks * 1_000_000_000 / rustix::param::clock_ticks_per_second(),
    ))
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_computes_is_seen_to() {
        let pid = std::process::id();
        let before = cpu(pid).unwrap();
        let mut sum = 0_u64;
        while cpu(pid).unwrap() < before + Duration::from_millis(20) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
    }

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
