//! The encrypted conversations: what the user asks of them, the names of the people in them, and
//! which devices there are sessions with.
//!
//! | module | what it has |
//! |---|---|
//! | `names` | which key is whose |
//! | `dials` | when which device is dialled |
//! | `wishes` | commands that name people, until their keys are known |
//!
//! What is said in them is not here: see [`ToChats`].

mod dials;
mod names;
mod wishes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use p2pchat_model::{
    Chat, ChatKind, Command, ConversationId, DatedChange, Event, MAX_DRAFT, Named, Post, Problem,
    Standing, Trust, Username, View,
};
use p2pchat_protocol::v2::conversation::talk::MAX_TEXT;
use p2pchat_protocol::v2::{DeviceKey, PersonKey};

use super::chats_io::{Order, Ordered, Part, ToChats};
use super::context::{Context, Refusal};
use super::directory::Directory;
use super::io::{Asker, Output, SendId, Usage};
use super::keys::Keyring;
use dials::Dials;
pub(super) use names::Names;
use wishes::{What, Wish};

/// How long a change of the members waits for the name of one who was not known so far, and how
/// many changes do.
pub(super) const NAME_WAIT: Duration = Duration::from_secs(1);
const MAX_UNNAMED: usize = 1_000;
/// How many orders may wait for the conversations, and how many commands for keys.
const MAX_WAITING: usize = 256;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Chats {
    /// The account that they were told of.
    account: Option<Username>,
    /// As they were told last.
    known: BTreeMap<ConversationId, Chat>,
    /// Those that the user was told of.
    shown: BTreeSet<ConversationId>,
    blocked: BTreeSet<Username>,
    /// Orders without a result so far.
    orders: BTreeMap<SendId, Ordering>,
    /// Commands that wait for keys.
    wishes: Vec<Wish>,
    /// Changes of members without a name so far, and until when that is awaited: what is told then
    /// is a line that stays.
    unnamed: Vec<(Duration, Event)>,
    pub(super) names: Names,
    dials: Dials,
}

/// An order that is carried out.
#[derive(Debug)]
struct Ordering {
    command: &'static str,
    asker: Option<Asker>,
    answers: Answers,
}

/// What an order is answered with, besides that it is done.
#[derive(Debug)]
enum Answers {
    /// Nothing, or the conversation or message that it has led to.
    Nothing,
    /// A page of this conversation.
    Page(ConversationId, Part),
    /// What was found.
    Find {
        conversation: Option<ConversationId>,
        text: String,
    },
}

/// What came of a search in the conversations: the open chat is searched too.
#[derive(Debug)]
pub(super) struct Searched {
    pub(super) asker: Option<Asker>,
    pub(super) conversation: Option<ConversationId>,
    pub(super) text: String,
    pub(super) posts: Vec<Post>,
}

impl Chats {
    /// Goes on with the conversations that another process has shown, before they are told again.
    pub(super) fn resume(&mut self, view: &View) {
        for shown in &view.conversations {
            if let Some(chat) = &shown.chat {
                self.known.insert(shown.id, Chat::clone(chat));
                self.shown.insert(shown.id);
            }
        }
    }

    /// Has all conversations told, once after the user has signed in. Whether that is now.
    pub(super) fn begin(&mut self, cx: &mut Context, keys: &Keyring, account: Username) -> bool {
        if self.account.replace(account).is_some() {
            return false;
        }
        self.names.learn_all(keys);
        self.dials.begin(keys.certificate().device);
        cx.push(Output::Chats(ToChats::Tell { account }));
        true
    }

    /// The user has signed out.
    pub(super) fn signed_out(&mut self, cx: &mut Context) {
        let orders = std::mem::take(&mut self.orders);
        let wishes = std::mem::take(&mut self.wishes);
        *self = Self::default();
        let orders = orders.into_values();
        let waiting = orders.map(|order| (order.command, order.asker));
        let wishes = wishes.into_iter().map(|wish| (wish.command, wish.asker));
        let now = cx.defer();
        for (command, asker) in waiting.chain(wishes) {
            cx.answer_to(asker);
            cx.fail(command, Problem::NotLoggedIn.into());
        }
        cx.answer_to(now);
        cx.push(Output::Chats(ToChats::SignedOut));
    }

