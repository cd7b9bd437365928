//! What a session of version 2 has besides: signing in by key, presence that is pushed, the
//! user's status, and lookups of keys.

use std::collections::BTreeSet;
use std::time::Duration;

use p2pchat_model::{Event, Link, Notice, Problem, Security, Username};
use p2pchat_protocol::CONTACT_PORT;
use p2pchat_protocol::v2::registry::{PING_INTERVAL, SILENCE};
use p2pchat_protocol::v2::{
    Code, DisplayName, Fingerprint, FromRegistry, Goodbye, Passphrase, Refusal as Refused, SignIn,
    SignUp, SignedIn, Status, ToRegistry,
};

use super::super::chats::Names;
use super::super::context::{Context, Refusal};
use super::super::io::Output;
use super::super::keys::{KeyPurpose, Line};
use super::account::{LOGIN_PAUSE, is_long};
use super::awaited::Waiting;
use super::{Account, Credentials, Effect, LinkState, MAX_PENDING, Query, Session};

/// After how much time without a call of a front end the user is shown as away.
const IDLE: Duration = Duration::from_secs(10 * 60);
/// How many keys are looked up at a time.
const MAX_LOOKUPS: usize = 4;
/// How many may wait for that: the members of a chat, and pinned people who are online.
const MAX_WANTED: usize = 10_000;

/// The state of one encrypted line.
#[derive(Debug, Default)]
pub(super) struct Encrypted {
    is_signed_in: bool,
    /// Whether the sign-in that was sent last had a password.
    has_sent_password: bool,
    /// When the last frame was sent.
    sent: Duration,
    /// When the last frame came.
    heard: Duration,
    /// The status that was sent last.
    status: Status,
    /// Whose keys are to be looked up.
    wanted: BTreeSet<Username>,
    /// When the list of who is online came, since the sign-in.
    pub(super) snapshot_at: Option<Duration>,
    /// The calls that wait for presence.
    pub(super) waiting: Vec<Waiting>,
}

/// How the user is shown to others.
#[derive(Debug, Default)]
pub(crate) struct Availability {
    is_busy: bool,
    /// Whether they have said that they are away.
    is_away: bool,
    /// Whether there was no call for so long.
    is_idle: bool,
    active_at: Duration,
}

impl Availability {
    pub(super) fn since(now: Duration) -> Self {
        Self {
            active_at: now,
            ..Self::default()
        }
    }

    /// Goes on with that of another process.
    pub(crate) fn resume(&mut self, busy: bool, away: bool) {
        self.is_busy = busy;
        self.is_idle = away;
    }

    pub(crate) fn set_busy(&mut self, on: bool) {
        self.is_busy = on;
    }

    /// The session has ended, and with it what the user has said.
    pub(super) fn end(&mut self) {
        (self.is_away, self.is_idle) = (false, false);
    }

    fn is_shown_away(&self) -> bool {
        self.is_away || self.is_idle
    }

    fn status(&self) -> Status {
        match (self.is_busy, self.is_shown_away()) {
            (true, _) => Status::Busy,
            (false, true) => Status::Away,
            (false, false) => Status::Available,
        }
    }

    /// Changes it, and tells the user if they are shown as away now, or no longer.
    fn change(&mut self, cx: &mut Context, change: impl FnOnce(&mut Self)) {
        let before = self.is_shown_away();
        change(self);
        let on = self.is_shown_away();
        if before != on {
            cx.emit(Event::Away { on });
        }
    }
}

