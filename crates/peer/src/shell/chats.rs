//! The encrypted conversations beside the machine: a task that owns a [`Node`], carries out what
//! the machine orders, and tells it what happens, as events of front ends.
//!
//! | module | what it has |
//! |---|---|
//! | `orders` | the orders, carried out with the handle of the node |
//! | `look` | what is to be looked at, and what is told of it |
//! | `shown` | conversations and messages as front ends have them |
//! | `changes` | how the membership of a conversation has changed |
//! | `live` | who is writing, and how far others have read |
//! | `mentions` | whether a text mentions the user |
//!
//! Events of the node say what has changed. What is told is read after that, in one place and one
//! after the other, with all that has come meanwhile. The answer to an order goes out behind
//! what was read after it.

mod changes;
mod live;
mod look;
mod mentions;
mod orders;
mod shown;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use p2pchat_model::{Chat, Event, Named, Notice, Username};
use p2pchat_protocol::v2::conversation::{ConversationId as Id, EntryId};
use p2pchat_protocol::v2::peer::Ephemeral;
use p2pchat_protocol::v2::{DeviceKey, PersonKey};
use p2pchat_secure::Identity;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{Semaphore, broadcast, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::clock::wall;
use crate::conversations::{
    self as node, Handle, Incoming, Mark, Node, Options, Store, StoreError, View,
};
use crate::machine::{FromChats, Order, SendId, ToChats};
use live::Live;
use look::{About, Batch, Findings, Found, look};
use orders::{Carried, carry_out, queue_of};
use shown::conversation_id;

/// How many devices are dialled at a time; further ones wait. Those that do not answer take ten
/// seconds.
const MAX_DIALS: usize = 64;
/// After how long entries that are ahead of the time are looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// How long what was ordered may take to be carried out when they stop.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// What conversations begin with.
#[derive(Debug)]
pub struct ChatsOptions {
    /// The keys.
    pub identity: Identity,
    /// The file of the store. Without one it ends with the process.
    pub store: Option<PathBuf>,
    /// Whether the folder of the profile may be a copy, or was put back.
    pub is_copy: bool,
}

/// The encrypted conversations. If they are dropped they end at once, as if the process was
/// killed.
#[derive(Debug)]
pub struct Chats {
    /// Not bounded: the machine bounds how many calls of front ends it works on, and tells a few
    /// things beside them.
    asked: mpsc::UnboundedSender<ToChats>,
    incoming: Incoming,
    task: AbortOnDropHandle<()>,
}

impl Chats {
    /// Opens the store and starts. There are no sessions before [`ToChats::Tell`]. What happens
    /// goes to `to`; where that is read slowly, what was missed is told as by a `Tell`.
    ///
    /// # Errors
    /// If the store cannot be opened or read.
    pub async fn start(
        options: ChatsOptions,
        to: mpsc::Sender<FromChats>,
    ) -> Result<Self, StoreError> {
        let me = options.identity.person();
        let node = Node::start(Options {
            identity: options.identity,
            store: options.store,
            is_copy: options.is_copy,
            listener: None,
        })
        .await?;
        let handle = node.handle().clone();
        // It has just started; whatever it is asked later fails likewise.
        let _ = handle.set_open(false).await;
        let (tell, asked) = mpsc::unbounded_channel();
        let incoming = handle.incoming();
        let events = handle.events();
        let task = Task {
            node,
            handle,
            me,
            account: None,
            to,
            told: BTreeMap::new(),
            live: Live::default(),
            batch: Batch::default(),
            looking: JoinSet::new(),
            queues: BTreeMap::new(),
            orders: JoinSet::new(),
            errands: JoinSet::new(),
            dials: Arc::new(Semaphore::new(MAX_DIALS)),
            connected: BTreeMap::new(),
            ahead: BTreeMap::new(),
            look_again: None,
            is_stopping: false,
        };
        Ok(Self {
            asked: tell,
            incoming,
            task: AbortOnDropHandle::new(tokio::spawn(task.run(asked, events))),
        })
    }

    /// Tells them something. Never waits.
    pub fn tell(&self, what: ToChats) {
        if self.asked.send(what).is_err() {
            tracing::debug!("the conversations have stopped");
        }
    }

    /// Takes connections that others have begun and whose first byte is that of TLS.
    #[must_use]
    pub fn acceptor(&self) -> Incoming {
        self.incoming.clone()
    }

    /// Carries out what was told before, within a limit, says goodbye to all sessions and closes
    /// the store.
    pub async fn stop(self) {
        drop(self.asked);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the conversations have failed");
        }
    }
}

