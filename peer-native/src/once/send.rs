//! `send`: asks for a chat where that is needed, sends the text, and waits for its delivery.

use std::time::Duration;

use p2pchat_model::{
    Call, CallId, Command, Conversation, ConversationId, Delivery, DeliveryState, Event, Line,
    Message, MessageId, NameCheck, PeerAddr, Person, Problem, RequestFailure, Target, Update, View,
    wording,
};

use super::args::Wait;
use super::job::{End, Ids, Job, Pending, Step, code};
use crate::exit::Exit;

/// What is to be sent.
#[derive(Debug)]
pub(super) struct Plan {
    /// The user, who is asked for a chat if need be.
    pub(super) to: Option<Target>,
    pub(super) conversation: ConversationId,
    /// Whether all members may read it, rather than the user alone.
    pub(super) to_all: bool,
    pub(super) text: String,
    /// The id of the text, if it has one.
    pub(super) id: Option<String>,
    pub(super) wait: Wait,
    pub(super) timeout: Duration,
    /// Whether the peer ends with this: what is on its way then would not arrive.
    pub(super) linger: bool,
}

/// A text that is being sent.
#[derive(Debug)]
pub(super) struct Sending {
    plan: Plan,
    ids: Ids,
    stage: Stage,
    pending: Pending,
    /// The address of the user who was asked, and whether that was done here.
    asked: Option<(PeerAddr, bool)>,
    message: Option<Message>,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Whether the id of the text was used before.
    Probing,
    /// The user's answer to the request for a chat.
    Asking,
    /// All who came into the chat together with the user.
    Checking,
    /// The history has the text.
    Saying,
    /// Its delivery.
    Delivering,
}

impl Sending {
    pub(super) fn new(plan: Plan, ids: Ids) -> Self {
        Self {
            plan,
            ids,
            stage: Stage::Asking,
            pending: Pending::default(),
            asked: None,
            message: None,
        }
    }

