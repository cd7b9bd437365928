//! Who is writing, and how far others have read.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use p2pchat_model::{Chat, MessageId};
use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::ConversationId as Id;
use tokio::time::Instant;

/// How long a member is shown as writing after the last sign of it: twice as long as there may be
/// between two signs.
const TYPING: Duration = Duration::from_secs(6);
/// Others are told that the user is writing at most this often.
const TELL_TYPING: Duration = Duration::from_secs(3);
/// For how long read marks are gathered before they are told, so that a flood of them is none for
/// front ends.
const TELL_MARKS: Duration = Duration::from_millis(100);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// Until when.
    typing: BTreeMap<(Id, PersonKey), Instant>,
    read: BTreeMap<(Id, PersonKey), MessageId>,
    /// Whose marks were not told yet, and when that is due.
    marks: BTreeSet<(Id, PersonKey)>,
    marks_due: Option<Instant>,
    /// When others were told last that the user is writing.
    told: BTreeMap<Id, Instant>,
}

impl Live {
    /// A member is writing. Tells whether that is new.
    pub(super) fn types(&mut self, id: Id, person: PersonKey, now: Instant) -> bool {
        self.typing.insert((id, person), now + TYPING).is_none()
    }

    /// A member has stopped writing. Tells whether that is new.
    pub(super) fn stops(&mut self, id: Id, person: PersonKey) -> bool {
        self.typing.remove(&(id, person)).is_some()
    }

    /// When there is something to tell: one who is not writing any more, or how far others have
    /// read.
    pub(super) fn next(&self) -> Option<Instant> {
        let stops = self.typing.values().copied();
        stops.chain(self.marks_due).min()
    }

    /// Those who are not writing any more.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<(Id, PersonKey)> {
        let expired = self.typing.extract_if(.., |_, until| *until <= now);
        expired.map(|(who, _)| who).collect()
    }

    /// A member has read up to here.
    pub(super) fn has_read(&mut self, id: Id, person: PersonKey, message: MessageId, now: Instant) {
        let known = self.read.entry((id, person)).or_default();
        if message > *known {
            *known = message;
            self.marks.insert((id, person));
            self.marks_due.get_or_insert(now + TELL_MARKS);
        }
    }

    /// How far members have read, as it is stored.
    pub(super) fn had_read(&mut self, id: Id, stored: Vec<(PersonKey, MessageId)>) {
        for (person, message) in stored {
            let known = self.read.entry((id, person)).or_default();
            *known = message.max(*known);
        }
    }

    /// Those who have read further since that was told last, if it is due.
    pub(super) fn marks(&mut self, now: Instant) -> Vec<(Id, PersonKey, MessageId)> {
        if self.marks_due.take_if(|due| *due <= now).is_none() {
            return Vec::new();
        }
        let marks = std::mem::take(&mut self.marks).into_iter();
        let marks = marks.filter_map(|(id, person)| {
            let message = self.read.get(&(id, person))?;
            Some((id, person, *message))
        });
        marks.collect()
    }

    /// Whether others are to be told that the user is writing.
    pub(super) fn may_tell(&mut self, id: Id, now: Instant) -> bool {
        self.told.retain(|_, told| now < *told + TELL_TYPING);
        let is_due = !self.told.contains_key(&id);
        self.told.entry(id).or_insert(now);
        is_due
    }

    /// Adds it to the state of a conversation.
    pub(super) fn fill(&self, id: Id, chat: &mut Chat) {
        for member in &mut chat.members {
            let who = (id, member.who.key);
            member.typing = self.typing.contains_key(&who);
            member.read = self.read.get(&who).copied();
        }
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_protocol::v2::PublicKey;

    use super::*;

    const ID: Id = Id([7; 32]);

    fn person(number: u8) -> PersonKey {
        PersonKey(PublicKey([number; 32]))
    }

    #[test]
    fn who_is_writing_stops_after_the_last_sign_or_with_a_message() {
        let (mut live, now) = (Live::default(), Instant::now());
        assert!(live.types(ID, person(1), now));
        assert!(live.types(ID, person(2), now));
        let later = now + Duration::from_secs(3);
        assert!(!live.types(ID, person(1), later));
        assert_eq!(live.expire(now + TYPING), [(ID, person(2))]);
        assert_eq!(live.next(), Some(later + TYPING));
        assert!(live.stops(ID, person(1)));
        assert!(!live.stops(ID, person(1)));
        assert_eq!(live.next(), None);
    }

    #[test]
    fn others_are_told_of_writing_at_most_every_three_seconds() {
        let (mut live, now) = (Live::default(), Instant::now());
        assert!(live.may_tell(ID, now));
        assert!(live.may_tell(Id([8; 32]), now));
        assert!(!live.may_tell(ID, now + Duration::from_millis(2_999)));
        assert!(live.may_tell(ID, now + Duration::from_secs(3)));
    }

    #[test]
    fn how_far_a_member_has_read_never_goes_back() {
        let (mut live, now) = (Live::default(), Instant::now());
        let due = now + TELL_MARKS;
        for number in [5, 4, 6, 3] {
            live.has_read(ID, person(1), MessageId::new(number), now);
        }
        assert_eq!(live.marks(now), [], "they are gathered");
        assert_eq!(live.next(), Some(due));
        assert_eq!(live.marks(due), [(ID, person(1), MessageId::new(6))]);
        live.has_read(ID, person(1), MessageId::new(6), due);
        assert_eq!((live.next(), live.marks(due + TELL_MARKS)), (None, vec![]));
    }
}
