//! Commands without an answer yet: a program whose input has ended waits for the answers
//! before it stops.

use std::collections::HashMap;
use std::time::Duration;

use p2pchat_model::{BlockChange, Command, DeliveryState, Event, Line, Message, View};

/// How long a program whose input has ended waits for answers and deliveries.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Counts commands by name until an event answers them.
#[derive(Debug, Default)]
pub struct Pending {
    waiting: HashMap<&'static str, usize>,
}

impl Pending {
    /// Counts a command that was sent.
    pub fn sent(&mut self, command: &Command) {
        *self.waiting.entry(command.name()).or_default() += 1;
    }

    /// Counts the commands that an event answers.
    pub fn on_event(&mut self, event: &Event) {
        for name in answered(event) {
            self.answer(name);
        }
    }

    /// Whether every command is answered, and every message of the user is delivered or has
    /// failed.
    #[must_use]
    pub fn is_settled(&self, view: &View) -> bool {
        self.waiting.values().all(|&count| count == 0) && !view.lines.iter().any(is_sending)
    }

    /// Forgets all commands: events that would have answered them were missed.
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

fn is_sending(line: &Line) -> bool {
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
    fn a_message_is_settled_when_it_is_delivered_to_its_last_member() {
        let (mut pending, mut view) = (Pending::default(), View::default());
        let mut happens = |pending: &mut Pending, event: &Event| {
            view.apply(event);
            pending.on_event(event);
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
        pending.on_event(&Event::Failed { at, failure });
        assert!(pending.is_settled(&View::default()));
    }
}
