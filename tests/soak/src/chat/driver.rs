//! One user: a task that keeps a program running, logs in, carries out orders with it, and
//! passes on what the program tells.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use p2pchat_model::{Command, Event, Passphrase, Problem, Username, View};
use p2pchat_testkit::{Peer, Programs};
use rustix::process::Signal;
use tokio::sync::mpsc;
use tokio::time::{Instant as Moment, sleep, sleep_until};

/// How long to wait before a login is tried again that failed.
const LOGIN_PAUSE: Duration = Duration::from_secs(1);

/// The program that a user chats by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `p2pchat --json`.
    Native,
    /// `p2pchat-bridge` and a page.
    Bridge,
}

impl Kind {
    /// Starts the program, and opens its page if it has one.
    async fn start(self, driver: &Driver) -> Result<Peer> {
        let (programs, home) = (&driver.programs, &driver.home);
        let (registry, address) = (driver.registry, driver.address);
        match self {
            Self::Native => Peer::start(programs, home, registry, address, &[]),
            Self::Bridge => {
                let mut peer = Peer::start_bridge(programs, home, registry, address).await?;
                peer.open_page().await?;
                Ok(peer)
            }
        }
    }
}

/// An order to a user.
#[derive(Debug)]
pub(super) enum Order {
    /// Give the program a command.
    Ask(Command),
    /// Kill it, and start it again after a while.
    Kill {
        /// How long it is stopped before: it dies with connections that it has not read.
        stopped: Duration,
        /// How long it is gone.
        pause: Duration,
    },
    /// Stop it (SIGSTOP) for a while, in which it neither reads nor answers.
    Stop {
        /// How long.
        pause: Duration,
    },
    /// Close the page of a bridge for a while.
    ClosePage {
        /// How long.
        pause: Duration,
        /// By the closing handshake, or as a browser that is killed.
        in_order: bool,
    },
}

/// News from a user.
#[derive(Debug)]
pub(super) struct News {
    /// Who.
    pub(super) user: usize,
    /// When it was heard.
    pub(super) at: Instant,
    /// What.
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// The program was started; its process id.
    Started(u32),
    /// What there is to see in a program that was started, or on a page that was opened.
    View(Box<View>),
    /// What happened.
    Event(Box<Event>),
    /// A program that was stopped goes on, a page that was closed is open.
    Back,
    /// The program has ended; what went wrong, if that was not asked for.
    Ended(Option<String>),
}

impl What {
    fn of(event: Event) -> Self {
        match event {
            Event::View(snapshot) => Self::View(Box::new(snapshot.view)),
            event => Self::Event(Box::new(event)),
        }
    }
}

/// A user.
#[derive(Debug)]
pub(super) struct Driver {
    pub(super) user: usize,
    pub(super) name: Username,
    pub(super) password: Passphrase,
    pub(super) kind: Kind,
    pub(super) address: Ipv4Addr,
    pub(super) home: PathBuf,
    pub(super) registry: [SocketAddr; 2],
    pub(super) programs: Programs,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) news: mpsc::Sender<News>,
    /// Whether the account was registered.
    pub(super) has_account: bool,
}

/// How one life of the program ends.
enum End {
    /// No more orders come.
    Over,
    /// It was killed, and is to be started again after this time.
    Killed(Duration),
}

impl Driver {
    /// Runs until no more orders come.
    pub(super) async fn run(mut self) {
        loop {
            let (pause, problem) = match self.live().await {
                Ok(End::Over) => return,
                Ok(End::Killed(pause)) => (pause, None),
                Err(error) => (LOGIN_PAUSE, Some(format!("{}: {error:#}", self.name))),
            };
            self.tell(What::Ended(problem)).await;
            sleep(pause).await;
        }
    }

    /// One life of the program.
    async fn live(&mut self) -> Result<End> {
        let mut peer = self.kind.start(self).await?;
        self.tell(What::Started(peer.pid()?)).await;
        let mut login = Login::new(self.name, self.password.clone(), !self.has_account);
        self.has_account = true;
        loop {
            tokio::select! {
                order = self.orders.recv() => match order {
                    None => return Ok(End::Over),
                    Some(Order::Kill { stopped, pause }) => {
                        if !stopped.is_zero() {
                            peer.signal(Signal::STOP)?;
                            sleep(stopped).await;
                        }
                        for update in peer.kill_and_read().await? {
                            self.tell(What::of(Arc::unwrap_or_clone(update.event))).await;
                        }
                        return Ok(End::Killed(pause));
                    }
                    Some(order) => self.carry_out(order, &mut peer).await?,
                },
                event = peer.event() => match event? {
                    Some(event) => {
                        login.on_event(&event);
                        peer.agree(&event).await?;
                        self.tell(What::of(event)).await;
                    }
                    None => anyhow::bail!("it has ended by itself"),
                },
                () = sleep_until(login.due_at()), if login.is_due() => {
                    let command = login.command();
                    peer.ask(&command).await?;
                }
            }
        }
    }

    async fn carry_out(&mut self, order: Order, peer: &mut Peer) -> Result<()> {
        match order {
            Order::Ask(command) => {
                peer.ask(&command).await?;
                return Ok(());
            }
            Order::Kill { .. } => unreachable!("this ends the life and is not for here"),
            Order::Stop { pause } => {
                peer.signal(Signal::STOP)?;
                sleep(pause).await;
                peer.signal(Signal::CONT)?;
            }
            Order::ClosePage { pause, in_order } => {
                peer.close_page(in_order).await;
                sleep(pause).await;
                peer.open_page().await?;
            }
        }
        self.tell(What::Back).await;
        Ok(())
    }

    async fn tell(&self, what: What) {
        let news = News {
            user: self.user,
            at: Instant::now(),
            what,
        };
        // A run that does not listen any more sends no orders either.
        let _ = self.news.send(news).await;
    }
}

/// Logs in until it succeeds.
struct Login {
    name: Username,
    password: Passphrase,
    register: bool,
    due_at: Option<Moment>,
}

impl Login {
    fn new(name: Username, password: Passphrase, register: bool) -> Self {
        Self {
            name,
            password,
            register,
            due_at: Some(Moment::now()),
        }
    }

    fn is_due(&self) -> bool {
        self.due_at.is_some()
    }

    fn due_at(&self) -> Moment {
        self.due_at.unwrap_or_else(Moment::now)
    }

    fn command(&mut self) -> Command {
        self.due_at = None;
        let (name, password) = (self.name, self.password.clone());
        if self.register {
            Command::register(name, password)
        } else {
            Command::login(name, password)
        }
    }

    /// A page that was opened again: is its user still logged in?
    fn on_view(&mut self, view: &View) {
        if view.account.is_some() {
            self.due_at = None;
        }
    }

    fn on_event(&mut self, event: &Event) {
        let problem = match event {
            Event::View(snapshot) => return self.on_view(&snapshot.view),
            Event::Failed(failure) if matches!(failure.command.as_str(), "login" | "register") => {
                failure.code
            }
            Event::LoggedOut {
                problem: Some(problem),
                ..
            } => *problem,
            _ => return,
        };
        self.register = match problem {
            Problem::AlreadyLoggedIn => return,
            Problem::WrongCredentials => !self.register,
            Problem::NameTaken => false,
            _ => self.register,
        };
        let turned = matches!(problem, Problem::WrongCredentials | Problem::NameTaken);
        let pause = if turned { Duration::ZERO } else { LOGIN_PAUSE };
        self.due_at = Some(Moment::now() + pause);
    }
}
