//! The session with the registry: connection, account, presence, the online list.

use std::collections::VecDeque;
use std::time::Duration;

use p2pchat_model::{Event, Link, Notice, OnlineUser, PeerAddr, Problem, Target, Username};
use p2pchat_protocol::{Hello, Password, Request, Response};
use rand::RngExt;

use super::{Machine, Output, Refusal};

/// A user without a hello for 60 s leaves the list: this survives three lost in a row.
const HELLO_INTERVAL: Duration = Duration::from_secs(15);
/// How old the online list may become.
const REFRESH_INTERVAL: Duration = Duration::from_secs(30);
/// How soon the list is asked for again when a name is in doubt.
const REFRESH_PAUSE: Duration = Duration::from_secs(2);
/// How long a response may take: a registry under a flood of logins still hashes this one.
const RESPONSE_LIMIT: Duration = Duration::from_secs(15);
/// The pause before the second try to connect; it doubles with each further one.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
/// The longest pause between two tries to connect.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
/// The pause before another login when the registry was too busy to take the last one.
const LOGIN_PAUSE: Duration = Duration::from_secs(5);
/// How many requests may wait for their responses.
const MAX_ASKED: usize = 64;

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
    login_at: Option<Duration>,
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

/// What a search is for.
#[derive(Debug, Clone, Copy)]
enum Then {
    Tell,
    Request,
}

