//! What subcommands do with conversations.

use anyhow::Result;
use p2pchat_model::wording::chat::title;
use p2pchat_model::{
    ChatKind, Conversation, ConversationId, Event, Line, Post, Standing, View, letters_too_many,
    wording,
};
use p2pchat_settings::streams::complain;

use super::args::{Export, Format, History, Send};
use super::job::End;
use super::post::Posting;
use super::read::{Asking, Reading};
use super::send::{Plan, Sending};
use super::which::{Wanted, Which, after_all_are_told};
use super::{Run, json, keys, read, report, show};
use crate::NAME;
use crate::clock::Clock;
use crate::exit::Exit;
use crate::plain::{lines, posts};
use crate::wrap::one_line;

impl Run {
    /// Finds the conversation, or ends.
    async fn which(&mut self, wanted: Wanted) -> Result<Result<ConversationId, Exit>> {
        let mut job = Which::new(wanted, self.is_owner, self.ids.clone());
        let end = self.session.run(&mut job).await?;
        Ok(job
            .found
            .filter(|_| end == End::DONE)
            .ok_or_else(|| report(end)))
    }

    pub(super) async fn send(mut self, send: Send, text: String) -> Result<Exit> {
        let wanted = match (send.conversation.clone(), send.to) {
            (Some(named), _) => Wanted::Named(named),
            (None, Some(to)) => Wanted::With(to),
            // The command line has one of them.
            (None, None) => Wanted::Named(ConversationId::OPEN.to_string()),
        };
        let is_named = send.conversation.is_some();
        match self.which(wanted).await? {
            Err(exit) => Ok(exit),
            Ok(ConversationId::OPEN) => self.send_openly(send, text).await,
            Ok(_) if is_named && send.to.is_some() => {
                complain(
                    NAME,
                    "--to and --conversation go together for the open chat alone",
                );
                Ok(Exit::Usage)
            }
            Ok(conversation) => self.post(conversation, send, text).await,
        }
    }

    async fn post(
        mut self,
        conversation: ConversationId,
        send: Send,
        text: String,
    ) -> Result<Exit> {
        let mut job = Posting {
            conversation,
            text,
            id: send.id,
            wait: send.wait,
            timeout: send.timeout,
            linger: self.is_owner,
            ids: self.ids,
            pending: Default::default(),
            stage: Default::default(),
        };
        let end = self.session.run(&mut job).await?;
        Ok(report(end))
    }

    async fn send_openly(mut self, send: Send, text: String) -> Result<Exit> {
        let letters = letters_too_many(&text);
        if letters > 0 {
            complain(NAME, wording::problem::message_too_long(letters));
            return Ok(Exit::Usage);
        }
        let plan = Plan {
            to: send.to,
            conversation: ConversationId::OPEN,
            to_all: send.conversation.is_some(),
            text,
            id: send.id,
            wait: send.wait,
            timeout: send.timeout,
            linger: self.is_owner,
        };
        let mut job = Sending::new(plan, self.ids);
        let end = self.session.run(&mut job).await?;
        Ok(report(end))
    }

    pub(super) async fn chats(mut self, json: bool) -> Result<Exit> {
        // Without a history it fails, which is an answer too.
        let mut job = Asking::new(after_all_are_told(), self.ids.clone());
        self.session.run(&mut job).await?;
        let view = &self.session.view;
        let mut all = Vec::new();
        for conversation in &view.conversations {
            if json {
                all.extend(
                    events(conversation)
                        .map(super::json)
                        .collect::<Result<Vec<_>>>()?,
                );
            } else {
                all.push(summary(conversation));
            }
        }
        show(&all)?;
        Ok(Exit::Done)
    }

    pub(super) async fn history(mut self, history: History) -> Result<Exit> {
        let conversation = match self.which(Wanted::Named(history.conversation)).await? {
            Ok(conversation) => conversation,
            Err(exit) => return Ok(exit),
        };
        let wanted = read::Wanted {
            conversation,
            limit: history.limit,
            before: history.before,
            find: history.find,
        };
        match self.read(wanted, history.json).await? {
            Ok(lines) => show(&lines).map(|()| Exit::Done).map_err(Into::into),
            Err(exit) => Ok(exit),
        }
    }

