//! Invitations are told one by one as long as they are few. One member may ask thousands: then a
//! line says how many.

use std::collections::BTreeMap;
use std::time::Duration;

use p2pchat_model::{ChatChange, DatedChange, Named};
use p2pchat_protocol::v2::conversation::ConversationId as Id;
use tokio::time::Instant;

/// How many invitations of one member are told one by one in [`PERIOD`]: as many as one who is no
/// owner can have open.
const ONE_BY_ONE: usize = 16;
/// After how long more of them are told one by one, and how many there were meanwhile.
const PERIOD: Duration = Duration::from_secs(60);

/// The invitations that were told, of each member in each conversation.
#[derive(Debug, Default)]
pub(super) struct Invited {
    by: BTreeMap<(Id, Option<Named>), Period>,
}

#[derive(Debug)]
struct Period {
    ends: Instant,
    told: usize,
    /// How many were not told yet.
    more: u64,
}

impl Invited {
    /// The changes to tell now. Of many invitations some are kept to be counted.
    pub(super) fn gather(
        &mut self,
        id: Id,
        changes: Vec<DatedChange>,
        now: Instant,
    ) -> Vec<DatedChange> {
        let is_told = |changed: &DatedChange| {
            let ChatChange::Asked { by, .. } = &changed.change else {
                return true;
            };
            let period = self.by.entry((id, *by)).or_insert_with(|| Period {
                ends: now + PERIOD,
                told: 0,
                more: 0,
            });
            let is_told = period.told < ONE_BY_ONE;
            if is_told {
                period.told += 1;
            } else {
                period.more += 1;
            }
            is_told
        };
        changes.into_iter().filter(is_told).collect()
    }

    /// When there is something to tell or to forget.
    pub(super) fn next(&self) -> Option<Instant> {
        self.by.values().map(|period| period.ends).min()
    }

    /// How many were asked beside those that were told.
    pub(super) fn due(&mut self, now: Instant) -> Vec<(Id, ChatChange)> {
        let over = self.by.extract_if(.., |_, period| period.ends <= now);
        let more = over.filter(|(_, period)| period.more > 0);
        let asked = more.map(|((id, by), Period { more: count, .. })| {
            let change = ChatChange::AskedMore { count, by };
            (id, change)
        });
        asked.collect()
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_model::Timestamp;
    use p2pchat_protocol::v2::{PersonKey, PublicKey};

    use super::*;

    fn named(byte: u8) -> Named {
        Named {
            key: PersonKey(PublicKey([byte; 32])),
            name: None,
            you: false,
        }
    }

    fn now(change: ChatChange) -> DatedChange {
        let at = Timestamp(0);
        DatedChange { at, change }
    }

    fn asked(count: usize, by: u8) -> Vec<DatedChange> {
        let by = Some(named(by));
        let who = named(9);
        vec![now(ChatChange::Asked { who, by }); count]
    }

    #[test]
    fn ten_thousand_invitations_of_one_member_are_a_few_lines() {
        let (mut invited, start, id) = (Invited::default(), Instant::now(), Id([1; 32]));
        let mut told = Vec::new();
        for _ in 0..1000 {
            told.extend(invited.gather(id, asked(10, 1), start));
        }
        assert_eq!(told.len(), ONE_BY_ONE);
        let other = invited.gather(id, asked(2, 2), start);
        assert_eq!(other.len(), 2, "another member is not held back");
        let left = now(ChatChange::Left(named(1)));
        assert_eq!(invited.gather(id, vec![left], start), [left]);
        assert_eq!(invited.due(start), []);
        let end = invited.next().unwrap();
        let (count, by) = (10_000 - ONE_BY_ONE as u64, Some(named(1)));
        assert_eq!(
            invited.due(end),
            [(id, ChatChange::AskedMore { count, by })]
        );
        assert_eq!((invited.next(), invited.due(end)), (None, vec![]));
        assert_eq!(invited.gather(id, asked(1, 1), end).len(), 1);
    }
}