    fn conversation<'a>(&self, view: &'a View) -> Option<&'a Conversation> {
        view.conversation(self.plan.conversation)
    }

    /// Everyone who would get the text.
    fn receivers<'a>(&self, view: &'a View) -> impl Iterator<Item = &'a Person> + use<'a> {
        let conversation = self.conversation(view).into_iter();
        conversation.flat_map(|chat| chat.members.iter().chain(&chat.out_of_reach))
    }

    /// Whether a member is the user that the text is for. A name that the registry does not
    /// confirm is no reason to send them something.
    fn is_receiver(&self, person: &Person) -> bool {
        match self.plan.to {
            Some(Target::Name(name)) => {
                person.name == Some(name) && person.check == NameCheck::Confirmed
            }
            Some(Target::Address(address)) => person.address == address,
            None => true,
        }
    }

    /// Whether the user is a member, so that no one has to be asked.
    fn is_joined(&self, view: &View) -> bool {
        let is_asked = |person: &Person| {
            let asked = self.asked.map(|(address, _)| address);
            asked == Some(person.address)
        };
        self.plan.to.is_none()
            || self
                .receivers(view)
                .any(|person| self.is_receiver(person) || is_asked(person))
    }

    /// Refuses if others would read what is for one user.
    fn others(&self, view: &View) -> Option<End> {
        if self.plan.to_all {
            return None;
        }
        let to = self.plan.to?;
        let asked = self.asked.map(|(address, _)| address);
        let others = self
            .receivers(view)
            .filter(|person| !self.is_receiver(person) && Some(person.address) != asked);
        let others: Vec<Person> = others.copied().collect();
        if others.is_empty() {
            return None;
        }
        let words = format!(
            "others_in_chat: nothing was sent, since not only {to} would get it: {} in the chat; \
             to send it to all, add --conversation {}",
            match others.len() {
                1 => format!("{} is", others[0]),
                _ => format!("{} are", wording::names(&others)),
            },
            self.plan.conversation
        );
        Some(End::new(Exit::Refused, words))
    }

    /// Whether the request to the user waits for its answer.
    fn waits(&self, view: &View) -> bool {
        let asked = self.asked.map(|(address, _)| address);
        let mut waiting = view.outgoing.iter().map(|request| request.to.address);
        waiting.any(|address| Some(address) == asked)
    }

    fn ask(&mut self, to: Target, view: &View) -> Step {
        self.stage = Stage::Asking;
        let is_it = |person: &Person| self.is_receiver(person);
        let conversation = self.plan.conversation;
        let waits = view
            .outgoing
            .iter()
            .find(|request| request.conversation == conversation && is_it(&request.to));
        if let Some(request) = waits {
            self.asked = Some((request.to.address, false));
            return Step::Wait;
        }
        let call = self.ids.call(Command::Request { conversation, to });
        self.pending.begin(call)
    }

    /// Begins with a text that was not sent before.
    fn begin(&mut self, view: &View) -> Step {
        if let Some(end) = self.others(view) {
            return Step::End(end);
        }
        match self.plan.to {
            // One that was sent before has its answer already, and no one is asked again.
            Some(to) if !self.is_joined(view) && self.plan.id.is_none() => self.ask(to, view),
            _ => self.say(),
        }
    }

    /// A command that does nothing. Its answer comes after all events that were under way.
    fn nothing(&self) -> Command {
        Command::History {
            conversation: self.plan.conversation,
            before: Some(MessageId::new(0)),
        }
    }

    /// Finds out whether an id was used before: then a command that is not the same fails.
    fn probe(&mut self, id: &str) -> Step {
        self.stage = Stage::Probing;
        let call = Call {
            id: Some(CallId::Text(id.into())),
            command: self.nothing(),
        };
        self.pending.begin(call)
    }

    fn on_probing(&mut self, update: &Update, view: &View) -> Step {
        match self.pending.closed_by(update) {
            None => Step::Wait,
            // Not sent again, no matter who is in the chat now.
            Some(Err(failure)) if failure.code == Problem::IdUsed => self.say(),
            // Without a history it fails, which is an answer too.
            Some(_) => self.begin(view),
        }
    }

    /// Lets all events come first that were under way when the user joined, such as those
    /// about others who came with them.
    fn check(&mut self) -> Step {
        self.stage = Stage::Checking;
        let call = self.ids.call(self.nothing());
        self.pending.begin(call)
    }

    fn say(&mut self) -> Step {
        self.stage = Stage::Saying;
        let say = Command::Say {
            conversation: self.plan.conversation,
            text: self.plan.text.clone(),
            reply_to: None,
        };
        let call = match &self.plan.id {
            Some(id) => Call {
                id: Some(CallId::Text(id.as_str().into())),
                command: say,
            },
            None => self.ids.call(say),
        };
        self.pending.begin(call)
    }

    fn on_asking(&mut self, update: &Update, view: &View) -> Step {
        match &*update.event {
            Event::RequestSent(request) if self.pending.is_answered_by(update) => {
                self.asked = Some((request.to.address, true));
            }
            Event::RequestAnswered {
                to,
                refusal: Some(refusal),
                ..
            } if self.asked.is_some_and(|(address, _)| address == to.address) => {
                return Step::End(not_accepted(to, *refusal));
            }
            // Another process has taken over, and the request has ended with the one before.
            Event::View(_) if self.asked.is_some_and(|(_, here)| here) && !self.waits(view) => {
                if let Some(to) = self.plan.to.filter(|_| !self.is_joined(view)) {
                    return self.ask(to, view);
                }
            }
            _ => {}
        }
        match self.pending.closed_by(update) {
            Some(Err(failure)) if failure.code != Problem::AlreadyMember => {
                return Step::End(End::refused(failure));
            }
            _ => {}
        }
        if self.is_joined(view) {
            self.check()
        } else {
            Step::Wait
        }
    }

    fn on_saying(&mut self, update: &Update, view: &View) -> Step {
        match &*update.event {
            Event::Message(message) if self.pending.is_answered_by(update) => {
                self.message = Some(message.clone());
            }
            _ => {}
        }
        match self.pending.closed_by(update) {
            None => Step::Wait,
            Some(Err(failure)) => match self.plan.to {
                Some(to) if failure.code == Problem::NobodyThere && self.asked.is_none() => {
                    self.ask(to, view)
                }
                _ => Step::End(End::refused(failure)),
            },
            Some(Ok(())) if self.message.is_none() => {
                let words = "the id was used for a text that is no longer in this history";
                Step::End(End::new(Exit::Undelivered, words))
            }
            Some(Ok(())) => {
                self.stage = Stage::Delivering;
                self.delivered()
            }
        }
    }

    /// Keeps the states of the message: the view may be without it by now.
    fn follow(&mut self, update: &Update, view: &View) {
        let Some(known) = &mut self.message else {
            return;
        };
        match &*update.event {
            Event::Delivered {
                message, delivery, ..
            } if *message == known.id => {
                let mut deliveries = known.deliveries.iter_mut().flatten();
                let to = delivery.to.address;
                if let Some(of) = deliveries.find(|of| of.to.address == to) {
                    *of = *delivery;
                }
            }
            Event::View(_) => {
                let lines = view.conversation(known.conversation);
                let messages = lines.iter().flat_map(|chat| &chat.lines);
                let messages = messages.filter_map(|line| match line {
                    Line::Message(message) => Some(message),
                    Line::Post(_) | Line::Notice { .. } => None,
                });
                if let Some(now) = messages.rev().find(|message| message.id == known.id) {
                    known.clone_from(now);
                }
            }
            _ => {}
        }
    }

    fn deliveries(&self) -> impl Iterator<Item = &Delivery> {
        let message = self.message.iter();
        message.flat_map(|message| message.deliveries.iter().flatten())
    }

    /// Whether what was waited for is so.
    fn delivered(&self) -> Step {
        let is_sending = |to: &Delivery| to.state == DeliveryState::Sending;
        let is_under_way = self.deliveries().any(is_sending);
        if is_under_way && (self.plan.wait != Wait::Stored || self.plan.linger) {
            return Step::Wait;
        }
        let failed = self.deliveries().find_map(|to| match to.state {
            DeliveryState::Failed(reason) => Some(wording::not_delivered(&to.to, reason)),
            DeliveryState::Unconfirmed if self.plan.wait == Wait::Delivered => {
                Some(wording::not_confirmed(&to.to))
            }
            _ => None,
        });
        match failed {
            Some(words) if self.plan.wait != Wait::Stored => {
                Step::End(End::new(Exit::Undelivered, words))
            }
            _ => Step::End(End::DONE),
        }
    }
}