    pub(super) fn usage(&self) -> Usage {
        let waiting = self.orders.len() + self.wishes.len();
        Usage::new("orders to the conversations", waiting, 2 * MAX_WAITING)
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let wishes = self.wishes.iter().map(|wish| wish.until);
        let unnamed = self.unnamed.first().map(|(until, _)| *until);
        wishes.chain(self.dials.deadline()).chain(unnamed).min()
    }

    /// Does what a command asks for in an encrypted conversation, or with people.
    pub(super) fn command(&mut self, cx: &mut Context, command: Command) -> Result<(), Refusal> {
        let name = command.name();
        if let Some(conversation) = command.conversation() {
            self.check(conversation)?;
            let says = matches!(
                command,
                Command::Say { .. } | Command::Edit { .. } | Command::React { .. }
            );
            if says {
                self.check_key(conversation)?;
            }
        }
        let order = match command {
            Command::Chat { with } => return self.wish(cx, name, vec![with], What::Direct),
            Command::Group {
                name: called,
                members,
            } => return self.wish(cx, name, members, What::Group(called)),
            Command::Add {
                conversation,
                members,
                sees_all,
            } => {
                let what = What::Add(conversation, sees_all);
                return self.wish(cx, name, members, what);
            }
            Command::Typing { conversation } => {
                cx.push(Output::Chats(ToChats::Typing(conversation)));
                return Ok(());
            }
            Command::History {
                conversation,
                before,
            } => return self.page(cx, name, conversation, Part::Before(before)),
            Command::HistoryFrom { conversation, from } => {
                return self.page(cx, name, conversation, Part::From(from));
            }
            Command::Find { conversation, text } => {
                let order = Order::Find {
                    conversation,
                    text: text.clone(),
                };
                let answers = Answers::Find { conversation, text };
                return self.order(cx, name, order, answers);
            }
            Command::Say {
                conversation,
                text,
                reply_to,
            } => {
                check_text(&text)?;
                Order::Say {
                    conversation,
                    text,
                    reply_to,
                    said_by: cx.said_by(),
                }
            }
            Command::Draft { text, .. } if text.len() > MAX_DRAFT => {
                return Err(Problem::BadText.into());
            }
            Command::Edit {
                conversation,
                message,
                text,
            } => {
                check_text(&text)?;
                Order::Edit {
                    conversation,
                    message,
                    text,
                }
            }
            command => simple(command).ok_or(Problem::NotPossible)?,
        };
        self.order(cx, name, order, Answers::Nothing)
    }

    fn page(
        &mut self,
        cx: &mut Context,
        name: &'static str,
        conversation: ConversationId,
        part: Part,
    ) -> Result<(), Refusal> {
        let order = Order::Page(conversation, part);
        self.order(cx, name, order, Answers::Page(conversation, part))
    }

    /// The other person of a conversation of two: their name, and the key that they had when it
    /// began.
    pub(super) fn other_of(
        &self,
        conversation: ConversationId,
    ) -> Result<(Username, PersonKey), Problem> {
        self.check(conversation)?;
        let chat = self.known.get(&conversation);
        let chat = chat.ok_or(Problem::NoSuchConversation)?;
        match (chat.kind, chat.members.as_slice()) {
            (ChatKind::Direct, [member]) => {
                let name = member.who.name.ok_or(Problem::NoKey)?;
                Ok((name, member.who.key))
            }
            _ => Err(Problem::NotPossible),
        }
    }

    /// Goes on with a person under another key.
    pub(super) fn move_on(
        &mut self,
        cx: &mut Context,
        from: PersonKey,
        to: PersonKey,
    ) -> Result<(), Refusal> {
        let order = Order::MoveOn { from, to };
        self.order(cx, "accept_key", order, Answers::Nothing)
    }

