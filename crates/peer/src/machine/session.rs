//! The session with the registry: connection, account, and what is asked of it.
//!
//! Both versions share the connection with its backoff, the account, and the queue of requests
//! that wait for their answers. What only version 1 has is in `lookup`, what only version 2 has
//! in `encrypted`.

mod account;
mod awaited;
mod encrypted;
mod lookup;

use std::collections::VecDeque;
use std::time::Duration;

use p2pchat_model::{Event, Link, OnlineUser, PeerAddr, Problem, Security, Username};
use p2pchat_protocol::v2::registry::SILENCE;
use p2pchat_protocol::v2::{Binding, DisplayName, Fingerprint, Passphrase, SeatUpdate};
use p2pchat_protocol::{Hello, Kind, Request, Response};
use rand::RngExt;

use super::context::{Context, Refusal};
use super::directory::Directory;
use super::io::{Asker, Output, Usage};
use super::keys::{KeyPurpose, Keyring, Line};
pub(super) use awaited::Wanted;
use encrypted::{Availability, Encrypted};

/// A user without a hello for 60 s leaves the list: this survives three lost in a row.
const HELLO_INTERVAL: Duration = Duration::from_secs(15);
/// How long a response may take: a registry under a flood of logins still hashes this one.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(15);
/// The backoff before the second attempt to connect; it doubles with each further one.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
/// The longest backoff between two attempts to connect.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

/// How many requests may wait for their responses.
const MAX_PENDING: usize = 64;
/// The same with the requests that are sent regardless: a login by the machine itself, the
/// logout, and the online list, twice.
const MAX_PENDING_WITH_OWN: usize = MAX_PENDING + 4;

/// The state of the connection to the registry and of the account.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// Without keys, version 1 alone is spoken.
    pub(super) keys: Option<Keyring>,
    link: LinkState,
    /// What version 2 needs: there if the line is encrypted, or is about to be.
    encrypted: Option<Encrypted>,
    /// What front ends were last told of the line.
    pub(super) security: Security,
    /// How the user is shown to others.
    pub(super) availability: Availability,
    /// How many attempts to connect have failed in a row.
    failures: u32,
    /// The requests without a response so far. Responses come in order.
    pending: VecDeque<Pending>,
    account: Account,
    /// The number of the newest attempt to register or log in: responses to an older one
    /// are stale.
    attempt: u64,
    hello_at: Duration,
    refresh_at: Duration,
    /// When the last online list came.
    refreshed: Duration,
    /// Whether a name was not confirmed since the last list.
    unconfirmed_name: bool,
    /// How many lists in a row came after such a name.
    unconfirmed_lists: u32,
    login_at: Option<Duration>,
    logged_in_at: Duration,
    /// Another address that the registry has for the account, if the user was told.
    elsewhere: Option<PeerAddr>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum LinkState {
    /// No registry is chosen.
    NoRegistry,
    #[default]
    Connecting,
    Up,
    Down {
        retry_at: Duration,
    },
    /// The registry has another key than the expected one: no attempt until the user decides.
    Stopped {
        expected: Fingerprint,
        seen: Fingerprint,
    },
}

#[derive(Debug, Default)]
enum Account {
    #[default]
    LoggedOut,
    /// The user asked for it; the registry has not yet agreed.
    Pending {
        credentials: Credentials,
        register: bool,
        attempt: u64,
        /// Whether it is to go on with [`Account::Resumed`].
        resumes: bool,
        /// Whose calls it is: others may ask for the same meanwhile.
        askers: Vec<Asker>,
    },
    /// Logged in, in the process that ran the peer before this one. Only the password is
    /// missing: chats go on, and the registry knows us as long as it gets hellos.
    Resumed { name: Username },
    /// Logged in from the user's point of view. The registry may have forgotten, and a
    /// second login may be in flight.
    LoggedIn { credentials: Credentials },
}

