//! The journal: a thread that stores events, applies them to the view, and publishes them to
//! the subscribers.
//!
//! It is a thread because the history blocks. All subscribers get the events in the same order,
//! and a message only after it was stored: what a front end shows is on disk.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use p2pchat_model::{
    BlockChange, ConversationId, Event, Failure, Line, Message, MessageId, Notice, Post, Problem,
    Username, View,
};
use tokio::sync::{broadcast, mpsc, oneshot};

use super::clock;
use super::error::PeerFailed;
use crate::History;
use crate::blocks::Blocks;
use crate::history::{Change, Entry, Mark, Recorder};
use crate::known::{self, KnownFile};
use crate::machine::{Asker, SaidBy, ToJournal};

/// How many inputs may wait. While the disk is so slow that they do, the driver waits and takes
/// nothing new.
pub(super) const MAX_WAITING: usize = 1024;
/// How many events a subscriber may be behind before it misses some.
const MAX_BEHIND: usize = 4096;
/// How many lines of each conversation a front end gets with its view; earlier ones it asks
/// for.
const NEWEST_LINES: usize = 200;
/// How many calls are known whose change of the block list could not be stored.
const MAX_NOT_KEPT: usize = 64;
/// How many inputs go into one transaction.
const MAX_BATCH: usize = 256;

/// An input of the journal.
#[derive(Debug)]
pub(super) enum JournalInput {
    /// An event to store and to publish.
    Event {
        event: Event,
        re: Option<Asker>,
        said_by: Option<SaidBy>,
    },
    /// What the machine asks of the journal, once earlier events are stored.
    Told(ToJournal),
    /// Who waits for earlier events to be stored: the acknowledgement of a text, or a text of
    /// the user's own.
    Taken(oneshot::Sender<()>),
    /// A new subscription.
    Subscribe(oneshot::Sender<Subscription>),
}

/// The stores on disk. `None` where the options name no file.
#[derive(Debug, Default)]
pub(super) struct Stores {
    pub(super) history: Option<History>,
    pub(super) blocks: Option<Blocks>,
    /// The folder of what is known of keys.
    pub(super) folder: Option<PathBuf>,
}

/// A journal that runs until the last sender is dropped.
#[derive(Debug)]
pub(super) struct Journal {
    thread: JoinHandle<()>,
    ended: oneshot::Receiver<()>,
}

