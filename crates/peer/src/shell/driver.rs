//! The task that owns the machine: feeds it with what happens, carries out what it says.
//!
//! It never waits for another machine or a front end. The one thing that it waits for is
//! room in the journal, when the disk is slower than what is said.

use std::net::{SocketAddrV4, UdpSocket};
use std::time::Duration;

use p2pchat_model::{Command, Event, PeerAddr};
use p2pchat_protocol::Hello;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::inbound::Report;
use super::journal::ToJournal;
use super::link::{Link, LinkEvent};
use super::outbound::Outbound;
use super::resolve::RegistryNames;
use crate::machine::{Input, Machine, Output};

mod state;

use super::journal_queue::{Entries, JournalGone};
pub(super) use state::State;

/// How long a stop waits for texts that are on their way.
const STOP_SENDS: Duration = Duration::from_secs(1);
/// How long a stop waits for the registry's answer to Logout.
const STOP_LOGOUT: Duration = Duration::from_secs(1);
/// How long a stop waits for connections to be closed in order.
const STOP_CLOSE: Duration = Duration::from_secs(1);

/// Everything that the driver owns.
#[derive(Debug)]
pub(super) struct Driver {
    pub(super) machine: Machine,
    pub(super) clock: Clock,
    pub(super) address: PeerAddr,
    pub(super) registry: RegistryNames,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) reports: mpsc::Receiver<Report>,
    /// For the tasks of what is sent.
    pub(super) report: mpsc::Sender<Report>,
    pub(super) entries: Entries,
    pub(super) outbound: Outbound,
    pub(super) hello: HelloSocket,
    /// The accept loops.
    pub(super) doors: JoinSet<()>,
    /// Closes the listeners.
    pub(super) closing: CancellationToken,
    pub(super) state: State,
}

/// Sends hellos. UDP never waits: what does not fit is lost, as any datagram may be.
#[derive(Debug)]
pub(super) struct HelloSocket {
    pub(super) socket: UdpSocket,
    pub(super) port: u16,
    /// Where the registry was when it was last reached.
    pub(super) registry: Option<SocketAddrV4>,
}

impl HelloSocket {
    fn send(&self, hello: &Hello) {
        let Some(registry) = self.registry else {
            return;
        };
        let to = SocketAddrV4::new(*registry.ip(), self.port);
        if let Err(error) = self.socket.send_to(&hello.encode(), to) {
            tracing::debug!(%registry, %error, "a hello was not sent");
        }
    }
}

impl Driver {
    /// Runs until `stop` says so, in order; or until its sender is dropped, at once.
    pub(super) async fn run(mut self, mut stop: oneshot::Receiver<()>) {
        self.carry_out().await;
        while !self.state.failed {
            tokio::select! {
                asked = &mut stop => {
                    if asked.is_ok() {
                        self.stop().await;
                    }
                    break;
                }
                input = self.input() => self.step(input).await,
            }
        }
        // If the journal is gone, nobody is left to be told.
        let _ = self.entries.hand_over().await;
        // Dropping the rest ends all tasks, and the journal after its last entry.
    }

