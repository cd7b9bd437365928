//! How much the user has not read, counted on from what was counted before.

use std::collections::BTreeMap;

use p2pchat_conversation::message::Place;
use p2pchat_conversation::replica::Fact;
use p2pchat_model::{Username, mentions};
use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::talk::Talk;
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, JoinId};

use super::read::Visible;
use super::store::{Change, Store, StoreError};

/// How far back unread messages are counted: far more than anybody counts, and a few milliseconds.
pub const MAX_UNREAD: u64 = 1_000;
/// And back through so many bytes of text, which are read for it.
pub const MAX_UNREAD_BYTES: usize = 1 << 20;

/// What the user has not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unread {
    /// So many messages of others, at most [`MAX_UNREAD`].
    pub messages: u64,
    /// So many of them mention the user.
    pub mentions: u64,
}

/// Who reads, and how far they have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader {
    /// Their own messages do not count.
    pub person: PersonKey,
    /// Who is mentioned, if they have signed in.
    pub account: Option<Username>,
    /// The last message that they have read.
    pub read: Option<Place>,
}

/// What was counted of a conversation. It is gone on from while nothing but newer messages comes,
/// so that a message in a conversation with a thousand unread ones costs one.
#[derive(Debug)]
pub(super) struct Counted {
    reader: Reader,
    /// The logs that counted, and since when the reader is in it.
    limits: BTreeMap<JoinId, u64>,
    from: Clock,
    /// The newest message that was looked at.
    newest: Option<Place>,
    unread: Unread,
}

impl Counted {
    fn is_of(&self, reader: &Reader, visible: &Visible) -> bool {
        self.reader == *reader && self.limits == visible.limits && self.from == visible.from
    }

    /// Whether a fact may change what was counted.
    fn is_changed_by(&self, fact: &Fact) -> bool {
        match fact {
            Fact::Talk { entry, .. } => {
                let newest = self.newest.map(|newest| newest.clock);
                newest >= Some(entry.header.clock)
            }
            Fact::Erased(..) | Fact::Floor { .. } | Fact::Ended { .. } => true,
            // Whose messages count is a matter of what is visible.
            Fact::Roster(_)
            | Fact::Dropped(_)
            | Fact::Shut(..)
            | Fact::Answered(..)
            | Fact::Got { .. }
            | Fact::Began(_)
            | Fact::Retired(_)
            | Fact::Again(_) => false,
        }
    }
}

impl Store {
    /// How many messages of others are shown behind the last one that was read: of the newest
    /// [`MAX_UNREAD`] and [`MAX_UNREAD_BYTES`], and of all that came since these were counted.
    /// Those without a text, as they were erased say, do not count, and what a message mentions is
    /// said by its text as it was written first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn unread(
        &self,
        conversation: &ConversationId,
        reader: &Reader,
        visible: &Visible,
    ) -> Result<Unread, StoreError> {
        let before = self.counted.borrow_mut().remove(conversation);
        let before = before.filter(|before| before.is_of(reader, visible));
        let mut counted = before.unwrap_or_else(|| Counted {
            reader: *reader,
            limits: visible.limits.clone(),
            from: visible.from,
            newest: None,
            unread: Unread::default(),
        });
        let behind = counted.newest.or(reader.read);
        let (mut seen, mut bytes) = (0, 0);
        self.walk_back(conversation, behind, None, visible, |entry| {
            counted.newest = counted.newest.max(Some(entry.place));
            if let Some(talk) = entry.talk.filter(|_| entry.author != reader.person) {
                let unread = &mut counted.unread;
                unread.messages = MAX_UNREAD.min(unread.messages + 1);
                if let Talk::Message { text } | Talk::Reply { text, .. } = &talk {
                    let is_mention = |account| mentions(text, account).next().is_some();
                    unread.mentions += u64::from(reader.account.is_some_and(is_mention));
                    bytes += text.len();
                }
            }
            seen += 1;
            seen < MAX_UNREAD && bytes < MAX_UNREAD_BYTES
        })?;
        let unread = counted.unread;
        self.counted.borrow_mut().insert(*conversation, counted);
        Ok(unread)
    }

    /// Forgets what was counted where changes make it wrong.
    pub(super) fn forget_counted(&self, changes: &[Change]) {
        let mut all = self.counted.borrow_mut();
        for change in changes {
            if let Change::Facts(id, facts) = change
                && let Some(counted) = all.get(id)
                && facts.iter().any(|fact| counted.is_changed_by(fact))
            {
                all.remove(id);
            }
        }
    }
}
