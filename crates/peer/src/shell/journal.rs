//! The journal: what happened, in the order in which everybody learns it.
//!
//! A thread of its own, because the history blocks. It writes down what was said, then
//! changes the one view that there is, then tells the subscribers: what a front end
//! shows has been kept.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use p2pchat_model::{
    BlockChange, Command, DeliveryState, Event, Failure, Message, MessageId, Notice, Problem,
    Username, View,
};
use tokio::sync::{broadcast, mpsc, oneshot};

use super::{Subscription, clock};
use crate::History;
use crate::blocks::Blocks;
use crate::history::{Change, Entry, Recorder};

/// How many entries may wait. If the disk is so slow that they do, the peer takes on
/// nothing new for as long.
pub(super) const MAX_WAITING: usize = 1024;
/// How many events a subscriber may be behind before it misses some.
const MAX_BEHIND: usize = 4096;
/// How many entries go into one transaction.
const MAX_BATCH: usize = 256;

/// What the journal is told or asked.
#[derive(Debug)]
pub(super) enum ToJournal {
    /// Something happened.
    Event(Event),
    /// A text has become an event: its sender may be told, once that is written down.
    Taken(oneshot::Sender<()>),
    /// The block list changed, which is to be kept.
    KeepBlock {
        account: Username,
        change: BlockChange,
    },
    /// A page of the history is wanted, as [`Event::History`].
    Recall {
        account: Username,
        before: Option<MessageId>,
    },
    /// A search through the history is wanted, as [`Event::Findings`].
    Find { account: Username, text: String },
    /// A front end wants to know everything from now on.
    Subscribe(oneshot::Sender<Subscription>),
}

/// What is kept on disk: nothing where there is no file.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// What was said.
    pub(super) history: Option<History>,
    /// Who is blocked.
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
    pub(super) fn start(kept: Kept) -> io::Result<(Self, mpsc::Sender<ToJournal>)> {
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        let (end, ended) = oneshot::channel::<()>();
        let thread = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || {
                Keeper::new(kept).run(receiver);
                // Dropped, not sent: that is told even by a thread that fails.
                drop(end);
            })?;
        Ok((Self { thread, ended }, sender))
    }

    /// Waits until everything is written down. The senders must be gone.
    pub(super) async fn join(self) {
        // Its end is that it is dropped, which is an error here and none.
        let _ = self.ended.await;
        if self.thread.join().is_err() {
            tracing::error!("the journal failed");
        }
    }
}

/// What goes into one transaction.
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

/// The thread's own.
struct Keeper {
    history: Option<Recorder>,
    blocks: Option<Blocks>,
    view: View,
    events: broadcast::Sender<Arc<Event>>,
    /// The last message of an earlier run of the program.
    earlier: MessageId,
}

impl Keeper {
    fn new(kept: Kept) -> Self {
        let last = kept.history.as_ref().map(History::last);
        Self {
            // If it cannot be read, nothing else of it can.
            earlier: last.and_then(|last| last.ok()?).unwrap_or_default(),
            history: kept.history.map(Recorder::new),
            blocks: kept.blocks,
            view: View::default(),
            events: broadcast::Sender::new(MAX_BEHIND),
        }
    }

    fn run(mut self, mut receiver: mpsc::Receiver<ToJournal>) {
        let mut batch = Batch::default();
        while let Some(first) = receiver.blocking_recv() {
            let mut next = Some(first);
            while let Some(entry) = next {
                match entry {
                    ToJournal::Event(event) => batch.events.push(event),
                    ToJournal::Taken(taken) => batch.taken.push(taken),
                    question => {
                        // What happened before the question belongs into its answer.
                        self.commit(&mut batch);
                        self.answer(question);
                    }
                }
                next = match batch.len() < MAX_BATCH {
                    true => receiver.try_recv().ok(),
                    false => None,
                };
            }
            self.commit(&mut batch);
        }
        if let Some(history) = &mut self.history {
            history.try_again(Instant::now());
        }
    }

    /// Writes down, tells, then tidies.
    fn commit(&mut self, batch: &mut Batch) {
        let changed = self.write(&batch.events);
        for event in batch.events.drain(..) {
            self.tell(event);
        }
        if !batch.taken.is_empty() {
            // Where all share one core, the reader comes first: the sender's hearing that it
            // was taken is a long way round.
            thread::yield_now();
        }
        for taken in batch.taken.drain(..) {
            // Its connection may have broken meanwhile.
            let _ = taken.send(());
        }
        if let Some(change) = changed {
            self.tell(Event::Notice {
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
        match entries.is_empty() {
            true => None,
            false => history.write(entries, Instant::now()),
        }
    }

    fn tell(&mut self, event: Event) {
        self.view.apply(&event);
        // Nobody need be there to hear it.
        let _ = self.events.send(Arc::new(event));
    }

    fn answer(&mut self, question: ToJournal) {
        match question {
            ToJournal::KeepBlock { account, change } => {
                if let Some(failed) = self.keep_block(account, change) {
                    self.tell(failed);
                }
            }
            ToJournal::Recall { account, before } => {
                let event = self.recall(account, before);
                self.tell(event);
            }
            ToJournal::Find { account, text } => {
                let event = self.find(account, text);
                self.tell(event);
            }
            ToJournal::Subscribe(subscriber) => {
                // One that went away meanwhile does not matter.
                let _ = subscriber.send(Subscription {
                    view: self.view.clone(),
                    events: self.events.subscribe(),
                });
            }
            ToJournal::Event(_) | ToJournal::Taken(_) => unreachable!("these are no questions"),
        }
    }

    /// What to tell the user if it could not be kept.
    fn keep_block(&self, account: Username, change: BlockChange) -> Option<Event> {
        let reason = match &self.blocks {
            None => "there is no file to keep it in".to_owned(),
            Some(blocks) => match blocks.keep(account, change) {
                Ok(()) => return None,
                Err(error) => {
                    tracing::warn!(%error, "a change of the block list cannot be kept");
                    error.to_string()
                }
            },
        };
        let command = match change {
            BlockChange::Blocked(who) => Command::Block { who },
            BlockChange::Unblocked(who) => Command::Unblock { who },
        };
        let problem = Problem::NotKept;
        let message = format!("{}: {reason}", problem.words());
        Some(failure(&command, problem, message))
    }

    fn recall(&self, account: Username, before: Option<MessageId>) -> Event {
        let command = Command::History { before };
        match &self.history {
            Some(kept) => match kept.history().page(account, before) {
                Ok(page) => Event::History {
                    messages: self.settled(page.messages),
                    more: page.more,
                },
                Err(error) => unreadable(&command, &error),
            },
            // The newest page is asked for at each login: nothing there is no failure.
            None if before.is_none() => Event::History {
                messages: Vec::new(),
                more: false,
            },
            None => failed(&command),
        }
    }

    /// A text that was on its way when the program was killed is so no longer: nobody knows
    /// whether it arrived.
    fn settled(&self, mut messages: Vec<Message>) -> Vec<Message> {
        let earlier = messages.iter_mut().filter(|said| said.id <= self.earlier);
        for delivery in earlier
            .filter_map(|said| said.deliveries.as_mut())
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
            Some(kept) => match kept.history_mut().find(account, &text) {
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

/// What of these events belongs into whose history.
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
