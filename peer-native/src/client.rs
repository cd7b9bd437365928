//! What plain and JSON mode share: the view, the commands without an answer yet, for which a
//! program waits whose input has ended, and the login of the options.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, Result};
use p2pchat_model::{BlockChange, Command, DeliveryState, Event, Line, View};
use p2pchat_peer::Handle;

use crate::login::{Attempt, Step};
use crate::options::AutoLogin;

/// How long a program whose input has ended waits for answers and deliveries.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// A peer's user without a screen.
pub(crate) struct Client {
    handle: Handle,
    pub(crate) view: View,
    pending: Pending,
    login: Option<Attempt>,
}

impl Client {
    /// Begins with this view.
    pub(crate) fn new(handle: Handle, view: View) -> Self {
        Self {
            handle,
            view,
            pending: Pending::default(),
            login: None,
        }
    }

    /// Sends a command.
    ///
    /// # Errors
    /// If the peer has stopped.
    pub(crate) async fn send(&mut self, command: Command) -> Result<()> {
        self.pending.sent(&command);
        let sent = self.handle.send(command).await;
        sent.context("the peer has stopped")
    }

    /// Begins the login of the options.
    ///
    /// # Errors
    /// If the peer has stopped.
    pub(crate) async fn log_in(&mut self, login: AutoLogin) -> Result<()> {
        let (attempt, command) = Attempt::start(login);
        self.login = Some(attempt);
        self.send(command).await
    }

    /// Whether the login of the options is under way.
    pub(crate) fn is_logging_in(&self) -> bool {
        self.login.is_some()
    }

    /// Updates the state by an event; `Some` with the reason if the login of the options
    /// has failed.
    ///
    /// # Errors
    /// If the peer has stopped.
    pub(crate) async fn apply(&mut self, event: &Event) -> Result<Option<String>> {
        self.view.apply(event);
        self.pending.on_event(event);
        let step = self.login.as_ref().map(|login| login.on_event(event));
        match step {
            None | Some(Step::Wait) => {}
            Some(Step::Send(command)) => self.send(command).await?,
            Some(Step::Done) => self.login = None,
            Some(Step::Failed(reason)) => {
                self.login = None;
                return Ok(Some(reason));
            }
        }
        Ok(None)
    }

    /// Replaces the view after events were missed, perhaps those that answer commands.
    pub(crate) fn replace_view(&mut self, view: View) {
        self.view = view;
        self.pending = Pending::default();
        self.login.take_if(|_| self.view.account.is_some());
    }

    /// Whether every command is answered, and every message of the user is delivered or has
    /// failed.
    pub(crate) fn is_settled(&self) -> bool {
        self.pending.is_settled(&self.view)
    }
}

/// Counts commands by name until an event answers them.
#[derive(Debug, Default)]
struct Pending {
    waiting: HashMap<&'static str, usize>,
}

impl Pending {
    /// Counts a command that was sent.
    fn sent(&mut self, command: &Command) {
        *self.waiting.entry(command.name()).or_default() += 1;
    }

    /// Counts the commands that an event answers.
    fn on_event(&mut self, event: &Event) {
        for name in answered(event) {
            self.answer(name);
        }
    }

    /// Whether every command is answered, and every message of the user is delivered or has
    /// failed.
    fn is_settled(&self, view: &View) -> bool {
        self.waiting.values().all(|&count| count == 0) && !view.lines.iter().any(is_sending)
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
        Line::Message(message) => {
            let mut deliveries = message.deliveries.iter().flatten();
            deliveries.any(|delivery| delivery.state == DeliveryState::Sending)
        }
        Line::Notice { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_model::{
        Delivery, Failure, Message, MessageId, NameCheck, Person, Problem, Speaker, Timestamp,
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
