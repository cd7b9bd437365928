//! The shell around the state machine: sockets, tasks, timers.
//!
//! | part | what it owns |
//! |---|---|
//! | `driver` | the machine; a task |
//! | `journal`, `journal_queue` | the view, the stores, the subscribers; a thread |
//! | `front_end` | the two ends that a front end has: calls and updates |
//! | `chats` | the node of the encrypted conversations, and what of it is told; a task |
//! | `own_chats` | the same of this profile, opened with its keys |
//! | `copied` | whether the folder of the profile is a copy |
//! | `inbound` | the two listeners, and a task for each inbound connection |
//! | `outbound` | a task for each packet to another peer |
//! | `link` | the connection to the registry, encrypted or not; a task |
//! | `bind`, `resolve`, `net`, `clock` | addresses, sockets, time |
//! | `choose`, `start_registry` | another registry while the peer runs, and one of this machine |
//!
//! They communicate over bounded channels. Only the task that serves a slow peer waits for
//! it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use p2pchat_model::{FrontEndId, Identity, Link, MessageId, Target, Username, View};
use p2pchat_secure::fingerprint;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::blocks::Blocks;
use crate::known::Known;
use crate::machine::{Asked, Config, Keys, Machine, SaidBy};
use crate::{History, Options};

mod bind;
mod chats;
mod choose;
pub(crate) mod clock;
mod copied;
mod driver;
mod error;
mod front_end;
mod inbound;
mod journal;
mod journal_queue;
mod link;
mod net;
mod outbound;
mod own_chats;
mod resolve;
mod start_registry;
#[cfg(test)]
mod testing;

pub use error::{PeerFailed, StartError};
pub use front_end::{Calls, Updates};

pub use chats::{Chats, ChatsOptions};

use bind::Bound;
use choose::OwnPlace;
use clock::Clock;
use driver::{Driver, Ending, State};
use inbound::{Inbound, Kind};
use journal::{Journal, JournalInput, Stores};
use journal_queue::JournalQueue;
use link::HelloSocket;
use outbound::{Outbound, Ports};
use own_chats::OwnChats;
use resolve::RegistryNames;

/// How many commands may wait for the machine; a front end that sends more waits.
const MAX_COMMANDS: usize = 64;
/// How many reports of connections may wait for the machine; further tasks wait.
const MAX_REPORTS: usize = 256;
/// How much longer than the machine's own limit a chat request is kept open.
const ANSWER_MARGIN: Duration = Duration::from_secs(10);
/// How long a stop may take before the driver is aborted: more than its steps together.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// How long the journal may take to write its last entries.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// The peer has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the peer has stopped")]
pub struct Stopped;

/// A running peer. Dropping it ends it at once, without logging out.
#[derive(Debug)]
pub struct Peer {
    handle: Handle,
    /// Dropped, it ends the driver too.
    stop: oneshot::Sender<Ending>,
    driver: JoinHandle<Result<(), PeerFailed>>,
    journal: Journal,
}

impl Peer {
    /// Binds the ports and starts. The registry need not be there yet. With `resume`, the view
    /// of a front end whose peer has ended in another process, it goes on where that one ended.
    ///
    /// # Errors
    /// If the ports cannot be bound, the registry's name cannot be resolved (and the own
    /// address has to be found by it), or the history or the block list cannot be opened.
    pub async fn start(options: Options, resume: Option<View>) -> Result<Self, StartError> {
        let (driver, handle, journal) = prepare(options, resume).await?;
        Ok(Self::run(driver, handle, journal))
    }

    fn run(driver: Driver, handle: Handle, journal: Journal) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self {
            handle,
            stop,
            driver: tokio::spawn(driver.run(stopped)),
            journal,
        }
    }

    /// A handle for a front end; there may be several.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Logs out and stops, in order and within a few seconds: earlier commands are carried out
    /// first.
    ///
    /// # Errors
    /// If the peer has stopped by itself before that, or does so now.
    pub async fn stop(self) -> Result<(), PeerFailed> {
        self.end(Ending::LogOut).await
    }

    /// The same without logging out: another process goes on with the session.
    ///
    /// # Errors
    /// As [`Peer::stop`].
    pub async fn hand_over(self) -> Result<(), PeerFailed> {
        self.end(Ending::HandOver).await
    }

    async fn end(mut self, ending: Ending) -> Result<(), PeerFailed> {
        // Fails if the driver has ended already.
        let _ = self.stop.send(ending);
        let stopped = match timeout(STOP_LIMIT, &mut self.driver).await {
            Ok(Ok(stopped)) => stopped,
            Ok(Err(error)) => {
                tracing::error!(%error, "the driver failed");
                Err(PeerFailed("the driver failed".to_owned()))
            }
            Err(_) => {
                tracing::warn!("the peer did not stop in time");
                self.driver.abort();
                Ok(())
            }
        };
        let written = timeout(FLUSH_LIMIT, self.journal.join()).await;
        let written = written.unwrap_or_else(|_| {
            tracing::warn!("the history was not written in time");
            Ok(())
        });
        stopped.and(written)
    }
}

