//! One front end of a profile: its calls and updates, wherever the peer runs.
//!
//! A task passes them on. When another process takes over the peer, it joins that one, and sends
//! the calls without an answer again; by their ids the peer carries none out twice.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use p2pchat_model::{Call, CallId, Event, Notice, Update};
use p2pchat_platform::process::is_stopped;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::clock::now;
use crate::connection::{Gone, Incoming, Outgoing};
use crate::error::Ended;
use crate::place::{Place, Visitor};

/// How many calls may wait to be passed on; a front end that sends more waits.
const MAX_CALLS: usize = 64;
/// How many calls may be without an answer before no more are passed on.
const MAX_UNANSWERED: usize = 128;
/// How many updates may wait for the front end. Then its connection is no longer read, and the
/// peer leaves events out.
const MAX_UPDATES: usize = 256;
/// How long a call is without an answer before the process that runs the peer is looked at.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often that is.
const LOOK: Duration = Duration::from_secs(1);
/// The pause before the next attempt to connect where the last one failed.
const PAUSE: Duration = Duration::from_millis(20);

/// One front end of a profile. Dropping its updates is leaving.
#[derive(Debug)]
pub struct FrontEnd {
    /// What it asks.
    pub calls: Calls,
    /// What it is told.
    pub updates: Updates,
}

/// The calls of a front end.
#[derive(Debug, Clone)]
pub struct Calls {
    queue: mpsc::Sender<Call>,
    ended: Arc<OnceLock<Ended>>,
}

/// The updates for a front end.
#[derive(Debug)]
pub struct Updates {
    queue: mpsc::Receiver<Update>,
    ended: Arc<OnceLock<Ended>>,
}

impl Calls {
    /// Sends a call. Its answers come as updates.
    ///
    /// # Errors
    /// If the front end has ended.
    pub async fn send(&self, call: impl Into<Call>) -> Result<(), Ended> {
        let sent = self.queue.send(call.into()).await;
        sent.map_err(|_| reason(&self.ended))
    }
}

impl Updates {
    /// The next update. The first is the view as it is now; it comes again where events were
    /// missed, and after another process took over. Cancel safe.
    ///
    /// # Errors
    /// If the front end has ended.
    pub async fn next(&mut self) -> Result<Update, Ended> {
        let next = self.queue.recv().await;
        next.ok_or_else(|| reason(&self.ended))
    }
}

fn reason(ended: &OnceLock<Ended>) -> Ended {
    ended.get().cloned().unwrap_or(Ended::Closed)
}

/// The task between a front end and the peer.
pub(crate) struct Relay {
    visitor: Visitor,
    place: watch::Receiver<Place>,
    closing: CancellationToken,
    calls: mpsc::Receiver<Call>,
    updates: mpsc::Sender<Update>,
    unanswered: Unanswered,
    /// Whether the front end has got its view, which is its first update.
    has_view: AtomicBool,
    ended: Arc<OnceLock<Ended>>,
}

impl Relay {
    /// A front end, and the task that serves it.
    pub(crate) fn new(
        visitor: Visitor,
        place: watch::Receiver<Place>,
        closing: CancellationToken,
    ) -> (FrontEnd, Self) {
        let (call, calls) = mpsc::channel(MAX_CALLS);
        let (update, updates) = mpsc::channel(MAX_UPDATES);
        let ended = Arc::new(OnceLock::new());
        let front_end = FrontEnd {
            calls: Calls {
                queue: call,
                ended: Arc::clone(&ended),
            },
            updates: Updates {
                queue: updates,
                ended: Arc::clone(&ended),
            },
        };
        let relay = Self {
            visitor,
            place,
            closing,
            calls,
            updates: update,
            unanswered: Unanswered::default(),
            has_view: AtomicBool::new(false),
            ended,
        };
        (front_end, relay)
    }

    /// Runs until the front end leaves or the profile ends.
    pub(crate) async fn run(mut self) {
        let left = self.updates.clone();
        let ended = tokio::select! {
            ended = self.serve() => ended,
            () = left.closed() => Ended::Closed,
        };
        // Set once, here.
        let _ = self.ended.set(ended);
    }

    async fn serve(&mut self) -> Ended {
        loop {
            let place = self.place.borrow_and_update().clone();
            let connected = match &place {
                Place::Ended(ended) => return ended.clone(),
                Place::Between(trouble) => {
                    if let Some(link) = trouble
                        && self.has_view.load(Ordering::Relaxed)
                    {
                        self.tell(Event::Link(link.clone())).await;
                    }
                    if !self.changes().await {
                        return Ended::Closed;
                    }
                    continue;
                }
                Place::Here(_) | Place::There(_) => self.visitor.visit(&place).await,
            };
            match connected {
                Ok((outgoing, incoming)) => {
                    if let Some(ended) = self.pass_on(outgoing, incoming, &place).await {
                        return ended;
                    }
                }
                Err(Gone::Refused(words)) => return Ended::Refused(words),
                Err(Gone::Lost) => {}
            }
            // The peer has moved, or is about to.
            tokio::select! {
                _ = self.place.changed() => {}
                () = sleep(PAUSE) => {}
                () = self.closing.cancelled() => return Ended::Closed,
            }
        }
    }

