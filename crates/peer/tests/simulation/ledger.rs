//! What was said in the whole world and what was shown of it: every text is said once,
//! so that each can be told from each.

use std::collections::{BTreeMap, BTreeSet};

use p2pchat_model::MessageId;
use p2pchat_protocol::split_text;

use super::schedule::Process;

/// One text that was sent.
struct SentText {
    /// Who; `None` if the outsider.
    by: Option<Process>,
    /// How many packets it takes.
    parts: usize,
    /// Whether it is a message in the history of who said it.
    is_named: bool,
}

/// What was said and what was shown of it.
#[derive(Default)]
pub(crate) struct Ledger {
    said: Vec<SentText>,
    /// What was said, by the text of a packet: which, and which part of it.
    by_part: BTreeMap<String, (usize, usize)>,
    /// What was said, by its whole text.
    by_text: BTreeMap<String, usize>,
    /// What was said, by the number that the sender's machine gave it.
    by_id: BTreeMap<(Process, MessageId), usize>,
    /// The parts that were shown at a seat, in the order in which they first were.
    shown: BTreeMap<(usize, usize), Vec<usize>>,
    /// The latest that was shown at a seat of what one run of a program had to say.
    latest: BTreeMap<(usize, Process), (usize, usize)>,
    /// The parts whose sender did not wait any longer for them to be taken at a seat.
    given_up: BTreeSet<(usize, (usize, usize))>,
    /// How many more times a part may be shown at a seat.
    repeats: BTreeMap<(usize, (usize, usize)), usize>,
    /// The greatest number in the history at a seat.
    numbers: BTreeMap<usize, MessageId>,
}

impl Ledger {
    /// The next text to say: of so many words, none of which was said before.
    pub(crate) fn compose(&mut self, by: Option<Process>, words: usize) -> String {
        let which = self.said.len();
        let text = (0..words)
            .map(|word| format!("ğ{which}.{word}"))
            .collect::<Vec<_>>()
            .join(" ");
        let parts = split_text(&text).unwrap();
        for (index, part) in parts.iter().enumerate() {
            self.by_part
                .insert(part.as_str().to_owned(), (which, index));
        }
        self.said.push(SentText {
            by,
            parts: parts.len(),
            is_named: false,
        });
        self.by_text.insert(text.clone(), which);
        text
    }

    /// A text of an attacker: it turns the line around, and has invisible characters.
    pub(crate) fn compose_hostile(&mut self, words: usize) -> String {
        let which = self.said.len();
        let text = format!("\u{202e}\u{200b}{}", self.compose(None, words));
        let part = split_text(&text).unwrap()[0].as_str().to_owned();
        self.by_part.insert(part.clone(), (which, 0));
        part
    }

    /// A copy of this text is on its way to `seat`. Nothing on the wire tells it from a
    /// text that is said twice: it may be shown once more.
    pub(crate) fn repeats(&mut self, seat: usize, text: &str) {
        if let Some(&part) = self.by_part.get(text) {
            *self.repeats.entry((seat, part)).or_default() += 1;
        }
    }

    /// A program died at `seat` before it could tell that it had taken this text, which
    /// may be sent again. One that is started again does not know of it.
    pub(crate) fn repeats_if_shown(&mut self, seat: usize, text: &str) {
        if let Some(&(which, part)) = self.by_part.get(text)
            && let Some(shown) = self.shown.get(&(seat, which))
            && shown.contains(&part)
        {
            self.repeats(seat, text);
        }
    }

    /// A message goes into the history at a seat. What is paged and ordered by number
    /// there needs numbers that grow, whatever clocks do and however often the program
    /// is started.
    pub(crate) fn number(&mut self, seat: usize, id: MessageId) -> Result<(), String> {
        let last = self.numbers.insert(seat, id).unwrap_or_default();
        if last < id {
            Ok(())
        } else {
            Err(format!("number {} after {}", id.number(), last.number()))
        }
    }

    /// The greatest number in the history at a seat.
    pub(crate) fn last_number(&self, seat: usize) -> MessageId {
        self.numbers.get(&seat).copied().unwrap_or_default()
    }

    /// The sender's own machine shows a text, under this number.
    pub(crate) fn named(&mut self, by: Process, id: MessageId, text: &str) -> Result<(), String> {
        let which = self.by_text.get(text).copied();
        let which = which
            .filter(|&which| self.said[which].by == Some(by))
            .ok_or_else(|| format!("{text:?} was not said here"))?;
        if self.by_id.insert((by, id), which).is_some() {
            return Err(format!("number {} was given twice", id.number()));
        }
        if std::mem::replace(&mut self.said[which].is_named, true) {
            return Err(format!("{text:?} is a message twice"));
        }
        Ok(())
    }

    /// Whether a text is a message in the history of who said it.
    pub(crate) fn is_named(&self, text: &str) -> bool {
        let which = self.by_text.get(text);
        which.is_some_and(|&which| self.said[which].is_named)
    }

    /// Another process says a text of one that has ended before it was a message.
    pub(crate) fn said_again(&mut self, text: &str, by: Process) {
        if let Some(said) = self.by_text.get(text).map(|&which| &mut self.said[which])
            && !said.is_named
        {
            said.by = Some(by);
        }
    }

    /// The sender of a text was told that nobody knows whether it arrived at `seat`.
    pub(crate) fn give_up(&mut self, seat: usize, text: &str) {
        if let Some(&part) = self.by_part.get(text) {
            self.given_up.insert((seat, part));
        }
    }

