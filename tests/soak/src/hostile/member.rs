//! A person whose program keeps no rule: what it writes and signs.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use p2pchat_protocol::v2::conversation::roster::{self, Act, Add as Sealed, RosterEntry};
use p2pchat_protocol::v2::conversation::talk::{self, Header, Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId, JoinId};
use p2pchat_protocol::v2::peer::{Have, Heads, Short, ToPeer, Want, What};
use p2pchat_protocol::v2::{Certificate, PersonKey, Signature};
use p2pchat_secure::{SecretKey, sha256};
use p2pchat_testkit::Device;

use super::line::Line;

/// The time, in milliseconds since 1970.
pub(super) fn millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or_default()
}

pub(super) fn now() -> Clock {
    Clock::from_millis(millis())
}

/// A roster entry that a device has signed.
pub(super) fn seal(
    key: &SecretKey,
    conversation: Option<ConversationId>,
    under: Option<JoinId>,
    clock: Clock,
    act: &Act,
) -> Result<Sealed> {
    let entry = RosterEntry::new(conversation, under, clock, act, sha256)?;
    let signature = key.sign(&roster::signed_part(&entry.id));
    let bytes = entry.to_bytes(&signature).into();
    Ok(Sealed { entry, bytes })
}

/// A join by an add.
pub(super) fn join(device: &Device, conversation: ConversationId, add: &Sealed) -> Result<Sealed> {
    let act = Act::Join {
        certificate: device.certificate(),
        salt: rand::random(),
        add: Some(Box::new(add.clone())),
    };
    seal(device.secret(), Some(conversation), None, now(), &act)
}

/// The create of a group.
pub(super) fn create(device: &Device) -> Result<Sealed> {
    let act = Act::Create {
        certificate: device.certificate(),
        salt: rand::random(),
        name: "elsewhere".parse()?,
    };
    seal(device.secret(), None, None, now(), &act)
}

/// An invitation of someone.
pub(super) fn add(person: PersonKey) -> Act {
    Act::Add {
        person,
        from: Clock::ZERO,
        after: std::collections::BTreeSet::new(),
    }
}

/// What stands at the head of a conversation that nobody knows.
pub(super) fn unknown_have() -> What {
    What::Have(Have {
        people: None,
        roster: Short(rand::random()),
        heads: Heads::Digest(Short(rand::random())),
        asks: true,
    })
}

/// A talk log: where it goes on.
#[derive(Debug, Clone)]
pub(super) struct Log {
    pub(super) conversation: ConversationId,
    pub(super) join: JoinId,
    next: u64,
    previous: EntryId,
    clock: Clock,
}

impl Log {
    pub(super) fn new(conversation: ConversationId, join: JoinId) -> Self {
        Self {
            conversation,
            join,
            next: 0,
            previous: EntryId([0; 32]),
            clock: Clock::ZERO,
        }
    }

    /// The next entry, signed by a key.
    pub(super) fn say(&mut self, key: &SecretKey, text: &str) -> Result<TalkEntry> {
        let clock = self.clock.next(now()).context("the time has ended")?;
        self.say_at(clock, key, text)
    }

    /// The same, written at a time.
    pub(super) fn say_at(
        &mut self,
        clock: Clock,
        key: &SecretKey,
        text: &str,
    ) -> Result<TalkEntry> {
        let text = text.to_owned();
        let talk = Talk::Message { text };
        let body = talk.to_body(rand::random())?;
        let header = Header {
            conversation: self.conversation,
            join: self.join,
            position: self.next,
            previous: self.previous,
            clock,
            kind: talk.kind(),
            body_len: u32::try_from(body.len())?,
            body_hash: sha256(&body),
        };
        let id = header.id(sha256);
        (self.next, self.previous, self.clock) = (self.next + 1, id, clock);
        Ok(TalkEntry {
            id,
            header,
            signature: key.sign(&talk::signed_part(&id)),
            body: Some(body.into()),
        })
    }

    /// Entries of this log as they are sent.
    pub(super) fn stretch(&self, stretch: Vec<TalkEntry>) -> What {
        let join = self.join;
        What::Talk { join, stretch }
    }
}

/// Asks a member for the roster of a conversation, which must have been named.
pub(super) async fn fetch_roster(
    line: &mut Line,
    conversation: ConversationId,
) -> Result<Vec<Sealed>> {
    let want = What::Want(Want::Roster(Vec::new()));
    line.tell(conversation, want).await?;
    let mut roster = Vec::new();
    let is_done = |frame: &ToPeer| match frame {
        ToPeer::About(frame) if frame.conversation == conversation => match &frame.what {
            What::Roster(entries) => {
                roster.extend(entries.iter().cloned());
                None
            }
            What::Done => Some(()),
            _ => None,
        },
        _ => None,
    };
    line.until("roster", is_done).await?;
    Ok(roster)
}

/// The invitation of a person in a roster.
pub(super) fn find_add(roster: &[Sealed], person: PersonKey) -> Result<Sealed> {
    let mut adds = roster.iter().filter(|sealed| match sealed.entry.act {
        Act::Add { person: added, .. } => added == person,
        _ => false,
    });
    Ok(adds.next().context("there is no invitation")?.clone())
}

/// The join of a person in a roster.
pub(super) fn find_join(roster: &[Sealed], person: PersonKey) -> Result<JoinId> {
    let mut joins = roster.iter().filter(|sealed| match &sealed.entry.act {
        Act::Create { certificate, .. } | Act::Join { certificate, .. } => {
            certificate.person == person
        }
        _ => false,
    });
    Ok(joins.next().context("there is no join")?.entry.id)
}

/// A certificate that its person has not signed.
pub(super) fn forged(certificate: Certificate) -> Certificate {
    Certificate {
        signature: Signature([7; 64]),
        ..certificate
    }
}