    /// The next thing that happens. Can be dropped and called again.
    async fn input(&mut self) -> Input {
        if std::mem::take(&mut self.state.stuck) {
            return self.on_link(LinkEvent::Down("the registry does not read".to_owned()));
        }
        let deadline = self.machine.deadline().map(|at| self.clock.at(at));
        let deadline = [deadline, self.entries.due()].into_iter().flatten().min();
        let due = async {
            match deadline {
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
            Some(command) = self.commands.recv() => Input::Command(command),
            Some(report) = self.reports.recv() => self.state.accept(report),
            event = link => self.on_link(event),
            () = due => Input::Timer,
        }
    }

    /// Feeds the machine and carries out what it says.
    async fn step(&mut self, input: Input) {
        self.machine.handle(self.clock.now(), input);
        self.carry_out().await;
    }

    async fn carry_out(&mut self) {
        while let Some(output) = self.machine.output() {
            self.act(output).await;
        }
        if self.state.sending == 0 || self.entries.is_due() {
            let handed_over = self.entries.hand_over().await;
            self.note_journal(&handed_over);
        }
        self.state.reap();
    }

    async fn act(&mut self, output: Output) {
        match output {
            Output::ConnectRegistry => {
                self.state.link = Some(Link::connect(
                    &mut self.state.links,
                    self.address,
                    self.registry.clone(),
                    self.hello.registry,
                ));
                self.state.stuck = false;
            }
            Output::DisconnectRegistry => {
                self.state.link = None;
                self.state.stuck = false;
            }
            Output::Ask(request) => self.ask(request),
            Output::Hello(hello) => self.hello.send(&hello),
            Output::Answer { conn, answer } => {
                if let Some(waiting) = self.state.requests.remove(&conn) {
                    // Its connection may have broken this moment.
                    let _ = waiting.send(answer);
                }
            }
            Output::TakeText { conn } => {
                if let Some(waiting) = self.state.texts.remove(&conn) {
                    self.journal(ToJournal::Taken(waiting)).await;
                }
            }
            // Who waits for the word hears that it does not come, and resets.
            Output::RefuseText { conn } => drop(self.state.texts.remove(&conn)),
            Output::Event(event) => self.tell(event).await,
            Output::KeepBlock { account, change } => {
                self.journal(ToJournal::KeepBlock { account, change }).await;
            }
            Output::Recall { account, before } => {
                self.journal(ToJournal::Recall { account, before }).await;
            }
            Output::Find { account, text } => {
                self.journal(ToJournal::Find { account, text }).await;
            }
            send @ (Output::Request { .. } | Output::Notify { .. } | Output::Text { .. }) => {
                self.send(send);
            }
        }
    }

    /// Each in a task of its own, so that no slow peer delays another.
    fn send(&mut self, output: Output) {
        let outbound = self.outbound.clone();
        let report = self.report.clone();
        let counts = !matches!(output, Output::Request { .. });
        self.state.sending += usize::from(counts);
        self.state.sends.spawn(async move {
            let input = match output {
                Output::Request {
                    id,
                    to,
                    contact,
                    limit,
                } => Input::RequestDone {
                    id,
                    result: outbound.request(to, contact, limit).await,
                },
                Output::Notify {
                    id,
                    to,
                    contact,
                    patience,
                } => Input::NotifyDone {
                    id,
                    result: outbound.notify(to, contact, patience).await,
                },
                Output::Text {
                    id,
                    to,
                    message,
                    patience,
                } => Input::TextDone {
                    id,
                    result: outbound.text(to, message, patience).await,
                },
                _ => unreachable!("nothing else is sent to a peer"),
            };
            // The driver may have stopped.
            let _ = report.send(Report::Input(input)).await;
        });
    }

    fn ask(&mut self, request: p2pchat_protocol::Request) {
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
            LinkEvent::Response(response) => Input::Response(response),
            LinkEvent::Down(reason) => {
                self.state.link = None;
                Input::RegistryDown { reason }
            }
        }
    }

    async fn tell(&mut self, event: Event) {
        match event {
            Event::LoggedIn { .. } => self.state.logged_in = true,
            Event::LoggedOut { .. } => self.state.logged_in = false,
            _ => {}
        }
        self.journal(ToJournal::Event(event)).await;
    }

    async fn journal(&mut self, entry: ToJournal) {
        let added = self.entries.add(entry).await;
        self.note_journal(&added);
    }

    fn note_journal(&mut self, result: &Result<(), JournalGone>) {
        if result.is_err() && !self.state.failed {
            tracing::error!("the journal is gone, so the peer stops");
            self.state.failed = true;
        }
    }

    /// Stops in order: what was commanded is done, what was said is sent, then the
    /// session ends, then the listeners close.
    async fn stop(&mut self) {
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            self.step(Input::Command(command)).await;
        }
        self.run_until(STOP_SENDS, |state| state.sending == 0).await;
        if self.state.logged_in {
            self.step(Input::Command(Command::Logout)).await;
            self.run_until(STOP_LOGOUT, |state| !state.logged_in).await;
        }
        self.closing.cancel();
        self.state.link = None;
        let closed = async {
            while self.doors.join_next().await.is_some() {}
            while self.state.links.join_next().await.is_some() {}
        };
        // Those that are still there are aborted.
        let _ = timeout(STOP_CLOSE, closed).await;
    }

    async fn run_until(&mut self, limit: Duration, done: impl Fn(&State) -> bool) {
        let run = async {
            while !done(&self.state) && !self.state.failed {
                let input = self.input().await;
                self.step(input).await;
            }
        };
        // Whether it is done in time or not, the stop goes on.
        let _ = timeout(limit, run).await;
    }
}