/// The parts of a peer, which does nothing before the driver runs.
async fn prepare(
    mut options: Options,
    resume: Option<View>,
) -> Result<(Driver, Handle, Journal), StartError> {
    let mut files = open_files(&options).await?;
    let last = files.known.registry.as_ref().map(|last| last.name.clone());
    if let Some(last) = &last
        && options.registry.is_empty()
    {
        options.registry.clone_from(last);
    }
    let was_reached = last.as_ref() == Some(&options.registry);
    let registry = match options.registry.as_str() {
        "" => RegistryNames::none(),
        names => RegistryNames::new(names)?,
    };
    let bound = bind(&options, &registry, was_reached, resume.as_ref()).await?;
    let hello = HelloSocket::bind(bound.address, options.hello_port)
        .map_err(system("open a socket for hellos"))?;
    let certificate = files.identity.certificate();
    let clock = Clock::start();
    let config = Config {
        address: bound.address,
        registry: options.registry.clone(),
        message_port: bound.message_port,
        request_limit: options.request_limit,
        seed: rand::random(),
        keys: Some(Keys {
            certificate,
            saved: files.stores.folder.is_some(),
            names: registry.to_pin(),
            named: registry.fingerprint,
            allow_plaintext: options.allow_plaintext,
            known: std::mem::take(&mut files.known),
        }),
    };
    let machine = match &resume {
        Some(view) => Machine::resume(config, clock.now(), view),
        None => Machine::new(config, clock.now()),
    };
    let view = resume.unwrap_or_default();
    let account = view.account;
    let blocked = match (&files.stores.blocks, account) {
        // Without a file, what is blocked is known from the view alone.
        (None, Some(account)) => view.blocked.iter().map(|who| (account, *who)).collect(),
        _ => files.blocked,
    };
    let view = View {
        address: Some(bound.address),
        message_port: Some(bound.message_port),
        registry: options.registry.clone(),
        link: Link::default(),
        identity: Some(Identity {
            device: fingerprint(&certificate.device.0),
            person: fingerprint(&certificate.person.0),
            // Computed with the first login.
            code: None,
            saved: files.stores.folder.is_some(),
        }),
        blocked: blocked_by(account, &blocked),
        // What the process that has ended was about to do, and what one of its front ends asked.
        incoming: None,
        outgoing: Vec::new(),
        undo: None,
        dropped: Vec::new(),
        findings: None,
        ..view
    };
    let machine = machine
        .with_blocks(blocked)
        .with_last_message(files.last_message)
        .with_calls(files.calls);
    let (journal, to_journal) =
        Journal::start(files.stores, view).map_err(system("start a thread"))?;

    let place = OwnPlace {
        address: bound.address,
        message_port: bound.message_port,
        is_named: options.address.is_some(),
        unprivileged: options.unprivileged,
        answer_limit: options.request_limit + ANSWER_MARGIN,
        folder: options.folder.clone(),
    };
    let chats = OwnChats::open(&options, &files.identity).await?;
    let (commands, commanded) = mpsc::channel(MAX_COMMANDS);
    let (report, reports) = mpsc::channel(MAX_REPORTS);
    let handle = Handle {
        commands,
        journal: to_journal.downgrade(),
    };
    let inbound = Inbound::new(report.clone(), place.answer_limit, chats.incoming());
    let driver = Driver {
        machine,
        connector: link::connector(files.identity.device()),
        identity: Arc::new(Mutex::new(files.identity)),
        clock,
        place,
        registry,
        commands: commanded,
        reports,
        report,
        journal: JournalQueue::new(to_journal),
        outbound: Outbound::new(bound.address, Ports::STANDARD, clock),
        hello,
        chats,
        closing: inbound.closing.clone(),
        listeners: start_listeners(&inbound, bound),
        state: State::new(account.is_some()),
    };
    Ok((driver, handle, journal))
}

