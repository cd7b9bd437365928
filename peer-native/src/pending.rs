//! What was asked and is not answered yet: a program whose input has ended waits for it
//! before it stops.

use std::collections::HashMap;
use std::time::Duration;

use p2pchat_model::{BlockChange, Command, DeliveryState, Event, Line, Message, View};

/// How long a program whose input has ended waits for what is under way.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Counts commands by name until an event answers them.
#[derive(Debug, Default)]
pub struct Pending {
    waiting: HashMap<&'static str, usize>,
}

impl Pending {
    /// Notes that this was sent.
    pub fn sent(&mut self, command: &Command) {
        *self.waiting.entry(command.name()).or_default() += 1;
    }

    /// Notes that this happened.
    pub fn saw(&mut self, event: &Event) {
        for name in answered(event) {
            self.answer(name);
        }
    }

    /// Whether all is answered, and each of the user's texts has reached its members or
    /// failed to.
    #[must_use]
    pub fn is_settled(&self, view: &View) -> bool {
        self.waiting.values().all(|&count| count == 0) && !view.lines.iter().any(is_under_way)
    }

    /// Forgets what was asked: events that would have answered it were missed.
    pub fn forget(&mut self) {
        self.waiting.clear();
    }

    fn answer(&mut self, name: &str) {
        if let Some(count) = self.waiting.get_mut(name) {
            *count = count.saturating_sub(1);
        }
    }
}

/// The names of the commands that an event answers.
fn answered(event: &Event) -> Vec<&str> {
    match event {
        Event::Failed { failure, .. } => vec![&failure.command],
        Event::LoggedIn { .. } => vec!["login", "register"],
        Event::LoggedOut { .. } => vec!["logout"],
        Event::Online { .. } => vec!["refresh"],
        Event::Found { .. } => vec!["search"],
        Event::RequestSent(_) => vec!["request"],
        Event::RequestClosed { .. } => vec!["accept", "reject"],
        Event::Message(message) if message.is_own() => vec!["say"],
        Event::ChatLeft { .. } => vec!["leave"],
        Event::Busy { .. } => vec!["busy"],
        Event::Blocks {
            change: Some(BlockChange::Blocked(_)),
            ..
        } => vec!["block"],
        Event::Blocks {
            change: Some(BlockChange::Unblocked(_)),
            ..
        } => vec!["unblock"],
        Event::History { .. } => vec!["history"],
        Event::Findings { .. } => vec!["find"],
        _ => Vec::new(),
    }
}

fn is_under_way(line: &Line) -> bool {
    match line {
        Line::Message(Message {
            deliveries: Some(deliveries),
            ..
        }) => deliveries
            .iter()
            .any(|delivery| delivery.state == DeliveryState::Sending),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_model::{
        Delivery, Failure, MessageId, NameCheck, Person, Problem, Speaker, Timestamp,
    };

    use super::*;

    #[test]
    fn a_text_is_settled_when_its_last_member_has_it() {
        let (mut pending, mut view) = (Pending::default(), View::default());
        let mut happens = |pending: &mut Pending, event: &Event| {
            view.apply(event);
            pending.saw(event);
            pending.is_settled(&view)
        };
        pending.sent(&Command::Say {
            text: "hi".to_owned(),
        });
        let to = Person {
            address: "127.0.0.3".parse().unwrap(),
            name: None,
        };
        let delivery = |state| Delivery { to, state };
        let message = Message {
            id: MessageId(1),
            at: Timestamp(0),
            from: Speaker {
                name: "alice".parse().unwrap(),
                address: "127.0.0.2".parse().unwrap(),
                check: NameCheck::Confirmed,
            },
            text: "hi".to_owned(),
            deliveries: Some(vec![delivery(DeliveryState::Sending)]),
        };
        assert!(!happens(&mut pending, &Event::Busy { on: true }));
        assert!(!happens(&mut pending, &Event::Message(message)));
        let delivered = Event::Delivered {
            id: MessageId(1),
            delivery: delivery(DeliveryState::Sent),
        };
        assert!(happens(&mut pending, &delivered));
    }

    #[test]
    fn a_command_that_fails_is_answered() {
        let mut pending = Pending::default();
        pending.sent(&Command::Leave);
        assert!(!pending.is_settled(&View::default()));
        let failure = Failure {
            command: "leave".to_owned(),
            problem: Problem::NobodyThere,
            message: String::new(),
        };
        let at = Timestamp(0);
        pending.saw(&Event::Failed { at, failure });
        assert!(pending.is_settled(&View::default()));
    }
}
