//! What events change in a conversation, and how many of its lines are kept.
//!
//! Messages stand in the order of their ids. Notices stand where they came, between them; how the
//! membership of an encrypted conversation has changed stands where it was.

use std::sync::Arc;

use super::View;
use crate::chat::{Chat, Member, Named};
use crate::conversation::Conversation;
use crate::event::Event;
use crate::line::Line;
use crate::message::{Delivery, LeaveReason, Message, MessageId};
use crate::person::Person;
use crate::post::Post;

/// Gives who wrote a message the name that they are known by since.
fn name_author(post: &mut Arc<Post>, chat: &Chat) {
    let mut members = chat.members.iter();
    let author = members.find(|member| member.who.key == post.from.key);
    if let Some(author) = author.filter(|author| author.who.name.is_some()) {
        Arc::make_mut(post).from = author.who;
    }
}

impl Conversation {
    /// Updates the conversation by an event of it.
    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::MemberJoined { member, .. } => self.add_member(*member),
            Event::MemberLeft { member, reason, .. } => {
                self.remove_member(*member, *reason);
            }
            Event::ChatLeft { .. } => self.clear_members(),
            Event::Message(message) => self.add_message(message),
            Event::Post(post) => self.add_post(post),
            Event::PostChanged(post) => self.change_post(post),
            Event::PostsGone { messages, .. } => self.lines.retain(|line| {
                let id = line.message_id();
                id.is_none_or(|id| !messages.contains(&id))
            }),
            Event::Posts {
                before,
                posts,
                changes,
                more,
                ..
            } => {
                let lines = posts.iter().cloned().map(Line::from);
                self.add_history(*before, lines.collect(), *more);
                for notice in changes.iter().map(Line::from) {
                    if self.lines.len() < View::MAX_LINES {
                        self.add_change(notice);
                    }
                }
            }
            Event::Unread {
                messages, mentions, ..
            } => {
                if let Some(chat) = &mut self.chat {
                    (chat.unread, chat.mentions) = (*messages, *mentions);
                }
            }
            Event::Typing { who, on, .. } => {
                if let Some(member) = self.chat_member(*who) {
                    member.typing = *on;
                }
            }
            Event::ReadBy { who, message, .. } => {
                if let Some(member) = self.chat_member(*who) {
                    member.read = member.read.max(Some(*message));
                }
            }
            Event::Delivered {
                message, delivery, ..
            } => self.set_delivery(*message, *delivery),
            Event::History {
                before,
                messages,
                more,
                ..
            } => {
                let lines = messages.iter().cloned().map(Line::from);
                self.add_history(*before, lines.collect(), *more);
            }
            Event::Read { message, .. } => {
                self.read = self.read.max(Some(*message));
            }
            Event::Draft { text, .. } => self.draft.clone_from(text),
            _ => {}
        }
    }

    /// Forgets what is known only while the user is signed in.
    pub(super) fn end_session(&mut self) {
        self.clear_members();
        let members = self.chat.iter_mut().flat_map(|chat| &mut chat.members);
        members.for_each(|member| member.typing = false);
    }

    fn clear_members(&mut self) {
        self.members.clear();
        self.out_of_reach.clear();
    }

    fn remove_member(&mut self, member: Person, reason: LeaveReason) {
        for list in [&mut self.members, &mut self.out_of_reach] {
            list.retain(|known| known.address != member.address);
        }
        if reason == LeaveReason::Unreachable {
            self.out_of_reach.push(member);
        }
    }

    fn add_member(&mut self, member: Person) {
        self.out_of_reach
            .retain(|known| known.address != member.address);
        match self
            .members
            .iter_mut()
            .find(|known| known.address == member.address)
        {
            Some(known) => *known = member,
            None => self.members.push(member),
        }
    }

    /// Adds a message, unless it was added before: a call that is made again is answered with
    /// the message that it led to.
    fn add_message(&mut self, message: &Message) {
        if let Err(at) = self.find(message.id)
            && !self.is_on_disk_only(message.id)
        {
            self.insert(at, message.clone().into());
        }
    }

    fn set_delivery(&mut self, id: MessageId, delivery: Delivery) {
        let Some(Line::Message(message)) = self.find(id).ok().map(|at| &mut self.lines[at]) else {
            return;
        };
        // Copied if a subscriber has it too.
        if let Some(deliveries) = &mut Arc::make_mut(message).deliveries {
            match deliveries
                .iter_mut()
                .find(|known| known.to.address == delivery.to.address)
            {
                Some(known) => *known = delivery,
                None => deliveries.push(delivery),
            }
        }
    }

    fn chat_member(&mut self, who: Named) -> Option<&mut Member> {
        let mut members = self.chat.iter_mut().flat_map(|chat| &mut chat.members);
        members.find(|member| member.who.key == who.key)
    }

    /// Replaces what it has. Who is writing stays so, as the event is about what is stored.
    pub(super) fn set_chat(&mut self, mut chat: Chat) {
        for known in self.chat.iter().flat_map(|chat| &chat.members) {
            let mut members = chat.members.iter_mut();
            if let Some(member) = members.find(|member| member.who.key == known.who.key) {
                member.typing = known.typing;
                member.read = member.read.max(known.read);
            }
        }
        for line in &mut self.lines {
            if let Line::Post(post) = line
                && post.from.name.is_none()
            {
                name_author(post, &chat);
            }
        }
        self.chat = Some(chat);
    }

    /// Adds a message where it belongs: what others wrote while they were away comes late.
    fn add_post(&mut self, post: &Post) {
        if let Some(member) = self.chat_member(post.from) {
            member.typing = false;
        }
        match self.find(post.id) {
            Ok(at) => self.lines[at] = post.clone().into(),
            Err(_) if self.is_on_disk_only(post.id) => {}
            Err(mut at) => {
                while at > 0 && is_later_notice(&self.lines[at - 1], post) {
                    at -= 1;
                }
                self.insert(at, post.clone().into());
            }
        }
    }

    fn change_post(&mut self, post: &Post) {
        if let Ok(at) = self.find(post.id) {
            self.lines[at] = post.clone().into();
        }
    }

    /// The line with this message, or else the one that it comes before: the next later message,
    /// or the end.
    fn find(&self, id: MessageId) -> Result<usize, usize> {
        let (id, end) = (Some(id), self.lines.len());
        if self.newest_message() < id {
            return Err(end);
        }
        let mut lines = self.lines.iter();
        let at = lines
            .position(|line| line.message_id() >= id)
            .unwrap_or(end);
        match self.lines.get(at) {
            Some(line) if line.message_id() == id => Ok(at),
            _ => Err(at),
        }
    }

    /// Whether a message belongs before all that are here, where others are missing in between.
    fn is_on_disk_only(&self, id: MessageId) -> bool {
        self.more_history && self.oldest_message() > Some(id)
    }

    /// Adds a page that joins on to the lines: a gap between the two could never be filled.
    fn add_history(&mut self, before: Option<MessageId>, messages: Vec<Line>, more: bool) {
        let oldest = self.oldest_message();
        if before.is_some_and(|before| oldest.is_none_or(|oldest| before < oldest)) {
            return;
        }
        let first = messages.first().and_then(Line::message_id);
        let newest = self.lines.iter().rev().find_map(Line::message_id);
        if more && newest < first && newest.is_some() {
            // Another program of this user has written more than a page since.
            self.lines.clear();
        }
        let is_full = self.bytes() > View::MAX_BYTES;
        let room = View::MAX_LINES.saturating_sub(self.lines.len());
        let room = if is_full { 0 } else { room };
        if first.is_none()
            || self
                .oldest_message()
                .is_none_or(|oldest| first < Some(oldest))
        {
            self.more_history = more && messages.len() < room;
        }
        let is_known = |id| self.lines.iter().any(|line| line.message_id() == Some(id));
        let cut = messages.len().saturating_sub(room);
        let newest = messages.into_iter().skip(cut);
        let earlier: Vec<Line> = newest
            .filter(|line| !line.message_id().is_some_and(is_known))
            .collect();
        let mut later = std::mem::take(&mut self.lines).into_iter().peekable();
        for message in earlier {
            while let Some(line) = later.next_if(|line| is_before(line, &message)) {
                self.lines.push(line);
            }
            self.lines.push(message);
        }
        self.lines.extend(later);
    }

    /// Adds a line at the end.
    pub(super) fn push(&mut self, line: Line) {
        self.insert(self.lines.len(), line);
    }

    /// Adds how the membership has changed where it was, unless it is here: one may hear of it late,
    /// and again with a page.
    pub(super) fn add_change(&mut self, notice: Line) {
        if self.lines.contains(&notice) {
            return;
        }
        let is_before = |line: &Line| line.at() <= notice.at();
        let at = self.lines.iter().rposition(is_before);
        // What belongs before all that are here comes with its page.
        if at.is_some() || self.lines.is_empty() || !self.more_history {
            self.insert(at.map_or(0, |at| at + 1), notice);
        }
    }

    fn insert(&mut self, at: usize, line: Line) {
        self.lines.insert(at, line);
        if self.lines.len() > View::MAX_LINES {
            // A tenth at once, because the rest has to move up.
            self.lines.drain(..View::MAX_LINES / 10);
            self.more_history = true;
        }
        if self.lines.len().is_multiple_of(View::WEIGH_EVERY) {
            self.evict_beyond_max_bytes();
        }
    }

    fn evict_beyond_max_bytes(&mut self) {
        let mut bytes = self.bytes();
        if bytes <= View::MAX_BYTES {
            return;
        }
        let evicted = self.lines.iter().take_while(|line| {
            let is_evicted = bytes > View::MAX_BYTES / 10 * 9;
            bytes -= line.size();
            is_evicted
        });
        let evicted = evicted.count();
        self.lines.drain(..evicted);
        self.more_history = true;
    }

    pub(super) fn bytes(&self) -> usize {
        self.lines.iter().map(Line::size).sum()
    }
}

fn is_later_notice(line: &Line, post: &Post) -> bool {
    matches!(line, Line::Notice { at, .. } if *at > post.at)
}

/// Whether a line stands before a message.
fn is_before(line: &Line, message: &Line) -> bool {
    match (line.message_id(), message.message_id()) {
        (Some(line), Some(message)) => line < message,
        _ => line.at() < message.at(),
    }
}

#[cfg(test)]
mod tests;