    /// Nothing is said to someone whose verified key is another one now, until the user decides,
    /// nor where they have gone on under another key.
    fn check_key(&self, conversation: ConversationId) -> Result<(), Problem> {
        let chat = self.known.get(&conversation);
        match chat.and_then(Chat::partner).and_then(|other| other.trust) {
            Some(Trust::ChangedAfterVerified) => Err(Problem::UserKeyChanged),
            Some(Trust::Former) => Err(Problem::NotPossible),
            _ => Ok(()),
        }
    }

    fn check(&self, conversation: ConversationId) -> Result<(), Problem> {
        // Of one that was not told yet they say themselves whether there is one.
        let is_hidden = !self.shown.contains(&conversation);
        let is_known = self.known.contains_key(&conversation);
        if self.account.is_none() || (is_hidden && is_known) {
            return Err(Problem::NoSuchConversation);
        }
        Ok(())
    }

    fn order(
        &mut self,
        cx: &mut Context,
        command: &'static str,
        order: Order,
        answers: Answers,
    ) -> Result<(), Refusal> {
        if self.orders.len() >= MAX_WAITING {
            return Err(Problem::TooMuch.into());
        }
        let id = cx.next_send();
        let asker = cx.defer();
        let waiting = Ordering {
            command,
            asker,
            answers,
        };
        self.orders.insert(id, waiting);
        cx.push(Output::Chats(ToChats::Order { id, order }));
        Ok(())
    }

    /// An event of the conversations, in which people get their names.
    pub(super) fn event(&mut self, cx: &mut Context, keys: &Keyring, mut event: Event) {
        if let Event::ChatChanged { change, .. } = &mut event
            && self.names.put_into_change(change)
            && self.unnamed.len() < MAX_UNNAMED
        {
            let until = cx.now.elapsed + NAME_WAIT;
            return self.unnamed.push((until, event));
        }
        self.put_names(cx, keys, &mut event);
        match &event {
            Event::Chat { conversation, chat } => {
                self.known.insert(*conversation, Chat::clone(chat));
                self.dials.is_stale = true;
                if self.is_hidden(chat) {
                    self.hide(cx, *conversation);
                } else {
                    self.shown.insert(*conversation);
                }
            }
            Event::Unread {
                conversation,
                messages,
                mentions,
            } => {
                if let Some(chat) = self.known.get_mut(conversation) {
                    (chat.unread, chat.mentions) = (*messages, *mentions);
                }
            }
            _ => {}
        }
        self.tell(cx, event);
    }

    /// Gives the people in an event their names. Changes whose names are awaited are taken out, and
    /// told once these have come.
    fn put_names(&mut self, cx: &Context, keys: &Keyring, event: &mut Event) {
        self.names.put_into(event, keys);
        let (Event::Posts {
            conversation,
            changes,
            ..
        }
        | Event::PostsFrom {
            conversation,
            changes,
            ..
        }) = event
        else {
            return;
        };
        let until = cx.now.elapsed + NAME_WAIT;
        changes.retain_mut(|changed| {
            let may_come = self.names.put_into_change(&mut changed.change);
            let is_held = may_come && self.unnamed.len() < MAX_UNNAMED;
            if is_held {
                let DatedChange { at, change } = *changed;
                let event = Event::ChatChanged {
                    conversation: *conversation,
                    at,
                    change,
                };
                self.unnamed.push((until, event));
            }
            !is_held
        });
    }

    fn tell(&self, cx: &mut Context, event: Event) {
        if event
            .conversation()
            .is_none_or(|of| self.shown.contains(&of))
        {
            cx.emit(event);
        }
    }

    /// Tells how members have changed whose names were awaited: they are known, or do not come.
    pub(super) fn tell_named(&mut self, cx: &mut Context) {
        for (until, mut event) in std::mem::take(&mut self.unnamed) {
            let waits = match &mut event {
                Event::ChatChanged { change, .. } => self.names.put_into_change(change),
                _ => false,
            };
            if waits && until > cx.now.elapsed {
                self.unnamed.push((until, event));
            } else {
                self.tell(cx, event);
            }
        }
    }