impl Job for Sending {
    fn start(&mut self, view: &View) -> Step {
        match self.plan.id.clone() {
            // Whether it was sent before counts more than who is in the chat now.
            Some(id) if self.others(view).is_some() => self.probe(&id),
            _ => self.begin(view),
        }
    }

    fn on_update(&mut self, update: &Update, view: &View) -> Step {
        self.follow(update, view);
        if matches!(*update.event, Event::LoggedOut { .. }) && self.stage != Stage::Delivering {
            return Step::End(End::logged_out());
        }
        match self.stage {
            Stage::Probing => self.on_probing(update, view),
            Stage::Asking => self.on_asking(update, view),
            Stage::Checking => match self.pending.closed_by(update) {
                Some(_) => self.others(view).map_or_else(|| self.say(), Step::End),
                None => Step::Wait,
            },
            Stage::Saying => self.on_saying(update, view),
            Stage::Delivering => self.delivered(),
        }
    }

    fn out_of_time(&mut self, _: &View) -> (Option<Call>, End) {
        let within = format!("within {:?}", self.plan.timeout);
        let conversation = self.plan.conversation;
        let late = |words: String| End::new(Exit::Undelivered, words);
        match (self.stage, self.plan.to) {
            (Stage::Asking, Some(user)) => {
                let withdrawn = match self.asked {
                    Some((to, true)) => Some(Command::Cancel { conversation, to }),
                    _ => None,
                };
                let words = format!("not sent: {user} did not accept the chat {within}");
                (withdrawn.map(|cancel| self.ids.call(cancel)), late(words))
            }
            (Stage::Delivering, _) if self.plan.wait == Wait::Stored => (None, End::DONE),
            (Stage::Delivering, _) => {
                let missing = self.deliveries();
                let missing = missing.filter(|to| to.state == DeliveryState::Sending);
                let missing: Vec<Person> = missing.map(|delivery| delivery.to).collect();
                let names = wording::names(&missing);
                (None, late(format!("not delivered to {names} {within}")))
            }
            (Stage::Saying, _) => {
                let words = format!("the peer did not answer {within}; it may have been sent");
                (None, late(format!("{words}: try again with the same --id")))
            }
            _ => (None, late(format!("the peer did not answer {within}"))),
        }
    }
}

/// The end after a request for a chat that was not accepted.
fn not_accepted(to: &Person, refusal: RequestFailure) -> End {
    let words = format!(
        "{}: {to} did not accept the chat, nothing was sent",
        code(&refusal)
    );
    End::new(Exit::Refused, words)
}

#[cfg(test)]
mod tests;
