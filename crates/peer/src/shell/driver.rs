//! The driver: the task that owns the machine, feeds it with inputs and carries out its
//! outputs.
//!
//! It never waits for another machine or a front end. The one thing that it waits for is
//! room in the journal, when the disk is slower than the messages come in.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::Shared;
use p2pchat_model::{Command, Event, LeaveReason, PeerAddr, Problem, RequestFailure};
use p2pchat_protocol::ChatAnswer;
use p2pchat_secure::{Connector, Identity, ImportError, code};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, info_span};

use super::bind::{self, Bound};
use super::choose::{self, OwnPlace, Reached};
use super::clock::Clock;
use super::error::PeerFailed;
use super::inbound::{Inbound, Report};
use super::journal::JournalInput;
use super::journal_queue::{JournalGone, JournalQueue};
use super::link::{Encryption, HelloSocket, Link, LinkError, LinkEvent, ToSend};
use super::outbound::{Outbound, Ports};
use super::own_chats::OwnChats;
use super::resolve::RegistryNames;
use super::{start_listeners, system};
use crate::machine::{
    Asked, Asker, Chosen, ConnId, Input, Machine, NotChosen, Output, SaidBy, SendId, Work,
    WorkResult,
};

/// How long a stop waits for texts that are on their way.
const STOP_SENDS: Duration = Duration::from_secs(1);
/// How long a stop waits for the registry's answer to Logout.
const STOP_LOGOUT: Duration = Duration::from_secs(1);
/// How long a stop waits for connections to be closed in order.
const STOP_CLOSE: Duration = Duration::from_secs(1);
/// How long a stop waits for the sessions with other devices to end.
const STOP_CHATS: Duration = Duration::from_secs(1);
/// How many chat requests and texts may wait for the machine's decision before those whose
/// connections are gone are removed.
const SWEEP_AT: usize = 512;

/// How a peer ends in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The session ends too.
    LogOut,
    /// Another process goes on with the session.
    HandOver,
}

/// The driver.
#[derive(Debug)]
pub(super) struct Driver {
    pub(super) machine: Machine,
    /// Locked by the work that needs it: one at a time, since each takes 64 MiB.
    pub(super) identity: Arc<Mutex<Identity>>,
    /// Encrypts the links.
    pub(super) connector: Connector,
    pub(super) clock: Clock,
    pub(super) place: OwnPlace,
    pub(super) registry: RegistryNames,
    pub(super) commands: mpsc::Receiver<Asked>,
    pub(super) reports: mpsc::Receiver<Report>,
    /// For the tasks that send.
    pub(super) report: mpsc::Sender<Report>,
    pub(super) journal: JournalQueue,
    pub(super) outbound: Outbound,
    pub(super) hello: HelloSocket,
    pub(super) chats: OwnChats,
    /// The tasks of the listeners.
    pub(super) listeners: JoinSet<()>,
    /// Closes the listeners.
    pub(super) closing: CancellationToken,
    pub(super) state: State,
}

/// The state of the driver between one input and the next.
#[derive(Debug, Default)]
pub(super) struct State {
    link: Option<Link>,
    /// The last link was given up because the registry does not read, which the machine does
    /// not know yet.
    stuck: bool,
    links: JoinSet<()>,
    /// The registry that is being chosen: one at a time.
    choosing: JoinSet<Result<Reached, NotChosen>>,
    /// The tasks of chat requests that wait for an answer.
    asking: JoinSet<()>,
    /// What ends each of those.
    cancels: HashMap<SendId, AbortHandle>,
    /// The tasks of texts and notifies.
    sends: JoinSet<()>,
    /// How many of those have no result yet that the machine knows.
    sending: usize,
    /// Inbound chat requests that wait for an answer.
    requests: HashMap<ConnId, oneshot::Sender<ChatAnswer>>,
    /// Inbound texts that wait to be acknowledged.
    texts: HashMap<ConnId, oneshot::Sender<()>>,
    /// When the last text of the user is stored that a call with an id led to. Texts go out
    /// after that: if the process is killed between the two, the call is made again, and must
    /// not send what was sent.
    stored: Option<Shared<oneshot::Receiver<()>>>,
    logged_in: bool,
    /// Why the peer has to stop: a part is gone that it cannot do without.
    failed: Option<PeerFailed>,
}

