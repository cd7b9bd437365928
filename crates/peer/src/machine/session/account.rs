//! The account: registered, logged in, logged in again, logged out.

use std::time::Duration;

use p2pchat_model::{Event, Link, Notice, Problem, Username};
use p2pchat_protocol::v2::{DisplayName, Passphrase};
use p2pchat_protocol::{Password, Request, Response};

use super::super::context::{Context, Refusal};
use super::{Account, Credentials, Effect, LinkState, MAX_PENDING, Query, Session};

/// The pause before another login when the registry was too busy to take the last one, or
/// took it and does not list us.
pub(super) const LOGIN_PAUSE: Duration = Duration::from_secs(5);

impl Session {
    pub(crate) fn register(
        &mut self,
        cx: &mut Context,
        name: Username,
        password: Passphrase,
        display_name: DisplayName,
    ) -> Result<(), Refusal> {
        name.check_new()
            .map_err(|error| Refusal::new(Problem::BadName, error.to_string()))?;
        let credentials = Credentials {
            name,
            password: Some(password),
            display_name,
        };
        self.begin(cx, credentials, true)
    }

    pub(crate) fn login(
        &mut self,
        cx: &mut Context,
        name: Username,
        password: Option<Passphrase>,
    ) -> Result<(), Refusal> {
        let credentials = Credentials {
            password,
            ..Credentials::by_key(name)
        };
        self.begin(cx, credentials, false)
    }

    fn begin(
        &mut self,
        cx: &mut Context,
        credentials: Credentials,
        register: bool,
    ) -> Result<(), Refusal> {
        if self.link == LinkState::NoRegistry {
            return Err(Problem::NoRegistry.into());
        }
        if self.encrypted.is_some() {
            if self.join_encrypted(cx, &credentials, register)? {
                return Ok(());
            }
        } else {
            legacy_password(credentials.password.as_ref())?;
        }
        if let Account::Pending {
            credentials: pending,
            register: is_pending,
            askers,
            ..
        } = &mut self.account
            && *pending == credentials
            && *is_pending == register
            && cx.asker().is_some()
            && askers.len() < MAX_PENDING
        {
            // Several programs of a user start at once, each with the same login.
            askers.extend(cx.defer());
            return Ok(());
        }
        let resumes = match self.account {
            Account::LoggedOut => false,
            Account::Resumed { name } if name == credentials.name && !register => true,
            Account::Pending { .. } => return Err(Problem::TooMuch.into()),
            Account::LoggedIn { .. } | Account::Resumed { .. } => {
                return Err(Problem::AlreadyLoggedIn.into());
            }
        };
        if self.pending.len() >= MAX_PENDING {
            return Err(Problem::TooMuch.into());
        }
        self.attempt += 1;
        self.account = Account::Pending {
            credentials,
            register,
            attempt: self.attempt,
            resumes,
            askers: cx.defer().into_iter().collect(),
        };
        match self.link {
            LinkState::Up => self.send_credentials(cx),
            LinkState::Connecting | LinkState::NoRegistry => {}
            // A user waits now: no reason to sit out the backoff.
            LinkState::Down { .. } => self.connect(cx),
            LinkState::Stopped { .. } => self.give_up_login(cx, Problem::RegistryKeyChanged.into()),
        }
        Ok(())
    }

    /// Ends a login that has no answer from the registry yet.
    pub(super) fn give_up_login(&mut self, cx: &mut Context, refusal: Refusal) {
        let Account::Pending {
            credentials,
            register,
            resumes,
            askers,
            ..
        } = &mut self.account
        else {
            return;
        };
        let command = if *register { "register" } else { "login" };
        let is_automatic = credentials.password.is_none() && askers.is_empty();
        let askers = std::mem::take(askers);
        self.account = if *resumes {
            Account::Resumed {
                name: credentials.name,
            }
        } else {
            Account::LoggedOut
        };
        if is_automatic && is_of_link(refusal.problem) {
            // It is tried again with the connection, and the link says what is wrong with that.
        } else if askers.is_empty() {
            cx.answer_to(None);
            cx.fail(command, refusal);
        } else {
            for asker in askers {
                cx.answer_to(Some(asker));
                cx.fail(command, refusal.clone());
            }
        }
    }

    /// Ends the session by the user's wish.
    pub(crate) fn logout(&mut self, cx: &mut Context) -> Result<(), Refusal> {
        let username = self.account.name().ok_or(Problem::NotLoggedIn)?;
        if matches!(&self.account, Account::Pending { askers, .. } if !askers.is_empty()) {
            let asker = cx.defer();
            self.give_up_login(cx, Problem::NotLoggedIn.into());
            cx.answer_to(asker);
        }
        if self.encrypted.is_some() {
            // The peer itself logs out where its process ends, and signs in again when it starts.
            let is_by_user = cx.asker().is_some();
            self.sign_out(cx, is_by_user);
            let asker = cx.defer();
            self.fail_waiting(cx, &Problem::NotLoggedIn.into());
            cx.answer_to(asker);
        } else if self.link == LinkState::Up {
            self.ask(cx, Query::Logout, Request::Logout { username });
        }
        self.end();
        Ok(())
    }

    fn end(&mut self) {
        self.account = Account::LoggedOut;
        self.availability.end();
        self.login_at = None;
        self.elsewhere = None;
    }

    /// Plans another login, because the registry does not list us. A login is expensive for
    /// it, and one that forgets at once must not get them one after the other.
    pub(super) fn plan_login(&mut self, cx: &Context) {
        let earliest = self.logged_in_at + LOGIN_PAUSE;
        let at = earliest.max(cx.now.elapsed);
        self.login_at.get_or_insert(at);
    }

