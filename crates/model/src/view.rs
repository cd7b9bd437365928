//! What there is to see, changed only by [`View::apply`].

use std::sync::Arc;
use std::time::Duration;

use p2pchat_protocol::{OnlineUser, PeerAddr, Username};
use serde::{Deserialize, Serialize};

use crate::dropped::Dropped;
use crate::event::{BlockChange, Event, IncomingRequest, Link, OutgoingRequest, Problem};
use crate::line::Line;
use crate::lookalike::{self, OnlineLooks};
use crate::message::{Delivery, LeaveReason, Message, MessageId};
use crate::person::{NameCheck, Person};
use crate::target::Target;
use crate::time::Timestamp;
use crate::wording;

/// What there is to see.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// The peer's own address, once it listens.
    pub address: Option<PeerAddr>,
    /// Its port for messages.
    pub message_port: Option<u16>,
    /// The registry, as the user named it.
    pub registry: String,
    /// The connection to the registry.
    pub link: Link,
    /// The account that is logged in.
    pub account: Option<Username>,
    /// Whether chat requests are answered with BUSY.
    pub busy: bool,
    /// Who is online, the user included.
    pub online: Vec<OnlineUser>,
    /// The chat request that waits for the user's answer.
    pub incoming: Option<IncomingRequest>,
    /// The chat requests that wait for others' answers.
    pub outgoing: Vec<OutgoingRequest>,
    /// The members of the chat, without the user.
    pub members: Vec<Person>,
    /// Members who are unreachable. Each message of the user tries them again, and one that
    /// arrives brings them back.
    pub out_of_reach: Vec<Person>,
    /// The conversation, oldest first.
    pub lines: Vec<Line>,
    /// The account that the conversation belongs to. Stays after logout.
    pub lines_of: Option<Username>,
    /// Whether the history has older messages than [`View::lines`].
    pub more_history: bool,
    /// The result of the last search through the history.
    pub findings: Option<Findings>,
    /// All blocked names, then all blocked addresses.
    pub blocked: Vec<Target>,
    /// What was dropped since the peer started, in the order of the first of each.
    pub dropped: Vec<Dropped>,
    /// What [`Command::Undo`](crate::Command::Undo) takes back.
    pub undo: Option<Undo>,
    /// For [`View::lookalike_of`]. Not in the JSON.
    #[serde(skip)]
    pub looks: OnlineLooks,
}

/// A leave or a block that can still be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    /// What it is.
    pub what: Undoable,
    /// From when on it is too late.
    pub until: Timestamp,
}

impl Undo {
    /// How long there is an undo.
    pub const LIMIT: Duration = Duration::from_secs(10);

    fn new(what: Undoable, at: Timestamp) -> Self {
        let until = at.after(Self::LIMIT);
        Self { what, until }
    }
}

/// What a user can take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undoable {
    /// They left the chat.
    Left,
    /// They blocked this user or address.
    Blocked(Target),
}

/// The result of a search through the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// The words that were searched for.
    pub text: String,
    /// Up to a page of messages, newest first.
    pub messages: Vec<Message>,
}

impl View {
    /// How many lines are kept; beyond that the oldest are evicted. All messages are still in
    /// the history.
    pub const MAX_LINES: usize = 10_000;
    /// How much memory they take together, in bytes, before the oldest are evicted: a text to a
    /// thousand members has a delivery status for each of them.
    pub const MAX_BYTES: usize = 16 * 1024 * 1024;
    /// How many lines come before their size is looked at again: it may be exceeded by so many.
    const WEIGH_EVERY: usize = 128;
    /// How many counts of what was dropped are kept: more than a peer reports.
    pub const MAX_DROPPED: usize = 100;

