//! Small things kept in the browser: drafts for this tab or the next, settings for all.

use p2pchat_model::{Conversation, ConversationId, MessageId, View};
use web_sys::Storage;

use crate::logic::said::said;
use crate::state::Asked;

fn local() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}

fn session() -> Option<Storage> {
    web_sys::window()?.session_storage().ok()?
}

fn set(storage: Option<Storage>, key: &str, value: &str) {
    if let Some(storage) = storage {
        // Fails when the storage is full: then nothing is kept.
        let _ = if value.is_empty() {
            storage.remove_item(key)
        } else {
            storage.set_item(key, value)
        };
    }
}

/// Something kept for all tabs.
#[must_use]
pub fn kept(key: &str) -> Option<String> {
    local()?.get_item(key).ok()?
}

/// Keeps something for all tabs; an empty value removes it.
pub fn keep(key: &str, value: &str) {
    set(local(), key, value);
}

/// Something kept for this tab.
#[must_use]
pub fn of_tab(key: &str) -> Option<String> {
    session()?.get_item(key).ok()?
}

/// Keeps something for this tab; an empty value removes it.
pub fn keep_for_tab(key: &str, value: &str) {
    set(session(), key, value);
}

/// The texts of one account that are not sent: those of this tab, and those of closed tabs.
/// What the peer keeps for all front ends is not among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drafts {
    account: String,
    conversation: ConversationId,
}

/// A text that may not be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unsent {
    conversation: ConversationId,
    text: String,
    /// The newest message when it was sent: its own would be a later one.
    after: MessageId,
}

impl Unsent {
    /// Whether it is among the messages of a conversation after all.
    fn is_in(&self, chat: &Conversation) -> bool {
        let mut messages = chat.lines.iter().rev().filter_map(said);
        messages.any(|one| one.own && one.id > self.after && one.text == self.text)
    }
}

/// What separates texts in the storage: no text with one can be sent.
const SEPARATOR: &str = "\0";
/// Where a text that was never sent stands among the messages: after all of them.
const NEVER: MessageId = MessageId::LAST;

impl Drafts {
    /// Those of this account in a conversation.
    #[must_use]
    pub fn of(account: &str, conversation: ConversationId) -> Self {
        let account = account.to_owned();
        Self {
            account,
            conversation,
        }
    }

    fn key(&self, kind: &str) -> String {
        format!("p2pchat.{kind}.{}", self.account)
    }

    /// The key of the draft.
    fn draft(&self) -> String {
        match self.conversation {
            ConversationId::OPEN => self.key("draft"),
            other => format!("{}.{other}", self.key("draft")),
        }
    }

    /// Keeps the text in the message field of this tab, until the peer has it.
    pub fn keep(&self, text: &str) {
        keep_for_tab(&self.draft(), text);
    }

    /// The peer keeps this text from now on: the tab need not, unless it has a later one.
    pub fn forget(&self, text: &str) {
        if of_tab(&self.draft()).as_deref() == Some(text) {
            self.keep("");
        }
    }

    /// Keeps the texts that this tab sent, in any conversation, and that are not acknowledged.
    pub fn keep_unsaid(&self, unsaid: &[Asked]) {
        let texts = unsaid.iter().filter_map(|asked| {
            let text = asked.text()?.to_owned();
            Some(Unsent {
                conversation: asked.command.conversation()?,
                text,
                after: asked.after,
            })
        });
        keep_for_tab(&self.key("sent"), &written(&texts.collect::<Vec<_>>()));
    }

    /// What this tab has not sent, as far as it knows: the message field last.
    fn own(&self, says_again: bool) -> Vec<Unsent> {
        let sent = of_tab(&self.key("sent")).filter(|_| !says_again);
        let mut own = read(sent);
        let draft = of_tab(&self.draft()).filter(|draft| !draft.is_empty());
        own.extend(draft.map(|text| Unsent {
            conversation: self.conversation,
            text,
            after: NEVER,
        }));
        own
    }

    /// What belongs into the message field when the page begins: what this tab has not sent,
    /// else what closed tabs have left, without the messages that arrived after all; and where
    /// the tab has nothing newer, what the peer keeps. `says_again` is whether the page sends
    /// the texts of this tab by itself.
    #[must_use]
    pub fn take(&self, view: &View, says_again: bool) -> String {
        let chat = view.conversation(self.conversation).unwrap_or(view.open());
        let is_here = |text: &mut Unsent| text.conversation == self.conversation;
        let mut elsewhere = self.own(says_again);
        let own: Vec<Unsent> = elsewhere.extract_if(.., is_here).collect();
        let mut left = read(kept(&self.key("left")));
        // A tab that is loaded again has left its own.
        left.retain(|text| !own.contains(text));
        let mut texts = if own.is_empty() {
            left.extract_if(.., is_here).collect()
        } else {
            own
        };
        keep(&self.key("left"), &written(&left));
        for text in elsewhere {
            // The field of its conversation is not here yet.
            let has_it = view.conversation(text.conversation);
            if !has_it.is_some_and(|chat| text.is_in(chat)) {
                Self::of(&self.account, text.conversation).keep(&text.text);
            }
        }
        let has_draft = texts.iter().any(|text| text.after == NEVER);
        texts.retain(|text| !text.is_in(chat));
        let mut texts: Vec<&str> = texts.iter().map(|unsent| &*unsent.text).collect();
        if !has_draft && !chat.draft.is_empty() {
            texts.push(&chat.draft);
        }
        let text = texts.join("\n");
        self.keep(&text);
        if !says_again {
            self.keep_unsaid(&[]);
        }
        text
    }

    /// Leaves what is not sent to the next tab: this one is closed, or loaded again.
    pub fn leave(&self) {
        let mut left = read(kept(&self.key("left")));
        left.extend(self.own(false));
        keep(&self.key("left"), &written(&left));
    }
}

fn written(texts: &[Unsent]) -> String {
    let texts = texts.iter().map(|sent| {
        let Unsent {
            conversation,
            text,
            after,
        } = sent;
        match *conversation {
            ConversationId::OPEN => format!("{after}:{text}"),
            other => format!("{after}@{other}:{text}"),
        }
    });
    texts.collect::<Vec<_>>().join(SEPARATOR)
}

fn read(written: Option<String>) -> Vec<Unsent> {
    let parse = |entry: &str| {
        let (after, text) = entry.split_once(':')?;
        let (after, conversation) = match after.split_once('@') {
            Some((after, conversation)) => (after, conversation.parse().ok()?),
            None => (after, ConversationId::OPEN),
        };
        Some(Unsent {
            conversation,
            text: text.to_owned(),
            after: after.parse().ok()?,
        })
    };
    let written = written.unwrap_or_default();
    written.split(SEPARATOR).filter_map(parse).collect()
}
