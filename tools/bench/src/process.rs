//! What the system tells of a socket and of a process.

use std::collections::BTreeSet;
use std::time::Duration;

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

/// How long the threads of a process have run on the cores so far, in its code and in the
/// system's. Of a thread that has ended nothing is known.
///
/// # Errors
/// If there is no such process, or the system does not tell.
pub fn cpu(pid: u32) -> Result<Duration> {
    sum(pid, &threads_of(pid)?)
}

/// The threads of this process.
///
/// # Errors
/// If the system does not tell.
pub fn threads() -> Result<BTreeSet<u32>> {
    threads_of(std::process::id())
}

/// The same as [`cpu`] of some threads of this process.
///
/// # Errors
/// If the system does not tell.
pub fn cpu_of(threads: &BTreeSet<u32>) -> Result<Duration> {
    sum(std::process::id(), threads)
}

fn threads_of(pid: u32) -> Result<BTreeSet<u32>> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"))
        .with_context(|| format!("process {pid} tells nothing of itself"))?;
    let id = |thread: std::io::Result<std::fs::DirEntry>| {
        let name = thread?.file_name();
        Ok(name.to_str().context("no number of a thread")?.parse()?)
    };
    threads.map(id).collect()
}

fn sum(pid: u32, threads: &BTreeSet<u32>) -> Result<Duration> {
    let mut nanos = 0;
    for thread in threads {
        // The first number is what we want.
        let Ok(times) = std::fs::read_to_string(format!("/proc/{pid}/task/{thread}/schedstat"))
        else {
            continue;
        };
        let running = times.split_whitespace().next().context("no time")?;
        nanos += running.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn time_on_the_cores_is_seen() {
        let before = cpu(std::process::id()).unwrap();
        let began = Instant::now();
        while cpu(std::process::id()).unwrap() == before {
            assert!(began.elapsed() < Duration::from_secs(30), "no tick");
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