impl Session {
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
        self.emit(Event::Link {
            link: Link::Connecting,
        });
    }

    pub(super) fn registry_up(&mut self) {
        self.session.link = LinkState::Up;
        self.session.failures = 0;
        self.emit(Event::Link { link: Link::Up });
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
        self.emit(Event::Link {
            link: Link::Down {
                reason: reason.to_owned(),
                retry_at: self.wall_in(pause),
            },
        });
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

    pub(super) fn register(&mut self, name: Username, password: Password) -> Result<(), Refusal> {
        name.check_new().map_err(|error| Refusal {
            problem: Problem::BadName,
            message: error.to_string(),
        })?;
        self.want(Credentials { name, password }, true)
    }

    pub(super) fn login(&mut self, name: Username, password: Password) -> Result<(), Refusal> {
        self.want(Credentials { name, password }, false)
    }

    fn want(&mut self, credentials: Credentials, register: bool) -> Result<(), Refusal> {
        match self.session.account {
            Account::None => {}
            Account::Wanted { .. } => return Err(Problem::TooMuch.into()),
            Account::In { .. } => return Err(Problem::AlreadyLoggedIn.into()),
        }
        self.session.attempts += 1;
        self.session.account = Account::Wanted {
            credentials,
            register,
            attempt: self.session.attempts,
        };
        match self.session.link {
            LinkState::Up => self.ask_account(),
            LinkState::Connecting => {}
            // Somebody waits now: no reason to sit out the pause.
            LinkState::Down { .. } => self.connect(),
        }
        Ok(())
    }

    pub(super) fn logout(&mut self) -> Result<(), Refusal> {
        let username = match &self.session.account {
            Account::None => return Err(Problem::NotLoggedIn.into()),
            Account::Wanted { credentials, .. } | Account::In { credentials } => credentials.name,
        };
        if self.session.link == LinkState::Up {
            self.ask(Question::Logout, Request::Logout { username });
        }
        self.end_session(None);
        Ok(())
    }

    fn end_session(&mut self, problem: Option<Problem>) {
        self.session.account = Account::None;
        self.session.login_at = None;
        self.session.elsewhere = None;
        self.drop_requests();
        self.drop_group();
        self.directory.replace(&[]);
        let at = self.now.wall;
        self.emit(Event::LoggedOut { at, problem });
    }

    pub(super) fn refresh(&mut self) -> Result<(), Refusal> {
        let name = self.account()?;
        self.check_link()?;
        self.ask_online(name, true);
        Ok(())
    }

    fn check_link(&self) -> Result<(), Problem> {
        if self.session.link != LinkState::Up {
            Err(Problem::RegistryUnreachable)
        } else if self.session.asked.len() >= MAX_ASKED {
            Err(Problem::TooMuch)
        } else {
            Ok(())
        }
    }

    /// Asks for the list again soon, because a name is not as the last one has it.
    pub(super) fn doubt_names(&mut self) {
        let soon = (self.session.refreshed + REFRESH_PAUSE).max(self.now.elapsed);
        self.session.refresh_at = self.session.refresh_at.min(soon);
    }

    pub(super) fn search(&mut self, name: Username) -> Result<(), Refusal> {
        self.ask_where(name, Then::Tell)
    }

    /// Finds somebody who is not in the list, and then asks him for a chat.
    pub(super) fn search_to_request(&mut self, name: Username) -> Result<(), Refusal> {
        self.ask_where(name, Then::Request)
    }

    fn ask_where(&mut self, target: Username, then: Then) -> Result<(), Refusal> {
        let username = self.account()?;
        self.check_link()?;
        self.ask(
            Question::Search { name: target, then },
            Request::Search { username, target },
        );
        Ok(())
    }

    /// Registers or logs in, whichever is due.
    fn ask_account(&mut self) {
        self.session.login_at = None;
        let (credentials, register, attempt) = match &self.session.account {
            Account::None => return,
            Account::Wanted {
                credentials,
                register,
                attempt,
            } => (credentials.clone(), *register, *attempt),
            Account::In { credentials } => (credentials.clone(), false, self.session.attempts),
        };
        let Credentials { name, password } = credentials;
        let username = name;
        if register {
            let request = Request::Register { username, password };
            self.ask(Question::Register { attempt }, request);
        } else if !self.session.is_asking(
            |question| matches!(question, Question::Login { attempt: asked } if *asked == attempt),
        ) {
            let request = Request::Login { username, password };
            self.ask(Question::Login { attempt }, request);
        }
    }

    fn ask_online(&mut self, username: Username, tell: bool) {
        self.session.refresh_at = self.now.elapsed + REFRESH_INTERVAL;
        if tell
            || !self
                .session
                .is_asking(|question| matches!(question, Question::AllOnline { .. }))
        {
            self.ask(
                Question::AllOnline { tell },
                Request::AllOnline { username },
            );
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
        let Some(asked) = self.session.asked.pop_front() else {
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

    fn register_answered(&mut self, answered: u64, response: &Response) {
        let Account::Wanted {
            credentials,
            register,
            attempt,
        } = &mut self.session.account
        else {
            return;
        };
        if *attempt != answered {
            return;
        }
        let problem = match response {
            Response::Registered => {
                *register = false;
                let Credentials { name, password } = credentials.clone();
                let at = self.now.wall;
                self.emit(Event::Registered { at, name });
                if !name.fits_2017() {
                    self.notice(Notice::LongName);
                }
                if !password.fits_2017() {
                    self.notice(Notice::LongPassword);
                }
                return self.ask_account();
            }
            Response::NameTaken => Problem::NameTaken,
            Response::BadUsername => Problem::BadName,
            Response::BadPassword => Problem::BadPassword,
            _ => Problem::RegistryFailed,
        };
        self.session.account = Account::None;
        self.fail("register", problem.into());
    }

    fn login_answered(&mut self, answered: u64, response: &Response) {
        if answered != self.session.attempts {
            return;
        }
        let (credentials, anew) = match &self.session.account {
            Account::None => return,
            Account::Wanted { credentials, .. } => (credentials.clone(), false),
            Account::In { credentials } => (credentials.clone(), true),
        };
        let problem = match response {
            Response::LoggedIn => return self.logged_in(credentials, anew),
            Response::WrongCredentials => Problem::WrongCredentials,
            Response::SlowDown => Problem::SlowDown,
            _ => Problem::RegistryFailed,
        };
        match (anew, problem) {
            (false, _) => {
                self.session.account = Account::None;
                self.fail("login", problem.into());
            }
            (true, Problem::WrongCredentials) => self.end_session(Some(problem)),
            (true, _) => self.session.login_at = Some(self.now.elapsed + LOGIN_PAUSE),
        }
    }

    fn logged_in(&mut self, credentials: Credentials, anew: bool) {
        let name = credentials.name;
        self.session.account = Account::In { credentials };
        self.session.hello_at = self.now.elapsed;
        let at = self.now.wall;
        self.emit(Event::LoggedIn { at, name });
        if !anew {
            self.out.push_back(Output::Recall {
                account: name,
                before: None,
            });
        }
        self.ask_online(name, true);
    }

    fn search_answered(&mut self, name: Username, then: Then, response: &Response) {
        let address = match response {
            Response::Found(address) => Some(*address),
            Response::NotFound => None,
            _ => return self.fail(then.command(), Problem::RegistryFailed.into()),
        };
        match (then, address) {
            (Then::Tell, _) => {
                let at = self.now.wall;
                self.emit(Event::Found { at, name, address });
            }
            (Then::Request, None) => self.fail("request", Problem::NotOnline.into()),
            (Then::Request, Some(address)) => {
                if let Err(refusal) = self.request(Target::Address(address)) {
                    self.fail("request", refusal);
                }
            }
        }
    }

    fn online(&mut self, users: &[OnlineUser], tell: bool) {
        let Some(name) = self.session.account() else {
            return;
        };
        self.session.refreshed = self.now.elapsed;
        if self.directory.replace(users) || tell {
            let users = self.directory.users();
            self.emit(Event::Online { users });
        }
        let listed = self.directory.address_of(name);
        if listed.is_none() {
            // It has forgotten us: it was restarted, or our hellos did not get through.
            self.ask_account();
        }
        let elsewhere = listed.filter(|address| *address != self.config.address);
        if let Some(address) = elsewhere
            && self.session.elsewhere != elsewhere
        {
            self.notice(Notice::ElsewhereOnline { address });
        }
        self.session.elsewhere = elsewhere;
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