    /// Waits for another place; `false` if the profile is closed meanwhile.
    async fn changes(&mut self) -> bool {
        tokio::select! {
            changed = self.place.changed() => changed.is_ok(),
            () = self.closing.cancelled() => false,
        }
    }

    /// Passes calls and updates on until the connection is lost, which is `None`, or the front
    /// end ends.
    async fn pass_on(
        &mut self,
        outgoing: Outgoing,
        incoming: Incoming,
        place: &Place,
    ) -> Option<Ended> {
        let calls = send_calls(&mut self.calls, outgoing, &self.unanswered, &self.closing);
        let updates = read_updates(
            incoming,
            &self.updates,
            &self.unanswered,
            &self.has_view,
            place.process(),
        );
        tokio::select! {
            ended = calls => ended,
            gone = updates => match gone {
                Gone::Lost => None,
                Gone::Refused(words) => Some(Ended::Refused(words)),
            },
        }
    }

    async fn tell(&self, event: Event) {
        // One that has left is not told.
        let _ = self.updates.send(event.into()).await;
    }
}

/// Sends calls: first those without an answer again. Ends where the connection is lost, which is
/// `None`, or when the profile is closed and all calls are sent.
async fn send_calls(
    calls: &mut mpsc::Receiver<Call>,
    mut outgoing: Outgoing,
    unanswered: &Unanswered,
    closing: &CancellationToken,
) -> Option<Ended> {
    for call in unanswered.all() {
        if outgoing.send(call).await.is_err() {
            return None;
        }
    }
    loop {
        let call = tokio::select! {
            biased;
            call = calls.recv() => call,
            () = closing.cancelled(), if !calls.is_closed() => {
                calls.close();
                continue;
            }
        };
        let Some(call) = call else {
            if closing.is_cancelled() {
                return Some(Ended::Closed);
            }
            // No one is left who could call. The updates go on.
            closing.cancelled().await;
            continue;
        };
        let call = unanswered.add(call);
        if outgoing.send(call).await.is_err() {
            return None;
        }
        unanswered.room().await;
    }
}

/// Passes on updates until the connection ends. Meanwhile, tells the front end if the process of
/// the peer is stopped.
async fn read_updates(
    mut incoming: Incoming,
    updates: &mpsc::Sender<Update>,
    unanswered: &Unanswered,
    has_view: &AtomicBool,
    process: Option<u32>,
) -> Gone {
    let mut told = false;
    loop {
        let update = tokio::select! {
            update = incoming.next() => match update {
                Ok(update) => {
                    told = false;
                    update
                }
                Err(gone) => return gone,
            },
            what = stopped(process, unanswered), if !told => {
                told = true;
                Event::Notice { at: now(), what }.into()
            }
        };
        let Some(update) = unanswered.answer(update) else {
            continue;
        };
        let missed = match &*update.event {
            Event::View(snapshot) => {
                has_view.store(true, Ordering::Relaxed);
                snapshot.missed > 0
            }
            _ => false,
        };
        if updates.send(update).await.is_err() {
            // The front end has left, and its task is about to end.
            return std::future::pending().await;
        }
        if missed && !unanswered.is_empty() {
            // Their answers may be among what was missed: they are sent again.
            return Gone::Lost;
        }
    }
}

/// Waits until a call is without an answer and the process of the peer is stopped.
async fn stopped(process: Option<u32>, unanswered: &Unanswered) -> Notice {
    let Some(process) = process else {
        return std::future::pending().await;
    };
    loop {
        match unanswered.oldest() {
            None => unanswered.added.notified().await,
            Some(age) if age < PATIENCE => sleep(PATIENCE - age).await,
            Some(_) if is_stopped(process) => {
                return Notice::PeerStopped { process };
            }
            Some(_) => sleep(LOOK).await,
        }
    }
}

/// The calls that are passed on and have no answer yet, in their order. Each has an id: one
/// that the front end gave none gets one here, so that it can be sent again.
#[derive(Debug)]
struct Unanswered {
    calls: Mutex<VecDeque<(Call, Instant)>>,
    added: Notify,
    room: Notify,
    ids: OwnIds,
}