impl Session {
    /// Whether the line is encrypted, or is about to be.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.encrypted.is_some()
    }

    /// The line is there: the registry has sent its first frame.
    pub(crate) fn welcome(&mut self, cx: &mut Context, fingerprint: Fingerprint) {
        let (Some(encrypted), Some(keys)) = (&mut self.encrypted, &mut self.keys) else {
            return;
        };
        self.link = LinkState::Up;
        self.failures = 0;
        (encrypted.sent, encrypted.heard) = (cx.now.elapsed, cx.now.elapsed);
        keys.connected(cx, fingerprint);
        keys.registry_answered(cx);
        keys.compute_own_code(cx);
        let remembered = keys.remembered();
        self.tell_security(cx, Security::Encrypted { fingerprint });
        cx.emit(Event::Link(Link::Up));
        match (&self.account, remembered) {
            (Account::Resumed { name }, _) => {
                let credentials = Credentials::by_key(*name);
                self.account = Account::LoggedIn { credentials };
            }
            (Account::LoggedOut, Some(name)) => {
                self.attempt += 1;
                self.account = Account::Pending {
                    credentials: Credentials::by_key(name),
                    register: false,
                    attempt: self.attempt,
                    resumes: false,
                    askers: Vec::new(),
                };
            }
            _ => {}
        }
        self.send_credentials(cx);
    }

    /// Begins with the account that was logged in last, where no one has logged in: its
    /// conversations are here, and wait for no registry. The key signs in once there is one.
    pub(crate) fn begin_without_registry(&mut self, cx: &mut Context) -> Option<Username> {
        if !matches!(self.account, Account::LoggedOut) || self.encrypted.is_none() {
            return None;
        }
        let keys = self.keys.as_mut()?;
        let (registry, name) = (keys.expected()?, keys.remembered()?);
        // What is known of people is known at that registry.
        keys.resume(registry);
        let credentials = Credentials::by_key(name);
        self.account = Account::LoggedIn { credentials };
        let at = cx.now.wall;
        cx.answer_to(None);
        cx.emit(Event::LoggedIn { at, name });
        Some(name)
    }

    /// The registry has another key than the expected one: the user has to decide.
    pub(crate) fn other_key(&mut self, cx: &mut Context, seen: Fingerprint) {
        let line = self.keys.as_ref().map(super::Keyring::line);
        let Some(Line::Encrypted {
            expected: Some(expected),
        }) = line
        else {
            // It is trusted since, or forgotten.
            return self.connect(cx);
        };
        self.link = LinkState::Stopped { expected, seen };
        let pinned = expected;
        cx.emit(Event::Link(Link::KeyChanged { pinned, seen }));
        let refusal = Refusal::from(Problem::RegistryKeyChanged);
        self.fail_pending(cx, &refusal);
        self.give_up_login(cx, refusal);
    }

    /// Trusts the registry that has another key than the expected one.
    pub(crate) fn trust_registry(
        &mut self,
        cx: &mut Context,
        fingerprint: Fingerprint,
    ) -> Result<(), Refusal> {
        match (&self.link, &mut self.keys) {
            (&LinkState::Stopped { expected, seen }, Some(keys)) if seen == fingerprint => {
                keys.trust_registry(cx, expected, seen);
                self.connect(cx);
                Ok(())
            }
            _ => Err(Problem::NoSuchRegistry.into()),
        }
    }

    /// Takes back the pin of a registry.
    pub(crate) fn forget_registry(
        &mut self,
        cx: &mut Context,
        registry: &str,
    ) -> Result<(), Refusal> {
        let keys = self.keys.as_mut().ok_or(Problem::NoSuchRegistry)?;
        keys.forget_registry(cx, registry)?;
        if matches!(self.link, LinkState::Stopped { .. }) {
            self.connect(cx);
        }
        Ok(())
    }

    /// Makes this a device of the person that was exported.
    pub(crate) fn import(
        &mut self,
        cx: &mut Context,
        identity: String,
        password: Passphrase,
    ) -> Result<(), Refusal> {
        let keys = self.keys.as_mut().ok_or(Problem::NotEncrypted)?;
        if matches!(self.account, Account::Pending { .. }) {
            // The name may be bound to the key this moment.
            return Err(Problem::IdentityInUse.into());
        }
        keys.import(cx, identity, password)
    }

    /// Takes a frame of the registry.
    pub(crate) fn frame(&mut self, cx: &mut Context, frame: FromRegistry) -> Option<Effect> {
        let encrypted = self.encrypted.as_mut()?;
        if self.link != LinkState::Up {
            return None;
        }
        encrypted.heard = cx.now.elapsed;
        let is_signed_in = encrypted.is_signed_in;
        match frame {
            FromRegistry::Snapshot {
                users,
                begins,
                ends,
            } => is_signed_in.then_some(Effect::Snapshot {
                users,
                begins,
                ends,
            }),
            FromRegistry::Delta(users) => is_signed_in.then_some(Effect::Delta(users)),
            FromRegistry::Goodbye(why) => {
                self.goodbye(cx, why);
                None
            }
            answer => match self.pending.pop_front() {
                Some(pending) => self.answered(cx, pending.query, answer),
                None => {
                    self.not_asked(cx);
                    None
                }
            },
        }
    }

    fn goodbye(&mut self, cx: &mut Context, why: Goodbye) {
        let reason = match why {
            Goodbye::Stopping => "it stops",
            // The next sign-in says what.
            Goodbye::AccessChanged => "its operator has changed your access",
            Goodbye::Malformed => "it could not read what it was sent; please report this",
            Goodbye::Replaced => {
                "this profile has signed in somewhere else; a copied profile cannot be used in \
                 two places"
            }
        };
        if why == Goodbye::Replaced {
            // Two copies must not push each other out all the time.
            self.failures = self.failures.max(10);
        }
        cx.push(Output::DisconnectRegistry);
        self.registry_down(cx, reason);
    }

    fn answered(&mut self, cx: &mut Context, query: Query, answer: FromRegistry) -> Option<Effect> {
        use FromRegistry::{Done, Found, Pong, Refused as No};
        match (query, answer) {
            (Query::Register { attempt }, Done) => self.register_answered(cx, attempt, Ok(())),
            (Query::Register { attempt }, No(why)) => {
                self.register_answered(cx, attempt, Err(problem(why)));
            }
            (Query::Login { attempt }, FromRegistry::SignedIn(signed_in)) => {
                return self.signed_in(cx, attempt, signed_in);
            }
            (Query::Login { attempt }, No(why)) => {
                return self.sign_in_refused(cx, attempt, why);
            }
            (Query::LookupKey, Found(binding)) => return Some(Effect::Named(Box::new(binding))),
            (Query::Logout | Query::Status, Done | No(_))
            | (Query::LookupKey, No(_))
            | (Query::Subscribe, Done)
            | (Query::Ping, Pong) => {}
            (Query::Lookup { name, purpose }, Found(binding)) if binding.name == name => {
                let binding = Some(Box::new(binding));
                return Some(Effect::Looked {
                    name,
                    binding,
                    purpose,
                });
            }
            (Query::Lookup { name, purpose }, No(Refused::NotFound)) => {
                let binding = None;
                return Some(Effect::Looked {
                    name,
                    binding,
                    purpose,
                });
            }
            (
                Query::DisplayName {
                    display_name,
                    asker,
                },
                Done,
            ) => {
                cx.answer_to(asker);
                cx.emit(Event::DisplayName { display_name });
            }
            (Query::ChangePassword { is_long, asker }, Done) => {
                cx.answer_to(asker);
                if is_long {
                    cx.notice(Notice::LongPassword);
                }
            }
            (Query::LegacyLogin { on, asker }, Done) => {
                cx.answer_to(asker);
                cx.emit(Event::LegacyLogin { on });
            }
            (
                query @ (Query::Lookup { .. }
                | Query::DisplayName { .. }
                | Query::ChangePassword { .. }
                | Query::LegacyLogin { .. }),
                No(why),
            ) => {
                let problem = match (&query, problem(why)) {
                    (Query::ChangePassword { .. }, Problem::WrongCredentials) => {
                        Problem::WrongPassword
                    }
                    (_, problem) => problem,
                };
                if let Some((command, asker)) = query.call() {
                    cx.answer_to(Some(asker));
                    cx.fail(command, problem.into());
                }
            }
            (query, _) => {
                if let Some((command, asker)) = query.call() {
                    cx.answer_to(Some(asker));
                    cx.fail(command, Problem::RegistryFailed.into());
                }
                self.not_asked(cx);
            }
        }
        None
    }

    fn signed_in(&mut self, cx: &mut Context, attempt: u64, signed_in: SignedIn) -> Option<Effect> {
        if let (Some(name), Some(keys)) = (self.account.name(), &mut self.keys)
            && attempt == self.attempt
        {
            // Before it is told: a process that is killed after that is signed in by its key at
            // the next start.
            keys.bound(cx, name, signed_in.serial);
            keys.remember(cx, Some(name));
        }
        let effect = self.login_answered(cx, attempt, Ok(()))?;
        self.encrypted.as_mut()?.is_signed_in = true;
        // What is so already answers no call.
        let asker = cx.defer();
        let display_name = signed_in.display_name;
        cx.emit(Event::DisplayName { display_name });
        let on = signed_in.allows_version_1;
        cx.emit(Event::LegacyLogin { on });
        cx.answer_to(asker);
        if let Account::LoggedIn { credentials } = &mut self.account {
            // From now on the key signs in.
            credentials.password = None;
        }
        Some(effect)
    }

    fn sign_in_refused(&mut self, cx: &mut Context, attempt: u64, why: Refused) -> Option<Effect> {
        let has_sent_password = self
            .encrypted
            .as_ref()
            .is_some_and(|encrypted| encrypted.has_sent_password);
        if let Account::Pending { credentials, .. } = &self.account
            && attempt == self.attempt
            && why == Refused::PasswordNeeded
            && credentials.password.is_some()
            && !has_sent_password
        {
            // It was given since.
            self.send_credentials(cx);
            return None;
        }
        let problem = problem(why);
        if let Account::Pending {
            credentials,
            askers,
            ..
        } = &self.account
            && attempt == self.attempt
            && credentials.password.is_none()
            && askers.is_empty()
            && super::account::may_pass(problem)
        {
            // No one has asked for it, and no one would ask again.
            self.login_at = Some(cx.now.elapsed + LOGIN_PAUSE);
            return None;
        }
        if attempt == self.attempt
            && !super::account::may_pass(problem)
            && let Some(keys) = &mut self.keys
            && keys.remembered() == self.account.name()
        {
            keys.remember(cx, None);
        }
        self.login_answered(cx, attempt, Err(problem))
    }

    /// Joins a login to the one that is under way or done, if it is for the same account.
    /// Whether it needs no login of its own.
    pub(super) fn join_encrypted(
        &mut self,
        cx: &mut Context,
        wanted: &Credentials,
        register: bool,
    ) -> Result<bool, Refusal> {
        if self.keys.as_ref().is_some_and(super::Keyring::is_importing) {
            return Err(Problem::TooMuch.into());
        }
        match &mut self.account {
            // It was the key that signed in, perhaps a moment ago and by itself.
            Account::LoggedIn { credentials } => Ok(!register && credentials.name == wanted.name),
            Account::Pending {
                credentials,
                register: false,
                askers,
                ..
            } if credentials.name == wanted.name && !register => {
                if askers.len() >= MAX_PENDING || cx.asker().is_none() {
                    return Ok(false);
                }
                if credentials.password.is_none() {
                    credentials.password.clone_from(&wanted.password);
                }
                askers.extend(cx.defer());
                Ok(true)
            }
            Account::Pending {
                credentials,
                askers,
                resumes: false,
                ..
            } if credentials.password.is_none() && askers.is_empty() => {
                // No one has asked for it.
                self.sign_out(cx, false);
                self.account = Account::LoggedOut;
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    pub(super) fn send_encrypted(
        &mut self,
        cx: &mut Context,
        credentials: Credentials,
        register: bool,
        attempt: u64,
    ) {
        let Credentials {
            name,
            password,
            display_name,
        } = credentials;
        let status = self.availability.status();
        let (Some(encrypted), Some(keys)) = (&mut self.encrypted, &self.keys) else {
            return;
        };
        let certificate = keys.certificate();
        encrypted.has_sent_password = password.is_some();
        match (register, password) {
            (true, Some(password)) => {
                let sign_up = ToRegistry::SignUp(SignUp {
                    name,
                    password,
                    certificate,
                    display_name,
                });
                self.send(cx, Query::Register { attempt }, sign_up);
            }
            (_, password) => {
                encrypted.status = status;
                let sign_in = ToRegistry::SignIn(SignIn {
                    name,
                    certificate,
                    password,
                    port: CONTACT_PORT,
                    version_1: true,
                    status,
                });
                self.send(cx, Query::Login { attempt }, sign_in);
            }
        }
    }

    fn send(&mut self, cx: &mut Context, query: Query, request: ToRegistry) {
        if let Some(encrypted) = &mut self.encrypted {
            encrypted.sent = cx.now.elapsed;
        }
        self.wait_for(cx, query);
        cx.push(Output::Send(request));
    }

    /// Asks to be told who is online.
    pub(crate) fn subscribe(&mut self, cx: &mut Context) {
        self.send(cx, Query::Subscribe, ToRegistry::Subscribe);
    }

    /// Ends the session at the registry, or the attempt at one.
    pub(super) fn sign_out(&mut self, cx: &mut Context, forgets: bool) {
        let is_signing_in = self.is_pending(|query| matches!(query, Query::Login { .. }));
        let Some(encrypted) = &mut self.encrypted else {
            return;
        };
        let is_signed_in = std::mem::take(&mut encrypted.is_signed_in);
        encrypted.snapshot_at = None;
        encrypted.wanted.clear();
        if self.link == LinkState::Up && (is_signed_in || is_signing_in) {
            self.send(cx, Query::Logout, ToRegistry::SignOut);
        }
        if forgets && let Some(keys) = &mut self.keys {
            keys.remember(cx, None);
        }
    }

    /// Whether the registry answers questions of the account, in version 2.
    pub(crate) fn check_signed_in(&self) -> Result<(), Problem> {
        let encrypted = self.encrypted.as_ref().ok_or(Problem::NotEncrypted)?;
        self.logged_in_account()?;
        if self.link != LinkState::Up || !encrypted.is_signed_in {
            Err(Problem::RegistryUnreachable)
        } else if self.questions() >= MAX_PENDING {
            Err(Problem::TooMuch)
        } else {
            Ok(())
        }
    }

    pub(crate) fn set_away(&mut self, cx: &mut Context, on: bool) -> Result<(), Refusal> {
        if self.encrypted.is_none() {
            return Err(Problem::NotEncrypted.into());
        }
        self.logged_in_account()?;
        self.availability
            .change(cx, |availability| availability.is_away = on);
        Ok(())
    }

    /// The user has made a call.
    pub(crate) fn active(&mut self, cx: &mut Context) {
        let now = cx.now.elapsed;
        self.availability.change(cx, |availability| {
            availability.active_at = now;
            availability.is_idle = false;
        });
    }

    pub(crate) fn set_display_name(
        &mut self,
        cx: &mut Context,
        display_name: DisplayName,
    ) -> Result<(), Refusal> {
        self.check_signed_in()?;
        let asker = cx.defer();
        let query = Query::DisplayName {
            display_name,
            asker,
        };
        self.send(cx, query, ToRegistry::SetDisplayName(display_name));
        Ok(())
    }

    pub(crate) fn change_password(
        &mut self,
        cx: &mut Context,
        old: Passphrase,
        new: Passphrase,
    ) -> Result<(), Refusal> {
        self.check_signed_in()?;
        let (is_long, asker) = (is_long(&new), cx.defer());
        let query = Query::ChangePassword { is_long, asker };
        self.send(cx, query, ToRegistry::ChangePassword { old, new });
        Ok(())
    }

    pub(crate) fn set_legacy_login(&mut self, cx: &mut Context, on: bool) -> Result<(), Refusal> {
        self.check_signed_in()?;
        let asker = cx.defer();
        let query = Query::LegacyLogin { on, asker };
        self.send(cx, query, ToRegistry::AllowVersion1(on));
        Ok(())
    }

    /// Asks for the key of a user, to show its code.
    pub(crate) fn ask_code(&mut self, cx: &mut Context, name: Username) -> Result<(), Refusal> {
        self.check_signed_in()?;
        let asker = cx.defer();
        self.look_up(cx, name, KeyPurpose::Code { asker });
        Ok(())
    }

    /// Trusts the key of a user if it has this code.
    pub(crate) fn trust(
        &mut self,
        cx: &mut Context,
        name: Username,
        code: Code,
        verified: bool,
    ) -> Result<(), Refusal> {
        self.check_signed_in()?;
        let asker = cx.defer();
        let purpose = KeyPurpose::Trust {
            code,
            verified,
            asker,
        };
        self.look_up(cx, name, purpose);
        Ok(())
    }

    fn look_up(&mut self, cx: &mut Context, name: Username, purpose: KeyPurpose) {
        let query = Query::Lookup { name, purpose };
        self.send(cx, query, ToRegistry::Lookup(name));
    }

    /// Notes that the key of a user has to be looked up, if it does: their binding has this
    /// serial.
    pub(crate) fn want_key(&mut self, name: Username, serial: u64, is_in_chat: bool) {
        let Some(encrypted) = &mut self.encrypted else {
            return;
        };
        let keys = self.keys.as_ref();
        if keys.is_some_and(|keys| keys.is_wanted(name, serial, is_in_chat))
            && encrypted.wanted.len() < MAX_WANTED
        {
            encrypted.wanted.insert(name);
        }
    }

    /// Notes that the key of a user has to be looked up, whatever is known of it.
    pub(crate) fn look_up_soon(&mut self, name: Username) {
        if let Some(encrypted) = &mut self.encrypted
            && encrypted.wanted.len() < MAX_WANTED
        {
            encrypted.wanted.insert(name);
        }
    }

    pub(super) fn encrypted_deadline(&self) -> Option<Duration> {
        let encrypted = self.encrypted.as_ref()?;
        let is_up = self.link == LinkState::Up;
        let is_present = self.account().is_some() && !self.availability.is_idle;
        [
            is_up.then_some(encrypted.sent + PING_INTERVAL),
            is_up.then_some(encrypted.heard + SILENCE),
            is_present.then_some(self.availability.active_at + IDLE),
            encrypted.waiting_until(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub(super) fn encrypted_tick(&mut self, cx: &mut Context) {
        let now = cx.now.elapsed;
        if self.account().is_some() && self.availability.active_at + IDLE <= now {
            self.availability
                .change(cx, |availability| availability.is_idle = true);
        }
        let Some(encrypted) = self
            .encrypted
            .as_ref()
            .filter(|_| self.link == LinkState::Up)
        else {
            return;
        };
        if encrypted.heard + SILENCE <= now {
            cx.push(Output::DisconnectRegistry);
            return self.registry_down(cx, "it no longer answers");
        }
        if encrypted.sent + PING_INTERVAL <= now {
            self.send(cx, Query::Ping, ToRegistry::Ping);
        }
        if self.login_at.is_some_and(|at| at <= now) {
            self.send_credentials(cx);
        }
        self.sync(cx);
    }

    /// How many lookups can be sent now.
    fn lookup_room(&self) -> usize {
        let lookups = self.pending.iter();
        let is_lookup = |query: &Query| matches!(query, Query::Lookup { .. } | Query::LookupKey);
        let lookups = lookups.filter(|pending| is_lookup(&pending.query)).count();
        MAX_LOOKUPS.saturating_sub(lookups)
    }

    /// Asks which names keys are bound to, as far as there is room.
    pub(crate) fn look_up_keys(&mut self, cx: &mut Context, names: &mut Names) {
        if self.check_signed_in().is_err() {
            return;
        }
        for _ in 0..self.lookup_room() {
            let Some(key) = names.pop_wanted() else {
                return;
            };
            self.send(cx, Query::LookupKey, ToRegistry::LookupKey(key));
        }
    }

    /// Sends the status if it has changed, and looks up keys.
    fn sync(&mut self, cx: &mut Context) {
        let status = self.availability.status();
        let room = self.lookup_room();
        let Some(encrypted) = self.encrypted.as_mut().filter(|line| line.is_signed_in) else {
            return;
        };
        let is_changed = std::mem::replace(&mut encrypted.status, status) != status;
        let next = |_| encrypted.wanted.pop_first();
        let wanted: Vec<Username> = (0..room).filter_map(next).collect();
        if is_changed {
            self.send(cx, Query::Status, ToRegistry::SetStatus(status));
        }
        for name in wanted {
            self.look_up(cx, name, KeyPurpose::Pin);
        }
    }
}

/// Why a command fails that the registry refuses.
fn problem(why: Refused) -> Problem {
    match why {
        Refused::NameTaken => Problem::NameTaken,
        Refused::BadName => Problem::BadName,
        Refused::WrongCredentials => Problem::WrongCredentials,
        Refused::SlowDown => Problem::SlowDown,
        Refused::PasswordNeeded => Problem::PasswordNeeded,
        Refused::OtherPerson => Problem::OtherPerson,
        Refused::DeviceForgotten => Problem::DeviceForgotten,
        Refused::TooManyDevices => Problem::TooManyDevices,
        Refused::NotSignedIn => Problem::NotLoggedIn,
        Refused::NotFound => Problem::NoKey,
        Refused::Failed
        | Refused::BadCertificate
        | Refused::AlreadySignedIn
        | Refused::NoAddress => Problem::RegistryFailed,
    }
}