impl Driver {
    /// Runs until `stop` says so, in order; or until its sender is dropped, at once.
    ///
    /// # Errors
    /// If a part fails that the peer cannot do without.
    pub(super) async fn run(
        mut self,
        mut stop: oneshot::Receiver<Ending>,
    ) -> Result<(), PeerFailed> {
        self.carry_out().await;
        while self.state.failed.is_none() {
            tokio::select! {
                asked = &mut stop => {
                    if let Ok(ending) = asked {
                        self.stop(ending).await;
                    }
                    break;
                }
                input = self.input() => self.step(input).await,
            }
        }
        // Fails if the journal is gone, and there is no other way to keep the rest.
        let _ = self.journal.flush().await;
        // Dropping the rest ends all tasks, and the journal after its last entry.
        self.state.failed.map_or(Ok(()), Err)
    }

    /// The next input. Cancel-safe.
    async fn input(&mut self) -> Input {
        if std::mem::take(&mut self.state.stuck) {
            return self.on_link(LinkEvent::Down(LinkError::Stuck));
        }
        let (clock, deadline) = (self.clock, self.machine.deadline());
        let due = async {
            match deadline {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let journal_due = self.journal.due();
        let journal_due = async {
            match journal_due {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let link = async {
            match &mut self.state.link {
                Some(link) => link.event().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(ended) = self.listeners.join_next() => {
                tracing::error!(?ended, "a listener failed");
                self.fail("a listener failed");
                Input::Timer
            }
            () = self.journal.gone() => {
                self.fail("the journal failed");
                Input::Timer
            }
            Some(reached) = self.state.choosing.join_next() => {
                let failed = |_| Err(choose::not_started("the task failed".to_owned()));
                let reached = reached.unwrap_or_else(failed);
                Input::RegistryChosen(reached.and_then(|reached| self.go_to(reached)))
            }
            Some(command) = self.commands.recv() => Input::Command(command),
            Some(report) = self.reports.recv() => self.state.accept(report),
            Some(told) = self.chats.told() => Input::Chats(told),
            event = link => self.on_link(event),
            () = due => Input::Timer,
            () = journal_due => Input::Timer,
        }
    }

    /// Feeds the machine and carries out its outputs.
    async fn step(&mut self, input: Input) {
        if let Input::WorkDone {
            result: WorkResult::Imported(Ok(_)),
            ..
        } = &input
        {
            self.reopen_chats().await;
        }
        self.machine.handle(self.clock.now(), input);
        self.carry_out().await;
    }

    /// The profile is a device of another person now.
    async fn reopen_chats(&mut self) {
        let identity = self.identity.lock();
        let identity = identity.unwrap_or_else(PoisonError::into_inner).clone();
        if let Err(error) = self.chats.reopen(&identity).await {
            tracing::error!(%error, "the conversations of the imported identity");
            self.fail("the conversations of the imported identity cannot be opened");
        }
    }

    async fn carry_out(&mut self) {
        while let Some(output) = self.machine.output() {
            self.act(output).await;
        }
        if self.state.sending == 0 || self.journal.is_due() {
            let flushed = self.journal.flush().await;
            self.check_journal(&flushed);
        }
        self.state.reap();
    }

    async fn act(&mut self, output: Output) {
        match output {
            Output::ConnectRegistry => self.connect(None),
            Output::ConnectEncrypted { expected } => {
                let connector = self.connector.clone();
                self.connect(Some(Encryption {
                    connector,
                    expected,
                }));
            }
            Output::UseRegistry { registry } => {
                let reach = choose::reach(registry, false, self.place.clone());
                self.state.choosing.spawn(reach);
            }
            Output::StartRegistry { known } => {
                let start = choose::start(known, self.connector.clone(), self.place.clone());
                self.state.choosing.spawn(start);
            }
            Output::Work { id, work } => self.work(id, work),
            Output::Chats(told) => self.chats.tell(told),
            Output::Journal(told) => self.journal(JournalInput::Told(told)).await,
            Output::DisconnectRegistry => {
                self.state.link = None;
                self.state.stuck = false;
            }
            Output::Ask(request) => self.ask(request),
            Output::Send(request) => self.ask(request),
            Output::Hello(hello) => self.hello.send(&hello),
            Output::Answer { conn, answer } => {
                if let Some(waiting) = self.state.requests.remove(&conn) {
                    // Its connection may have broken this moment.
                    let _ = waiting.send(answer);
                }
            }
            Output::TakeText { conn } => {
                if let Some(waiting) = self.state.texts.remove(&conn) {
                    self.journal(JournalInput::Taken(waiting)).await;
                }
            }
            // The connection's task notices that it is dropped, and resets.
            Output::RefuseText { conn } => drop(self.state.texts.remove(&conn)),
            Output::Event { event, re, said_by } => self.publish(event, re, said_by).await,
            Output::Request {
                id,
                to,
                contact,
                limit,
            } => {
                let request = self.outbound.clone().request(to, contact, limit);
                let done = move |result| Input::RequestDone { id, result };
                let bug = RequestFailure::NoAnswer;
                let span = info_span!("send", packet = "request", %to);
                let task = spawn_send(
                    &mut self.state.asking,
                    &self.report,
                    span,
                    request,
                    bug,
                    done,
                );
                self.state.cancels.insert(id, task);
            }
            Output::CancelRequest { id } => {
                // Ended, its connection is reset.
                if let Some(task) = self.state.cancels.remove(&id) {
                    task.abort();
                }
            }
            Output::Notify {
                id,
                to,
                contact,
                patience,
            } => {
                let notify = self.outbound.clone().notify(to, contact, patience);
                let done = move |result| Input::NotifyDone { id, result };
                let bug = LeaveReason::Unreachable;
                let span = info_span!("send", packet = "notify", %to);
                self.state.sending += 1;
                spawn_send(&mut self.state.sends, &self.report, span, notify, bug, done);
            }
            Output::Text {
                id,
                to,
                message,
                patience,
            } => {
                let stored = self.state.stored.clone();
                let text = self.outbound.clone().text(to, message, patience);
                let text = async {
                    if let Some(stored) = stored {
                        // Fails if the journal has ended, and with it the peer.
                        let _ = stored.await;
                    }
                    text.await
                };
                let done = move |result| Input::TextDone { id, result };
                let bug = LeaveReason::Unreachable;
                let span = info_span!("send", packet = "text", %to);
                self.state.sending += 1;
                spawn_send(&mut self.state.sends, &self.report, span, text, bug, done);
            }
        }
    }

    fn connect(&mut self, encryption: Option<Encryption>) {
        self.state.link = Some(Link::connect(
            &mut self.state.links,
            self.place.address,
            self.registry.clone(),
            self.hello.registry,
            encryption,
        ));
        self.state.stuck = false;
    }

    /// Goes to another registry: listens at the address from which it is reached.
    fn go_to(&mut self, reached: Reached) -> Result<Chosen, NotChosen> {
        let Reached {
            registry,
            names,
            is_own,
            bound,
        } = reached;
        if let Some(bound) = bound {
            let moved = self.move_to(bound);
            moved.map_err(|error| choose::not_started(error.to_string()))?;
        }
        let chosen = Chosen {
            registry,
            is_own,
            names: names.to_pin(),
            named: names.fingerprint,
            address: self.place.address,
            message_port: self.place.message_port,
        };
        self.registry = names;
        self.hello.registry = None;
        Ok(chosen)
    }

    /// Is at another address from now on.
    fn move_to(&mut self, bound: Bound) -> std::io::Result<()> {
        self.hello = HelloSocket::bind(bound.address, self.hello.port())?;
        let (limit, incoming) = (self.place.answer_limit, self.chats.incoming());
        let inbound = Inbound::new(self.report.clone(), limit, incoming);
        self.closing.cancel();
        self.closing = inbound.closing.clone();
        self.place.address = bound.address;
        self.place.message_port = bound.message_port;
        self.outbound = Outbound::new(bound.address, Ports::STANDARD, self.clock);
        // Those at the earlier address are aborted.
        self.listeners = start_listeners(&inbound, bound);
        Ok(())
    }

    /// Does some work on a thread of its own, and reports its result.
    fn work(&mut self, id: SendId, work: Work) {
        let identity = Arc::clone(&self.identity);
        let report = self.report.clone();
        let task = async move {
            let done = tokio::task::spawn_blocking(move || do_work(&identity, work)).await;
            let result = done.unwrap_or(WorkResult::Failed);
            // Fails if the driver has stopped.
            let _ = report
                .send(Report::Input(Input::WorkDone { id, result }))
                .await;
        };
        self.state.asking.spawn(task);
    }

    fn ask(&mut self, request: impl Into<ToSend>) {
        if let Some(link) = &self.state.link
            && !link.ask(request)
        {
            self.state.link = None;
            self.state.stuck = true;
        }
    }

    fn on_link(&mut self, event: LinkEvent) -> Input {
        match event {
            LinkEvent::Up(registry) => {
                self.hello.registry = Some(registry);
                Input::RegistryUp
            }
            LinkEvent::Welcome(registry, fingerprint, time) => {
                self.hello.registry = Some(registry);
                Input::Welcome { fingerprint, time }
            }
            LinkEvent::Frame(frame) => Input::Frame(frame),
            LinkEvent::Down(LinkError::OtherKey(seen)) => {
                self.state.link = None;
                Input::OtherKey { seen }
            }
            LinkEvent::Response(response) => Input::Response(response),
            LinkEvent::ListContinued(users) => Input::ListContinued(users),
            LinkEvent::Down(error) => {
                self.state.link = None;
                match error {
                    LinkError::NotConnected {
                        from: Some(from), ..
                    } if !self.place.is_at(from) => self.follow(from),
                    error => Input::RegistryDown {
                        reason: error.to_string(),
                    },
                }
            }
        }
    }

    /// This machine reaches the registry from another address than before: it is in another
    /// network, or in one at last.
    fn follow(&mut self, address: PeerAddr) -> Input {
        let bound = bind::bind_first_free(address, self.place.unprivileged);
        let moved = bound.and_then(|bound| {
            let moved = self.move_to(bound);
            moved.map_err(system("open a socket for hellos"))
        });
        match moved {
            Ok(()) => Input::Moved {
                address: self.place.address,
                message_port: self.place.message_port,
            },
            Err(error) => Input::RegistryDown {
                reason: error.to_string(),
            },
        }
    }

    async fn publish(&mut self, event: Event, re: Option<Asker>, said_by: Option<SaidBy>) {
        match event {
            Event::LoggedIn { .. } => self.state.logged_in = true,
            Event::LoggedOut { .. } => self.state.logged_in = false,
            _ => {}
        }
        let is_of_call = said_by.is_some();
        self.journal(JournalInput::Event { event, re, said_by })
            .await;
        if is_of_call {
            let (store, stored) = oneshot::channel();
            self.journal(JournalInput::Taken(store)).await;
            self.state.stored = Some(stored.shared());
        }
    }

    async fn journal(&mut self, input: JournalInput) {
        let added = self.journal.add(input).await;
        self.check_journal(&added);
    }

    fn check_journal(&mut self, result: &Result<(), JournalGone>) {
        if result.is_err() {
            self.fail("the journal failed");
        }
    }

    /// Ends the peer: it would live on and not hear, or not write.
    fn fail(&mut self, reason: &str) {
        let failed = &mut self.state.failed;
        failed.get_or_insert_with(|| PeerFailed(reason.to_owned()));
    }

    /// Stops in order: carries out the commands, sends the texts, ends the session unless
    /// another process takes it over, closes the listeners.
    async fn stop(&mut self, ending: Ending) {
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            self.step(Input::Command(command)).await;
        }
        self.run_until(STOP_SENDS, |state| state.sending == 0).await;
        if self.state.logged_in && ending == Ending::LogOut {
            self.step(Input::Command(Command::Logout.into())).await;
            self.run_until(STOP_LOGOUT, |state| !state.logged_in).await;
        }
        self.closing.cancel();
        self.state.link = None;
        let closed = async {
            while self.listeners.join_next().await.is_some() {}
            while self.state.links.join_next().await.is_some() {}
        };
        // Those that are still there are aborted.
        let _ = timeout(STOP_CLOSE, closed).await;
        let _ = timeout(STOP_CHATS, self.chats.stop()).await;
    }

    async fn run_until(&mut self, limit: Duration, done: impl Fn(&State) -> bool) {
        let run = async {
            while !done(&self.state) && self.state.failed.is_none() {
                let input = self.input().await;
                self.step(input).await;
            }
        };
        // Whether it is done in time or not, the stop goes on.
        let _ = timeout(limit, run).await;
    }
}

impl State {
    /// The state at the start, with or without a session that another process has left.
    pub(super) fn new(logged_in: bool) -> Self {
        Self {
            logged_in,
            ..Self::default()
        }
    }

    /// The input of a report. Remembers where its answer goes.
    fn accept(&mut self, report: Report) -> Input {
        match report {
            Report::Input(input) => {
                match &input {
                    Input::TextDone { .. } | Input::NotifyDone { .. } => {
                        self.sending = self.sending.saturating_sub(1);
                    }
                    Input::ContactLost { conn } => drop(self.requests.remove(conn)),
                    Input::RequestDone { id, .. } => drop(self.cancels.remove(id)),
                    _ => {}
                }
                input
            }
            Report::Request {
                conn,
                from,
                contact,
                answer,
            } => {
                if self.requests.len() >= SWEEP_AT {
                    self.requests.retain(|_, waiting| !waiting.is_closed());
                }
                self.requests.insert(conn, answer);
                Input::Contact {
                    conn,
                    from,
                    contact,
                }
            }
            Report::Text {
                conn,
                from,
                message,
                taken,
            } => {
                if self.texts.len() >= SWEEP_AT {
                    self.texts.retain(|_, waiting| !waiting.is_closed());
                }
                self.texts.insert(conn, taken);
                Input::Text {
                    conn,
                    from,
                    message,
                }
            }
        }
    }

    /// Removes tasks that have ended. Those of withdrawn requests were cancelled.
    fn reap(&mut self) {
        for tasks in [&mut self.sends, &mut self.asking, &mut self.links] {
            while let Some(ended) = tasks.try_join_next() {
                if let Err(error) = ended
                    && !error.is_cancelled()
                {
                    tracing::error!(%error, "a task failed");
                }
            }
        }
    }
}

/// Work with keys. A panic in an earlier one has changed nothing.
fn do_work(identity: &Mutex<Identity>, work: Work) -> WorkResult {
    let mut identity = identity.lock().unwrap_or_else(PoisonError::into_inner);
    match work {
        Work::Code(person) => WorkResult::Code(code(&person)),
        Work::Export(password) => WorkResult::Exported(identity.export(&password)),
        Work::Import {
            identity: exported,
            password,
        } => WorkResult::Imported(match identity.import(&exported, &password) {
            Ok(imported) => {
                *identity = imported;
                Ok(identity.certificate())
            }
            Err(error) => {
                let problem = match error {
                    ImportError::NotOne | ImportError::Later { .. } | ImportError::Password => {
                        Problem::BadIdentity
                    }
                    ImportError::Kept(_) => Problem::IdentityNotKept,
                };
                Err((problem, error.to_string()))
            }
        }),
    }
}

/// Spawns the task of a packet, so that no slow peer delays another, and reports its result as
/// the input `done`: `bug` if it panics, since the machine waits for one.
fn spawn_send<T: Send + 'static, E: Send + 'static>(
    tasks: &mut JoinSet<()>,
    report: &mpsc::Sender<Report>,
    span: Span,
    sending: impl Future<Output = Result<T, E>> + Send + 'static,
    bug: E,
    done: impl FnOnce(Result<T, E>) -> Input + Send + 'static,
) -> AbortHandle {
    let report = report.clone();
    let task = async move {
        // Nothing of it is used after a panic.
        let result = AssertUnwindSafe(sending).catch_unwind().await;
        let done = done(result.unwrap_or(Err(bug)));
        tracing::debug!(?done, "sent");
        // Fails if the driver has stopped.
        let _ = report.send(Report::Input(done)).await;
    };
    tasks.spawn(task.instrument(span))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::SendId;
    use crate::shell::testing::within;

    #[tokio::test]
    async fn a_send_that_panics_has_a_result() {
        let mut state = State {
            sending: 2,
            ..State::default()
        };
        let (report, mut reports) = mpsc::channel(1);
        let done = |result| Input::TextDone {
            id: SendId(7),
            result,
        };
        let (bug, panics) = (LeaveReason::Unreachable, async { panic!("a bug") });
        spawn_send(&mut state.sends, &report, Span::none(), panics, bug, done);
        let done = within("the result", reports.recv()).await.unwrap();
        let input = state.accept(done);
        assert!(
            matches!(
                input,
                Input::TextDone {
                    id: SendId(7),
                    result: Err(_)
                }
            ),
            "{input:?}"
        );
        assert_eq!(state.sending, 1, "the other one still is on its way");
    }
}