impl Account {
    fn name(&self) -> Option<Username> {
        match self {
            Self::LoggedOut => None,
            Self::Pending { credentials, .. } | Self::LoggedIn { credentials } => {
                Some(credentials.name)
            }
            Self::Resumed { name } => Some(*name),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Credentials {
    name: Username,
    /// Needed by version 1 each time, and by version 2 until the name is bound to the user's key.
    password: Option<Passphrase>,
    /// That of an account that is to be created.
    display_name: DisplayName,
}

impl Credentials {
    /// Those of an account that the key signs in to.
    fn by_key(name: Username) -> Self {
        Self {
            name,
            password: None,
            display_name: DisplayName::default(),
        }
    }
}

/// A request to the registry that waits for its response.
#[derive(Debug)]
struct Pending {
    query: Query,
    timeout_at: Duration,
}

/// A request, with what its response is needed for.
#[derive(Debug)]
enum Query {
    Register {
        attempt: u64,
    },
    Login {
        attempt: u64,
    },
    Search {
        name: Username,
        purpose: SearchPurpose,
        asker: Option<Asker>,
    },
    Logout,
    AllOnline {
        announce: bool,
        asker: Option<Asker>,
    },
    Subscribe,
    Ping,
    Status,
    Lookup {
        name: Username,
        purpose: KeyPurpose,
    },
    LookupKey,
    DisplayName {
        display_name: DisplayName,
        asker: Option<Asker>,
    },
    ChangePassword {
        is_long: bool,
        asker: Option<Asker>,
    },
    LegacyLogin {
        on: bool,
        asker: Option<Asker>,
    },
}

impl Query {
    /// The kind of its response in version 1.
    fn kind(&self) -> Option<Kind> {
        match self {
            Self::Register { .. } => Some(Kind::Register),
            Self::Login { .. } => Some(Kind::Login),
            Self::Search { .. } => Some(Kind::Search),
            Self::Logout => Some(Kind::Logout),
            Self::AllOnline { .. } => Some(Kind::AllOnline),
            _ => None,
        }
    }

    /// The call that fails if there is no answer: its command, and whose it is.
    fn call(self) -> Option<(&'static str, Asker)> {
        match self {
            Self::Search { purpose, asker, .. } => Some((purpose.command(), asker?)),
            Self::AllOnline { asker, .. } => Some(("refresh", asker?)),
            Self::Lookup { purpose, .. } => {
                let command = purpose.command()?;
                Some((command, purpose.into_asker()?))
            }
            Self::DisplayName { asker, .. } => Some(("display_name", asker?)),
            Self::ChangePassword { asker, .. } => Some(("change_password", asker?)),
            Self::LegacyLogin { asker, .. } => Some(("legacy_login", asker?)),
            Self::Register { .. }
            | Self::Login { .. }
            | Self::Logout
            | Self::Subscribe
            | Self::LookupKey
            | Self::Ping
            | Self::Status => None,
        }
    }
}

/// What a search is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum SearchPurpose {
    /// To show the result.
    Show,
    /// To send a chat request to the address.
    Request,
}

impl SearchPurpose {
    /// The command that fails if the search does.
    pub(super) fn command(self) -> &'static str {
        match self {
            Self::Show => "search",
            Self::Request => "request",
        }
    }
}

/// What a response of the registry means for the other parts of the machine.
#[derive(Debug)]
pub(super) enum Effect {
    /// The account is logged in, for the first time or `again` within the session.
    LoggedIn { name: Username, again: bool },
    /// The session has ended: the registry refuses the account.
    Ended(Problem),
    /// A new online list; `announce` if the user is told even if nothing changed.
    Listed {
        users: Vec<OnlineUser>,
        announce: bool,
    },
    /// Who is online, or a part of it: version 2.
    Snapshot {
        users: Vec<SeatUpdate>,
        begins: bool,
        ends: bool,
    },
    /// What has changed in that list.
    Delta(Vec<SeatUpdate>),
    /// The binding of a name, `None` if it has none.
    Looked {
        name: Username,
        binding: Option<Box<Binding>>,
        purpose: KeyPurpose,
    },
    /// The binding of a person key.
    Named(Box<Binding>),
    /// A search has an answer: `None` for a user who is not online.
    Searched {
        name: Username,
        address: Option<PeerAddr>,
        purpose: SearchPurpose,
    },
}

impl Session {
    /// A session of a user with these keys, who was told this of the line.
    pub(super) fn new(keys: Option<Keyring>, now: Duration) -> Self {
        Self {
            keys,
            availability: Availability::since(now),
            ..Self::default()
        }
    }

    /// The account that is logged in.
    pub(super) fn account(&self) -> Option<Username> {
        match &self.account {
            Account::LoggedIn { credentials }
            | Account::Pending {
                credentials,
                resumes: true,
                ..
            } => Some(credentials.name),
            Account::Resumed { name } => Some(*name),
            Account::LoggedOut | Account::Pending { .. } => None,
        }
    }