    /// Registers or logs in, whichever is due.
    pub(super) fn send_credentials(&mut self, cx: &mut Context) {
        self.login_at = None;
        let (credentials, register, attempt) = match &self.account {
            Account::LoggedOut | Account::Resumed { .. } => return,
            Account::Pending {
                credentials,
                register,
                attempt,
                ..
            } => (credentials.clone(), *register, *attempt),
            Account::LoggedIn { credentials } => (credentials.clone(), false, self.attempt),
        };
        let is_this_login =
            |query: &Query| matches!(query, Query::Login { attempt: sent } if *sent == attempt);
        if self.encrypted.is_some() {
            if register || !self.is_pending(is_this_login) {
                self.send_encrypted(cx, credentials, register, attempt);
            }
            return;
        }
        let password = match legacy_password(credentials.password.as_ref()) {
            Ok(password) => password,
            // The line was to be encrypted when it was given.
            Err(refusal) => return self.give_up_login(cx, refusal),
        };
        let username = credentials.name;
        if register {
            let request = Request::Register { username, password };
            self.ask(cx, Query::Register { attempt }, request);
        } else if !self.is_pending(is_this_login) {
            let request = Request::Login { username, password };
            self.ask(cx, Query::Login { attempt }, request);
        }
    }

    pub(super) fn register_answered(
        &mut self,
        cx: &mut Context,
        answered: u64,
        result: Result<(), Problem>,
    ) {
        let Account::Pending {
            credentials,
            register,
            attempt,
            askers,
            ..
        } = &mut self.account
        else {
            return;
        };
        if *attempt != answered {
            return;
        }
        if let Err(problem) = result {
            return self.give_up_login(cx, problem.into());
        }
        *register = false;
        let name = credentials.name;
        let is_long = credentials.password.as_ref().is_some_and(is_long);
        if self.encrypted.is_some() {
            // The name is bound to the key.
            credentials.password = None;
        }
        let at = cx.now.wall;
        cx.answer_to(askers.first().cloned());
        cx.emit(Event::Registered { at, name });
        if !name.is_legacy_compatible() {
            cx.notice(Notice::LongName);
        }
        if is_long {
            cx.notice(Notice::LongPassword);
        }
        // The login closes the call.
        cx.answer_to(None);
        self.send_credentials(cx);
    }

    pub(super) fn login_answered(
        &mut self,
        cx: &mut Context,
        answered: u64,
        result: Result<(), Problem>,
    ) -> Option<Effect> {
        if answered != self.attempt {
            return None;
        }
        let (credentials, askers, again) = match &self.account {
            Account::LoggedOut | Account::Resumed { .. } => return None,
            Account::Pending {
                credentials,
                askers,
                resumes,
                ..
            } => (credentials.clone(), askers.clone(), *resumes),
            Account::LoggedIn { credentials } => (credentials.clone(), Vec::new(), true),
        };
        let is_pending = matches!(self.account, Account::Pending { .. });
        let resumes = is_pending && again;
        let problem = match result {
            Ok(()) => {
                let mut askers = askers.into_iter();
                let first = askers.next();
                cx.answer_to(first.clone());
                if resumes {
                    cx.emit(Event::Link(Link::Up));
                }
                let effect = self.logged_in(cx, credentials, again);
                for other in askers {
                    cx.answer_to(Some(other));
                    cx.done();
                }
                cx.answer_to(first);
                return Some(effect);
            }
            Err(problem) => problem,
        };
        if is_pending {
            self.give_up_login(cx, problem.into());
        } else if !may_pass(problem) {
            self.end();
            return Some(Effect::Ended(problem));
        } else {
            self.login_at = Some(cx.now.elapsed + LOGIN_PAUSE);
        }
        None
    }

    fn logged_in(&mut self, cx: &mut Context, credentials: Credentials, again: bool) -> Effect {
        let name = credentials.name;
        self.account = Account::LoggedIn { credentials };
        self.hello_at = cx.now.elapsed;
        self.logged_in_at = cx.now.elapsed;
        let at = cx.now.wall;
        cx.emit(Event::LoggedIn { at, name });
        Effect::LoggedIn { name, again }
    }
}

/// What the response to a login of version 1 says.
pub(super) fn login_result(response: &Response) -> Result<(), Problem> {
    match response {
        Response::LoggedIn => Ok(()),
        Response::WrongCredentials => Err(Problem::WrongCredentials),
        Response::SlowDown => Err(Problem::SlowDown),
        _ => Err(Problem::RegistryFailed),
    }
}

/// The same for the response to Register.
pub(super) fn register_result(response: &Response) -> Result<(), Problem> {
    match response {
        Response::Registered => Ok(()),
        Response::NameTaken => Err(Problem::NameTaken),
        Response::BadUsername => Err(Problem::BadName),
        Response::BadPassword => Err(Problem::BadPassword),
        _ => Err(Problem::RegistryFailed),
    }
}

/// Whether a login that was refused for this reason may succeed in a while.
pub(super) fn may_pass(problem: Problem) -> bool {
    matches!(problem, Problem::SlowDown | Problem::RegistryFailed)
}

/// The password for a registry of version 1.
fn legacy_password(password: Option<&Passphrase>) -> Result<Password, Refusal> {
    let password = password.ok_or(Problem::PasswordNeeded)?;
    password
        .to_version_1()
        .map_err(|error| Refusal::new(Problem::BadPassword, error.to_string()))
}

/// Whether legacy clients cannot use a password.
pub(super) fn is_long(password: &Passphrase) -> bool {
    let password = password.to_version_1();
    password.map_or(true, |password| !password.is_legacy_compatible())
}

/// Whether it is the connection that the login failed for.
fn is_of_link(problem: Problem) -> bool {
    matches!(
        problem,
        Problem::RegistryUnreachable | Problem::RegistryKeyChanged
    )
}
