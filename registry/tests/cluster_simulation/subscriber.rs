//! A subscriber of a registry: what a client knows of who is online.

use std::collections::BTreeMap;
use std::sync::Arc;

use p2pchat_protocol::v2::registry::MAX_FROM_REGISTRY;
use p2pchat_protocol::v2::{FrameDecoder, FromRegistry, Seat, SeatState, SeatUpdate};
use p2pchat_registry::presence::{Feed, Subscription};

/// A subscriber.
#[derive(Debug)]
pub(crate) struct Subscriber {
    subscription: Subscription,
    pub(crate) view: BTreeMap<Seat, SeatState>,
    /// Whether it has all of a snapshot.
    pub(crate) is_whole: bool,
    /// The greatest serial of each seat that it was told.
    serials: BTreeMap<Seat, u64>,
    pub(crate) snapshots: u64,
    deltas: u64,
    /// Whether each third delta is lost, which no registry does.
    pub(crate) loses_deltas: bool,
}

impl Subscriber {
    pub(crate) fn new(feed: &Arc<Feed>) -> Self {
        Self {
            subscription: feed.subscribe(),
            view: BTreeMap::new(),
            is_whole: false,
            serials: BTreeMap::new(),
            snapshots: 0,
            deltas: 0,
            loses_deltas: false,
        }
    }

    /// Reads what there is.
    pub(crate) fn read(&mut self) {
        while let Some(frames) = self.subscription.try_next() {
            let mut bytes = &frames[..];
            let mut decoder = FrameDecoder::default();
            while let Some(frame) = decoder.next(&mut bytes, MAX_FROM_REGISTRY).unwrap() {
                self.take(FromRegistry::decode(&frame).unwrap().unwrap());
            }
        }
    }

    fn take(&mut self, frame: FromRegistry) {
        match frame {
            FromRegistry::Snapshot {
                users,
                begins,
                ends,
            } => {
                if begins {
                    self.view.clear();
                    self.snapshots += 1;
                }
                users.into_iter().for_each(|user| self.change(user));
                self.is_whole = ends;
            }
            FromRegistry::Delta(users) => {
                assert!(self.is_whole, "a delta within a snapshot");
                self.deltas += 1;
                if !(self.loses_deltas && self.deltas.is_multiple_of(3)) {
                    users.into_iter().for_each(|user| self.change(user));
                }
            }
            other => panic!("{other:?}"),
        }
    }

    fn change(&mut self, (seat, state): SeatUpdate) {
        let Some(mut state) = state else {
            self.view.remove(&seat);
            return;
        };
        let serial = self.serials.entry(seat).or_default();
        assert!(
            *serial <= state.serial,
            "{seat:?} went from serial {serial} to {}",
            state.serial
        );
        *serial = state.serial;
        let before = self.view.get(&seat);
        if let Some(before) = before.filter(|before| before.serial == state.serial) {
            state.display_name = state.display_name.or(before.display_name);
        }
        self.view.insert(seat, state);
    }
}
