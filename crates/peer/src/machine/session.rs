//! The session with the registry: connection, account, presence, the online list.

mod account;
mod lookup;

use std::collections::VecDeque;
use std::time::Duration;

use p2pchat_model::{Event, Link, PeerAddr, Problem, Username};
use p2pchat_protocol::{Hello, Kind, Password, Request, Response};
use rand::RngExt;

use super::{Machine, Output, Refusal};

/// A user without a hello for 60 s leaves the list: this survives three lost in a row.
const HELLO_INTERVAL: Duration = Duration::from_secs(15);
/// How long a response may take: a registry under a flood of logins still hashes this one.
const RESPONSE_LIMIT: Duration = Duration::from_secs(15);
/// The pause before the second try to connect; it doubles with each further one.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
/// The longest pause between two tries to connect.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

/// How many requests may wait for their responses.
const MAX_ASKED: usize = 64;
/// The same with what is asked all the same: a login by itself, the end of a session, and
/// the list, twice.
pub(super) const MOST_ASKED: usize = MAX_ASKED + 4;

/// What is known of the registry and of the account.
#[derive(Debug, Default)]
pub(super) struct Session {
    link: LinkState,
    failures: u32,
    asked: VecDeque<Asked>,
    account: Account,
    attempts: u64,
    hello_at: Duration,
    refresh_at: Duration,
    refreshed: Duration,
    /// Whether a name is in doubt since the last list.
    in_doubt: bool,
    /// How many lists in a row came when one was.
    doubts: u32,
    login_at: Option<Duration>,
    logged_in_at: Duration,
    elsewhere: Option<PeerAddr>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum LinkState {
    #[default]
    Connecting,
    Up,
    Down {
        retry_at: Duration,
    },
}

#[derive(Debug, Default)]
enum Account {
    #[default]
    None,
    /// The user asked for it; the registry has not yet agreed.
    Wanted {
        credentials: Credentials,
        register: bool,
        attempt: u64,
    },
    /// Logged in, by the user's lights: the registry may have forgotten, and is reminded.
    In { credentials: Credentials },
}

#[derive(Debug, Clone)]
struct Credentials {
    name: Username,
    password: Password,
}

/// A request that waits for its response. They come in order.
#[derive(Debug)]
struct Asked {
    question: Question,
    until: Duration,
}

#[derive(Debug)]
enum Question {
    Register { attempt: u64 },
    Login { attempt: u64 },
    Search { name: Username, then: Then },
    Logout,
    AllOnline { tell: bool },
}

impl Question {
    fn kind(&self) -> Kind {
        match self {
            Self::Register { .. } => Kind::Register,
            Self::Login { .. } => Kind::Login,
            Self::Search { .. } => Kind::Search,
            Self::Logout => Kind::Logout,
            Self::AllOnline { .. } => Kind::AllOnline,
        }
    }
}

/// What a search is for.
#[derive(Debug, Clone, Copy)]
enum Then {
    Tell,
    Request,
}

impl Session {
    pub(super) fn asked_count(&self) -> usize {
        self.asked.len()
    }

    pub(super) fn account(&self) -> Option<Username> {
        match &self.account {
            Account::In { credentials } => Some(credentials.name),
            Account::None | Account::Wanted { .. } => None,
        }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let retry = match self.link {
            LinkState::Down { retry_at } => Some(retry_at),
            LinkState::Connecting | LinkState::Up => None,
        };
        let up = self.link == LinkState::Up;
        let logged_in = self.account().is_some();
        [
            retry,
            self.asked.front().map(|asked| asked.until),
            logged_in.then_some(self.hello_at),
            (logged_in && up).then_some(self.refresh_at),
            self.login_at.filter(|_| up),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn is_asking(&self, which: impl Fn(&Question) -> bool) -> bool {
        self.asked.iter().any(|asked| which(&asked.question))
    }
}

impl Machine {
    pub(super) fn connect(&mut self) {
        self.session.link = LinkState::Connecting;
        self.out.push_back(Output::ConnectRegistry);
        self.emit(Event::Link(Link::Connecting));
    }

    pub(super) fn registry_up(&mut self) {
        self.session.link = LinkState::Up;
        self.session.failures = 0;
        self.emit(Event::Link(Link::Up));
        self.ask_account();
    }

    pub(super) fn registry_down(&mut self, reason: &str) {
        let exponent = self.session.failures.min(10);
        let pause = (FIRST_BACKOFF * 2_u32.pow(exponent)).min(LONGEST_BACKOFF);
        // Half of it by chance, so that not everybody comes back at the same moment.
        let pause = pause.mul_f64(self.random.random_range(0.5..=1.0));
        self.session.failures += 1;
        self.session.login_at = None;
        self.session.link = LinkState::Down {
            retry_at: self.now.elapsed + pause,
        };
        self.emit(Event::Link(Link::Down {
            reason: reason.to_owned(),
            retry_at: self.wall_in(pause),
        }));
        let unreachable = || Refusal {
            problem: Problem::RegistryUnreachable,
            message: format!("the registry cannot be reached: {reason}"),
        };
        for asked in std::mem::take(&mut self.session.asked) {
            if let Question::Search { then, .. } = asked.question {
                self.fail(then.command(), unreachable());
            }
        }
        if let Account::Wanted { register, .. } = self.session.account {
            self.session.account = Account::None;
            self.fail(login_command(register), unreachable());
        }
    }

    pub(super) fn session_tick(&mut self) {
        let now = self.now.elapsed;
        if let LinkState::Down { retry_at } = self.session.link
            && retry_at <= now
        {
            self.connect();
        }
        if self
            .session
            .asked
            .front()
            .is_some_and(|asked| asked.until <= now)
        {
            self.out.push_back(Output::DisconnectRegistry);
            self.registry_down("it does not answer");
        }
        let Some(name) = self.session.account() else {
            return;
        };
        if self.session.hello_at <= now {
            self.session.hello_at = now + HELLO_INTERVAL;
            self.out.push_back(Output::Hello(Hello { username: name }));
        }
        if self.session.link == LinkState::Up {
            if self.session.login_at.is_some_and(|at| at <= now) {
                self.ask_account();
            }
            if self.session.refresh_at <= now {
                self.ask_online(name, false);
            }
        }
    }

    fn ask(&mut self, question: Question, request: Request) {
        self.session.asked.push_back(Asked {
            question,
            until: self.now.elapsed + RESPONSE_LIMIT,
        });
        self.out.push_back(Output::Ask(request));
    }

    pub(super) fn response(&mut self, response: Response) {
        let answers = |asked: &mut Asked| asked.question.kind() as u8 == response.kind_byte();
        let Some(asked) = self.session.asked.pop_front_if(answers) else {
            // Whatever it says from now on would be taken for the answer to something else.
            self.out.push_back(Output::DisconnectRegistry);
            self.registry_down("it answered a question that was not asked");
            return;
        };
        match asked.question {
            Question::Register { attempt } => self.register_answered(attempt, &response),
            Question::Login { attempt } => self.login_answered(attempt, &response),
            Question::Search { name, then } => self.search_answered(name, then, &response),
            Question::Logout => {}
            Question::AllOnline { tell } => match response {
                Response::Online(users) => self.online(&users, tell),
                Response::NobodyOnline => self.online(&[], tell),
                _ if tell => self.fail("refresh", Problem::RegistryFailed.into()),
                _ => {}
            },
        }
    }
}

impl Then {
    fn command(self) -> &'static str {
        match self {
            Self::Tell => "search",
            Self::Request => "request",
        }
    }
}

fn login_command(register: bool) -> &'static str {
    match register {
        true => "register",
        false => "login",
    }
}
