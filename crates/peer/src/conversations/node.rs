//! The node: the thread that owns what syncs and the store, and the sessions with other devices.
//!
//! | module | what it has |
//! |---|---|
//! | `handle` | what others ask of it, and what it tells them |
//! | `connect` | how connections become sessions |
//! | `inputs` | what comes: frames, commands, the time |
//! | `turn` | what is stored, sent and told after them, and in which order |
//!
//! It takes its inputs in turns: what has come since the last one is dealt with, committed in one
//! transaction, and then sent. A session has one frame in a turn at most, or the entries that came
//! in one read, so one that sends a lot does not delay the others by more than that.
//!
//! The sessions run in the thread of the node too: handing each frame to another thread and back
//! took a third of the time of a message. What waits meanwhile is read after the commit, together.
//!
//! **Invariant:** nothing but a want is sent, and no call answered, before what it follows from is
//! committed.

mod age;
mod connect;
mod handle;
mod inputs;
mod turn;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use p2pchat_conversation::clock::agreed;
use p2pchat_conversation::sync::{Now, SessionId, Sync, TELL_EVERY};
use p2pchat_platform::clock::since_boot;
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId};
use p2pchat_protocol::v2::peer::{ALPN, Bye};
use p2pchat_protocol::v2::{Certificate, DeviceKey, PersonKey};
use p2pchat_secure::{Acceptor, Connector, Identity};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::{AbortHandle, Id, JoinHandle, JoinSet, yield_now};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::places::Places;
use super::session::{Inbound, Outbound, SessionError};
use super::{Keys, Store, StoreError};
use crate::shell::clock::wall;
use age::Age;
use connect::{Route, Shared, listen};
use handle::{Command, MAX_COMMANDS, MAX_EVENTS, Say};
pub use handle::{Event, Failed, Handle, Incoming, View};
use turn::Turn;

/// The most connections that others have begun and that are not sessions yet. With more the oldest
/// is closed: an honest one takes less than a second.
const MAX_HANDSHAKES: usize = 64;
/// The most frames, and the most calls, that are dealt with in one turn beside its first.
const MAX_TOGETHER: usize = 64;
/// How long the sessions may take to say goodbye when the node stops.
const GOODBYE: Duration = Duration::from_secs(2);

/// What a node begins with.
#[derive(Debug)]
pub struct Options {
    /// The keys.
    pub identity: Identity,
    /// The file of the store. Without one it ends with the node.
    pub store: Option<PathBuf>,
    /// Whether the folder may be a copy, or was put back: then the logs that it has begun are not
    /// gone on with.
    pub is_copy: bool,
    /// Where other devices connect to, if anywhere.
    pub listener: Option<TcpListener>,
}

/// A node that runs. Ends at once if it is dropped, as if the program was killed.
#[derive(Debug)]
pub struct Node {
    handle: Handle,
    runtime: tokio::runtime::Handle,
    stopping: CancellationToken,
    killed: CancellationToken,
    ended: oneshot::Receiver<()>,
}

impl Node {
    /// Opens the store and starts.
    ///
    /// # Errors
    /// If the store cannot be opened or read, or the system gives no thread.
    pub async fn start(options: Options) -> Result<Self, StoreError> {
        let (commands, asked) = mpsc::channel(MAX_COMMANDS);
        let (tell_accepted, accepted) = mpsc::channel(MAX_HANDSHAKES);
        let handle = Handle {
            commands,
            events: broadcast::Sender::new(MAX_EVENTS),
            accepted: Incoming(tell_accepted),
        };
        let (stopping, killed) = (CancellationToken::new(), CancellationToken::new());
        let (tell_started, started) = oneshot::channel();
        let (tell_ended, ended) = oneshot::channel();
        let (events, acceptor) = (handle.events.clone(), handle.incoming());
        let (stop, kill) = (stopping.clone(), killed.clone());
        let run = move || {
            let _ends = tell_ended;
            let asked = Asked {
                commands: asked,
                accepted,
                stopping: stop,
            };
            let runtime = match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = tell_started.send(Err(StoreError::System(error)));
                    return;
                }
            };
            runtime.block_on(async {
                match Core::open(options, events, asked, acceptor) {
                    Ok(core) => {
                        let runtime = tokio::runtime::Handle::current();
                        let _ = tell_started.send(Ok(runtime));
                        kill.run_until_cancelled(core.run()).await;
                    }
                    Err(error) => {
                        let _ = tell_started.send(Err(error));
                    }
                }
            });
        };
        let thread = thread::Builder::new().name("conversations".to_owned());
        thread.spawn(run).map_err(StoreError::System)?;
        let runtime = started.await.expect("the thread tells how it started")?;
        Ok(Self {
            handle,
            runtime,
            stopping,
            killed,
            ended,
        })
    }

    /// Asks things of it.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs what asks it a lot in its own thread: neither has to wake the other then. Ends with it.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.runtime.spawn(task)
    }

    /// Says goodbye to all sessions and closes the store.
    pub async fn stop(mut self) {
        self.stopping.cancel();
        // Nothing is sent there: it is dropped.
        let _ = (&mut self.ended).await;
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.killed.cancel();
    }
}

