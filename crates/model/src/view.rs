//! What there is to see, changed only by [`View::apply`].

use std::sync::Arc;

use p2pchat_protocol::v2::{DisplayName, Status};
use p2pchat_protocol::{PeerAddr, Username};
use serde::{Deserialize, Serialize};

pub use self::undo::{Undo, Undoable};
use crate::chat::{Chat, Member, Named};
use crate::conversation::{Conversation, ConversationId};
use crate::dropped::Dropped;
use crate::event::{Event, IncomingRequest, Link, OutgoingRequest};
use crate::identity::{Identity, Security, Trust};
use crate::line::Line;
use crate::lookalike::{self, OnlineLooks};
use crate::message::Message;
use crate::person::{NameCheck, Person, User};
use crate::post::Post;
use crate::target::Target;
use crate::wording;

mod conversation;
mod undo;

/// What there is to see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct View {
    /// The peer's own address, once it listens.
    pub address: Option<PeerAddr>,
    /// Its port for messages.
    pub message_port: Option<u16>,
    /// The registry, as the user named it; empty as long as there is none.
    pub registry: String,
    /// The connection to the registry.
    pub link: Link,
    /// Whether that connection is encrypted.
    pub security: Security,
    /// The keys of the profile, once they are read.
    pub identity: Option<Identity>,
    /// The account that is logged in.
    pub account: Option<Username>,
    /// The name that others see beside it; empty for none.
    pub display_name: DisplayName,
    /// Whether it can also be used by legacy clients.
    pub legacy_login: bool,
    /// Whether chat requests are answered with BUSY.
    pub busy: bool,
    /// Whether the user is shown as away.
    pub away: bool,
    /// Who is online, the user included, ordered by name.
    pub online: Vec<User>,
    /// The chat request that waits for the user's answer.
    pub incoming: Option<IncomingRequest>,
    /// The chat requests that wait for others' answers.
    pub outgoing: Vec<OutgoingRequest>,
    /// The conversations of the account; the open chat is always there.
    pub conversations: Vec<Conversation>,
    /// The account that the conversations belong to. Stays after logout.
    pub conversations_of: Option<Username>,
    /// The result of the last search through the history. Not in the JSON: each front end
    /// searches for itself.
    #[serde(skip)]
    pub findings: Option<Findings>,
    /// All blocked names, then all blocked addresses.
    pub blocked: Vec<Target>,
    /// What was dropped since the peer started, in the order of the first of each.
    pub dropped: Vec<Dropped>,
    /// What the command `undo` takes back.
    pub undo: Option<Undo>,
    /// For [`View::lookalike_of`]. Not in the JSON.
    #[serde(skip)]
    pub looks: OnlineLooks,
}

/// The result of a search through the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Findings {
    /// The conversation that was searched; null for all.
    pub conversation: Option<ConversationId>,
    /// The words that were searched for.
    pub text: String,
    /// Up to a page of messages of the open chat, newest first.
    pub messages: Vec<Message>,
    /// Up to a page of messages of encrypted conversations, newest first.
    #[serde(default)]
    pub posts: Vec<Post>,
}

impl Default for View {
    fn default() -> Self {
        Self {
            address: None,
            message_port: None,
            registry: String::new(),
            link: Link::default(),
            security: Security::default(),
            identity: None,
            account: None,
            display_name: DisplayName::default(),
            legacy_login: false,
            busy: false,
            away: false,
            online: Vec::new(),
            incoming: None,
            outgoing: Vec::new(),
            conversations: vec![Conversation::new(ConversationId::OPEN)],
            conversations_of: None,
            findings: None,
            blocked: Vec::new(),
            dropped: Vec::new(),
            undo: None,
            looks: OnlineLooks::default(),
        }
    }
}