    pub(super) async fn export_messages(mut self, export: Export) -> Result<Exit> {
        let conversation = match self.which(Wanted::Named(export.conversation)).await? {
            Ok(conversation) => conversation,
            Err(exit) => return Ok(exit),
        };
        let wanted = read::Wanted {
            conversation,
            limit: usize::MAX,
            before: None,
            find: None,
        };
        let lines = match self.read(wanted, export.format == Format::Json).await? {
            Ok(lines) => lines,
            Err(exit) => return Ok(exit),
        };
        match export.file {
            Some(file) => keys::write(&file, &lines.join("\n"))?,
            None => show(&lines)?,
        }
        Ok(Exit::Done)
    }

    /// The lines for messages of a conversation.
    async fn read(
        &mut self,
        wanted: read::Wanted,
        in_json: bool,
    ) -> Result<Result<Vec<String>, Exit>> {
        let mut job = Reading::new(wanted, self.ids.clone());
        let end = self.session.run(&mut job).await?;
        if end != End::DONE {
            return Ok(Err(report(end)));
        }
        let messages = job.into_messages().into_iter();
        let lines = if in_json {
            let events = messages.filter_map(|line| event(&line));
            events.map(json).collect::<Result<Vec<_>>>()?
        } else {
            let (view, clock) = (&self.session.view, Clock::system());
            messages
                .flat_map(|line| in_words(&line, view, &clock))
                .collect()
        };
        Ok(Ok(lines))
    }
}

/// The event of a message.
fn event(line: &Line) -> Option<Event> {
    match line {
        Line::Message(message) => Some(Event::Message((**message).clone())),
        Line::Post(post) => Some(Event::Post(Box::new(Post::clone(post)))),
        Line::Notice { .. } => None,
    }
}

fn in_words(line: &Line, view: &View, clock: &Clock) -> Vec<String> {
    match line {
        Line::Message(message) => lines::earlier(std::iter::once(&**message), clock),
        Line::Post(post) => posts::earlier(std::iter::once(&**post), view, clock),
        Line::Notice { .. } => Vec::new(),
    }
}

/// The newest message of a conversation.
fn newest(conversation: &Conversation) -> Option<&Line> {
    let mut lines = conversation.lines.iter().rev();
    lines.find(|line| line.message_id().is_some())
}

/// A conversation and its newest message as events.
fn events(conversation: &Conversation) -> impl Iterator<Item = Event> {
    let chat = conversation.chat.clone().map(Box::new);
    let chat = chat.map(|chat| Event::Chat {
        conversation: conversation.id,
        chat,
    });
    chat.into_iter().chain(newest(conversation).and_then(event))
}

/// `Release team · group of 3 · 2 unread · carol: fine`.
fn summary(conversation: &Conversation) -> String {
    let mut parts = vec![one_line(&title(conversation))];
    match &conversation.chat {
        None => parts.push("not encrypted".to_owned()),
        Some(chat) => {
            parts.push(match chat.kind {
                ChatKind::Direct => "direct".to_owned(),
                ChatKind::Group => format!("group of {}", chat.members.len() + 1),
            });
            if let Standing::Asked(by) = chat.standing {
                parts.push(one_line(&wording::chat::asks(by, chat)));
            }
        }
    }
    match conversation.unread() {
        0 => {}
        unread => parts.push(format!("{unread} unread")),
    }
    parts.extend(newest(conversation).map(|line| match line {
        Line::Message(message) => one_line(&format!("{}: {}", message.from, message.text)),
        Line::Post(post) => one_line(&format!("{}: {}", post.from, wording::chat::text(post))),
        Line::Notice { text, .. } => one_line(text),
    }));
    parts.join(" · ")
}

#[cfg(test)]
mod tests;
