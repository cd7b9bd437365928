//! Small things kept in the browser: drafts for this tab or the next, settings for all.

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

/// Texts of one account that are not sent: those of this tab, and those of tabs that were closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drafts {
    account: String,
}

/// What separates texts in the storage: no text with one is sent.
const SEPARATOR: &str = "\0";

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

    fn in_tab(&self, kind: &str) -> String {
        let kept = session().and_then(|storage| storage.get_item(&self.key(kind)).ok()?);
        kept.unwrap_or_default()
    }

    /// Keeps the text in the message field of this tab.
    pub fn keep(&self, text: &str) {
        set(session(), &self.key("draft"), text);
    }

    /// Keeps the texts that this tab sent and that are not acknowledged.
    pub fn keep_unanswered(&self, unanswered: &[Unanswered]) {
        let entries = unanswered
            .iter()
            .map(|sent| format!("{}:{}", sent.after.0, sent.text));
        let entries: Vec<String> = entries.collect();
        set(session(), &self.key("sent"), &entries.join(SEPARATOR));
    }

    fn unanswered(&self) -> Vec<Unanswered> {
        let parse = |entry: &str| {
            let (after, text) = entry.split_once(':')?;
            Some(Unanswered {
                text: text.into(),
                after: MessageId(after.parse().ok()?),
                failed: true,
            })
        };
        let kept = self.in_tab("sent");
        kept.split(SEPARATOR).filter_map(parse).collect()
    }

    /// What this tab has not sent: texts that were not acknowledged and are not in the view,
    /// then what the message field held.
    fn own(&self, view: &View) -> String {
        let unanswered = self.unanswered();
        let lost = unanswered.iter().filter(|sent| !sent.is_in(view));
        let mut texts: Vec<String> = lost.map(|sent| sent.text.to_string()).collect();
        texts.extend(Some(self.in_tab("draft")).filter(|draft| !draft.is_empty()));
        texts.join("\n")
    }

    /// What belongs into the message field when the page begins: what this tab has not sent;
    /// else what closed tabs have left.
    #[must_use]
    pub fn take(&self, view: &View) -> String {
        let own = self.own(view);
        let left = kept(&self.key("left")).unwrap_or_default();
        let left: Vec<&str> = left.split(SEPARATOR).collect();
        // A tab that is loaded again has left its own.
        let others: Vec<&str> = left.into_iter().filter(|text| *text != own).collect();
        let (own, others) = if own.is_empty() {
            (others.join("\n"), String::new())
        } else {
            (own, others.join(SEPARATOR))
        };
        keep(&self.key("left"), &others);
        self.keep(&own);
        self.keep_unanswered(&[]);
        own
    }

    /// Leaves what is not sent to the next tab: this one is closed, or loaded again.
    pub fn leave(&self, view: &View) {
        let own = self.own(view);
        if !own.is_empty() {
            let left = kept(&self.key("left")).filter(|left| !left.is_empty());
            let left = left.map(|left| left + SEPARATOR).unwrap_or_default();
            keep(&self.key("left"), &(left + &own));
        }
    }
}
