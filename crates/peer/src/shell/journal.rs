//! The journal: a thread that stores events, applies them to the view, and publishes them to
//! the subscribers.
//!
//! It is a thread because the history blocks. All subscribers get the events in the same order,
//! and a message only after it was stored: what a front end shows is on disk.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use p2pchat_model::{
    BlockChange, Command, DeliveryState, Event, Failure, Message, MessageId, Notice, Problem,
    Username, View,
};
use thiserror::Error;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::clock;
use super::error::PeerFailed;
use crate::History;
use crate::blocks::Blocks;
use crate::history::{Change, Entry, Recorder};

/// How many inputs may wait. While the disk is so slow that they do, the driver waits and takes
/// nothing new.
pub(super) const MAX_WAITING: usize = 1024;
/// How many events a subscriber may be behind before it misses some.
const MAX_BEHIND: usize = 4096;
/// How many inputs go into one transaction.
const MAX_BATCH: usize = 256;

/// An input of the journal.
#[derive(Debug)]
pub(super) enum JournalInput {
    /// An event to store and to publish.
    Event(Event),
    /// The acknowledgement of a text, which is sent once the text's event is stored.
    Taken(oneshot::Sender<()>),
    /// A change of the block list, to be stored.
    KeepBlock {
        account: Username,
        change: BlockChange,
    },
    /// A request for a page of the history, answered by [`Event::History`].
    Recall {
        account: Username,
        before: Option<MessageId>,
    },
    /// A search through the history, answered by [`Event::Findings`].
    Find { account: Username, text: String },
    /// A new subscription.
    Subscribe(oneshot::Sender<Subscription>),
}

/// The stores on disk. `None` where the options name no file.
#[derive(Debug, Default)]
pub(super) struct Stores {
    pub(super) history: Option<History>,
    pub(super) blocks: Option<Blocks>,
}

/// A journal that runs until the last sender is dropped.
#[derive(Debug)]
pub(super) struct Journal {
    thread: JoinHandle<()>,
    ended: oneshot::Receiver<()>,
}

impl Journal {
    /// Starts the thread.
    pub(super) fn start(stores: Stores) -> io::Result<(Self, mpsc::Sender<JournalInput>)> {
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        let (end, ended) = oneshot::channel::<()>();
        let thread = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || {
                Worker::new(stores).run(receiver);
                // Dropped and not sent, as a thread that panics does it too.
                drop(end);
            })?;
        Ok((Self { thread, ended }, sender))
    }

    /// Waits until everything is stored. The senders must be gone.
    ///
    /// # Errors
    /// If the thread has panicked.
    pub(super) async fn join(self) -> Result<(), PeerFailed> {
        // Always an error: the sender is dropped.
        let _ = self.ended.await;
        let failed = |_| PeerFailed("the journal failed".to_owned());
        self.thread.join().map_err(failed)
    }
}

/// A subscription: a snapshot of the view, and the events that change it from then on.
#[derive(Debug)]
pub struct Subscription {
    /// The view when the subscription began.
    pub view: View,
    events: broadcast::Receiver<Arc<Event>>,
}

/// Why a subscription has no next event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Missed {
    /// The subscriber was too slow and this many events are gone: subscribe again.
    #[error("{0} events were missed")]
    Lagged(u64),
    /// The peer has stopped.
    #[error("the peer has stopped")]
    Stopped,
}

impl Subscription {
    /// The next event. Cancel-safe: none is lost.
    ///
    /// # Errors
    /// See [`Missed`].
    pub async fn next(&mut self) -> Result<Arc<Event>, Missed> {
        self.events.recv().await.map_err(|error| match error {
            RecvError::Lagged(count) => Missed::Lagged(count),
            RecvError::Closed => Missed::Stopped,
        })
    }
}

/// The inputs of one transaction.
#[derive(Default)]
struct Batch {
    events: Vec<Event>,
    taken: Vec<oneshot::Sender<()>>,
}

impl Batch {
    fn len(&self) -> usize {
        self.events.len() + self.taken.len()
    }
}

/// The state of the thread.
struct Worker {
    history: Option<Recorder>,
    blocks: Option<Blocks>,
    view: View,
    events: broadcast::Sender<Arc<Event>>,
    /// The last message of the previous run of the program.
    earlier: MessageId,
}

impl Worker {
    fn new(stores: Stores) -> Self {
        let last = stores.history.as_ref().map(History::last);
        Self {
            // If it cannot be read, nothing else of it can.
            earlier: last.and_then(|last| last.ok()?).unwrap_or_default(),
            history: stores.history.map(Recorder::new),
            blocks: stores.blocks,
            view: View::default(),
            events: broadcast::Sender::new(MAX_BEHIND),
        }
    }

    fn run(mut self, mut receiver: mpsc::Receiver<JournalInput>) {
        let mut batch = Batch::default();
        while let Some(first) = receiver.blocking_recv() {
            let mut next = Some(first);
            while let Some(entry) = next {
                match entry {
                    JournalInput::Event(event) => batch.events.push(event),
                    JournalInput::Taken(taken) => batch.taken.push(taken),
                    question => {
                        // The answer has to include earlier events.
                        self.commit(&mut batch);
                        self.answer(question);
                    }
                }
                next = if batch.len() < MAX_BATCH {
                    receiver.try_recv().ok()
                } else {
                    None
                };
            }
            self.commit(&mut batch);
        }
        if let Some(history) = &mut self.history {
            history.retry(Instant::now());
        }
    }

