//! The addresses that users were logged in from before: [`Known`].

use std::collections::HashMap;
use std::net::Ipv4Addr;

use p2pchat_protocol::Username;

/// How many addresses of a user are remembered: at work, at home, on the way, and one more.
const ADDRESSES: usize = 4;
/// How many users are remembered at least, those who logged in last; up to twice as many
/// are. At most 4 MB.
const NAMES: usize = 32_768;

/// Names with the latest addresses they were logged in from. Kept in two generations, so
/// that the oldest names are dropped without a search for them.
#[derive(Debug)]
pub(super) struct Known {
    young: HashMap<Username, Addresses>,
    old: HashMap<Username, Addresses>,
    names: usize,
}

/// The latest first.
type Addresses = [Option<Ipv4Addr>; ADDRESSES];

impl Default for Known {
    fn default() -> Self {
        Self::with_room_for(NAMES)
    }
}

impl Known {
    fn with_room_for(names: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            names,
        }
    }

    /// Whether a user was logged in from there.
    pub(super) fn contains(&self, name: Username, address: Ipv4Addr) -> bool {
        let addresses = self.young.get(&name).or_else(|| self.old.get(&name));
        addresses.is_some_and(|addresses| addresses.contains(&Some(address)))
    }

    /// Remembers that a user was logged in from there.
    pub(super) fn insert(&mut self, name: Username, address: Ipv4Addr) {
        if self.young.len() >= self.names && !self.young.contains_key(&name) {
            self.old = std::mem::take(&mut self.young);
        }
        let earlier = self.old.remove(&name).unwrap_or_default();
        let addresses = self.young.entry(name).or_insert(earlier);
        let known = addresses.iter().position(|known| *known == Some(address));
        addresses[..=known.unwrap_or(ADDRESSES - 1)].rotate_right(1);
        addresses[0] = Some(address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(n: usize) -> Username {
        Username::new(&format!("n{n}")).unwrap()
    }

    fn address(n: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, 0, n)
    }

    #[test]
    fn the_latest_addresses_of_a_user_are_remembered() {
        let mut known = Known::default();
        for n in [1, 2, 3, 4, 1, 5] {
            known.insert(name(0), address(n));
        }
        let remembered = |n| known.contains(name(0), address(n));
        assert!([1, 3, 4, 5].into_iter().all(remembered));
        assert!(!remembered(2), "the one that was longest ago went");
        assert!(!known.contains(name(1), address(1)));
    }

    #[test]
    fn a_user_who_logs_in_now_and_then_is_not_evicted_and_memory_is_bounded() {
        let mut known = Known::with_room_for(10);
        known.insert(name(0), address(1));
        for n in 1..100 {
            known.insert(name(n), address(1));
            if n % 8 == 0 {
                known.insert(name(0), address(2));
            }
            assert!(known.young.len() + known.old.len() <= 20);
        }
        assert!(known.contains(name(0), address(1)));
        assert!(known.contains(name(99), address(1)));
        assert!(!known.contains(name(1), address(1)));
    }
}
