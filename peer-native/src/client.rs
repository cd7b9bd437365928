//! What plain and JSON mode share: the view, the calls that are open, for which a program waits
//! whose input has ended, and the login of the options.

use std::time::Duration;

use anyhow::Result;
use p2pchat_model::{Call, CallId, Event, Line, Named, Update, View};
use p2pchat_profile::Calls;

use crate::app::Joined;
use crate::calls::OpenCalls;
use crate::login::{Attempt, Step};
use crate::options::AutoLogin;

/// How long a program whose input has ended waits for answers and deliveries.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// How many calls may be open before no more input is read: fewer than the profile passes on
/// without answers, so that sending never waits for updates to be read.
const MAX_OPEN: usize = 100;

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// The login of the options.
    Login,
    /// What the user or the script asked for.
    User,
    /// What the front end does by itself. The user is not told if it fails.
    Itself,
}

/// A peer's user without a screen.
pub(crate) struct Client {
    calls: Calls,
    pub(crate) view: View,
    open: OpenCalls<For>,
    login: Option<Attempt>,
}

impl Client {
    /// Begins with the view of the first update.
    pub(crate) fn new(joined: &Joined) -> Self {
        Self {
            calls: joined.calls.clone(),
            view: joined.view.clone(),
            open: OpenCalls::new(&joined.front_end),
            login: None,
        }
    }

    /// Sends a call.
    ///
    /// # Errors
    /// If the peer has stopped.
    pub(crate) async fn send(&mut self, what_for: For, call: impl Into<Call>) -> Result<()> {
        let call = self.open.add(what_for, call.into());
        Ok(self.calls.send(call).await?)
    }

    /// Begins the login of the options.
    ///
    /// # Errors
    /// If the peer has stopped.
    pub(crate) async fn log_in(&mut self, login: AutoLogin) -> Result<()> {
        let (attempt, command) = Attempt::start(login);
        self.login = Some(attempt);
        self.send(For::Login, command).await
    }

    /// Whether another call may be sent: a program that reads its input faster than calls are
    /// answered would wait for itself.
    pub(crate) fn has_room(&self) -> bool {
        self.open.len() < MAX_OPEN
    }

    /// Whether the login of the options is under way.
    pub(crate) fn is_logging_in(&self) -> bool {
        self.login.is_some()
    }

    /// Whether the front end gave no id to the call of this id.
    pub(crate) fn has_made(&self, id: &CallId) -> bool {
        self.open.has_made(id)
    }

    /// What the call is for that an update answers. The last answer closes it.
    pub(crate) fn answered_by(&mut self, update: &Update) -> Option<For> {
        self.open.answered_by(update)
    }

    /// Updates the state by an event, and by what it answers; `Some` with the reason if the
    /// login of the options has failed.
    ///
    /// # Errors
    /// If the peer has stopped.
    pub(crate) async fn apply(
        &mut self,
        event: &Event,
        answers: Option<For>,
    ) -> Result<Option<String>> {
        let step = match (&self.login, answers) {
            (Some(login), Some(For::Login)) => login.on_answer(event, &self.view),
            _ => Step::Wait,
        };
        self.view.apply(event);
        if matches!(event, Event::View(snapshot) if snapshot.missed > 0) {
            // Perhaps those that close calls.
            self.open.clear();
            self.login.take_if(|_| self.view.account.is_some());
        }
        match step {
            Step::Wait => {}
            Step::Send(command) => self.send(For::Login, command).await?,
            Step::Done => self.login = None,
            Step::Failed(reason) => {
                self.login = None;
                return Ok(Some(reason));
            }
        }
        Ok(None)
    }

    /// Whether every call is closed, and every message of the user is delivered or has failed.
    pub(crate) fn is_settled(&self) -> bool {
        self.open.is_empty() && !is_sending(&self.view)
    }
}

/// Whether a message is on its way to someone who is there.
fn is_sending(view: &View) -> bool {
    let is_there = |who: Named| who.name.is_some_and(|name| view.user(name).is_some());
    let conversations = view.conversations.iter();
    let mut lines = conversations.flat_map(|conversation| &conversation.lines);
    lines.any(|line| match line {
        Line::Message(message) => message.is_sending(),
        Line::Post(post) => post.waits_for().any(is_there),
        Line::Notice { .. } => false,
    })
}

#[cfg(test)]
mod tests {
    use p2pchat_model::{
        ConversationId, Delivery, DeliveryState, Message, MessageId, Person, Timestamp,
    };

    use super::*;

    #[test]
    fn a_message_is_on_its_way_until_the_last_member_has_it() {
        let mut view = View::default();
        let conversation = ConversationId::OPEN;
        let to = |last: u8| Person::listed(format!("127.0.0.{last}").parse().unwrap(), None);
        let delivery = |last, state| Delivery {
            to: to(last),
            state,
        };
        let sending = DeliveryState::Sending;
        view.apply(&Event::Message(Message {
            conversation,
            id: MessageId::new(1),
            at: Timestamp(0),
            from: to(2),
            text: "hi".to_owned(),
            deliveries: Some(vec![delivery(3, sending), delivery(4, sending)]),
        }));
        for (last, is_last) in [(3, false), (4, true)] {
            assert!(is_sending(&view));
            view.apply(&Event::Delivered {
                conversation,
                message: MessageId::new(1),
                delivery: delivery(last, DeliveryState::Sent),
            });
            assert_eq!(is_sending(&view), !is_last);
        }
    }
}
