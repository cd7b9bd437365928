//! People with conversations, and what they are told.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use p2pchat_model::{
    Chat, ChatChange, ConversationId, DatedChange, Event, Member, MessageId, Named, Notice, Post,
    Problem, Standing, Username,
};
use p2pchat_peer::machine::{FromChats, Order, Ordered, SendId, ToChats};
use p2pchat_peer::{Chats, ChatsOptions};
use p2pchat_protocol::v2::{DeviceKey, PersonKey};
use p2pchat_secure::Identity;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

/// Far more than anything takes: a test that waits that long has failed.
const LONG: Duration = Duration::from_secs(40);
/// How much is told before it has to be read.
const ROOM: usize = 64;

/// All that a user was told, as a front end would keep it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) chats: BTreeMap<ConversationId, Chat>,
    /// Those, as they came.
    pub(crate) order: Vec<ConversationId>,
    pub(crate) posts: BTreeMap<(ConversationId, MessageId), Post>,
    /// How often a new message was told, whichever it was.
    pub(crate) new_posts: usize,
    /// How the membership has changed since the user came.
    pub(crate) changes: Vec<ChatChange>,
    /// And how before.
    pub(crate) known: Vec<DatedChange>,
    pub(crate) more: BTreeMap<ConversationId, bool>,
    pub(crate) read: BTreeMap<ConversationId, MessageId>,
    pub(crate) drafts: BTreeMap<ConversationId, String>,
    pub(crate) typing: Vec<(PersonKey, bool)>,
    pub(crate) connected: BTreeSet<DeviceKey>,
    pub(crate) not_reached: Vec<DeviceKey>,
    pub(crate) notices: Vec<Notice>,
}

impl Seen {
    fn take(&mut self, told: FromChats) {
        match told {
            FromChats::Event(event) => self.event(event),
            FromChats::Done { .. } => panic!("an answer that nobody waits for"),
            FromChats::Connected { device } => {
                self.connected.insert(device);
            }
            FromChats::Disconnected { device } => {
                self.connected.remove(&device);
            }
            FromChats::NotReached { device } => self.not_reached.push(device),
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Chat { conversation, chat } => {
                if self.chats.insert(conversation, *chat).is_none() {
                    self.order.push(conversation);
                }
            }
            Event::ChatChanged { change, .. } => self.changes.push(change),
            Event::Post(post) => {
                self.new_posts += 1;
                self.post(*post);
            }
            Event::PostChanged(post) => self.post(*post),
            Event::PostsGone {
                conversation,
                messages,
            } => {
                for message in messages {
                    let gone = self.posts.remove(&(conversation, message));
                    assert!(gone.is_some(), "it was shown");
                }
            }
            Event::Posts {
                conversation,
                before: None,
                posts,
                changes,
                more,
            } => {
                self.known.extend(changes);
                posts.into_iter().for_each(|post| self.post(post));
                self.more.insert(conversation, more);
            }
            Event::Read {
                conversation,
                message,
            } => {
                self.read.insert(conversation, message);
            }
            Event::Draft { conversation, text } => {
                self.drafts.insert(conversation, text);
            }
            Event::Unread {
                conversation,
                messages,
                mentions,
            } => {
                let chat = self.chats.get_mut(&conversation).unwrap();
                (chat.unread, chat.mentions) = (messages, mentions);
            }
            Event::Typing {
                conversation,
                who,
                on,
            } => {
                self.typing.push((who.key, on));
                self.member(conversation, who.key).typing = on;
            }
            Event::ReadBy {
                conversation,
                who,
                message,
            } => self.member(conversation, who.key).read = Some(message),
            Event::Notice { what, .. } => self.notices.push(what),
            other => panic!("not of conversations: {other:?}"),
        }
    }

    fn post(&mut self, post: Post) {
        assert!(
            self.chats.contains_key(&post.conversation),
            "its conversation is told before it"
        );
        self.posts.insert((post.conversation, post.id), post);
    }