/// A connection, from when it begins.
struct Connection {
    task: AbortHandle,
    is_inbound: bool,
    /// Who waits for it to be a session.
    reply: Option<oneshot::Sender<Result<(), SessionError>>>,
}

/// A session.
struct Line {
    outbound: Outbound,
    person: PersonKey,
    device: DeviceKey,
    /// What the other side's clock said, and when that was, in milliseconds since the start.
    time: (u64, u64),
}

/// How the thread is asked for something.
struct Asked {
    commands: mpsc::Receiver<Command>,
    accepted: mpsc::Receiver<TcpStream>,
    stopping: CancellationToken,
}

/// What the thread owns.
struct Core {
    certificate: Certificate,
    sync: Sync<Keys>,
    store: Store,
    shared: Arc<Shared>,
    /// Whether there may be sessions.
    is_open: bool,
    /// When that began.
    opened: u64,
    /// The conversations that were there at the start, whose logs are gone on with.
    restored: BTreeSet<ConversationId>,
    events: broadcast::Sender<Event>,
    commands: mpsc::Receiver<Command>,
    inputs: mpsc::Receiver<Inbound>,
    accepted: mpsc::Receiver<TcpStream>,
    stopping: CancellationToken,
    /// All connections, until their tasks end.
    tasks: JoinSet<SessionError>,
    sessions: BTreeMap<Id, SessionId>,
    /// Those that are no sessions yet.
    connections: BTreeMap<SessionId, Connection>,
    lines: BTreeMap<SessionId, Line>,
    places: Places,
    last_session: u64,
    start: Duration,
    /// The registry's time, and when that was.
    registry: Option<(u64, u64)>,
    is_corrected: bool,
    age: Age,
    /// What waits until one's own log is known to be whole, and until when.
    waiting: VecDeque<(u64, Say)>,
    /// The conversations in which something was said, or a log was begun, since the start.
    begun: BTreeSet<ConversationId>,
    /// Own entries that cannot be said once more, as their bodies are gone.
    unsayable: BTreeSet<EntryId>,
    /// Ends with the node.
    _listening: Option<AbortOnDropHandle<()>>,
}

impl Core {
    fn open(
        options: Options,
        events: broadcast::Sender<Event>,
        asked: Asked,
        acceptor: Incoming,
    ) -> Result<Self, StoreError> {
        let identity = &options.identity;
        let mut store = match &options.store {
            Some(path) => Store::open(path)?,
            None => Store::in_memory()?,
        };
        let mut sync = Sync::new(Keys::new(identity));
        let restored = store.restore()?;
        if restored.left_out > 0 {
            tracing::warn!(rows = restored.left_out, "the store was damaged");
        }
        let mut gone_on_with = BTreeSet::new();
        for kept in restored.conversations {
            gone_on_with.insert(kept.id);
            sync.restore(kept.id, kept.kind, kept.facts);
        }
        if options.is_copy {
            let mut retired = sync.retire();
            store.commit(&turn::changes(&mut retired))?;
            gone_on_with.clear();
        }
        let (tell_inputs, inputs) = mpsc::channel(MAX_TOGETHER);
        let Asked {
            commands,
            accepted,
            stopping,
        } = asked;
        let listening = options.listener.map(|listener| {
            let task = tokio::spawn(listen(listener, acceptor));
            AbortOnDropHandle::new(task)
        });
        let shared = Shared {
            certificate: identity.certificate(),
            acceptor: Acceptor::new(identity.device(), ALPN),
            connector: Connector::new(identity.device(), ALPN),
            inputs: tell_inputs,
        };
        Ok(Self {
            certificate: identity.certificate(),
            sync,
            store,
            shared: Arc::new(shared),
            is_open: true,
            opened: 0,
            restored: gone_on_with,
            events,
            commands,
            inputs,
            accepted,
            stopping,
            tasks: JoinSet::new(),
            sessions: BTreeMap::new(),
            connections: BTreeMap::new(),
            lines: BTreeMap::new(),
            places: Places::default(),
            last_session: 0,
            start: since_boot(),
            registry: None,
            is_corrected: false,
            age: Age::default(),
            waiting: VecDeque::new(),
            begun: BTreeSet::new(),
            unsayable: BTreeSet::new(),
            _listening: listening,
        })
    }

