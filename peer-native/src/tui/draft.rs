//! What is typed and not sent, shared with the other front ends of the profile.

use p2pchat_model::Timestamp;

/// How long the keys rest before the others get what was typed.
const PAUSE_MS: u64 = 500;

/// The draft as the others have it, and whether the field has changed since.
#[derive(Debug, Default)]
pub(super) struct Draft {
    shared: String,
    seen: String,
    changed: Option<Timestamp>,
}

/// What of the field is a draft: a command is of no use elsewhere.
fn of(field: &str) -> &str {
    if field.starts_with('/') { "" } else { field }
}

impl Draft {
    /// The draft to share now, if it is another one and the keys rest. An empty one does not
    /// wait: it was sent, or deleted.
    pub(super) fn due(&mut self, field: &str, now: Timestamp) -> Option<String> {
        if field != self.seen {
            field.clone_into(&mut self.seen);
            self.changed = Some(now);
        }
        let at = self.changed?;
        if !of(field).is_empty() && now.0.saturating_sub(at.0) < PAUSE_MS {
            return None;
        }
        self.flush(field)
    }

    /// The same without waiting.
    pub(super) fn flush(&mut self, field: &str) -> Option<String> {
        self.changed = None;
        let draft = of(field);
        (draft != self.shared).then(|| {
            draft.clone_into(&mut self.shared);
            self.shared.clone()
        })
    }

    /// Takes the draft of another front end; whether it belongs into the field. It does if that
    /// is empty or still holds the earlier draft.
    pub(super) fn receive(&mut self, draft: &str, field: &str) -> bool {
        let fits = field.is_empty() || field == self.shared;
        if fits {
            draft.clone_into(&mut self.seen);
            self.changed = None;
        }
        draft.clone_into(&mut self.shared);
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_shared_when_the_keys_rest_and_once() {
        let mut draft = Draft::default();
        let due = |draft: &mut Draft, field, at| draft.due(field, Timestamp(at));
        assert_eq!(due(&mut draft, "h", 0), None);
        assert_eq!(due(&mut draft, "hi", 400), None);
        assert_eq!(due(&mut draft, "hi", 800), None);
        assert_eq!(due(&mut draft, "hi", 900).as_deref(), Some("hi"));
        assert_eq!(due(&mut draft, "hi", 2000), None);
        // Sent.
        assert_eq!(due(&mut draft, "", 2001).as_deref(), Some(""));
        // Sent before it was shared.
        assert_eq!(due(&mut draft, "quick", 3000), None);
        assert_eq!(due(&mut draft, "", 3100), None);
        assert_eq!(due(&mut draft, "/request bob", 4000), None);
        assert_eq!(due(&mut draft, "/request bob", 5000), None);
        assert_eq!(due(&mut draft, "half", 6000), None);
        assert_eq!(draft.flush("half").as_deref(), Some("half"));
    }

    #[test]
    fn another_draft_does_not_replace_what_is_being_typed() {
        let mut draft = Draft::default();
        assert!(draft.receive("from the page", ""));
        assert_eq!(draft.due("from the page", Timestamp(900)), None);
        assert!(draft.receive("from the page, longer", "from the page"));
        assert!(!draft.receive("again", "typed here"));
        // What was typed here goes to the others, when the keys rest.
        assert_eq!(draft.due("typed here", Timestamp(1000)), None);
        let shared = draft.due("typed here", Timestamp(1500));
        assert_eq!(shared.as_deref(), Some("typed here"));
    }
}