    fn member(&mut self, id: ConversationId, person: PersonKey) -> &mut Member {
        let members = &mut self.chats.get_mut(&id).unwrap().members;
        let mut members = members.iter_mut();
        members.find(|member| member.who.key == person).unwrap()
    }

    pub(crate) fn texts(&self, id: ConversationId) -> Vec<&str> {
        let posts = self.posts.iter().filter(|((of, _), _)| *of == id);
        posts.map(|(_, post)| post.text.as_str()).collect()
    }

    /// The message with this text.
    pub(crate) fn find(&self, id: ConversationId, text: &str) -> &Post {
        let mut posts = self.posts.values();
        let found = posts.find(|post| post.conversation == id && post.text == text);
        found.unwrap_or_else(|| panic!("no “{text}”"))
    }

    /// Those who are in, but for the user.
    pub(crate) fn people_in(&self, id: ConversationId) -> BTreeSet<PersonKey> {
        let members = self
            .chats
            .get(&id)
            .into_iter()
            .flat_map(|chat| &chat.members);
        let are_in = members.filter(|member| !member.asked);
        are_in.map(|member| member.who.key).collect()
    }

    pub(crate) fn standing(&self, id: ConversationId) -> Option<Standing> {
        Some(self.chats.get(&id)?.standing)
    }
}

pub(crate) struct User {
    name: Username,
    identity: Identity,
    folder: TempDir,
    pub(crate) seen: Seen,
    chats: Option<Chats>,
    told: mpsc::Receiver<FromChats>,
    pub(crate) address: SocketAddr,
    listening: Option<AbortOnDropHandle<()>>,
    last: u64,
}

