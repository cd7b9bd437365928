//! Addresses of this machine that peers of the demo can have, one each.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, bail};

/// Where peers listen for chat requests.
const CONTACT_PORT: u16 = 5858;

/// Takes the first addresses from 127.0.0.1 on at which no peer listens yet.
///
/// # Errors
/// If there are too few; says which command adds some.
pub fn free<const N: usize>() -> Result<[Ipv4Addr; N]> {
    pick(|address| {
        TcpListener::bind((address, CONTACT_PORT)).map_or_else(|e| e.kind().into(), |_| State::Free)
    })
}

/// What binding an address came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    Taken,
    /// Not an address of this machine: macOS has 127.0.0.1 only.
    Missing,
}

impl From<ErrorKind> for State {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::AddrNotAvailable => Self::Missing,
            _ => Self::Taken,
        }
    }
}

fn pick<const N: usize>(state: impl Fn(Ipv4Addr) -> State) -> Result<[Ipv4Addr; N]> {
    let mut free = Vec::new();
    let mut missing = Vec::new();
    for last in 1..=254 {
        let address = Ipv4Addr::new(127, 0, 0, last);
        match state(address) {
            State::Free => free.push(address),
            State::Taken => {}
            State::Missing => missing.push(address),
        }
        if let Ok(enough) = <[Ipv4Addr; N]>::try_from(&free[..]) {
            return Ok(enough);
        }
    }
    let commands: Vec<String> = missing
        .iter()
        .take(N - free.len())
        .map(|address| format!("  sudo ifconfig lo0 alias {address} up"))
        .collect();
    if commands.is_empty() {
        bail!(
            "no free address on this machine: something listens on port {CONTACT_PORT} of all of them"
        );
    }
    bail!(
        "each peer needs an address of its own, and this system has too few. Add what is \
         missing, for until the next restart of the machine, by:\n{}",
        commands.join("\n")
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_use_are_passed_over() {
        let picked = pick::<2>(|address| match address.octets()[3] {
            2 => State::Taken,
            _ => State::Free,
        });
        assert_eq!(
            picked.unwrap(),
            [Ipv4Addr::new(127, 0, 0, 1), Ipv4Addr::new(127, 0, 0, 3)]
        );
    }

    #[test]
    fn where_addresses_are_missing_the_commands_that_add_them_are_told() {
        let picked = pick::<3>(|address| match address.octets()[3] {
            1 => State::Free,
            _ => State::Missing,
        });
        let message = picked.unwrap_err().to_string();
        assert!(
            message.contains("sudo ifconfig lo0 alias 127.0.0.2 up"),
            "{message}"
        );
        assert!(
            message.contains("sudo ifconfig lo0 alias 127.0.0.3 up"),
            "{message}"
        );
        assert!(!message.contains("127.0.0.4"), "{message}");
    }
}