    /// The user has blocked these people, and nobody else.
    pub(super) fn set_blocked(&mut self, cx: &mut Context, blocked: BTreeSet<Username>) {
        self.blocked = blocked;
        self.review(cx);
    }

    /// Whether a conversation is with a person that the user has blocked, or a request of theirs, or
    /// of a person whose key no one vouches for.
    fn is_hidden(&self, chat: &Chat) -> bool {
        let is_blocked = |who: &Named| who.name.is_some_and(|name| self.blocked.contains(&name));
        match (chat.standing, chat.kind, chat.members.as_slice()) {
            (Standing::Asked(by), ..) => by.name.is_none() || is_blocked(&by),
            (_, ChatKind::Direct, [member]) => is_blocked(&member.who),
            _ => false,
        }
    }

    fn hide(&mut self, cx: &mut Context, conversation: ConversationId) {
        if self.shown.remove(&conversation) {
            cx.emit(Event::ChatHidden { conversation });
        }
    }

    /// Hides what is not to be shown any more, and has all told again if there is a conversation
    /// that was hidden and is to be shown now.
    fn review(&mut self, cx: &mut Context) {
        let known = self.known.iter();
        let (hidden, others): (Vec<_>, Vec<_>) = known
            .map(|(id, chat)| (*id, self.is_hidden(chat)))
            .partition(|(_, is_hidden)| *is_hidden);
        for (conversation, _) in hidden {
            self.hide(cx, conversation);
        }
        let is_due = others.iter().any(|(id, _)| !self.shown.contains(id));
        if let Some(account) = self.account.filter(|_| is_due) {
            cx.push(Output::Chats(ToChats::Tell { account }));
        }
    }

    /// An order has a result. A search is answered by the open chat too.
    pub(super) fn done(
        &mut self,
        cx: &mut Context,
        keys: &Keyring,
        id: SendId,
        result: Result<Ordered, (Problem, String)>,
    ) -> Option<Searched> {
        let Ordering {
            command,
            asker,
            answers,
        } = self.orders.remove(&id)?;
        let ordered = match result {
            Ok(ordered) => ordered,
            Err((problem, message)) => {
                fail(cx, asker, command, Refusal::new(problem, message));
                return None;
            }
        };
        cx.answer_to(asker);
        match (ordered, answers) {
            (Ordered::Found(mut posts), Answers::Find { conversation, text }) => {
                posts
                    .iter_mut()
                    .for_each(|post| self.names.put_into_post(post));
                return Some(Searched {
                    asker: cx.defer(),
                    conversation,
                    text,
                    posts,
                });
            }
            (
                Ordered::Page {
                    posts,
                    changes,
                    more,
                },
                Answers::Page(conversation, part),
            ) => {
                let mut event = match part {
                    Part::Before(before) => Event::Posts {
                        conversation,
                        before,
                        posts,
                        changes,
                        more,
                    },
                    Part::From(from) => Event::PostsFrom {
                        conversation,
                        from,
                        posts,
                        changes,
                        more,
                    },
                };
                self.put_names(cx, keys, &mut event);
                cx.emit(event);
            }
            (Ordered::Opened(conversation), _) => cx.answer(Event::Opened { conversation }),
            (
                Ordered::Said {
                    conversation,
                    message,
                },
                _,
            ) => cx.answer(Event::Said {
                conversation,
                message,
            }),
            _ => {}
        }
        cx.done();
        None
    }

    /// The key of a person is known better or worse than before: tells the conversations that they
    /// are in.
    pub(super) fn name_known(&mut self, cx: &mut Context, keys: &Keyring, name: Username) {
        let is_new = self.names.learn(keys, name);
        if !is_new && self.is_shown_so(keys, name) {
            return;
        }
        self.dials.is_stale = true;
        let theirs: Vec<PersonKey> = keys.keys_of(name).collect();
        let mut changed = Vec::new();
        for (id, chat) in &mut self.known {
            let mut members = chat.members.iter();
            let asks = matches!(chat.standing, Standing::Asked(by) if theirs.contains(&by.key));
            let is_theirs = members
                .any(|member| member.who.name == Some(name) || theirs.contains(&member.who.key));
            if is_theirs || asks {
                self.names.put_into_chat(chat, keys);
                changed.push((*id, chat.clone()));
            }
        }
        self.review(cx);
        changed.retain(|(id, _)| self.shown.contains(id));
        for (conversation, chat) in changed {
            let chat = Box::new(chat);
            cx.emit(Event::Chat { conversation, chat });
        }
    }

