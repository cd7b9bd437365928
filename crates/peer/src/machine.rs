//! Everything that a peer decides, without I/O.
//!
//! The owner feeds [`Machine::handle`] with what happened and when, carries out what
//! [`Machine::output`] returns until it returns nothing, and comes back with
//! [`Input::Timer`] when [`Machine::deadline`] has come.
//!
//! | module | what it decides |
//! |---|---|
//! | `session` | the connection to the registry, the account, hellos, the online list |
//! | `requests` | chat requests, in and out |
//! | `group` | who is a member, and who has to be told of whom |
//! | `texts` | what is said: to each member in order, and from members only |
//! | `strangers` | what those outside the chat try |
//! | `blocks` | whom the user wants nothing of |
//! | `drops` | how often others tried what was dropped |

mod blocks;
mod directory;
mod drops;
mod group;
mod holdings;
mod io;
mod requests;
mod session;

use std::collections::VecDeque;
use std::time::Duration;

use p2pchat_model::{
    Command, Event, Failure, MessageId, Notice, PeerAddr, Problem, Timestamp, Username,
};
use p2pchat_protocol::{Contact, MESSAGE_PORT};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use blocks::Blocks;
use directory::Directory;
use drops::Tallies;
use group::Group;
use group::strangers::{Notify, Strangers};
pub use holdings::Holding;
pub use io::{Acknowledgement, ConnId, Input, Now, Output, SendId};
use requests::Requests;
use session::Session;

/// What a machine has to know before it starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// The peer's own address.
    pub address: PeerAddr,
    /// The registry, as the user named it.
    pub registry: String,
    /// Where the peer takes messages.
    pub message_port: u16,
    /// How long a chat request waits for an answer, on either side.
    pub request_limit: Duration,
    /// Where chance comes from: the jitter of reconnecting.
    pub seed: u64,
}

/// One user's peer.
#[derive(Debug)]
pub struct Machine {
    config: Config,
    now: Now,
    random: ChaCha8Rng,
    out: VecDeque<Output>,
    last_send: u64,
    last_message: MessageId,
    busy: bool,
    session: Session,
    directory: Directory,
    requests: Requests,
    group: Group,
    strangers: Strangers,
    blocks: Blocks,
    tallies: Tallies,
}

impl Machine {
    /// A machine that has just started. It has outputs at once.
    #[must_use]
    pub fn new(config: Config, now: Now) -> Self {
        let mut machine = Self {
            now,
            random: ChaCha8Rng::seed_from_u64(config.seed),
            out: VecDeque::new(),
            last_send: 0,
            last_message: MessageId(0),
            busy: false,
            session: Session::default(),
            directory: Directory::default(),
            requests: Requests::default(),
            group: Group::default(),
            strangers: Strangers::default(),
            blocks: Blocks::default(),
            tallies: Tallies::default(),
            config,
        };
        machine.emit(Event::Started {
            address: machine.config.address,
            registry: machine.config.registry.clone(),
            message_port: machine.config.message_port,
        });
        if machine.config.message_port != MESSAGE_PORT {
            machine.notice(Notice::UnprivilegedPort {
                port: machine.config.message_port,
            });
        }
        machine.connect();
        machine
    }

    /// Takes note of what happened.
    pub fn handle(&mut self, now: Now, input: Input) {
        self.now = now;
        match input {
            Input::Command(command) => self.command(command),
            Input::Timer => {}
            Input::RegistryUp => self.registry_up(),
            Input::RegistryDown { reason } => self.registry_down(&reason),
            Input::Response(response) => self.response(response),
            Input::Contact {
                conn,
                from,
                contact,
            } => match contact {
                Contact::Request {
                    from: name,
                    members,
                } => self.request_received(conn, name, from, &members),
                Contact::Notify { newcomer, members } => {
                    self.notify_received(from, Notify { newcomer, members });
                }
            },
            Input::ContactLost { conn } => self.request_lost(conn),
            Input::Text {
                conn,
                from,
                message,
            } => self.text_received(conn, from, &message),
            Input::RequestDone { id, result } => self.request_done(id, result),
            Input::NotifyDone { id, result } => self.notify_done(id, result),
            Input::TextDone { id, result } => self.text_done(id, result),
            Input::Dropped {
                from,
                tried,
                why,
                count,
            } => self.count_dropped(from, None, tried, why, count),
        }
        self.tick();
    }

    /// The next thing to do, oldest first.
    pub fn output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When [`Input::Timer`] is due, by [`Now::elapsed`].
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        [
            self.session.deadline(),
            self.requests.deadline(),
            self.group.deadline(),
            self.strangers.deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn tick(&mut self) {
        self.session_tick();
        self.requests_tick();
        self.strangers_tick();
        self.group_tick();
    }

    fn command(&mut self, command: Command) {
        let name = command.name();
        let done = match command {
            Command::Register { name, password } => self.register(name, password),
            Command::Login { name, password } => self.login(name, password),
            Command::Logout => self.logout(),
            Command::Refresh => self.refresh(),
            Command::Search { name } => self.search(name),
            Command::Request { to } => self.request(to),
            Command::Accept { from } => self.accept(from),
            Command::Reject { from } => self.reject(from),
            Command::Say { text } => self.say(text),
            Command::Leave => self.leave(),
            Command::Busy { on } => {
                self.busy = on;
                self.emit(Event::Busy { on });
                Ok(())
            }
            Command::Block { who } => self.block(who),
            Command::Unblock { who } => self.unblock(who),
            Command::History { before } => self.account().map(|account| {
                self.out.push_back(Output::Recall { account, before });
            }),
            Command::Find { text } => self.account().map(|account| {
                self.out.push_back(Output::Find { account, text });
            }),
        };
        if let Err(refusal) = done {
            self.fail(name, refusal);
        }
    }

    fn emit(&mut self, event: Event) {
        self.out.push_back(Output::Event(event));
    }

    fn notice(&mut self, notice: Notice) {
        let at = self.now.wall;
        self.emit(Event::Notice { at, notice });
    }

    fn fail(&mut self, command: &str, refusal: Refusal) {
        let failure = Failure {
            command: command.to_owned(),
            problem: refusal.problem,
            message: refusal.message,
        };
        let at = self.now.wall;
        self.emit(Event::Failed { at, failure });
    }

    /// The account that is logged in, or what to say to a user who is not.
    fn account(&self) -> Result<Username, Refusal> {
        self.session
            .account()
            .ok_or_else(|| Problem::NotLoggedIn.into())
    }

    fn next_send(&mut self) -> SendId {
        self.last_send += 1;
        SendId(self.last_send)
    }

    /// Makes the ids of messages go on after this one, the greatest in the history: also
    /// where the clock on the wall has gone back since, or was never set.
    #[must_use]
    pub fn with_last_message(mut self, last: MessageId) -> Self {
        self.last_message = self.last_message.max(last);
        self
    }

    /// Microseconds of the wall clock; one more than the last where the clock stands
    /// still or went back.
    fn next_message(&mut self) -> MessageId {
        let by_clock = MessageId(self.now.wall.0.saturating_mul(1000));
        self.last_message = by_clock.max(MessageId(self.last_message.0 + 1));
        self.last_message
    }

    fn wall_in(&self, wait: Duration) -> Timestamp {
        let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        Timestamp(self.now.wall.0.saturating_add(wait))
    }
}

/// Why a command is not carried out.
#[derive(Debug)]
struct Refusal {
    problem: Problem,
    message: String,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            message: problem.words().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