/// An order that is carried out, and whose queue goes on after it.
#[derive(Debug)]
struct Finished {
    id: SendId,
    queue: Option<Id>,
    carried: Carried,
}

/// What was done aside.
#[derive(Debug)]
enum Errand {
    Done,
    /// A device was not reached.
    NotReached(DeviceKey),
    /// The user has done something with a conversation.
    Changed(Id, About),
}

struct Task {
    node: Node,
    handle: Handle,
    me: PersonKey,
    /// Whose mentions are counted; `None` before the first [`ToChats::Tell`].
    account: Option<Username>,
    to: mpsc::Sender<FromChats>,
    /// The states that were told last, without what is [`Live`].
    told: BTreeMap<Id, Chat>,
    live: Live,
    batch: Batch,
    /// At most one.
    looking: JoinSet<Findings>,
    /// The orders that wait, of each conversation of which one is carried out.
    queues: BTreeMap<Id, VecDeque<(SendId, Order)>>,
    orders: JoinSet<Finished>,
    errands: JoinSet<Errand>,
    dials: Arc<Semaphore>,
    connected: BTreeMap<DeviceKey, PersonKey>,
    /// Entries that are ahead of the time, and when they are looked at again.
    ahead: BTreeMap<Id, BTreeSet<EntryId>>,
    look_again: Option<Instant>,
    /// Nothing more is asked.
    is_stopping: bool,
}

impl Task {
    async fn run(
        mut self,
        mut asked: mpsc::UnboundedReceiver<ToChats>,
        mut events: broadcast::Receiver<node::Event>,
    ) {
        while !self.is_stopping {
            self.turn(&mut asked, &mut events).await;
        }
        let all_done = async {
            while !self.is_idle() {
                self.turn(&mut asked, &mut events).await;
            }
        };
        if timeout(STOP_LIMIT, all_done).await.is_err() {
            tracing::warn!("not all that was ordered was carried out in time");
        }
        self.node.stop().await;
    }

    fn is_idle(&self) -> bool {
        self.orders.is_empty() && self.looking.is_empty() && self.batch.is_empty()
    }

    /// Does the next thing.
    async fn turn(
        &mut self,
        asked: &mut mpsc::UnboundedReceiver<ToChats>,
        events: &mut broadcast::Receiver<node::Event>,
    ) {
        self.look();
        let due = self.live.next().into_iter().chain(self.look_again).min();
        tokio::select! {
            told = asked.recv(), if !self.is_stopping => match told {
                Some(told) => self.obey(told).await,
                None => self.is_stopping = true,
            },
            event = events.recv(), if !self.batch.is_full() => match event {
                Ok(event) => self.note(event).await,
                Err(RecvError::Lagged(missed)) => self.tell_all(missed),
                Err(RecvError::Closed) => self.is_stopping = true,
            },
            Some(finished) = self.orders.join_next() => {
                self.take_events(events).await;
                self.finish(finished.expect("an order does not panic"));
            }
            Some(findings) = self.looking.join_next() => {
                self.emit(findings.expect("a look does not panic")).await;
            }
            Some(errand) = self.errands.join_next() => {
                self.take_events(events).await;
                // Those of a user who has signed out are aborted.
                self.done(errand.unwrap_or(Errand::Done)).await;
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                self.tell_live().await;
            }
        }
    }

    /// Looks at what has changed, one batch at a time.
    fn look(&mut self) {
        if !self.looking.is_empty() || self.batch.is_empty() {
            return;
        }
        let batch = std::mem::take(&mut self.batch);
        let told = batch.of(&self.told);
        let look = look(self.handle.clone(), batch, told, self.account);
        self.looking.spawn(look);
    }

    async fn send(&self, what: FromChats) {
        // Nobody listens any more when they stop.
        let _ = self.to.send(what).await;
    }

    async fn event(&self, event: Event) {
        self.send(FromChats::Event(event)).await;
    }

    async fn notice(&self, what: Notice) {
        let at = wall();
        self.event(Event::Notice { at, what }).await;
    }

    async fn obey(&mut self, told: ToChats) {
        match told {
            ToChats::Order { id, order } => self.order(id, order),
            ToChats::Tell { account } => {
                self.account = Some(account);
                let _ = self.handle.set_open(true).await;
                self.batch.all();
            }
            ToChats::Dial { address, device } => self.dial(address, device),
            ToChats::RegistryTime(time) => {
                let _ = self.handle.set_registry_time(time).await;
            }
            ToChats::SignedOut => {
                self.errands.abort_all();
                let _ = self.handle.set_open(false).await;
            }
            ToChats::Typing(conversation) => {
                let id = conversation.to_encrypted().map(Id);
                if let Some(id) = id.filter(|id| self.live.may_tell(*id, Instant::now())) {
                    let handle = self.handle.clone();
                    self.errands.spawn(async move {
                        let _ = handle.tell(id, Ephemeral::Typing).await;
                        Errand::Done
                    });
                }
            }
        }
    }