async fn bind(
    options: &Options,
    registry: &RegistryNames,
    was_reached: bool,
    resume: Option<&View>,
) -> Result<Bound, StartError> {
    // The members know the user by this address.
    if options.address.is_none()
        && let Some(address) = resume.and_then(|view| view.address)
        && let Ok(bound) = bind::bind_at(address, options.unprivileged)
    {
        return Ok(bound);
    }
    if let Some(address) = options.address {
        return bind::bind_at(address, options.unprivileged);
    }
    let own = match registry.own_address().await {
        // Without a network there is enough to read and to write. A name that was never reached
        // may be mistyped.
        Err(error) if was_reached => {
            tracing::info!(%error, "starting without a network");
            resolve::loopback()
        }
        own => own?,
    };
    bind::bind_first_free(own, options.unprivileged)
}

/// The stores on disk, and what the machine has to know of their content.
struct Files {
    stores: Stores,
    identity: p2pchat_secure::Identity,
    known: Known,
    blocked: Vec<(Username, Target)>,
    last_message: MessageId,
    calls: Vec<(SaidBy, MessageId)>,
}

/// Opens the files that the options name, and reads who is blocked.
async fn open_files(options: &Options) -> Result<Files, StartError> {
    let (history, blocks) = (options.history.clone(), options.blocks.clone());
    let (folder, account) = (options.folder.clone(), options.account);
    let keep = options.keep;
    let open = move || {
        let (identity, mut known) = open_keys(folder.as_deref())?;
        known
            .account
            .take_if(|(_, last)| account.is_some_and(|account| account != *last));
        let history = history.map(|path| {
            let opened = History::open(&path)
                .and_then(|history| history.keeping(keep))
                .and_then(|history| Ok(((history.last()?, history.calls()?), history)));
            opened.map_err(|reason| StartError::History { path, reason })
        });
        let blocks = blocks.map(|path| {
            let opened = Blocks::open(&path).and_then(|blocks| Ok((blocks.all()?, blocks)));
            opened.map_err(|reason| StartError::Blocks { path, reason })
        });
        let (blocked, blocks) = blocks.transpose()?.unzip();
        let (newest, history) = history.transpose()?.unzip();
        let (last_message, calls) = newest.unwrap_or_default();
        Ok(Files {
            stores: Stores {
                history,
                blocks,
                folder,
            },
            identity,
            known,
            blocked: blocked.unwrap_or_default(),
            last_message: last_message.unwrap_or_default(),
            calls,
        })
    };
    tokio::task::spawn_blocking(open)
        .await
        .map_err(|error| system("open the history and the block list")(error.into()))?
}

/// The keys in the folder of a profile, made where they are missing, and what it knows of others'.
fn open_keys(folder: Option<&Path>) -> Result<(p2pchat_secure::Identity, Known), StartError> {
    let Some(folder) = folder else {
        return Ok((p2pchat_secure::Identity::ephemeral(), Known::default()));
    };
    let identity = p2pchat_secure::Identity::open(folder).map_err(StartError::Identity)?;
    let known = Known::open(folder).map_err(StartError::Known)?;
    Ok((identity, known))
}

/// The block list of an account, ordered as the machine has it.
fn blocked_by(account: Option<Username>, blocked: &[(Username, Target)]) -> Vec<Target> {
    let own = blocked.iter().filter(|(of, _)| Some(*of) == account);
    let list: BTreeSet<Target> = own.map(|(_, who)| *who).collect();
    list.into_iter().collect()
}

fn start_listeners(inbound: &Inbound, bound: Bound) -> JoinSet<()> {
    let mut listeners = JoinSet::new();
    listeners.spawn(inbound.clone().serve(bound.contacts, Kind::Contacts));
    listeners.spawn(inbound.clone().serve(bound.messages, Kind::Texts));
    listeners.spawn(inbound.clone().report_dropped());
    listeners
}

fn system(what: &'static str) -> impl Fn(std::io::Error) -> StartError {
    move |reason| StartError::System { what, reason }
}

/// A handle to a running peer, for a front end.
#[derive(Debug, Clone)]
pub struct Handle {
    commands: mpsc::Sender<Asked>,
    /// Weak, so that a forgotten handle does not keep the journal alive.
    journal: mpsc::WeakSender<JournalInput>,
}

