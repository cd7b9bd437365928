//! What the registry itself says of what it turned away.

use std::collections::BTreeMap;
use std::fmt;

/// The line of the log that sums it up.
const MARK: &str = "refused since the start: ";

/// How much, by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TurnedAway(BTreeMap<String, u64>);

impl TurnedAway {
    /// The last word that a log has on it; nothing if it has none.
    pub(super) fn last_in(log: &str) -> Self {
        let line = log.lines().rev().find_map(|line| line.split_once(MARK));
        let pairs = line.map_or("", |(_, counted)| counted).split_whitespace();
        let counts = pairs.filter_map(|pair| {
            let (reason, count) = pair.split_once('=')?;
            Some((reason.to_owned(), count.parse().ok()?))
        });
        Self(counts.collect())
    }

    /// How much for one reason.
    pub(super) fn get(&self, reason: &str) -> u64 {
        self.0.get(reason).copied().unwrap_or_default()
    }
}

impl fmt::Display for TurnedAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self
            .0
            .iter()
            .map(|(reason, count)| format!("{reason} {count}"));
        let counts: Vec<_> = counts.collect();
        match counts.is_empty() {
            true => f.write_str("nothing"),
            false => f.write_str(&counts.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts() {
        let log = "INFO refused since the start: no_hello=1\nINFO x\n\
                   INFO p2pchat: refused since the start: no_hello=12 made_room=3\nstopped\n";
        let turned_away = TurnedAway::last_in(log);
        assert_eq!(turned_away.get("no_hello"), 12);
        assert_eq!(turned_away.to_string(), "made_room 3, no_hello 12");
        assert_eq!(TurnedAway::last_in("x").to_string(), "nothing");
    }
}
