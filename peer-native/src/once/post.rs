//! `send` to an encrypted conversation: says the text, and waits for its receipts.

use std::time::Duration;

use p2pchat_model::wording::chat;
use p2pchat_model::{
    Call, CallId, Command, Conversation, ConversationId, Event, Line, MessageId, Named, Post,
    Update, View,
};

use super::args::Wait;
use super::job::{End, Ids, Job, Pending, Step};
use crate::exit::Exit;

/// What is to be sent.
#[derive(Debug)]
pub(super) struct Posting {
    pub(super) conversation: ConversationId,
    pub(super) text: String,
    /// The id of the text, if it has one.
    pub(super) id: Option<String>,
    pub(super) wait: Wait,
    pub(super) timeout: Duration,
    /// Whether the peer ends with this: those who are there now would get it at its next start.
    pub(super) linger: bool,
    pub(super) ids: Ids,
    pub(super) pending: Pending,
    pub(super) stage: Stage,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// That the text is stored; which message it is, once that is told.
    #[default]
    Saying,
    /// The same, and this is the message.
    Said(MessageId),
    /// A page of the history, as the message is older than what is loaded.
    Reading(MessageId),
    /// Its receipts.
    Delivering(MessageId),
}

impl Posting {
    fn post<'a>(&self, id: MessageId, conversation: &'a Conversation) -> Option<&'a Post> {
        let mut lines = conversation.lines.iter().rev();
        lines.find_map(|line| match line {
            Line::Post(post) if post.id == id => Some(&**post),
            _ => None,
        })
    }

    /// Whether what was waited for is so.
    fn look(&mut self, id: MessageId, view: &View) -> Step {
        let Some(conversation) = view.conversation(self.conversation) else {
            return Step::Wait;
        };
        let Some(post) = self.post(id, conversation) else {
            return self.read_back(id, conversation);
        };
        self.stage = Stage::Delivering(id);
        let is_there = |who: Named| who.name.is_some_and(|name| view.user(name).is_some());
        let mut waiting = post.waits_for();
        let waits = match self.wait {
            Wait::Stored | Wait::Sent => self.linger && waiting.any(is_there),
            Wait::Delivered => waiting.next().is_some(),
        };
        if waits {
            Step::Wait
        } else {
            Step::End(End::DONE)
        }
    }

    /// A text that was sent before may be older than what is loaded.
    fn read_back(&mut self, id: MessageId, conversation: &Conversation) -> Step {
        let before = conversation.oldest_message();
        if !conversation.more_history || before.is_some_and(|before| before < id) {
            let words = "the id was used for a text that is no longer in this history";
            return Step::End(End::new(Exit::Undelivered, words));
        }
        self.stage = Stage::Reading(id);
        let call = self.ids.call(Command::History {
            conversation: self.conversation,
            before,
        });
        self.pending.begin(call)
    }
}

impl Job for Posting {
    fn start(&mut self, _: &View) -> Step {
        let command = Command::say(self.conversation, self.text.clone());
        let call = match &self.id {
            Some(id) => Call {
                id: Some(CallId::Text(id.as_str().into())),
                command,
            },
            None => self.ids.call(command),
        };
        self.pending.begin(call)
    }

    fn on_update(&mut self, update: &Update, view: &View) -> Step {
        if let Event::Said { message, .. } = *update.event
            && self.pending.is_answered_by(update)
        {
            self.stage = Stage::Said(message);
        }
        match (self.stage, self.pending.closed_by(update)) {
            (Stage::Delivering(id), _) => self.look(id, view),
            (_, Some(Err(failure))) => Step::End(End::failed(failure, view)),
            (Stage::Said(id) | Stage::Reading(id), Some(Ok(()))) => self.look(id, view),
            (Stage::Saying, Some(Ok(()))) => {
                let words = "the id was used for a text that is no longer in this history";
                Step::End(End::new(Exit::Undelivered, words))
            }
            (Stage::Saying | Stage::Said(_), None)
                if matches!(*update.event, Event::LoggedOut { .. }) =>
            {
                Step::End(End::logged_out())
            }
            (_, None) => Step::Wait,
        }
    }

    fn out_of_time(&mut self, view: &View) -> (Option<Call>, End) {
        let within = format!("within {:?}", self.timeout);
        let late = |words: String| (None, End::new(Exit::Undelivered, words));
        match self.stage {
            Stage::Saying => late(format!(
                "the peer did not answer {within}; it may have been sent: try again with the same --id"
            )),
            _ if self.wait != Wait::Delivered => (None, End::DONE),
            Stage::Said(id) | Stage::Reading(id) | Stage::Delivering(id) => {
                let known = view.conversation(self.conversation);
                let post = known.and_then(|known| self.post(id, known));
                let waiting: Vec<Named> = post.iter().flat_map(|post| post.waits_for()).collect();
                let names = chat::names(waiting.into_iter());
                late(if names.is_empty() {
                    format!("not known to be delivered {within}")
                } else {
                    format!(
                        "waiting for {names}: not delivered {within}; it is stored, and goes to them \
                         when they are here"
                    )
                })
            }
        }
    }
}

#[cfg(test)]
mod tests;