    /// Begins an order, or lets it wait for the earlier ones of its conversation.
    fn order(&mut self, id: SendId, order: Order) {
        let queue = queue_of(&order);
        if let Some(waiting) = queue.and_then(|queue| self.queues.get_mut(&queue)) {
            waiting.push_back((id, order));
            return;
        }
        if let Some(queue) = queue {
            self.queues.insert(queue, VecDeque::new());
        }
        self.begin(id, queue, order);
    }

    fn begin(&mut self, id: SendId, queue: Option<Id>, order: Order) {
        let carried = carry_out(self.handle.clone(), self.me, order);
        self.orders.spawn(async move {
            let carried = carried.await;
            Finished { id, queue, carried }
        });
    }

    /// An order is carried out: it is answered behind what follows from it.
    fn finish(&mut self, finished: Finished) {
        let Finished { id, queue, carried } = finished;
        if let Some((conversation, about)) = carried.look_at {
            self.batch.add(conversation, about);
        }
        self.batch.answer(id, carried.answer);
        let Some(queue) = queue else {
            return;
        };
        match self.queues.get_mut(&queue).and_then(VecDeque::pop_front) {
            Some((id, order)) => self.begin(id, Some(queue), order),
            None => {
                self.queues.remove(&queue);
            }
        }
    }

    fn dial(&mut self, address: SocketAddr, device: DeviceKey) {
        let (handle, dials) = (self.handle.clone(), Arc::clone(&self.dials));
        self.errands.spawn(async move {
            let _turn = dials.acquire().await;
            match handle.dial(address, device).await {
                Ok(Ok(())) => Errand::Done,
                Ok(Err(error)) => {
                    tracing::debug!(%address, %error, "a device is not reached");
                    Errand::NotReached(device)
                }
                Err(_) => Errand::NotReached(device),
            }
        });
    }

    async fn done(&mut self, errand: Errand) {
        match errand {
            Errand::Done => {}
            Errand::NotReached(device) => {
                // They may have dialled meanwhile.
                if !self.connected.contains_key(&device) {
                    self.send(FromChats::NotReached { device }).await;
                }
            }
            Errand::Changed(id, about) => self.batch.add(id, about),
        }
    }