impl Handle {
    /// Joins as this front end: the first update is the view, then come events. Answers to
    /// its calls reach it also where it joins again after its connection broke.
    ///
    /// # Errors
    /// If the peer has stopped.
    pub async fn join(&self, front_end: FrontEndId) -> Result<(Calls, Updates), Stopped> {
        let calls = Calls::new(front_end.clone(), self.commands.clone());
        let updates = Updates::start(front_end, self.journal.clone()).await?;
        Ok((calls, updates))
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_model::{Call, Command, ConversationId, Event, Person};
    use p2pchat_protocol::MESSAGE_PORT_UNPRIVILEGED;
    use tokio::net::TcpListener;

    use super::testing::{own_address, within};
    use super::*;

    async fn parts() -> (Driver, Handle, Journal) {
        let options = Options {
            address: Some(own_address()),
            unprivileged: true,
            ..Options::default()
        };
        prepare(options, None).await.unwrap()
    }

    async fn failure(peer: Peer) -> String {
        let stopped = within("the end", peer.stop()).await;
        stopped.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn a_peer_without_a_listener_stops_and_says_so() {
        let (driver, handle, journal) = parts().await;
        let closing = driver.closing.clone();
        let peer = Peer::run(driver, handle.clone(), journal);
        let front_end = FrontEndId::new("front-end").unwrap();
        let (calls, mut updates) = handle.join(front_end).await.unwrap();
        closing.cancel();
        within("the end", async { while updates.next().await.is_ok() {} }).await;
        assert_eq!(calls.send(Command::Logout).await, Err(Stopped));
        let failure = failure(peer).await;
        assert!(failure.contains("a listener failed"), "{failure}");
    }

    #[tokio::test]
    async fn a_peer_without_a_journal_stops_and_says_so() {
        let (mut driver, handle, journal) = parts().await;
        driver.journal = JournalQueue::new(mpsc::channel(1).0);
        let peer = Peer::run(driver, handle.clone(), journal);
        within("the end", handle.commands.closed()).await;
        let failure = failure(peer).await;
        assert!(failure.contains("the journal failed"), "{failure}");
    }

    #[tokio::test]
    async fn a_peer_without_a_driver_says_so() {
        let (driver, handle, journal) = parts().await;
        let mut peer = Peer::run(driver, handle.clone(), journal);
        std::mem::replace(&mut peer.driver, tokio::spawn(async { panic!("a bug") })).abort();
        let failure = failure(peer).await;
        assert!(failure.contains("the driver failed"), "{failure}");
    }

    #[tokio::test]
    async fn a_text_of_a_call_goes_out_once_it_is_stored() {
        let member = own_address();
        let listener = TcpListener::bind((member.ip(), MESSAGE_PORT_UNPRIVILEGED));
        let listener = listener.await.unwrap();
        let mut view = View {
            account: Some("ann".parse().unwrap()),
            ..View::default()
        };
        view.conversations[0]
            .members
            .push(Person::listed(member, None));
        let options = Options {
            address: Some(own_address()),
            unprivileged: true,
            ..Options::default()
        };
        let (mut driver, handle, journal) = prepare(options, Some(view)).await.unwrap();
        let (to_journal, mut inputs) = mpsc::channel(64);
        driver.journal = JournalQueue::new(to_journal);
        let _peer = Peer::run(driver, handle.clone(), journal);
        let front_end = FrontEndId::new("front-end").unwrap();
        let calls = Calls::new(front_end, handle.commands);
        let say = Command::Say {
            conversation: ConversationId::OPEN,
            text: "hello".to_owned(),
            reply_to: None,
        };
        calls.send(Call::with_id(7, say)).await.unwrap();
        let stored = loop {
            match within("an input", inputs.recv()).await.unwrap() {
                JournalInput::Taken(stored) => break stored,
                JournalInput::Event { event, .. } => assert_ne!(event, Event::Done),
                other => panic!("{other:?}"),
            }
        };
        let done = inputs.recv();
        let done = within("the end of the call", done).await.unwrap();
        assert!(matches!(
            done,
            JournalInput::Event {
                event: Event::Done,
                ..
            }
        ));
        // As long as it is not stored.
        let early = timeout(Duration::from_millis(100), listener.accept()).await;
        assert!(early.is_err());
        stored.send(()).unwrap();
        within("the text", listener.accept()).await.unwrap();
    }

    #[tokio::test]
    async fn a_peer_that_is_stopped_has_not_failed() {
        let (driver, handle, journal) = parts().await;
        let peer = Peer::run(driver, handle, journal);
        assert_eq!(within("the end", peer.stop()).await, Ok(()));
    }
}