    /// Stores, publishes and acknowledges a batch, then tidies the history.
    fn commit(&mut self, batch: &mut Batch) {
        let changed = self.write(&batch.events);
        for event in batch.events.drain(..) {
            self.publish(event);
        }
        if !batch.taken.is_empty() {
            // On a single core, let the subscribers read the event first: the acknowledgement
            // has a long way to go.
            thread::yield_now();
        }
        for taken in batch.taken.drain(..) {
            // Fails if the connection has broken.
            let _ = taken.send(());
        }
        if let Some(change) = changed {
            self.publish(Event::Notice {
                at: clock::wall(),
                notice: match change {
                    Change::Broke => Notice::HistoryBroken,
                    Change::Mended { lost } => Notice::HistoryMended { lost },
                },
            });
        }
        if let Some(history) = &mut self.history {
            history.tidy();
        }
    }

    fn write(&mut self, events: &[Event]) -> Option<Change> {
        let history = self.history.as_mut()?;
        let entries = entries(self.view.account, events);
        if entries.is_empty() {
            return None;
        }
        history.write(entries, Instant::now())
    }

    fn publish(&mut self, event: Event) {
        self.view.apply(&event);
        // Fails if there is no subscriber.
        let _ = self.events.send(Arc::new(event));
    }

    fn answer(&mut self, question: JournalInput) {
        match question {
            JournalInput::KeepBlock { account, change } => {
                if let Some(failed) = self.keep_block(account, change) {
                    self.publish(failed);
                }
            }
            JournalInput::Recall { account, before } => {
                let event = self.recall(account, before);
                self.publish(event);
            }
            JournalInput::Find { account, text } => {
                let event = self.find(account, text);
                self.publish(event);
            }
            JournalInput::Subscribe(subscriber) => {
                // Fails if the subscriber is gone.
                let _ = subscriber.send(Subscription {
                    view: self.view.clone(),
                    events: self.events.subscribe(),
                });
            }
            JournalInput::Event(_) | JournalInput::Taken(_) => unreachable!("these have no answer"),
        }
    }

    /// Stores a change of the block list. `Some` is what to tell the user if that fails.
    fn keep_block(&self, account: Username, change: BlockChange) -> Option<Event> {
        let reason = match &self.blocks {
            None => "there is no file to save it in".to_owned(),
            Some(blocks) => match blocks.keep(account, change) {
                Ok(()) => return None,
                Err(error) => {
                    tracing::warn!(%error, "a change of the block list cannot be saved");
                    error.to_string()
                }
            },
        };
        let command = match change {
            BlockChange::Blocked(who) => Command::Block { who },
            BlockChange::Unblocked(who) => Command::Unblock { who },
        };
        let problem = Problem::NotKept;
        let message = problem.because(reason);
        Some(failure(&command, problem, message))
    }

    fn recall(&self, account: Username, before: Option<MessageId>) -> Event {
        let command = Command::History { before };
        match &self.history {
            Some(recorder) => match recorder.history().page(account, before) {
                Ok(page) => Event::History {
                    before,
                    messages: self.settled(page.messages),
                    more: page.more,
                },
                Err(error) => unreadable(&command, &error),
            },
            // The newest page is asked for at each login: without a history it is empty.
            None if before.is_none() => Event::History {
                before,
                messages: Vec::new(),
                more: false,
            },
            None => failed(&command),
        }
    }

    /// Changes the status of texts that were on their way when the program was killed: no one
    /// knows whether they arrived.
    fn settled(&self, mut messages: Vec<Message>) -> Vec<Message> {
        let earlier = messages
            .iter_mut()
            .filter(|message| message.id <= self.earlier);
        for delivery in earlier
            .filter_map(|message| message.deliveries.as_mut())
            .flatten()
        {
            if delivery.state == DeliveryState::Sending {
                delivery.state = DeliveryState::Unconfirmed;
            }
        }
        messages
    }

    fn find(&mut self, account: Username, text: String) -> Event {
        match &mut self.history {
            Some(recorder) => match recorder.history_mut().find(account, &text) {
                Ok(messages) => Event::Findings {
                    text,
                    messages: self.settled(messages),
                },
                Err(error) => unreadable(&Command::Find { text }, &error),
            },
            None => failed(&Command::Find { text }),
        }
    }
}

/// The history entries of these events, each with its account.
fn entries(mut account: Option<Username>, events: &[Event]) -> Vec<Entry> {
    let mut entries = Vec::new();
    for event in events {
        match (event, account) {
            (Event::LoggedIn { name, .. }, _) => account = Some(*name),
            (Event::LoggedOut { .. }, _) => account = None,
            (Event::Message(message), Some(account)) => entries.push(Entry::Message {
                account,
                message: message.clone(),
            }),
            (Event::Delivered { id, delivery }, Some(account)) => entries.push(Entry::Delivery {
                account,
                id: *id,
                delivery: *delivery,
            }),
            _ => {}
        }
    }
    entries
}

fn unreadable(command: &Command, error: &crate::HistoryError) -> Event {
    tracing::warn!(%error, "the history cannot be read");
    failed(command)
}

fn failed(command: &Command) -> Event {
    let problem = Problem::NoHistory;
    failure(command, problem, problem.words().to_owned())
}

fn failure(command: &Command, problem: Problem, message: String) -> Event {
    Event::Failed {
        at: clock::wall(),
        failure: Failure {
            command: command.name().to_owned(),
            problem,
            message,
        },
    }
}

#[cfg(test)]
mod tests;