    /// Goes on with the session of another process.
    pub(super) fn resume(&mut self, name: Username, security: Security) {
        self.account = Account::Resumed { name };
        if let (Security::Encrypted { fingerprint }, Some(keys)) = (security, &mut self.keys) {
            keys.resume(fingerprint);
        }
    }

    /// Whether the session is that of another process, and the registry has not renewed it.
    fn needs_password(&self) -> bool {
        matches!(
            self.account,
            Account::Resumed { .. } | Account::Pending { resumes: true, .. }
        )
    }

    /// The account, if the registry answers questions of it.
    fn logged_in_account(&self) -> Result<Username, Problem> {
        match &self.account {
            Account::LoggedIn { credentials } => Ok(credentials.name),
            _ => Err(Problem::NotLoggedIn),
        }
    }

    pub(super) fn usage(&self) -> Usage {
        let count = self.questions();
        Usage::new("questions to the registry", count, MAX_PENDING_WITH_OWN)
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let retry = match self.link {
            LinkState::Down { retry_at } => Some(retry_at),
            LinkState::NoRegistry
            | LinkState::Connecting
            | LinkState::Up
            | LinkState::Stopped { .. } => None,
        };
        let up = self.link == LinkState::Up;
        let logged_in = self.account().is_some();
        let answers = up && self.logged_in_account().is_ok();
        let polls = self.encrypted.is_none();
        [
            retry,
            self.pending.front().map(|pending| pending.timeout_at),
            (logged_in && polls).then_some(self.hello_at),
            (answers && polls).then_some(self.refresh_at),
            self.login_at.filter(|_| answers || (up && !polls)),
            self.encrypted_deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub(super) fn connect(&mut self, cx: &mut Context) {
        if cx.config.registry.is_empty() {
            self.link = LinkState::NoRegistry;
            return cx.emit(Event::Link(Link::NoRegistry));
        }
        self.link = LinkState::Connecting;
        let line = self.keys.as_ref().map_or(Line::Plain, Keyring::line);
        match line {
            Line::Plain => {
                self.encrypted = None;
                cx.push(Output::ConnectRegistry);
            }
            Line::Encrypted { expected } => {
                self.encrypted = Some(Encrypted::default());
                cx.push(Output::ConnectEncrypted { expected });
            }
        }
        cx.emit(Event::Link(Link::Connecting));
    }

    /// Whether another registry may be chosen: no one is logged in, or about to be by their wish.
    pub(super) fn may_choose(&self) -> bool {
        match &self.account {
            Account::LoggedOut => true,
            Account::Pending {
                resumes, askers, ..
            } => !resumes && askers.is_empty(),
            Account::Resumed { .. } | Account::LoggedIn { .. } => false,
        }
    }

    /// Leaves the registry for another one, or for the same at another address.
    pub(super) fn change_registry(&mut self, cx: &mut Context) {
        cx.push(Output::DisconnectRegistry);
        self.account = Account::LoggedOut;
        let asker = cx.defer();
        self.fail_pending(cx, &Problem::RegistryUnreachable.into());
        cx.answer_to(asker);
        self.failures = 0;
        self.tell_security(cx, Security::Unknown);
        self.connect(cx);
    }

    /// Tries to connect now where that has failed.
    pub(super) fn try_again(&mut self, cx: &mut Context) {
        if let LinkState::Down { .. } = self.link {
            self.connect(cx);
        }
    }

    /// Whether the registry is there.
    pub(super) fn is_up(&self) -> bool {
        self.link == LinkState::Up
    }

    /// Tells the user whether the line is encrypted, if that is news.
    fn tell_security(&mut self, cx: &mut Context, security: Security) {
        if self.security != security {
            self.security = security;
            cx.emit(Event::Security(security));
        }
    }

    pub(super) fn registry_up(&mut self, cx: &mut Context) {
        self.link = LinkState::Up;
        self.failures = 0;
        self.tell_security(cx, Security::NotEncrypted);
        if let Some(keys) = &mut self.keys {
            keys.registry_answered(cx);
        }
        if let Account::LoggedIn { credentials } = &self.account
            && credentials.password.is_none()
        {
            // The line was encrypted before.
            let name = credentials.name;
            self.account = Account::Resumed { name };
        }
        if self.needs_password() {
            cx.emit(Event::Link(Link::PasswordNeeded));
            // The last one of the process that has ended may be long ago.
            self.hello_at = cx.now.elapsed;
        } else {
            cx.emit(Event::Link(Link::Up));
        }
        self.send_credentials(cx);
    }

    pub(super) fn registry_down(&mut self, cx: &mut Context, reason: &str) {
        let exponent = self.failures.min(10);
        let backoff = (FIRST_BACKOFF * 2_u32.pow(exponent)).min(LONGEST_BACKOFF);
        // Random jitter of up to a half, so that the peers do not all come back at once.
        let backoff = backoff.mul_f64(cx.rng.random_range(0.5..=1.0));
        self.failures += 1;
        self.login_at = None;
        self.link = LinkState::Down {
            retry_at: cx.now.elapsed + backoff,
        };
        let retry_at = cx.wall_in(backoff);
        cx.emit(Event::Link(Link::Down {
            reason: reason.to_owned(),
            retry_at,
        }));
        let unreachable = || {
            Refusal::new(
                Problem::RegistryUnreachable,
                Problem::RegistryUnreachable.because(reason),
            )
        };
        self.fail_pending(cx, &unreachable());
        self.give_up_login(cx, unreachable());
    }

    /// No answer comes any more.
    fn fail_pending(&mut self, cx: &mut Context, refusal: &Refusal) {
        for pending in std::mem::take(&mut self.pending) {
            if let Some((command, asker)) = pending.query.call() {
                cx.answer_to(Some(asker));
                cx.fail(command, refusal.clone());
            }
        }
        self.fail_waiting(cx, refusal);
    }

    pub(super) fn tick(&mut self, cx: &mut Context, directory: &Directory) {
        let now = cx.now.elapsed;
        if let LinkState::Down { retry_at } = self.link
            && retry_at <= now
        {
            self.connect(cx);
        }
        let is_late = |pending: &Pending| pending.timeout_at <= now;
        if self.pending.front().is_some_and(is_late) {
            cx.push(Output::DisconnectRegistry);
            self.registry_down(cx, "it does not answer");
        }
        if self.encrypted.is_some() {
            return self.encrypted_tick(cx);
        }
        let Some(name) = self.account() else {
            return;
        };
        if self.hello_at <= now {
            self.hello_at = now + HELLO_INTERVAL;
            cx.push(Output::Hello(Hello { username: name }));
        }
        if self.link == LinkState::Up && self.logged_in_account().is_ok() {
            if self.login_at.is_some_and(|at| at <= now) {
                self.send_credentials(cx);
            }
            if self.refresh_at <= now {
                self.ask_online(cx, directory, name, false);
            }
        }
    }

    fn ask(&mut self, cx: &mut Context, query: Query, request: Request) {
        self.wait_for(cx, query);
        cx.push(Output::Ask(request));
    }

    fn wait_for(&mut self, cx: &Context, query: Query) {
        let limit = match query {
            Query::Ping => SILENCE,
            _ => RESPONSE_TIMEOUT,
        };
        self.pending.push_back(Pending {
            query,
            timeout_at: cx.now.elapsed + limit,
        });
    }

    fn is_pending(&self, which: impl Fn(&Query) -> bool) -> bool {
        self.pending.iter().any(|pending| which(&pending.query))
    }

    /// Takes a response of the registry.
    pub(super) fn response(&mut self, cx: &mut Context, response: Response) -> Option<Effect> {
        let kind = response.kind_byte();
        let answers = |pending: &mut Pending| {
            let asked = pending.query.kind();
            asked.is_some_and(|asked| asked as u8 == kind)
        };
        let Some(pending) = self.pending.pop_front_if(answers) else {
            self.not_asked(cx);
            return None;
        };
        match pending.query {
            Query::Register { attempt } => {
                let result = account::register_result(&response);
                self.register_answered(cx, attempt, result);
                None
            }
            Query::Login { attempt } => {
                let result = account::login_result(&response);
                self.login_answered(cx, attempt, result)
            }
            Query::Search {
                name,
                purpose,
                asker,
            } => {
                cx.answer_to(asker);
                lookup::search_answered(cx, name, purpose, &response)
            }
            Query::Logout => None,
            Query::AllOnline { announce, asker } => {
                cx.answer_to(asker);
                self.online_answered(cx, announce, response)
            }
            // Not of version 1, so none of its responses is for it.
            _ => None,
        }
    }

    /// From now on, every response would be taken for the answer to another request.
    fn not_asked(&mut self, cx: &mut Context) {
        cx.push(Output::DisconnectRegistry);
        self.registry_down(cx, "it answered a question that was not asked");
    }
}
