//! Which sessions stay, of several with one device and of more than there can be.

use std::collections::BTreeMap;

use p2pchat_conversation::sync::SessionId;
use p2pchat_protocol::v2::peer::Bye;
use p2pchat_protocol::v2::{DeviceKey, PersonKey};

/// The most sessions: one with a device of each member of the largest group.
pub(super) const MAX_SESSIONS: usize = 256;
/// The most with people who are in no conversation with this person: enough for their requests, and none of
/// the places of members.
pub(super) const MAX_UNKNOWN: usize = 16;
/// Sessions of the same two devices that began within so many milliseconds were dialled by both at
/// once.
const CROSSING: u64 = 5_000;

/// A session that has a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) device: DeviceKey,
    pub(super) person: PersonKey,
    /// The device that dialled.
    pub(super) dialled_by: DeviceKey,
    /// When it began, in milliseconds since some moment.
    pub(super) since: u64,
    /// When a frame came last.
    pub(super) used: u64,
    /// Whether there is a conversation with this person.
    pub(super) is_known: bool,
}

/// The sessions that have a place.
#[derive(Debug, Default)]
pub(super) struct Places {
    places: BTreeMap<SessionId, Place>,
}

/// Whether a new session has a place, and who has to go.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Why the new one does not stay.
    pub(super) refused: Option<Bye>,
    /// Those who go, and why.
    pub(super) closed: Vec<(SessionId, Bye)>,
}

