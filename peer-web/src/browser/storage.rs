//! Small things kept in the browser: drafts for this tab or the next, settings for all.

use std::rc::Rc;

use p2pchat_model::{MessageId, View};
use web_sys::Storage;

use crate::state::Unanswered;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drafts {
    account: String,
}

/// What separates texts in the storage: no text with one can be sent.
const SEPARATOR: &str = "\0";
/// Where a text that was never sent stands among the messages: after all of them.
const NEVER: MessageId = MessageId(u64::MAX);

impl Drafts {
    /// Those of this account.
    #[must_use]
    pub fn of(account: &str) -> Self {
        let account = account.to_owned();
        Self { account }
    }

    fn key(&self, kind: &str) -> String {
        format!("p2pchat.{kind}.{}", self.account)
    }

    /// Keeps the text in the message field of this tab.
    pub fn keep(&self, text: &str) {
        keep_for_tab(&self.key("draft"), text);
    }

    /// Keeps the texts that this tab sent and that are not acknowledged.
    pub fn keep_unanswered(&self, unanswered: &[Unanswered]) {
        keep_for_tab(&self.key("sent"), &written(unanswered));
    }

    /// What this tab has not sent, as far as it knows: the message field last.
    fn own(&self) -> Vec<Unanswered> {
        let mut own = read(of_tab(&self.key("sent")));
        let draft = of_tab(&self.key("draft")).filter(|draft| !draft.is_empty());
        own.extend(draft.map(|text| unsent(text.into(), NEVER)));
        own
    }

    /// What belongs into the message field when the page begins: what this tab has not sent,
    /// else what closed tabs have left, without the messages that arrived after all.
    #[must_use]
    pub fn take(&self, view: &View) -> String {
        let own = self.own();
        let mut left = read(kept(&self.key("left")));
        // A tab that is loaded again has left its own.
        left.retain(|text| !own.contains(text));
        let (texts, left) = if own.is_empty() {
            (left, Vec::new())
        } else {
            (own, left)
        };
        let missing = texts.iter().filter(|text| !text.is_in(view));
        let missing: Vec<&str> = missing.map(|unsent| &*unsent.text).collect();
        let text = missing.join("\n");
        keep(&self.key("left"), &written(&left));
        self.keep(&text);
        self.keep_unanswered(&[]);
        text
    }

    /// Leaves what is not sent to the next tab: this one is closed, or loaded again.
    pub fn leave(&self) {
        let mut left = read(kept(&self.key("left")));
        left.extend(self.own());
        keep(&self.key("left"), &written(&left));
    }
}

fn unsent(text: Rc<str>, after: MessageId) -> Unanswered {
    Unanswered {
        text,
        after,
        failed: true,
    }
}

fn written(texts: &[Unanswered]) -> String {
    let texts = texts
        .iter()
        .map(|sent| format!("{}:{}", sent.after.0, sent.text));
    texts.collect::<Vec<_>>().join(SEPARATOR)
}

fn read(written: Option<String>) -> Vec<Unanswered> {
    let parse = |entry: &str| {
        let (after, text) = entry.split_once(':')?;
        Some(unsent(text.into(), MessageId(after.parse().ok()?)))
    };
    let written = written.unwrap_or_default();
    written.split(SEPARATOR).filter_map(parse).collect()
}
