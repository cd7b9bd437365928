//! The calls of a front end, and what each is for, until it is closed.

use std::collections::BTreeMap;

use p2pchat_model::{Call, CallId, FrontEndId, Update};

/// Calls that are not closed yet. `P` says what a call is for.
#[derive(Debug)]
pub(crate) struct OpenCalls<P> {
    /// Begins the ids that are made here, so that no script has the same.
    prefix: String,
    count: u64,
    open: BTreeMap<CallId, P>,
}

impl<P: Copy + PartialEq> OpenCalls<P> {
    pub(crate) fn new(front_end: &FrontEndId) -> Self {
        Self {
            prefix: format!("{}-", front_end.as_str()),
            count: 0,
            open: BTreeMap::new(),
        }
    }

    /// Notes a call; one without an id gets one.
    pub(crate) fn add(&mut self, what_for: P, mut call: Call) -> Call {
        let id = call.id.get_or_insert_with(|| {
            self.count += 1;
            CallId::Text(format!("{}{}", self.prefix, self.count).into())
        });
        self.open.insert(id.clone(), what_for);
        call
    }

    /// Whether an id was made here.
    pub(crate) fn has_made(&self, id: &CallId) -> bool {
        matches!(id, CallId::Text(text) if text.starts_with(&self.prefix))
    }

    /// What the call is for that an update answers. The last answer closes it.
    pub(crate) fn answered_by(&mut self, update: &Update) -> Option<P> {
        let id = update.re.as_ref()?;
        if update.event.closes_call() {
            self.open.remove(id)
        } else {
            self.open.get(id).copied()
        }
    }

    /// Whether a call for this is open.
    pub(crate) fn has(&self, what_for: P) -> bool {
        self.open.values().any(|open| *open == what_for)
    }

    /// Forgets all: their answers may be lost.
    pub(crate) fn clear(&mut self) {
        self.open.clear();
    }

    /// How many are open.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether all are closed.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_model::{Command, Event};

    use super::*;

    fn answer(call: &Call, event: Event) -> Update {
        Update {
            re: call.id.clone(),
            ..event.into()
        }
    }

    #[test]
    fn a_call_is_open_until_its_last_answer() {
        let mut calls = OpenCalls::new(&FrontEndId::random([7; 16]));
        let first = calls.add('a', Command::Undo.into());
        let second = calls.add('b', Call::with_id(7, Command::Undo));
        let busy = Event::Busy { on: true };
        assert_eq!(calls.answered_by(&busy.clone().into()), None);
        assert_eq!(calls.answered_by(&answer(&first, busy)), Some('a'));
        assert!(calls.has('a'));
        assert_eq!(calls.answered_by(&answer(&first, Event::Done)), Some('a'));
        assert_eq!(calls.answered_by(&answer(&first, Event::Done)), None);
        assert!(!calls.has('a') && !calls.is_empty());
        assert_eq!(calls.answered_by(&answer(&second, Event::Done)), Some('b'));
        assert!(calls.is_empty());
    }

    #[test]
    fn an_id_that_was_made_here_is_told_from_one_that_was_given() {
        let mut calls = OpenCalls::new(&FrontEndId::random([7; 16]));
        let mut id = |call| calls.add('a', call).id.unwrap();
        let (made, next) = (id(Command::Undo.into()), id(Command::Undo.into()));
        assert_ne!(made, next);
        let given = id(Call::with_id(7, Command::Undo));
        assert!(calls.has_made(&made) && calls.has_made(&next));
        assert!(!calls.has_made(&given));
    }
}