impl User {
    /// A user who has signed in.
    pub(crate) async fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut user = Self {
            name: Username::new(name).unwrap(),
            identity: Identity::open(folder.path()).unwrap(),
            folder,
            seen: Seen::default(),
            chats: None,
            told: mpsc::channel(1).1,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            listening: None,
            last: 0,
        };
        user.start().await;
        user
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("conversations.sqlite")
    }

    /// Starts, and is told everything from the beginning.
    pub(crate) async fn start(&mut self) {
        let options = ChatsOptions {
            keep: None,
            identity: self.identity.clone(),
            store: Some(self.store()),
            is_copy: false,
        };
        let (to, told) = mpsc::channel(ROOM);
        let chats = Chats::start(options, to).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.address = listener.local_addr().unwrap();
        let acceptor = chats.acceptor();
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                acceptor.accept(stream);
            }
        });
        self.listening = Some(AbortOnDropHandle::new(listening));
        self.seen = Seen::default();
        self.told = told;
        self.chats = Some(chats);
        self.sign_in();
        // Behind all that is told at the beginning.
        let (conversation, text) = (None, "nothing".to_owned());
        let found = self.order(Order::Find { conversation, text });
        assert_eq!(found.await, Ok(Ordered::Found(Vec::new())));
    }

    pub(crate) fn sign_in(&self) {
        let account = self.name;
        self.tell(ToChats::Tell { account });
    }

    pub(crate) async fn stop(&mut self) {
        self.chats.take().unwrap().stop().await;
    }

    pub(crate) fn tell(&self, what: ToChats) {
        self.chats.as_ref().unwrap().tell(what);
    }

    pub(crate) fn person(&self) -> PersonKey {
        self.identity.person()
    }

    pub(crate) fn device(&self) -> DeviceKey {
        self.identity.certificate().device
    }

    /// What an order is answered. All that was told before that is seen by then.
    pub(crate) async fn order(&mut self, order: Order) -> Result<Ordered, Problem> {
        let id = self.begin(order);
        self.answer(id).await
    }

    pub(crate) fn begin(&mut self, order: Order) -> SendId {
        self.last += 1;
        let id = SendId(self.last);
        self.tell(ToChats::Order { id, order });
        id
    }

    pub(crate) async fn answer(&mut self, id: SendId) -> Result<Ordered, Problem> {
        loop {
            match self.next("an answer").await {
                FromChats::Done { id: of, result } => {
                    assert_eq!(of, id, "answered in another order");
                    return result.map_err(|(problem, words)| {
                        assert_ne!(words, "", "an error is told in words");
                        problem
                    });
                }
                told => self.seen.take(told),
            }
        }
    }

    /// Waits for so many orders to be carried out, in whatever order.
    pub(crate) async fn until_answers(&mut self, count: usize) {
        let mut answered = 0;
        while answered < count {
            match self.next("the answers").await {
                FromChats::Done { result, .. } => {
                    result.unwrap();
                    answered += 1;
                }
                told => self.seen.take(told),
            }
        }
    }

    /// The same of one that has to be carried out.
    pub(crate) async fn done(&mut self, order: Order) {
        assert_eq!(self.order(order).await, Ok(Ordered::Done));
    }

    pub(crate) async fn opened(&mut self, order: Order) -> ConversationId {
        match self.order(order).await {
            Ok(Ordered::Opened(id)) => id,
            other => panic!("not opened: {other:?}"),
        }
    }

    pub(crate) async fn say(&mut self, conversation: ConversationId, text: &str) -> MessageId {
        let said = self.order(Order::Say {
            conversation,
            text: text.to_owned(),
            reply_to: None,
            said_by: None,
        });
        let Ok(Ordered::Said { message, .. }) = said.await else {
            panic!("not said: {text}");
        };
        assert_eq!(self.seen.find(conversation, text).id, message);
        message
    }

    async fn next(&mut self, what: &str) -> FromChats {
        let told = timeout(LONG, self.told.recv()).await;
        let told = told.unwrap_or_else(|_| panic!("waited too long for: {what}\n{:#?}", self.seen));
        told.unwrap()
    }

    /// Waits until what was seen is as it has to be.
    pub(crate) async fn until(&mut self, what: &str, holds: impl Fn(&Seen) -> bool) {
        while !holds(&self.seen) {
            let told = self.next(what).await;
            self.seen.take(told);
        }
    }

    pub(crate) async fn until_texts(&mut self, id: ConversationId, texts: &[&str]) {
        let what = format!("{texts:?}");
        self.until(&what, |seen| seen.texts(id) == texts).await;
    }

    pub(crate) fn dial(&self, other: &Self) {
        self.tell(ToChats::Dial {
            address: other.address,
            device: other.device(),
        });
    }

    pub(crate) async fn connect(&mut self, other: &mut Self) {
        self.dial(other);
        let (own, theirs) = (self.device(), other.device());
        self.until("the session", |seen| seen.connected.contains(&theirs))
            .await;
        other
            .until("the session", |seen| seen.connected.contains(&own))
            .await;
    }
}

pub(crate) fn named(key: PersonKey, you: bool) -> Named {
    Named {
        key,
        name: None,
        you,
    }
}

pub(crate) fn was_told(change: ChatChange) -> impl Fn(&Seen) -> bool {
    move |seen| seen.changes.contains(&change)
}

/// Begins a group of people who are connected and accept.
pub(crate) async fn group(first: &mut User, others: &mut [&mut User]) -> ConversationId {
    let people = others.iter().map(|other| other.person()).collect();
    let name = "friends".parse().unwrap();
    let id = first.opened(Order::Group { name, people }).await;
    for other in &mut *others {
        other.connect(first).await;
        other
            .until("the request", |seen| {
                matches!(seen.standing(id), Some(Standing::Asked(_)))
            })
            .await;
        other.done(Order::Join(id)).await;
    }
    let count = others.len();
    for user in others.iter_mut().map(|user| &mut **user).chain([first]) {
        user.until("all to be in", |seen| seen.people_in(id).len() == count)
            .await;
    }
    id
}