impl Default for Unanswered {
    fn default() -> Self {
        Self {
            calls: Mutex::default(),
            added: Notify::new(),
            room: Notify::new(),
            ids: OwnIds::new(),
        }
    }
}

impl Unanswered {
    fn calls(&self) -> MutexGuard<'_, VecDeque<(Call, Instant)>> {
        // Nothing in here panics with the lock held.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_empty(&self) -> bool {
        self.calls().is_empty()
    }

    fn all(&self) -> Vec<Call> {
        self.calls().iter().map(|(call, _)| call.clone()).collect()
    }

    /// Adds a call, with the id by which it is to be sent.
    fn add(&self, mut call: Call) -> Call {
        call.id.get_or_insert_with(|| self.ids.next());
        let mut calls = self.calls();
        // One that is made again while it is open is answered once.
        if !calls.iter().any(|(open, _)| open.id == call.id) {
            calls.push_back((call.clone(), Instant::now()));
        }
        drop(calls);
        self.added.notify_one();
        call
    }

    /// Waits until there is room for another call.
    async fn room(&self) {
        while self.calls().len() >= MAX_UNANSWERED {
            self.room.notified().await;
        }
    }

    /// How long the oldest has been without an answer.
    fn oldest(&self) -> Option<Duration> {
        self.calls().front().map(|(_, at)| at.elapsed())
    }

    /// Notes which call an update closes. `None` for what the front end must not see: a call
    /// that it gave no id is not answered by `done`.
    fn answer(&self, mut update: Update) -> Option<Update> {
        let Some(id) = &update.re else {
            return Some(update);
        };
        let is_own = self.ids.has_made(id);
        if update.event.closes_call() {
            let mut calls = self.calls();
            let answered = calls
                .iter()
                .position(|(call, _)| call.id.as_ref() == Some(id));
            // One that is answered already was sent again, and is answered twice.
            calls.remove(answered?);
            self.room.notify_one();
        }
        if is_own {
            if *update.event == Event::Done {
                return None;
            }
            update.re = None;
        }
        Some(update)
    }
}

/// Ids for the calls of a front end that gave none.
#[derive(Debug)]
struct OwnIds {
    prefix: String,
    count: AtomicU64,
}

impl OwnIds {
    /// Ids that the front end does not use: they begin with a random number.
    fn new() -> Self {
        Self {
            prefix: format!("{:016x}-", rand::random::<u64>()),
            count: 0.into(),
        }
    }

    fn next(&self) -> CallId {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        CallId::Text(format!("{}{count}", self.prefix).into())
    }

    fn has_made(&self, id: &CallId) -> bool {
        matches!(id, CallId::Text(text) if text.starts_with(&self.prefix))
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_model::{Command, Failure, Problem};

    use super::*;

    fn done(re: &CallId) -> Update {
        Update {
            re: Some(re.clone()),
            event: Arc::new(Event::Done),
        }
    }

    #[test]
    fn an_answered_call_is_not_sent_again() {
        let unanswered = Unanswered::default();
        let first = unanswered.add(Call::with_id(1, Command::Undo));
        let second = unanswered.add(Call::with_id(2, Command::Refresh));
        assert_eq!(unanswered.all(), [first, second.clone()]);
        assert!(unanswered.answer(done(&1.into())).is_some());
        assert_eq!(unanswered.all(), [second]);
        // An answer that is no last one.
        let update = Update {
            re: Some(2.into()),
            event: Arc::new(Event::Busy { on: true }),
        };
        assert_eq!(unanswered.answer(update.clone()), Some(update));
        assert_eq!(unanswered.all().len(), 1);
    }

    #[test]
    fn a_call_without_an_id_gets_one_of_which_the_front_end_sees_nothing() {
        let unanswered = Unanswered::default();
        let id = || unanswered.add(Command::Undo.into()).id.unwrap();
        let (first, second) = (id(), id());
        assert_ne!(first, second);
        assert_eq!(unanswered.answer(done(&first)), None);
        let failure = Failure::new(now(), "undo", Problem::NothingToUndo);
        let event = Arc::new(Event::Failed(failure));
        let failed = Update {
            re: Some(second),
            event: Arc::clone(&event),
        };
        assert_eq!(unanswered.answer(failed), Some(Update { re: None, event }));
        assert!(unanswered.all().is_empty());
    }

    #[test]
    fn a_call_that_is_made_again_while_it_is_open_is_closed_once() {
        let unanswered = Unanswered::default();
        for _ in 0..2 {
            unanswered.add(Call::with_id(1, Command::Undo));
        }
        assert!(unanswered.answer(done(&1.into())).is_some());
        assert!(unanswered.is_empty());
        assert_eq!(unanswered.answer(done(&1.into())), None);
    }
}