    async fn run(mut self) {
        let mut ticks = interval(Duration::from_millis(TELL_EVERY));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stopping = self.stopping.clone();
        loop {
            let mut turn = Turn::default();
            tokio::select! {
                () = stopping.cancelled() => break,
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command, &mut turn),
                    None => break,
                },
                Some(input) = self.inputs.recv() => self.take(input, &mut turn),
                Some(stream) = self.accepted.recv() => self.accept(stream),
                Some(ended) = self.tasks.join_next_with_id() => {
                    let (id, why) = match ended {
                        Ok((id, why)) => (id, why),
                        Err(error) => (error.id(), SessionError::Closed),
                    };
                    self.ended(id, why, &mut turn);
                }
                _ = ticks.tick() => self.tick(&mut turn),
            }
            self.take_more(&mut turn);
            if self.finish(turn).await.is_err() {
                break;
            }
            // The sessions write what is to be sent, and read what has come, before the next commit.
            yield_now().await;
        }
        for line in self.lines.values() {
            line.outbound.close(Bye::Leaving);
        }
        self.connections
            .values()
            .for_each(|connection| connection.task.abort());
        let all_ended = async { while self.tasks.join_next().await.is_some() {} };
        // A peer that does not read the goodbye finds out by itself.
        let _ = timeout(GOODBYE, all_ended).await;
    }

    /// What has come meanwhile is committed together with what came first. Calls and sessions in
    /// turns, so neither waits for the other.
    fn take_more(&mut self, turn: &mut Turn) {
        for _ in 0..MAX_TOGETHER {
            let (command, input) = (self.commands.try_recv(), self.inputs.try_recv());
            if command.is_err() && input.is_err() {
                return;
            }
            if let Ok(command) = command {
                self.obey(command, turn);
            }
            if let Ok(input) = input {
                self.take(input, turn);
            }
        }
    }

    fn accept(&mut self, stream: TcpStream) {
        if !self.is_open {
            return;
        }
        let inbound = self.connections.iter().filter(|(_, of)| of.is_inbound);
        let inbound: Vec<_> = inbound.map(|(id, _)| *id).collect();
        if inbound.len() >= MAX_HANDSHAKES
            && let Some(oldest) = self.connections.remove(&inbound[0])
        {
            oldest.task.abort();
        }
        match connect::taken_over(stream) {
            Ok(stream) => self.connect(Route::Accepted(stream), None),
            Err(error) => tracing::debug!(%error, "a connection cannot be taken over"),
        }
    }

    /// Ends all sessions and takes no new ones, or takes them again.
    fn set_open(&mut self, is_open: bool, turn: &mut Turn) {
        self.is_open = is_open;
        if is_open {
            self.opened = self.millis();
            return;
        }
        // What they wait for is told when their tasks have ended.
        self.connections
            .values()
            .for_each(|connection| connection.task.abort());
        for id in self.lines.keys().copied().collect::<Vec<_>>() {
            self.close(id, Bye::Leaving, turn);
        }
    }

    fn connect(&mut self, route: Route, reply: Option<oneshot::Sender<Result<(), SessionError>>>) {
        self.last_session += 1;
        let id = SessionId(self.last_session);
        let is_inbound = matches!(route, Route::Accepted(_));
        let task = self.tasks.spawn(Arc::clone(&self.shared).run(id, route));
        self.sessions.insert(task.id(), id);
        let connection = Connection {
            task,
            is_inbound,
            reply,
        };
        self.connections.insert(id, connection);
    }

    /// The task of a connection has ended.
    fn ended(&mut self, task: Id, why: SessionError, turn: &mut Turn) {
        let Some(id) = self.sessions.remove(&task) else {
            return;
        };
        tracing::debug!(session = id.0, %why, "a connection has ended");
        if matches!(why, SessionError::Malformed | SessionError::Certificate) {
            self.sync.dropped += 1;
            self.log_dropped(self.sync.dropped - 1);
        }
        if let Some(connection) = self.connections.remove(&id) {
            // The caller may be gone.
            let _ = connection.reply.map(|reply| reply.send(Err(why)));
        }
        self.part(id, turn);
    }

    /// The session is none any more.
    fn part(&mut self, id: SessionId, turn: &mut Turn) {
        let Some(line) = self.lines.remove(&id) else {
            return;
        };
        let event = Event::Disconnected(line.person, line.device);
        turn.events.push(event);
        self.places.remove(id);
        let now = self.now();
        turn.effects.extend(self.sync.disconnected(id, now));
    }

    /// Ends a session.
    fn close(&mut self, id: SessionId, bye: Bye, turn: &mut Turn) {
        if let Some(line) = self.lines.get(&id) {
            line.outbound.close(bye);
        }
        self.part(id, turn);
    }

    fn millis(&self) -> u64 {
        let since = since_boot().saturating_sub(self.start);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// The time to go by.
    fn now(&self) -> Now {
        let (clock, _) = self.time();
        Now {
            clock,
            millis: self.millis(),
        }
    }

    /// The time to go by, and whether it is not that of this computer.
    fn time(&self) -> (Clock, bool) {
        let millis = self.millis();
        let at = |(time, when): (u64, u64)| {
            Clock::from_millis(time.saturating_add(millis.saturating_sub(when)))
        };
        let members = self.lines.iter().filter(|(id, _)| {
            let place = self.places.get(**id);
            place.is_some_and(|place| place.is_known)
        });
        let members = members.map(|(_, line)| at(line.time));
        let own = Clock::from_millis(wall().0);
        let agreed = agreed(own, self.registry.map(at), members);
        (agreed.clock, agreed.is_corrected)
    }

    fn own_device(&self) -> DeviceKey {
        self.certificate.device
    }
}