    /// Updates the view by an event.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Started {
                address,
                registry,
                message_port,
            } => {
                self.address = Some(*address);
                self.message_port = Some(*message_port);
                self.registry.clone_from(registry);
            }
            Event::Link(link) => self.link = link.clone(),
            Event::LoggedIn { name, .. } => self.begin_session(*name),
            Event::LoggedOut { .. } => self.end_session(),
            Event::Online { users } => self.set_online(users),
            Event::RequestReceived(request) => self.incoming = Some(request.clone()),
            Event::RequestClosed { .. } => self.incoming = None,
            Event::RequestSent(request) => {
                self.forget_request(request.to.address);
                self.outgoing.push(*request);
            }
            Event::RequestAnswered { to, .. } => self.forget_request(to.address),
            Event::MemberJoined { member, .. } => self.add_member(*member),
            Event::MemberLeft { member, reason, .. } => self.remove_member(*member, *reason),
            Event::ChatLeft { .. } => {
                self.members.clear();
                self.out_of_reach.clear();
            }
            Event::Message(message) => self.push(message.clone().into()),
            Event::Delivered { id, delivery } => self.set_delivery(*id, *delivery),
            Event::Busy { on } => self.busy = *on,
            Event::History {
                before,
                messages,
                more,
            } => self.add_history(*before, messages, *more),
            Event::Findings { text, messages } => {
                self.findings = Some(Findings {
                    text: text.clone(),
                    messages: messages.clone(),
                });
            }
            Event::Dropped(dropped) => self.count_dropped(*dropped),
            Event::Blocks { list, .. } => self.blocked.clone_from(list),
            Event::Registered { .. }
            | Event::RequestMissed { .. }
            | Event::Found { .. }
            | Event::Notice { .. }
            | Event::Failed { .. } => {}
        }
        self.offer_undo(event);
        if let Some(notice) = Self::notice(event) {
            self.push(notice);
        }
    }

    /// Offers the undo of a leave or block, and withdraws it once it is done or has no meaning
    /// any more.
    fn offer_undo(&mut self, event: &Event) {
        let undo = self.undo.map(|undo| undo.what);
        match (event, undo) {
            (Event::ChatLeft { at }, _) => self.undo = Some(Undo::new(Undoable::Left, *at)),
            (
                Event::Blocks {
                    at,
                    change: Some(BlockChange::Blocked(who)),
                    ..
                },
                _,
            ) => self.undo = Some(Undo::new(Undoable::Blocked(*who), *at)),
            (Event::MemberJoined { .. }, Some(Undoable::Left)) => self.undo = None,
            (Event::Blocks { .. }, Some(Undoable::Blocked(who)))
                if !self.blocked.contains(&who) =>
            {
                self.undo = None;
            }
            (Event::LoggedOut { .. }, _) => self.undo = None,
            (Event::Failed { failure, .. }, _) if failure.problem == Problem::NothingToUndo => {
                self.undo = None;
            }
            _ => {}
        }
    }

    /// The line of the conversation for an event, in words; `None` for an event that has
    /// none, and for [`Event::Message`], which is a line of its own.
    #[must_use]
    pub fn notice(event: &Event) -> Option<Line> {
        wording::line(event).map(|(at, level, text)| Line::Notice { at, level, text })
    }

    /// The name that the registry has for an address.
    #[must_use]
    pub fn name_of(&self, address: PeerAddr) -> Option<Username> {
        self.online
            .iter()
            .find(|user| user.address == address)
            .map(|user| user.name)
    }

    /// Who is online, without the user.
    pub fn others(&self) -> impl Iterator<Item = &OnlineUser> {
        self.online
            .iter()
            .filter(|user| Some(user.name) != self.account)
    }

    /// Whether no one would get a message: the chat has no members, not even unreachable
    /// ones.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.members.is_empty() && self.out_of_reach.is_empty()
    }

    /// Whether the chat has a member at this address.
    #[must_use]
    pub fn is_member(&self, address: PeerAddr) -> bool {
        self.members.iter().any(|known| known.address == address)
    }

    /// The entry of the block list that applies to this name at this address, if any.
    #[must_use]
    pub fn blocks(&self, name: Option<Username>, address: PeerAddr) -> Option<Target> {
        let names = [name, self.name_of(address)].into_iter().flatten();
        let mut targets = names.map(Target::Name).chain([Target::Address(address)]);
        targets.find(|target| self.blocked.contains(target))
    }

    /// Another name that this one looks like: the user's, or that of a user who is online or
    /// a member. The two differ in case (then both are marked), or in characters that are
    /// invisible, belong to another script or compose their accents in another way; only the
    /// name that has such characters looks like the other.
    #[must_use]
    pub fn lookalike_of(&self, name: Username) -> Option<Username> {
        let members = self.members.iter().filter_map(|member| member.name);
        lookalike::first_like(name, self.account.into_iter().chain(members))
            .or_else(|| self.looks.like(name, &self.online))
    }

    /// The oldest message in [`View::lines`]: the next page of history ends before it.
    #[must_use]
    pub fn oldest_message(&self) -> Option<MessageId> {
        self.lines.iter().find_map(Line::message_id)
    }

    fn begin_session(&mut self, name: Username) {
        if self.lines_of != Some(name) {
            self.lines.clear();
            self.more_history = false;
            self.findings = None;
            self.lines_of = Some(name);
        }
        self.account = Some(name);
    }

    fn end_session(&mut self) {
        self.account = None;
        self.online.clear();
        self.looks = OnlineLooks::default();
        self.incoming = None;
        self.outgoing.clear();
        self.members.clear();
        self.out_of_reach.clear();
        self.findings = None;
        self.blocked.clear();
    }

    fn count_dropped(&mut self, dropped: Dropped) {
        let known = self
            .dropped
            .iter()
            .position(|known| known.counts_as(&dropped));
        match known {
            Some(at) => self.dropped[at] = dropped,
            None if self.dropped.len() < Self::MAX_DROPPED => self.dropped.push(dropped),
            None => {}
        }
    }

    fn set_online(&mut self, users: &[OnlineUser]) {
        self.online = users.to_vec();
        self.looks = OnlineLooks::default();
        name_members(&mut self.members, users);
        name_members(&mut self.out_of_reach, users);
        if let Some(IncomingRequest { from, members, .. }) = &mut self.incoming {
            name_members(members, users);
            let listed = users.iter().find(|user| user.name == from.name);
            let is_taken = users.iter().any(|user| user.address == from.address);
            from.check = NameCheck::new(from.address, listed.map(|user| user.address), is_taken);
        }
    }

    fn forget_request(&mut self, to: PeerAddr) {
        self.outgoing.retain(|request| request.to.address != to);
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

    fn set_delivery(&mut self, id: MessageId, delivery: Delivery) {
        let message = self.lines.iter_mut().rev().find_map(|line| match line {
            // Copied if a subscriber has it too.
            Line::Message(message) if message.id == id => Some(Arc::make_mut(message)),
            _ => None,
        });
        if let Some(deliveries) = message.and_then(|message| message.deliveries.as_mut()) {
            match deliveries
                .iter_mut()
                .find(|known| known.to.address == delivery.to.address)
            {
                Some(known) => *known = delivery,
                None => deliveries.push(delivery),
            }
        }
    }

    /// Adds a page that joins on to the lines: a gap between the two could never be filled.
    fn add_history(&mut self, before: Option<MessageId>, messages: &[Message], more: bool) {
        let oldest = self.oldest_message();
        if before.is_some_and(|before| oldest.is_none_or(|oldest| before < oldest)) {
            return;
        }
        let first = messages.first().map(|message| message.id);
        let newest = self.lines.iter().rev().find_map(Line::message_id);
        if more && newest < first && newest.is_some() {
            // Another program of this user has written more than a page since.
            self.lines.clear();
        }
        let is_full = self.bytes() > Self::MAX_BYTES;
        let room = Self::MAX_LINES.saturating_sub(self.lines.len());
        let room = if is_full { 0 } else { room };
        if first.is_none()
            || self
                .oldest_message()
                .is_none_or(|oldest| first < Some(oldest))
        {
            self.more_history = more && messages.len() < room;
        }
        let is_known = |id| self.lines.iter().any(|line| line.message_id() == Some(id));
        let newest = &messages[messages.len().saturating_sub(room)..];
        let earlier: Vec<&Message> = newest
            .iter()
            .filter(|message| !is_known(message.id))
            .collect();
        // Both are in the order of time, unless the clock was set back in between.
        let mut later = std::mem::take(&mut self.lines).into_iter().peekable();
        for message in earlier {
            while let Some(line) = later.next_if(|line| line.at() < message.at) {
                self.lines.push(line);
            }
            self.lines.push(message.clone().into());
        }
        self.lines.extend(later);
    }

    fn push(&mut self, line: Line) {
        if self.lines.len() >= Self::MAX_LINES {
            // A tenth at once, because the rest has to move up.
            self.lines.drain(..Self::MAX_LINES / 10);
            self.more_history = true;
        }
        if self.lines.len().is_multiple_of(Self::WEIGH_EVERY) {
            self.evict_beyond_max_bytes();
        }
        self.lines.push(line);
    }

    fn evict_beyond_max_bytes(&mut self) {
        let mut bytes = self.bytes();
        if bytes <= Self::MAX_BYTES {
            return;
        }
        let evicted = self.lines.iter().take_while(|line| {
            let is_evicted = bytes > Self::MAX_BYTES / 10 * 9;
            bytes -= line.size();
            is_evicted
        });
        let evicted = evicted.count();
        self.lines.drain(..evicted);
        self.more_history = true;
    }

    fn bytes(&self) -> usize {
        self.lines.iter().map(Line::size).sum()
    }
}

/// Sets the names of people to those that the registry has for their addresses.
fn name_members(members: &mut [Person], users: &[OnlineUser]) {
    // Sorted by address, since both may be long: a thousand members, 100,000 users.
    let mut by_address: Vec<&mut Person> = Vec::with_capacity(members.len());
    for member in members {
        let at = by_address.partition_point(|before| before.address < member.address);
        by_address.insert(at, member);
    }
    // Of several at one address, the first counts.
    for user in users.iter().rev() {
        if let Ok(at) = by_address.binary_search_by_key(&user.address, |member| member.address) {
            by_address[at].name = Some(user.name);
        }
    }
}

#[cfg(test)]
mod tests;
