//! Fair bounded queue: sources take turns, so that no source waits for the items of another.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// A queue for each source, served in turn. When all of it is full, the longest queue loses
/// its last item; so the queue cannot be filled from one source, or from a few.
#[derive(Debug)]
pub(super) struct FairQueue<K, T> {
    queues: HashMap<K, VecDeque<T>>,
    /// The sources with items, the next one first.
    turns: VecDeque<K>,
    len: usize,
    capacity: usize,
}

impl<K: Copy + Eq + Hash, T> FairQueue<K, T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            queues: HashMap::new(),
            turns: VecDeque::new(),
            len: 0,
            capacity,
        }
    }

    /// How many items are queued.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Puts `item` at the end of the queue of `source`, and returns the item that is evicted:
    /// this one, or the last of a queue that is no shorter without it.
    pub(super) fn push(&mut self, source: K, item: T) -> Option<T> {
        let mut evicted = None;
        if self.len >= self.capacity {
            evicted = self.evict_for(source);
            if evicted.is_none() {
                return Some(item);
            }
        }
        let queue = self.queues.entry(source).or_default();
        if queue.is_empty() {
            self.turns.push_back(source);
        }
        queue.push_back(item);
        self.len += 1;
        evicted
    }

    /// Takes out the last item of the longest queue, if `source` has at least two less.
    fn evict_for(&mut self, source: K) -> Option<T> {
        let own = self.queues.get(&source).map_or(0, VecDeque::len);
        let longest = self.queues.values_mut().max_by_key(|queue| queue.len())?;
        if longest.len() < own + 2 {
            return None;
        }
        self.len -= 1;
        longest.pop_back()
    }

    /// Takes the first item of the source whose turn it is.
    pub(super) fn pop(&mut self) -> Option<T> {
        let source = self.turns.pop_front()?;
        let queue = self
            .queues
            .get_mut(&source)
            .expect("a source with a turn has a queue");
        let item = queue.pop_front();
        if queue.is_empty() {
            self.queues.remove(&source);
        } else {
            self.turns.push_back(source);
        }
        self.len -= 1;
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(items: impl IntoIterator<Item = (u8, u32)>) -> FairQueue<u8, u32> {
        let mut queue = FairQueue::new(6);
        for (source, item) in items {
            assert_eq!(queue.push(source, item), None);
        }
        queue
    }

    fn rest(mut queue: FairQueue<u8, u32>) -> Vec<u32> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn sources_take_turns_and_each_keeps_its_order() {
        let queue = filled([(1, 10), (1, 11), (1, 12), (2, 20), (2, 21), (3, 30)]);
        assert_eq!(rest(queue), [10, 20, 30, 11, 21, 12]);
    }

    #[test]
    fn when_it_is_full_the_longest_line_loses_its_last() {
        let mut queue = filled((10..16).map(|item| (1, item)));
        assert_eq!(queue.push(2, 20), Some(15));
        assert_eq!(
            queue.push(1, 16),
            Some(16),
            "who has the longest is refused"
        );
        assert_eq!(queue.push(2, 21), Some(14));
        assert_eq!(queue.push(2, 22), Some(13));
        assert_eq!(queue.push(2, 23), Some(23), "both have as many");
        assert_eq!(rest(queue), [10, 20, 11, 21, 12, 22]);
    }

    #[test]
    fn when_everybody_waits_for_one_thing_the_next_is_refused() {
        let mut queue = filled((1..7).map(|source| (source, 0)));
        assert_eq!(queue.push(7, 1), Some(1));
        assert_eq!(queue.pop(), Some(0));
        assert_eq!(queue.push(7, 1), None);
    }

    #[test]
    fn what_was_emptied_takes_no_memory() {
        let mut queue = filled((1..7).map(|source| (source, 0)));
        while queue.pop().is_some() {}
        assert_eq!(
            (queue.len, queue.queues.len(), queue.turns.len()),
            (0, 0, 0)
        );
    }
}