    /// The sender of a text was told that `seat` did not get it. What was on its way may
    /// come all the same, behind what it sent next.
    pub(crate) fn fail(&mut self, by: Process, id: MessageId, seat: usize) {
        if let Some(&which) = self.by_id.get(&(by, id)) {
            let parts = 0..self.said[which].parts;
            self.given_up
                .extend(parts.map(|part| (seat, (which, part))));
        }
    }

    /// A text is shown at `seat` as that of the user at `from` (`None` if the outsider).
    ///
    /// # Errors
    /// If nobody said it there, it was shown before and did not come a second time, or
    /// one said later was shown before. That last does not count where the sender had
    /// stopped waiting: what its system still held then may arrive behind what it sent
    /// next. Nor where this may be a copy of what was refused when it first came.
    pub(crate) fn show(
        &mut self,
        seat: usize,
        from: Option<usize>,
        text: &str,
    ) -> Result<(), (&'static str, String)> {
        let Some(&(which, part)) = self.by_part.get(text) else {
            return Err(("what_is_shown_was_said", format!("nobody said {text:?}")));
        };
        let by = self.said[which].by.map(|process| process.seat);
        if by != from {
            let words = format!("{text:?} was said by {by:?} and is shown as of {from:?}");
            return Err(("what_is_shown_was_said", words));
        }
        let shown = self.shown.entry((seat, which)).or_default();
        if shown.contains(&part) {
            let allowed = self.repeats.entry((seat, (which, part))).or_default();
            return match allowed.checked_sub(1) {
                Some(rest) => {
                    *allowed = rest;
                    Ok(())
                }
                None => {
                    let words = format!("{text:?} is shown again");
                    Err(("nothing_is_shown_twice", words))
                }
            };
        }
        shown.push(part);
        let key = (seat, (which, part));
        let came_again = self.repeats.get(&key).is_some_and(|count| *count > 0);
        if let Some(by) = self.said[which].by
            && !self.given_up.contains(&key)
            && !came_again
        {
            let latest = self.latest.insert((seat, by), (which, part));
            if latest.is_some_and(|latest| latest > (which, part)) {
                let words = format!("{text:?} is shown after what was said later");
                return Err(("texts_are_shown_in_the_order_said", words));
            }
        }
        Ok(())
    }

    /// Whether all of what `by` said under this number was shown at `seat`, in order.
    /// What came again does not count.
    pub(crate) fn is_shown(&self, by: Process, id: MessageId, seat: usize) -> bool {
        self.by_id.get(&(by, id)).is_some_and(|&which| {
            let parts = (0..self.said[which].parts).collect::<Vec<_>>();
            self.shown.get(&(seat, which)) == Some(&parts)
        })
    }

    /// How many texts were shown to another user.
    pub(crate) fn shown_parts(&self) -> usize {
        self.shown.values().map(Vec::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENDER: Process = Process { seat: 0, run: 0 };

    fn two_said() -> (Ledger, String, String) {
        let mut ledger = Ledger::default();
        let first = ledger.compose(Some(SENDER), 3);
        let second = ledger.compose(Some(SENDER), 3);
        (ledger, first, second)
    }

    #[test]
    fn a_text_that_overtakes_another_is_noticed() {
        let (mut ledger, first, second) = two_said();
        assert_eq!(ledger.show(1, Some(0), &second), Ok(()));
        let (check, _) = ledger.show(1, Some(0), &first).unwrap_err();
        assert_eq!(check, "texts_are_shown_in_the_order_said");
    }

    #[test]
    fn a_text_that_its_sender_gave_up_may_come_late() {
        let (mut ledger, first, second) = two_said();
        ledger.give_up(1, &first);
        assert_eq!(ledger.show(1, Some(0), &second), Ok(()));
        assert_eq!(ledger.show(1, Some(0), &first), Ok(()));
        assert!(ledger.show(1, Some(0), &first).is_err());
    }

    #[test]
    fn a_text_may_be_shown_as_often_as_it_came() {
        let (mut ledger, first, second) = two_said();
        assert_eq!(ledger.show(1, Some(0), &first), Ok(()));
        ledger.repeats(1, &first);
        assert_eq!(ledger.show(1, Some(0), &second), Ok(()));
        assert_eq!(ledger.show(1, Some(0), &first), Ok(()));
        let (check, _) = ledger.show(1, Some(0), &first).unwrap_err();
        assert_eq!(check, "nothing_is_shown_twice");
    }

    #[test]
    fn a_number_that_is_not_the_greatest_is_noticed() {
        let mut ledger = Ledger::default();
        assert!(ledger.number(0, MessageId::new(7)).is_ok());
        assert!(ledger.number(1, MessageId::new(7)).is_ok());
        assert!(ledger.number(0, MessageId::new(7)).is_err());
    }

    #[test]
    fn a_text_that_is_shown_as_another_users_is_noticed() {
        let (mut ledger, first, _) = two_said();
        let (check, _) = ledger.show(1, Some(2), &first).unwrap_err();
        assert_eq!(check, "what_is_shown_was_said");
        assert!(ledger.show(1, Some(0), "never said").is_err());
    }

    #[test]
    fn a_long_text_counts_as_shown_when_all_of_it_is() {
        let mut ledger = Ledger::default();
        let text = ledger.compose(Some(SENDER), 40);
        ledger.named(SENDER, MessageId::new(7), &text).unwrap();
        let parts = split_text(&text).unwrap();
        assert!(parts.len() > 1);
        for part in parts {
            assert!(!ledger.is_shown(SENDER, MessageId::new(7), 1));
            ledger.show(1, Some(0), part.as_str()).unwrap();
        }
        assert!(ledger.is_shown(SENDER, MessageId::new(7), 1));
    }
}
