//! The task: what it is asked, and in which order it is done.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use p2pchat_model::{Chat, Event, MessageId, Notice, Username};
use p2pchat_protocol::v2::conversation::{ConversationId as Id, EntryId};
use p2pchat_protocol::v2::peer::Ephemeral;
use p2pchat_protocol::v2::{DeviceKey, PersonKey};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{Semaphore, broadcast, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::batch::{About, Batch, RosterState};
use super::invited::Invited;
use super::live::Live;
use super::look::{Findings, look};
use super::orders::{Carried, carry_out, queue_of};
use crate::conversations::{self as node, Handle};
use crate::machine::{FromChats, Order, SendId, ToChats};
use crate::shell::clock::wall;

/// How many devices are dialled at a time; further ones wait. Those that do not answer take ten
/// seconds.
const MAX_DIALS: usize = 64;
/// How long what was ordered may take to be carried out when they stop.
const STOP_LIMIT: Duration = Duration::from_secs(2);
/// After how long entries that are ahead of the time are looked at again.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// The most of them of a conversation. Others are right when they are read.
pub(super) const MAX_AHEAD: usize = 1024;

/// An order that is carried out, and whose queue goes on after it.
#[derive(Debug)]
struct Finished {
    id: SendId,
    queue: Option<Id>,
    carried: Carried,
}

/// What was done aside.
#[derive(Debug)]
pub(super) enum Errand {
    Done,
    /// A device was not reached.
    NotReached(DeviceKey),
    /// The user has done something with a conversation.
    Changed(Id, About),
    /// So far have others read.
    ReadBy(Vec<(Id, PersonKey, MessageId)>),
}

/// What the task owns.
pub(super) struct Task {
    pub(super) handle: Handle,
    pub(super) me: PersonKey,
    /// Whose mentions are counted; `None` before the first [`ToChats::Tell`].
    account: Option<Username>,
    to: mpsc::Sender<FromChats>,
    /// The states that were told last, without what is [`Live`].
    pub(super) told: BTreeMap<Id, Chat>,
    /// What their rosters led to then.
    pub(super) counted: BTreeMap<Id, RosterState>,
    pub(super) invited: Invited,
    pub(super) live: Live,
    pub(super) batch: Batch,
    /// At most one.
    looking: JoinSet<Findings>,
    /// The orders that wait, of each conversation of which one is carried out.
    queues: BTreeMap<Id, VecDeque<(SendId, Order)>>,
    orders: JoinSet<Finished>,
    pub(super) errands: JoinSet<Errand>,
    dials: Arc<Semaphore>,
    pub(super) connected: BTreeMap<DeviceKey, PersonKey>,
    /// Entries that are ahead of the time, of each conversation [`MAX_AHEAD`], and when they are
    /// looked at again.
    pub(super) ahead: BTreeMap<Id, BTreeSet<EntryId>>,
    pub(super) look_again: Option<Instant>,
    /// Whether the user has yet to be told that the folder may be a copy.
    is_copy: bool,
    /// Nothing more is asked.
    is_stopping: bool,
}

impl Task {
    pub(super) fn new(
        handle: Handle,
        me: PersonKey,
        is_copy: bool,
        to: mpsc::Sender<FromChats>,
    ) -> Self {
        Self {
            handle,
            me,
            account: None,
            to,
            told: BTreeMap::new(),
            counted: BTreeMap::new(),
            invited: Invited::default(),
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
            is_copy,
            is_stopping: false,
        }
    }

    pub(super) async fn run(
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
    }

    fn is_idle(&self) -> bool {
        self.orders.is_empty() && self.looking.is_empty() && self.batch.is_empty()
    }

    /// Does the next thing.
    pub(super) async fn turn(
        &mut self,
        asked: &mut mpsc::UnboundedReceiver<ToChats>,
        events: &mut broadcast::Receiver<node::Event>,
    ) {
        self.look();
        let due = [self.live.next(), self.look_again, self.invited.next()];
        let due = due.into_iter().flatten().min();
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
        let batch = self.batch.next(&self.me);
        let told = batch.of(&self.told, &self.counted);
        let look = look(self.handle.clone(), batch, told, self.account);
        self.looking.spawn(look);
    }

    pub(super) async fn send(&self, what: FromChats) {
        // Nobody listens any more when they stop.
        let _ = self.to.send(what).await;
    }

    pub(super) async fn event(&self, event: Event) {
        self.send(FromChats::Event(event)).await;
    }

    pub(super) async fn notice(&self, what: Notice) {
        let at = wall();
        self.event(Event::Notice { at, what }).await;
    }

    pub(super) async fn obey(&mut self, told: ToChats) {
        match told {
            ToChats::Order { id, order } => self.order(id, order),
            ToChats::Tell { account } => {
                self.account = Some(account);
                let _ = self.handle.set_open(true).await;
                self.batch.all();
                if std::mem::take(&mut self.is_copy) {
                    self.notice(Notice::ProfileCopied).await;
                }
            }
            ToChats::Dial { address, device } => self.dial(address, device),
            ToChats::RegistryTime(time) => {
                let _ = self.handle.set_registry_time(Some(time)).await;
                self.look_again = self.look_again.map(|_| Instant::now());
            }
            ToChats::Moved => {
                let _ = self.handle.set_open(false).await;
                let _ = self.handle.set_open(true).await;
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

    pub(super) async fn done(&mut self, errand: Errand) {
        match errand {
            Errand::Done => {}
            Errand::NotReached(device) => {
                // They may have dialled meanwhile.
                if !self.connected.contains_key(&device) {
                    self.send(FromChats::NotReached { device }).await;
                }
            }
            Errand::Changed(id, about) => self.batch.add(id, about),
            Errand::ReadBy(marks) => self.tell_marks(marks).await,
        }
    }

    /// Takes the events that have come: those behind which an answer goes out.
    pub(super) async fn take_events(&mut self, events: &mut broadcast::Receiver<node::Event>) {
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
}
