//! Which time entries are dated with.
//!
//! A computer whose clock is wrong by hours would hide its texts from others, or all of theirs from
//! its user. So it goes by those it is connected to.

use p2pchat_protocol::v2::conversation::Clock;

use crate::replica::MAX_AHEAD;

/// The time to go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    /// The time.
    pub clock: Clock,
    /// Whether it is not that of this computer, which its user is to be told.
    pub is_corrected: bool,
}

/// The time of this computer, or, if it is more than five minutes away from that, the one of the
/// registry. Without a registry it is the closest of the connected members', if all of them are
/// more than five minutes away to the same side.
#[must_use]
pub fn agreed(
    own: Clock,
    registry: Option<Clock>,
    members: impl Iterator<Item = Clock> + Clone,
) -> Agreed {
    let is_near = |other: Clock| millis(own).abs_diff(millis(other)) <= MAX_AHEAD;
    let other = match registry {
        Some(registry) => Some(registry),
        None if members.clone().all(|other| other > own) => members.min(),
        None if members.clone().all(|other| other < own) => members.max(),
        None => None,
    };
    match other.filter(|other| !is_near(*other)) {
        Some(clock) => Agreed {
            clock,
            is_corrected: true,
        },
        None => Agreed {
            clock: own,
            is_corrected: false,
        },
    }
}

fn millis(clock: Clock) -> u64 {
    u64::try_from(clock.since_1970().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(minutes: u64) -> Clock {
        Clock::from_millis(minutes * 60_000)
    }

    #[test]
    fn a_wrong_clock_yields_to_the_registry_then_to_all_members() {
        let yields_to = |own, registry: Option<u64>, members: &[u64]| {
            let members = members.iter().map(|at| minutes(*at));
            let agreed = agreed(minutes(own), registry.map(minutes), members);
            agreed.is_corrected.then_some(agreed.clock)
        };
        assert_eq!(yields_to(100, None, &[]), None);
        assert_eq!(yields_to(100, Some(105), &[]), None);
        assert_eq!(yields_to(100, Some(106), &[100]), Some(minutes(106)));
        assert_eq!(yields_to(100, Some(94), &[]), Some(minutes(94)));
        // One who agrees is enough: the others may be wrong.
        assert_eq!(yields_to(100, None, &[10, 12, 101]), None);
        assert_eq!(yields_to(100, None, &[10, 200]), None);
        assert_eq!(yields_to(100, None, &[10, 12]), Some(minutes(12)));
        assert_eq!(yields_to(100, None, &[210, 112]), Some(minutes(112)));
    }
}