impl Journal {
    /// Starts the thread, with the view as it is before the first event.
    pub(super) fn start(
        stores: Stores,
        view: View,
    ) -> io::Result<(Self, mpsc::Sender<JournalInput>)> {
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        let (end, ended) = oneshot::channel::<()>();
        let thread = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || {
                Worker::new(stores, view).run(receiver);
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

/// A subscription: a snapshot of the view, and what is published from then on.
#[derive(Debug)]
pub(super) struct Subscription {
    /// The view when the subscription began.
    pub(super) view: View,
    pub(super) published: broadcast::Receiver<Published>,
}

/// An event, and the call that it answers.
#[derive(Debug, Clone)]
pub(super) struct Published {
    pub(super) event: Arc<Event>,
    pub(super) re: Option<Asker>,
    /// Whether it is for the front end that it answers, and no other.
    pub(super) is_private: bool,
}

/// The inputs of one transaction.
#[derive(Default)]
struct Batch {
    events: Vec<(Event, Option<Asker>, Option<SaidBy>)>,
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
    folder: Option<PathBuf>,
    view: View,
    published: broadcast::Sender<Published>,
    /// The last changes of the block list that could not be stored: what their calls are
    /// answered in place of [`Event::Done`], also if they are repeated.
    not_kept: VecDeque<(Asker, Failure)>,
    /// The last message of the previous run of the program.
    earlier: MessageId,
}

impl Worker {
    fn new(stores: Stores, view: View) -> Self {
        let last = stores.history.as_ref().map(History::last);
        let mut worker = Self {
            // If it cannot be read, nothing else of it can.
            earlier: last.and_then(|last| last.ok()?).unwrap_or_default(),
            history: stores.history.map(Recorder::new),
            blocks: stores.blocks,
            folder: stores.folder,
            view,
            published: broadcast::Sender::new(MAX_BEHIND),
            not_kept: VecDeque::new(),
        };
        worker.complete_resumed_view();
        worker
    }

    /// Completes a view that another process has left: with what it stored and did not publish
    /// any more, and without texts that are on their way.
    fn complete_resumed_view(&mut self) {
        let Some(account) = self.view.account else {
            return;
        };
        let chats = self.view.conversations.iter().map(|chat| chat.id);
        for id in chats.collect::<Vec<_>>() {
            let page = self.recall(account, id, None);
            if let Event::History { messages, .. } = &page {
                update_deliveries(&mut self.view, id, messages);
                self.view.apply(&page);
            }
        }
        for mark in self.marks(account) {
            self.view.apply(&mark.into());
        }
        self.view.end_sending();
    }

    fn run(mut self, mut receiver: mpsc::Receiver<JournalInput>) {
        let mut batch = Batch::default();
        while let Some(first) = receiver.blocking_recv() {
            let mut next = Some(first);
            while let Some(entry) = next {
                match entry {
                    JournalInput::Event { event, re, said_by } => {
                        batch.events.push((event, re, said_by));
                    }
                    JournalInput::Taken(taken) => batch.taken.push(taken),
                    // The answers have to include earlier events.
                    JournalInput::Told(told) => {
                        self.commit(&mut batch);
                        self.carry_out(told);
                    }
                    JournalInput::Subscribe(subscriber) => {
                        self.commit(&mut batch);
                        self.subscribe(subscriber);
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
        for (event, re, _) in batch.events.drain(..) {
            self.publish(event, re);
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
            let notice = Event::Notice {
                at: clock::wall(),
                what: match change {
                    Change::Broke => Notice::HistoryBroken,
                    Change::Mended { lost } => Notice::HistoryMended { lost },
                },
            };
            self.publish(notice, None);
        }
        if let Some(history) = &mut self.history {
            history.tidy();
        }
    }

    fn write(&mut self, events: &[(Event, Option<Asker>, Option<SaidBy>)]) -> Option<Change> {
        let history = self.history.as_mut()?;
        let entries = entries(self.view.account, events);
        if entries.is_empty() {
            return None;
        }
        history.write(entries, Instant::now())
    }

    fn publish(&mut self, event: Event, re: Option<Asker>) {
        let event = match (event, &re) {
            (Event::Done, Some(asker)) => {
                let mut not_kept = self.not_kept.iter();
                let failure = not_kept.find(|(not_kept, _)| not_kept == asker);
                failure.map_or(Event::Done, |(_, failure)| Event::Failed(failure.clone()))
            }
            (event, _) => event,
        };
        let is_private = re.is_some() && event.is_private();
        if !is_private {
            self.view.apply(&event);
        }
        self.send(event, re, is_private);
    }

    fn send(&self, event: Event, re: Option<Asker>, is_private: bool) {
        // Fails if there is no subscriber.
        let _ = self.published.send(Published {
            event: Arc::new(event),
            re,
            is_private,
        });
    }

    /// Publishes an answer that is the last but for [`Event::Done`], or itself the last.
    fn close(&mut self, answer: Event, re: Option<Asker>) {
        let is_last = matches!(answer, Event::Failed(_));
        self.publish(answer, re.clone());
        if let Some(asker) = re.filter(|asker| !is_last && asker.id.is_some()) {
            self.publish(Event::Done, Some(asker));
        }
    }

    fn carry_out(&mut self, told: ToJournal) {
        match told {
            ToJournal::KeepBlock {
                re,
                account,
                change,
            } => self.keep_block(re, account, change),
            ToJournal::Keep { file, text } => self.keep(file, &text),
            ToJournal::Recall {
                re,
                conversation,
                account,
                before,
            } => {
                let page = self.recall(account, conversation, before);
                let marks = if re.is_none() {
                    self.marks(account)
                } else {
                    Vec::new()
                };
                self.close(page, re);
                for mark in marks {
                    self.publish(mark.into(), None);
                }
            }
            ToJournal::Find {
                re,
                conversation,
                account,
                text,
                posts,
            } => {
                let findings = self.find(account, conversation, text, posts);
                self.close(findings, re);
            }
            ToJournal::Repeat {
                re,
                account,
                message,
            } => {
                if let Some(message) = self.message(account, message) {
                    self.send(Event::Message(message), Some(re.clone()), true);
                }
                self.publish(Event::Done, Some(re));
            }
        }
    }

    fn subscribe(&self, subscriber: oneshot::Sender<Subscription>) {
        // Fails if the subscriber is gone.
        let _ = subscriber.send(Subscription {
            view: self.view.with_newest_lines(NEWEST_LINES),
            published: self.published.subscribe(),
        });
    }

    /// Stores a change of the block list. If that fails, the user is told, as the answer to
    /// their call if there is one.
    fn keep_block(&mut self, re: Option<Asker>, account: Username, change: BlockChange) {
        let reason = match &self.blocks {
            None => "there is no file to save it in".to_owned(),
            Some(blocks) => match blocks.keep(account, change) {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(%error, "a change of the block list cannot be saved");
                    error.to_string()
                }
            },
        };
        let command = match change {
            BlockChange::Blocked(_) => "block",
            BlockChange::Unblocked(_) => "unblock",
        };
        let problem = Problem::NotKept;
        let failure = Failure::new(clock::wall(), command, problem);
        let failure = failure.with_message(problem.because(reason));
        match re {
            Some(asker) if asker.id.is_some() => {
                self.not_kept.truncate(MAX_NOT_KEPT - 1);
                self.not_kept.push_front((asker, failure));
            }
            re => self.publish(Event::Failed(failure), re),
        }
    }

    /// Without a folder it is forgotten at the end.
    fn keep(&mut self, file: KnownFile, text: &str) {
        let Some(folder) = &self.folder else {
            return;
        };
        let Err(error) = known::keep(folder, file, text) else {
            return;
        };
        tracing::warn!(%error, file = file.name(), "what is known of keys cannot be saved");
        let command = match file {
            KnownFile::Registries => "trust_registry",
            KnownFile::People => "trust",
            KnownFile::Account => "login",
            KnownFile::Registry => "use_registry",
        };
        let problem = Problem::NotKept;
        let failure = Failure::new(clock::wall(), command, problem);
        let path = folder.join(file.name());
        let because = problem.because(format_args!("{}: {error}", path.display()));
        self.publish(Event::Failed(failure.with_message(because)), None);
    }

    /// How far the conversations of an account are read, and their drafts.
    fn marks(&self, account: Username) -> Vec<Mark> {
        let Some(recorder) = &self.history else {
            return Vec::new();
        };
        recorder.history().marks(account).unwrap_or_else(|error| {
            tracing::warn!(%error, "read marks and drafts cannot be read");
            Vec::new()
        })
    }

    fn recall(
        &self,
        account: Username,
        conversation: ConversationId,
        before: Option<MessageId>,
    ) -> Event {
        let Some(recorder) = &self.history else {
            return self.recall_lines(conversation, before);
        };
        match recorder.history().page(account, conversation, before) {
            Ok(page) => Event::History {
                conversation,
                before,
                messages: self.settled(page.messages),
                more: page.more,
            },
            Err(error) => unreadable("history", &error),
        }
    }

    /// A page of the lines of the view: what there is without a history.
    fn recall_lines(&self, conversation: ConversationId, before: Option<MessageId>) -> Event {
        let known = self.view.conversation(conversation);
        let lines = known
            .map(|known| known.lines.as_slice())
            .unwrap_or_default();
        let messages = lines.iter().filter_map(|line| match line {
            Line::Message(message) => Some(message),
            Line::Post(_) | Line::Notice { .. } => None,
        });
        let earlier = messages.filter(|message| before.is_none_or(|before| message.id < before));
        let earlier: Vec<_> = earlier.collect();
        let cut = earlier.len().saturating_sub(History::PAGE);
        Event::History {
            conversation,
            before,
            messages: earlier[cut..]
                .iter()
                .map(|message| Message::clone(message))
                .collect(),
            more: cut > 0,
        }
    }

    fn message(&self, account: Option<Username>, id: MessageId) -> Option<Message> {
        let Some(recorder) = &self.history else {
            let lines = self.view.conversations.iter();
            let mut lines = lines.flat_map(|conversation| &conversation.lines);
            return lines.find_map(|line| match line {
                Line::Message(message) if message.id == id => Some(Message::clone(message)),
                _ => None,
            });
        };
        match recorder.history().message(account?, id) {
            Ok(message) => message,
            Err(error) => {
                tracing::warn!(%error, "the history cannot be read");
                None
            }
        }
    }

    /// Changes the status of texts that were on their way when the program was killed: no one
    /// knows whether they arrived.
    fn settled(&self, mut messages: Vec<Message>) -> Vec<Message> {
        let earlier = messages
            .iter_mut()
            .filter(|message| message.id <= self.earlier);
        earlier.for_each(Message::end_sending);
        messages
    }

    fn find(
        &mut self,
        account: Username,
        conversation: Option<ConversationId>,
        text: String,
        posts: Vec<Post>,
    ) -> Event {
        match &mut self.history {
            Some(recorder) => match recorder.history_mut().find(account, conversation, &text) {
                Ok(messages) => Event::Findings {
                    conversation,
                    text,
                    messages: self.settled(messages),
                    posts,
                },
                Err(error) => unreadable("find", &error),
            },
            None if posts.is_empty() => failed("find"),
            None => Event::Findings {
                conversation,
                text,
                messages: Vec::new(),
                posts,
            },
        }
    }
}

/// Updates the delivery statuses of messages in a view to those in a page of the history.
fn update_deliveries(view: &mut View, conversation: ConversationId, stored: &[Message]) {
    let mut chats = view.conversations.iter_mut();
    let Some(chat) = chats.find(|chat| chat.id == conversation) else {
        return;
    };
    for line in &mut chat.lines {
        if let Line::Message(message) = line
            && let Ok(at) = stored.binary_search_by_key(&message.id, |stored| stored.id)
        {
            Arc::make_mut(message)
                .deliveries
                .clone_from(&stored[at].deliveries);
        }
    }
}

/// The history entries of these events, each with its account.
fn entries(
    mut account: Option<Username>,
    events: &[(Event, Option<Asker>, Option<SaidBy>)],
) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (event, _, said_by) in events {
        match (event, account) {
            (Event::LoggedIn { name, .. }, _) => account = Some(*name),
            (Event::LoggedOut { .. }, _) => account = None,
            (Event::Message(message), Some(account)) => entries.push(Entry::Message {
                account,
                message: message.clone(),
                said_by: said_by.clone(),
            }),
            (
                Event::Delivered {
                    message, delivery, ..
                },
                Some(account),
            ) => entries.push(Entry::Delivery {
                account,
                id: *message,
                delivery: *delivery,
            }),
            (event, Some(account)) => {
                let mark = Mark::of(event);
                entries.extend(mark.map(|mark| Entry::Mark { account, mark }));
            }
            _ => {}
        }
    }
    entries
}

impl Mark {
    /// What an event says of a conversation that is to be kept.
    fn of(event: &Event) -> Option<Self> {
        match event {
            Event::Read {
                conversation,
                message,
            } => Some(Self::Read {
                conversation: *conversation,
                message: *message,
            }),
            Event::Draft { conversation, text } => Some(Self::Draft {
                conversation: *conversation,
                text: text.clone(),
            }),
            _ => None,
        }
    }
}

impl From<Mark> for Event {
    fn from(mark: Mark) -> Self {
        match mark {
            Mark::Read {
                conversation,
                message,
            } => Self::Read {
                conversation,
                message,
            },
            Mark::Draft { conversation, text } => Self::Draft { conversation, text },
        }
    }
}

fn unreadable(command: &str, error: &crate::HistoryError) -> Event {
    tracing::warn!(%error, "the history cannot be read");
    failed(command)
}

fn failed(command: &str) -> Event {
    Event::Failed(Failure::new(clock::wall(), command, Problem::NoHistory))
}

#[cfg(test)]
mod tests;
