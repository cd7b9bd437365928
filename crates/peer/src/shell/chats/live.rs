//! What nobody stores: who is writing, and how far others have read, while the program runs.

use std::collections::BTreeMap;
use std::time::Duration;

use p2pchat_model::{Chat, MessageId};
use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::ConversationId as Id;
use tokio::time::Instant;

/// How long somebody is shown as writing after the last sign of it: twice as long as there may be
/// between two signs.
const TYPING: Duration = Duration::from_secs(6);
/// Others are told that the user is writing at most this often.
const TELL_TYPING: Duration = Duration::from_secs(3);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// Until when.
    typing: BTreeMap<(Id, PersonKey), Instant>,
    read: BTreeMap<(Id, PersonKey), MessageId>,
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

    /// When the first of those who are writing is not any more.
    pub(super) fn next(&self) -> Option<Instant> {
        self.typing.values().min().copied()
    }

    /// Those who are not writing any more.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<(Id, PersonKey)> {
        let expired = self.typing.extract_if(.., |_, until| *until <= now);
        expired.map(|(who, _)| who).collect()
    }

    /// A member has read up to here. Tells whether that is further than was known.
    pub(super) fn has_read(&mut self, id: Id, person: PersonKey, message: MessageId) -> bool {
        let known = self.read.entry((id, person)).or_default();
        let is_further = message > *known;
        *known = message.max(*known);
        is_further
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
        let mut live = Live::default();
        assert!(live.has_read(ID, person(1), MessageId::new(5)));
        assert!(!live.has_read(ID, person(1), MessageId::new(4)));
        assert!(!live.has_read(ID, person(1), MessageId::new(5)));
        assert!(live.has_read(ID, person(1), MessageId::new(6)));
    }
}
