//! Sets of positions, as ranges that do not touch.

use std::collections::BTreeMap;
use std::ops::Range;

/// A set of positions. What is held of a log is one or a few ranges, however long the log is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ranges {
    /// The end of each range by its start.
    ends: BTreeMap<u64, u64>,
}

impl Ranges {
    /// Adds the positions of a range.
    pub fn insert(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let Range { mut start, mut end } = range;
        let touching: Vec<_> = (self.ends.range(..=end).rev())
            .take_while(|(_, known)| **known >= start)
            .map(|(start, end)| (*start, *end))
            .collect();
        for (known_start, known_end) in touching {
            self.ends.remove(&known_start);
            start = start.min(known_start);
            end = end.max(known_end);
        }
        self.ends.insert(start, end);
    }

    /// Takes a position away, and all from there on.
    pub fn truncate(&mut self, position: u64) {
        self.ends.split_off(&position);
        if let Some(mut last) = self.ends.last_entry()
            && *last.get() > position
        {
            last.insert(position);
        }
    }

    /// Takes away what is below a position.
    pub fn forget_below(&mut self, position: u64) {
        let above = self.ends.split_off(&position);
        let reaching = self.ends.last_key_value().map(|(_, end)| *end);
        self.ends = above;
        if let Some(end) = reaching.filter(|end| *end > position) {
            self.insert(position..end);
        }
    }

    /// Takes one position away.
    pub fn remove(&mut self, position: u64) {
        let above = self.ends.split_off(&(position + 1));
        let end = self.newest(u64::MAX).map(|last| last.end);
        self.truncate(position);
        self.ends.extend(above);
        self.insert(position + 1..end.unwrap_or(0));
    }

    /// Whether a position is in the set.
    #[must_use]
    pub fn contains(&self, position: u64) -> bool {
        let below = self.ends.range(..=position).next_back();
        below.is_some_and(|(_, end)| position < *end)
    }

    /// The ranges, from the lowest.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Range<u64>> {
        self.ends.iter().map(|(start, end)| *start..*end)
    }

    /// The newest range of what is below a limit.
    #[must_use]
    pub fn newest(&self, limit: u64) -> Option<Range<u64>> {
        let (start, end) = self.ends.range(..limit).next_back()?;
        Some(*start..limit.min(*end))
    }

    /// The newest part of a range that is not in the set.
    #[must_use]
    pub fn newest_missing(&self, within: Range<u64>) -> Option<Range<u64>> {
        let mut end = within.end;
        for (known_start, known_end) in self.ends.range(..within.end).rev() {
            if *known_end < end {
                let start = within.start.max(*known_end);
                return (start < end).then_some(start..end);
            }
            end = *known_start;
        }
        (within.start < end).then_some(within.start..end)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn ranges_of(positions: &BTreeSet<u64>) -> Vec<Range<u64>> {
        let mut ranges: Vec<Range<u64>> = Vec::new();
        for &position in positions {
            match ranges.last_mut() {
                Some(last) if last.end == position => last.end += 1,
                _ => ranges.push(position..position + 1),
            }
        }
        ranges
    }

    proptest! {
        #[test]
        fn ranges_are_a_set_of_positions(
            steps in prop::collection::vec((0..8_u8, 0..40_u64, 0..12_u64), 1..40),
            within in (0..40_u64, 0..40_u64),
        ) {
            let (mut ranges, mut model) = (Ranges::default(), BTreeSet::new());
            for (kind, at, len) in steps {
                match kind {
                    0 => {
                        ranges.truncate(at);
                        model.retain(|position| *position < at);
                    }
                    1 => {
                        ranges.forget_below(at);
                        model.retain(|position| *position >= at);
                    }
                    2 => {
                        ranges.remove(at);
                        model.remove(&at);
                    }
                    _ => {
                        ranges.insert(at..at + len);
                        model.extend(at..at + len);
                    }
                }
                let expected = ranges_of(&model);
                prop_assert_eq!(ranges.iter().collect::<Vec<_>>(), expected);
            }
            let within = within.0..within.1;
            let missing = within.clone().filter(|at| !model.contains(at)).collect();
            prop_assert_eq!(ranges.newest_missing(within.clone()), ranges_of(&missing).pop());
            let below = model.range(..within.end).copied().collect();
            prop_assert_eq!(ranges.newest(within.end), ranges_of(&below).pop());
            prop_assert_eq!(ranges.contains(within.start), model.contains(&within.start));
        }
    }
}