    /// Takes the events that have come: those behind which an answer goes out.
    async fn take_events(&mut self, events: &mut broadcast::Receiver<node::Event>) {
        loop {
            match events.try_recv() {
                Ok(event) => self.note(event).await,
                Err(TryRecvError::Lagged(missed)) => self.tell_all(missed),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    /// Tells everything again, as events were missed.
    fn tell_all(&mut self, missed: u64) {
        tracing::debug!(
            missed,
            "events of conversations were missed: all is told again"
        );
        self.batch.all();
    }

    async fn note(&mut self, event: node::Event) {
        use node::Event as From;
        let about = match event {
            From::Opened(id) | From::Requested(id) | From::Membership(id) => (id, About::chat()),
            From::Entries(id, entries) => (id, entries_of(entries)),
            From::Delivered {
                conversation,
                join,
                range,
                ..
            } => {
                let mut about = About::default();
                about.delivered.push((join, range));
                (conversation, about)
            }
            From::LogEnded {
                conversation,
                join,
                lost,
            } => {
                let mut about = About::chat();
                about.ended.push(join);
                about.lost = lost;
                (conversation, about)
            }
            From::Ephemeral {
                conversation,
                person,
                what,
            } => return self.live(conversation, person, what).await,
            From::Connected(person, device) => return self.connected(person, device).await,
            From::Disconnected(_, device) => {
                self.connected.remove(&device);
                return self.send(FromChats::Disconnected { device }).await;
            }
            From::ClockCorrected(true) => return self.notice(Notice::ClockWrong).await,
            From::ClockCorrected(false) => return,
            From::Broken(Some(_)) => return self.notice(Notice::ChatsBroken).await,
            From::Broken(None) => return self.notice(Notice::ChatsMended).await,
        };
        self.batch.add(about.0, about.1);
    }

    async fn connected(&mut self, person: PersonKey, device: DeviceKey) {
        self.connected.insert(device, person);
        self.send(FromChats::Connected { device, person }).await;
        let handle = self.handle.clone();
        self.errands.spawn(async move {
            let marks = handle.read(move |view: &View<'_>| look::read_marks(view, &person));
            if let Ok(marks) = marks.await {
                let marks = marks.into_iter();
                let marks = marks.map(|(id, place)| (id, Ephemeral::Read(place)));
                let _ = handle.tell_person(person, marks.collect()).await;
            }
            Errand::Done
        });
    }

    /// What a member does at this moment, or the user at another device.
    async fn live(&mut self, id: Id, person: PersonKey, what: Ephemeral) {
        match what {
            Ephemeral::Typing if person == self.me => {}
            Ephemeral::Typing => {
                if self.live.types(id, person, Instant::now()) {
                    self.tell_typing(id, person, true).await;
                }
            }
            Ephemeral::Read(place) if person == self.me => {
                let handle = self.handle.clone();
                self.errands.spawn(async move {
                    let _ = handle.mark(id, Mark::Read(place)).await;
                    let about = About {
                        read: true,
                        ..About::chat()
                    };
                    Errand::Changed(id, about)
                });
            }
            Ephemeral::Read(place) => {
                let message = Store::id_of(&place);
                self.live.has_read(id, person, message, Instant::now());
            }
        }
    }

    /// Tells what has changed by the time alone.
    async fn tell_live(&mut self) {
        let now = Instant::now();
        for (id, person) in self.live.expire(now) {
            self.tell_typing(id, person, false).await;
        }
        for (id, person, message) in self.live.marks(now) {
            self.event(Event::ReadBy {
                conversation: conversation_id(&id),
                who: self.named(person),
                message,
            })
            .await;
        }
        if self.look_again.is_some_and(|at| at <= now) {
            self.look_again = None;
            for (id, entries) in std::mem::take(&mut self.ahead) {
                let entries = entries.into_iter().collect();
                self.batch.add(id, entries_of(entries));
            }
        }
    }

    async fn tell_typing(&self, id: Id, person: PersonKey, on: bool) {
        self.event(Event::Typing {
            conversation: conversation_id(&id),
            who: self.named(person),
            on,
        })
        .await;
    }

    fn named(&self, key: PersonKey) -> Named {
        Named {
            key,
            name: None,
            you: key == self.me,
        }
    }

    /// Tells what was found, and then answers.
    async fn emit(&mut self, findings: Findings) {
        for found in findings.found {
            self.emit_found(found).await;
        }
        for (id, result) in findings.answers {
            self.send(FromChats::Done { id, result }).await;
        }
    }

    /// A conversation that is new, or whose members are different, comes before its messages, and
    /// what is unread behind them.
    async fn emit_found(&mut self, found: Found) {
        let Found {
            id,
            chat,
            is_whole,
            changes,
            events,
            ahead,
        } = found;
        if !ahead.is_empty() {
            self.ahead.entry(id).or_default().extend(ahead);
            self.look_again.get_or_insert(Instant::now() + LOOK_AGAIN);
        }
        let conversation = conversation_id(&id);
        let old = self.told.get(&id);
        let mut chat = chat.filter(|chat| is_whole || old != Some(chat));
        let comes_first =
            |new: &mut Chat| is_whole || old.is_none_or(|old| differ_beyond_counts(old, new));
        if let Some(chat) = chat.take_if(comes_first) {
            self.emit_chat(id, chat).await;
        }
        for change in changes {
            let at = wall();
            self.event(Event::ChatChanged {
                conversation,
                at,
                change,
            })
            .await;
        }
        for event in events {
            if let Event::Post(post) = &event
                && self.live.stops(id, post.from.key)
            {
                self.tell_typing(id, post.from.key, false).await;
            }
            self.event(event).await;
        }
        if let Some(chat) = chat {
            self.emit_chat(id, chat).await;
        }
    }

    async fn emit_chat(&mut self, id: Id, chat: Chat) {
        self.told.insert(id, chat.clone());
        let mut chat = chat;
        self.live.fill(id, &mut chat);
        let conversation = conversation_id(&id);
        let chat = Box::new(chat);
        self.event(Event::Chat { conversation, chat }).await;
    }
}

fn entries_of(entries: Vec<EntryId>) -> About {
    About {
        entries,
        ..About::chat()
    }
}

/// Whether more is different than what is unread.
fn differ_beyond_counts(old: &Chat, new: &Chat) -> bool {
    let counted = Chat {
        unread: new.unread,
        mentions: new.mentions,
        ..old.clone()
    };
    counted != *new
}