impl View {
    /// How many lines of a conversation are kept; beyond that the oldest are evicted. All
    /// messages are still in the history.
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
        self.offer_undo(event);
        match event {
            Event::View(snapshot) => self.clone_from(&snapshot.view),
            Event::Link(link) => self.link = link.clone(),
            Event::Registry {
                registry,
                address,
                message_port,
            } => {
                self.registry.clone_from(registry);
                self.address = Some(*address);
                self.message_port = Some(*message_port);
            }
            Event::Security(security) => self.security = *security,
            Event::Identity(identity) => self.identity = Some(*identity),
            Event::Away { on } => self.away = *on,
            Event::DisplayName { display_name } => self.display_name = *display_name,
            Event::LegacyLogin { on } => self.legacy_login = *on,
            Event::LoggedIn { name, .. } => self.begin_session(*name),
            Event::LoggedOut { .. } => self.end_session(),
            Event::Online { users } => self.set_online(users),
            Event::Presence { users, gone } => self.update_online(users, gone),
            Event::RequestReceived(request) => self.incoming = Some(request.clone()),
            Event::RequestClosed { .. } => self.incoming = None,
            Event::RequestSent(request) => {
                self.forget_request(request.to.address);
                self.outgoing.push(*request);
            }
            Event::RequestAnswered { to, .. } => self.forget_request(to.address),
            Event::Message(_) => self.apply_to_conversation(event),
            Event::Busy { on } => self.busy = *on,
            Event::Findings {
                conversation,
                text,
                messages,
                posts,
            } => {
                self.findings = Some(Findings {
                    conversation: *conversation,
                    text: text.clone(),
                    messages: messages.clone(),
                    posts: posts.clone(),
                });
            }
            Event::Dropped(dropped) => self.count_dropped(*dropped),
            Event::Blocks { list, .. } => self.blocked.clone_from(list),
            Event::ChatHidden { conversation } => {
                self.conversations.retain(|known| known.id != *conversation);
            }
            Event::Chat { conversation, chat } => self.set_chat(*conversation, chat),
            Event::MemberJoined { .. }
            | Event::MemberLeft { .. }
            | Event::ChatLeft { .. }
            | Event::Post(_)
            | Event::PostChanged(_)
            | Event::PostsGone { .. }
            | Event::Posts { .. }
            | Event::Unread { .. }
            | Event::Typing { .. }
            | Event::ReadBy { .. }
            | Event::Delivered { .. }
            | Event::History { .. }
            | Event::Read { .. }
            | Event::Draft { .. } => self.apply_to_conversation(event),
            Event::Done
            | Event::Failed(_)
            | Event::RegistryFound { .. }
            | Event::Registered { .. }
            | Event::Opened { .. }
            | Event::Said { .. }
            | Event::PostsFrom { .. }
            | Event::ChatChanged { .. }
            | Event::RequestMissed { .. }
            | Event::Found { .. }
            | Event::Code { .. }
            | Event::Exported { .. }
            | Event::Registries { .. }
            | Event::Notice { .. } => {}
        }
        if let Some(notice) = Self::notice(event) {
            let conversation = event.conversation().unwrap_or(ConversationId::OPEN);
            match (self.conversation_mut(conversation), event) {
                (Some(of), Event::ChatChanged { .. }) => of.add_change(notice),
                (Some(of), _) => of.push(notice),
                (None, _) => {}
            }
        }
    }

    /// Whether a person in an encrypted conversation is blocked: what they write in a group is
    /// folded away.
    #[must_use]
    pub fn has_blocked(&self, who: &Named) -> bool {
        !who.you
            && who
                .name
                .is_some_and(|name| self.blocked.contains(&Target::Name(name)))
    }

    fn apply_to_conversation(&mut self, event: &Event) {
        let conversation = event.conversation();
        if let Some(conversation) = conversation.and_then(|id| self.conversation_mut(id)) {
            conversation.apply(event);
        }
    }

    /// There is an encrypted conversation, or something of it is different.
    fn set_chat(&mut self, id: ConversationId, chat: &Chat) {
        let chat = chat.clone();
        match self.conversation_mut(id) {
            Some(known) => known.set_chat(chat),
            None => self.conversations.push(Conversation {
                // All but what comes from now on is on the disk.
                more_history: true,
                chat: Some(chat),
                ..Conversation::new(id)
            }),
        }
    }

    /// A conversation.
    #[must_use]
    pub fn conversation(&self, id: ConversationId) -> Option<&Conversation> {
        self.conversations.iter().find(|known| known.id == id)
    }

    fn conversation_mut(&mut self, id: ConversationId) -> Option<&mut Conversation> {
        self.conversations.iter_mut().find(|known| known.id == id)
    }

    /// The open chat.
    #[must_use]
    pub fn open(&self) -> &Conversation {
        static NONE: Conversation = Conversation::new(ConversationId::OPEN);
        self.conversation(ConversationId::OPEN).unwrap_or(&NONE)
    }

    /// The same with no more than so many lines in each conversation, the newest ones.
    #[must_use]
    pub fn with_newest_lines(&self, lines: usize) -> Self {
        let newest = |conversation: &Conversation| {
            let cut = conversation.lines.len().saturating_sub(lines);
            let (earlier, lines) = conversation.lines.split_at(cut);
            Conversation {
                id: conversation.id,
                members: conversation.members.clone(),
                out_of_reach: conversation.out_of_reach.clone(),
                lines: lines.to_vec(),
                more_history: conversation.more_history
                    || earlier.iter().any(|line| line.message_id().is_some()),
                read: conversation.read,
                draft: conversation.draft.clone(),
                chat: conversation.chat.clone(),
            }
        };
        let conversations = self.conversations.iter().map(newest).collect();
        Self {
            address: self.address,
            message_port: self.message_port,
            registry: self.registry.clone(),
            link: self.link.clone(),
            security: self.security,
            identity: self.identity,
            account: self.account,
            display_name: self.display_name,
            legacy_login: self.legacy_login,
            busy: self.busy,
            away: self.away,
            online: self.online.clone(),
            incoming: self.incoming.clone(),
            outgoing: self.outgoing.clone(),
            conversations,
            conversations_of: self.conversations_of,
            findings: self.findings.clone(),
            blocked: self.blocked.clone(),
            dropped: self.dropped.clone(),
            undo: self.undo,
            looks: OnlineLooks::default(),
        }
    }

    /// Changes the status of texts that are on their way, as no one knows any more whether they
    /// arrive: the program that sent them has ended.
    pub fn end_sending(&mut self) {
        for conversation in &mut self.conversations {
            for line in &mut conversation.lines {
                if let Line::Message(message) = line
                    && message.is_sending()
                {
                    Arc::make_mut(message).end_sending();
                }
            }
        }
    }

    /// The line of the conversation for an event, in words; `None` for an event that has
    /// none, and for [`Event::Message`], which is a line of its own.
    #[must_use]
    pub fn notice(event: &Event) -> Option<Line> {
        wording::line::line(event).map(|(at, level, text)| Line::Notice { at, level, text })
    }

    /// The chat that came before one of two people: the other one had another key then.
    #[must_use]
    pub fn earlier_chat(&self, conversation: &Conversation) -> Option<&Conversation> {
        let (name, trust) = partner(conversation)?;
        let time = |of: &Conversation| of.rank().1;
        let is_before = |of: &Conversation| {
            let goes_on = trust != Some(Trust::Former) || time(of) < time(conversation);
            partner(of) == Some((name, Some(Trust::Former))) && goes_on
        };
        let before = self.conversations.iter().filter(|of| is_before(of));
        before.max_by_key(|of| time(of))
    }

    /// The chat in which the user goes on with the other one of a chat of two, who had another key
    /// there.
    #[must_use]
    pub fn later_chat(&self, conversation: &Conversation) -> Option<&Conversation> {
        let (name, _) = partner(conversation)?;
        let goes_on = |of: &&Conversation| {
            let (other, trust) = partner(of).unzip();
            other == Some(name) && matches!(trust, Some(Some(Trust::New | Trust::Verified)))
        };
        self.conversations.iter().find(goes_on)
    }

    /// The user that a member is online as: nobody under an earlier key.
    #[must_use]
    pub fn online_as(&self, member: &Member) -> Option<&User> {
        self.user(member.who.name.filter(|_| !member.is_former())?)
    }

    /// The name that the registry has for an address.
    #[must_use]
    pub fn name_of(&self, address: PeerAddr) -> Option<Username> {
        let mut online = self.online.iter();
        let user = online.find(|user| user.address == address)?;
        Some(user.name)
    }

    /// Who is online, without the user.
    pub fn others(&self) -> impl Iterator<Item = &User> {
        let online = self.online.iter();
        online.filter(|user| Some(user.name) != self.account)
    }

    /// A user who is online.
    #[must_use]
    pub fn user(&self, name: Username) -> Option<&User> {
        let at = self.online.binary_search_by_key(&name, |user| user.name);
        at.ok().map(|at| &self.online[at])
    }

    /// Whether nothing goes to the registry, because it has another key than before.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        matches!(self.link, Link::KeyChanged { .. })
    }

    /// How the user is shown to others; `None` while no one sees them: they are not signed in, or the
    /// registry cannot be reached or has another key than before.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        // One who has to give the password again is still in the list of the registry.
        let is_seen = matches!(self.link, Link::Up | Link::PasswordNeeded);
        if self.account.is_none() || !is_seen {
            return None;
        }
        Some(match (self.busy, self.away) {
            (true, _) => Status::Busy,
            (false, true) => Status::Away,
            (false, false) => Status::Available,
        })
    }

    /// Whether the open chat has a member at this address.
    #[must_use]
    pub fn is_member(&self, address: PeerAddr) -> bool {
        let mut members = self.open().members.iter();
        members.any(|known| known.address == address)
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
        let members = self.conversations.iter().flat_map(|known| &known.members);
        let members = members.filter_map(|member| member.name);
        lookalike::first_like(name, self.account.into_iter().chain(members))
            .or_else(|| self.looks.like(name, &self.online))
    }

    fn begin_session(&mut self, name: Username) {
        if self.conversations_of != Some(name) {
            self.conversations = Self::default().conversations;
            self.findings = None;
            self.conversations_of = Some(name);
        }
        self.account = Some(name);
    }

    fn end_session(&mut self) {
        self.account = None;
        self.display_name = DisplayName::default();
        self.legacy_login = false;
        self.away = false;
        self.online.clear();
        self.looks = OnlineLooks::default();
        self.incoming = None;
        self.outgoing.clear();
        for conversation in &mut self.conversations {
            conversation.end_session();
        }
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

    fn set_online(&mut self, users: &[User]) {
        self.online = users.to_vec();
        self.name_all(users);
    }

    fn update_online(&mut self, users: &[User], gone: &[Username]) {
        let is_gone = |user: &User| gone.contains(&user.name);
        if !gone.is_empty() {
            self.online.retain(|user| !is_gone(user));
        }
        for user in users {
            match self
                .online
                .binary_search_by_key(&user.name, |known| known.name)
            {
                Ok(at) => self.online[at] = *user,
                Err(at) => self.online.insert(at, *user),
            }
        }
        self.name_all(users);
    }

    /// Gives people the names that the registry has for their addresses.
    fn name_all(&mut self, users: &[User]) {
        self.looks = OnlineLooks::default();
        for conversation in &mut self.conversations {
            name_people(conversation.members.iter_mut(), users);
            name_people(conversation.out_of_reach.iter_mut(), users);
        }
        name_people(
            self.outgoing.iter_mut().map(|request| &mut request.to),
            users,
        );
        if let Some(IncomingRequest { from, members, .. }) = &mut self.incoming {
            name_people(members.iter_mut(), users);
            let online = &self.online;
            let listed = online.iter().find(|user| Some(user.name) == from.name);
            let is_taken = online.iter().any(|user| user.address == from.address);
            from.check = NameCheck::new(from.address, listed.map(|user| user.address), is_taken);
        }
    }

    fn forget_request(&mut self, to: PeerAddr) {
        self.outgoing.retain(|request| request.to.address != to);
    }
}

/// Sets the names of people to those that the registry has for their addresses.
fn name_people<'a>(people: impl Iterator<Item = &'a mut Person>, users: &[User]) {
    // Sorted by address, since both may be long: a thousand members, 100,000 users.
    let mut by_address: Vec<&mut Person> = Vec::new();
    for member in people {
        let at = by_address.partition_point(|before| before.address < member.address);
        by_address.insert(at, member);
    }
    // Of several at one address, the first counts.
    for user in users.iter().rev() {
        if let Ok(at) = by_address.binary_search_by_key(&user.address, |member| member.address) {
            *by_address[at] = user.person();
        }
    }
}

/// The other one of a chat of two, and how well their key is known.
fn partner(of: &Conversation) -> Option<(Username, Option<Trust>)> {
    let other = of.chat.as_ref()?.partner()?;
    Some((other.who.name?, other.trust))
}

#[cfg(test)]
mod tests;