    /// Whether the trust in a person's keys is shown as it is.
    fn is_shown_so(&self, keys: &Keyring, name: Username) -> bool {
        let members = self.known.values().flat_map(|chat| &chat.members);
        let mut of_name = members.filter(|member| member.who.name == Some(name));
        of_name.all(|member| member.trust == keys.trust_in(name, &member.who.key))
    }

    pub(super) fn connected(&mut self, device: DeviceKey) {
        self.dials.connected(device);
    }

    pub(super) fn disconnected(&mut self, now: Duration, device: DeviceKey) {
        self.dials.disconnected(now, device);
    }

    pub(super) fn not_reached(&mut self, now: Duration, device: DeviceKey) {
        self.dials.not_reached(now, device);
    }

    /// Who is online has changed.
    pub(super) fn presence_changed(&mut self) {
        self.dials.is_stale = true;
    }

    /// The devices of a person, as the registry vouches for them.
    pub(super) fn devices(&mut self, name: Username, devices: Vec<DeviceKey>) {
        self.dials.learn(name, devices);
    }

    /// Dials the devices of the people in the conversations, and of the user, as they come online.
    /// The names whose devices are not known.
    pub(super) fn dial(
        &mut self,
        cx: &mut Context,
        directory: &Directory,
        account: Username,
    ) -> Vec<Username> {
        let mut unknown = Vec::new();
        if std::mem::take(&mut self.dials.is_stale) {
            let names = self.partners().chain([account]).collect();
            unknown = self.dials.want(cx.now.elapsed, directory, &names);
        }
        for (address, device) in self.dials.due(cx.now.elapsed) {
            cx.push(Output::Chats(ToChats::Dial { address, device }));
        }
        unknown
    }

    /// The people who are in a conversation with the user, or were asked.
    fn partners(&self) -> impl Iterator<Item = Username> + '_ {
        let chats = self.known.values();
        let live = chats.filter(|chat| chat.standing != Standing::Out);
        let members = live.flat_map(|chat| &chat.members);
        members.filter_map(|member| member.who.name)
    }
}

/// The order of a command that needs nothing but its fields.
fn simple(command: Command) -> Option<Order> {
    Some(match command {
        Command::Join { conversation } => Order::Join(conversation),
        Command::Decline { conversation } => Order::Decline(conversation),
        Command::Remove { conversation, who } => Order::Remove(conversation, who),
        Command::MakeOwner { conversation, who } => Order::MakeOwner(conversation, who),
        Command::Resign { conversation } => Order::Resign(conversation),
        Command::Leave { conversation } => Order::Leave(conversation),
        Command::Rename { conversation, name } => Order::Rename(conversation, name),
        Command::Delete {
            conversation,
            message,
        } => Order::Delete {
            conversation,
            message,
        },
        Command::React {
            conversation,
            message,
            emoji,
        } => Order::React {
            conversation,
            message,
            emoji,
        },
        Command::Read {
            conversation,
            message,
        } => Order::Read(conversation, message),
        Command::Draft { conversation, text } => Order::Draft(conversation, text),
        Command::Alert { conversation, of } => Order::Alert(conversation, of),
        Command::Pin { conversation, on } => Order::Pin(conversation, on),
        Command::Archive { conversation, on } => Order::Archive(conversation, on),
        _ => return None,
    })
}

fn check_text(text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() || text.len() > MAX_TEXT {
        return Err(Problem::BadText);
    }
    Ok(())
}

/// Fails a command that has waited.
fn fail(cx: &mut Context, asker: Option<Asker>, command: &'static str, refusal: Refusal) {
    let before = cx.defer();
    cx.answer_to(asker);
    cx.fail(command, refusal);
    cx.answer_to(before);
}