impl Places {
    pub(super) fn get(&self, id: SessionId) -> Option<&Place> {
        self.places.get(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (SessionId, &Place)> {
        self.places.iter().map(|(id, place)| (*id, place))
    }

    /// The session with a device.
    pub(super) fn of_device(&self, device: &DeviceKey) -> Option<SessionId> {
        let mut places = self.iter();
        places.find_map(|(id, place)| (place.device == *device).then_some(id))
    }

    pub(super) fn touch(&mut self, id: SessionId, now: u64) {
        if let Some(place) = self.places.get_mut(&id) {
            place.used = now;
        }
    }

    pub(super) fn remove(&mut self, id: SessionId) {
        self.places.remove(&id);
    }

    /// Gives a new session a place, if it can have one. Those who go are removed.
    pub(super) fn admit(
        &mut self,
        id: SessionId,
        new: Place,
        is_known: impl Fn(&PersonKey) -> bool,
    ) -> Verdict {
        let mut verdict = Verdict::default();
        if let Some(old) = self.of_device(&new.device) {
            if self.places.get(&old).is_some_and(|old| stays(old, &new)) {
                verdict.refused = Some(Bye::Replaced);
                return verdict;
            }
            self.places.remove(&old);
            verdict.closed.push((old, Bye::Replaced));
        }
        // They may have been asked, or have been accepted, since.
        let unknown = self.places.values_mut().filter(|place| !place.is_known);
        unknown.for_each(|place| place.is_known = is_known(&place.person));
        let unknown = self.iter().filter(|(_, place)| !place.is_known).count();
        let is_full = self.places.len() >= MAX_SESSIONS;
        let is_crowded = !new.is_known && unknown >= MAX_UNKNOWN;
        if is_full || is_crowded {
            let Some(least) = self.least_used(new.is_known) else {
                verdict.refused = Some(Bye::TooMany);
                return verdict;
            };
            self.places.remove(&least);
            verdict.closed.push((least, Bye::TooMany));
        }
        self.places.insert(id, new);
        verdict
    }

    /// The least used session, of those unknown if there are any, or if only they may go.
    fn least_used(&self, may_be_known: bool) -> Option<SessionId> {
        let may_go = self
            .iter()
            .filter(|(_, place)| may_be_known || !place.is_known);
        let least = may_go.min_by_key(|(_, place)| (place.is_known, place.used));
        least.map(|(id, _)| id)
    }
}

/// Whether an old session stays and the new one with the same device goes: the one that the
/// smaller key dialled stays if they cross, otherwise the newer one.
fn stays(old: &Place, new: &Place) -> bool {
    let crosses = new.since.saturating_sub(old.since) <= CROSSING;
    crosses && old.dialled_by < new.dialled_by
}

#[cfg(test)]
mod tests {
    use p2pchat_protocol::v2::PublicKey;

    use super::*;

    fn key(number: u64) -> PublicKey {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_be_bytes());
        PublicKey(key)
    }

    fn place(number: u64, is_known: bool) -> Place {
        Place {
            device: DeviceKey(key(number)),
            person: PersonKey(key(number)),
            dialled_by: DeviceKey(key(number)),
            since: 0,
            used: number,
            is_known,
        }
    }

    /// Admits one for each number, who is known if so.
    fn filled(unknown: u64, known: u64) -> Places {
        let mut places = Places::default();
        for number in 0..unknown + known {
            let new = place(number, number >= unknown);
            let verdict = places.admit(SessionId(number), new, |_| false);
            assert_eq!(verdict, Verdict::default());
        }
        places
    }

    #[test]
    fn of_sessions_that_cross_the_one_of_the_smaller_key_stays_otherwise_the_newer() {
        let (smaller, greater) = (DeviceKey(key(1)), DeviceKey(key(2)));
        let stays = |old_by, new_by, later| {
            let old = Place {
                dialled_by: old_by,
                ..place(2, true)
            };
            let new = Place {
                dialled_by: new_by,
                since: later,
                ..old
            };
            let mut places = Places::default();
            places.admit(SessionId(7), old, |_| true);
            let verdict = places.admit(SessionId(8), new, |_| true);
            assert_eq!(places.iter().count(), 1);
            match verdict.refused {
                Some(Bye::Replaced) if verdict.closed.is_empty() => SessionId(7),
                None if verdict.closed == [(SessionId(7), Bye::Replaced)] => SessionId(8),
                _ => panic!("{verdict:?}"),
            }
        };
        assert_eq!(stays(smaller, greater, CROSSING), SessionId(7));
        assert_eq!(stays(greater, smaller, CROSSING), SessionId(8));
        assert_eq!(stays(smaller, greater, CROSSING + 1), SessionId(8));
        assert_eq!(stays(greater, greater, 0), SessionId(8));
    }

    #[test]
    fn the_least_used_goes_when_there_are_too_many() {
        let mut places = filled(0, 256);
        places.touch(SessionId(0), 1000);
        let verdict = places.admit(SessionId(999), place(999, true), |_| true);
        assert_eq!(verdict.closed, [(SessionId(1), Bye::TooMany)]);
        assert_eq!(places.iter().count(), MAX_SESSIONS);
    }

    #[test]
    fn who_is_unknown_pushes_out_nobody_but_the_unknown() {
        let mut places = filled(0, 256);
        let verdict = places.admit(SessionId(999), place(999, false), |_| false);
        assert_eq!(verdict.refused, Some(Bye::TooMany));
        assert_eq!(verdict.closed, []);

        let mut places = filled(16, 100);
        let verdict = places.admit(SessionId(999), place(999, false), |_| false);
        assert_eq!(verdict.closed, [(SessionId(0), Bye::TooMany)]);
        let unknown = places.iter().filter(|(_, place)| !place.is_known).count();
        assert_eq!(unknown, MAX_UNKNOWN);

        // Those who are known now do not count as unknown any more.
        let verdict = places.admit(SessionId(1000), place(1000, false), |_| true);
        assert_eq!(verdict, Verdict::default());
    }

    #[test]
    fn who_is_known_pushes_out_the_unknown_first() {
        let mut places = filled(16, 240);
        places.touch(SessionId(0), 1000);
        let verdict = places.admit(SessionId(999), place(999, true), |_| false);
        assert_eq!(verdict.closed, [(SessionId(1), Bye::TooMany)]);
    }
}
