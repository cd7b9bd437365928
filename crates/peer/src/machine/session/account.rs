//! The account: registered, logged in, logged in again, logged out.

use std::time::Duration;

use p2pchat_model::{Event, Link, Notice, Problem, Username};
use p2pchat_protocol::{Password, Request, Response};

use super::super::context::{Context, Refusal};
use super::{Account, Credentials, Effect, LinkState, MAX_PENDING, Query, Session};

/// The pause before another login when the registry was too busy to take the last one, or
/// took it and does not list us.
const LOGIN_PAUSE: Duration = Duration::from_secs(5);

impl Session {
    pub(crate) fn register(
        &mut self,
        cx: &mut Context,
        name: Username,
        password: Password,
    ) -> Result<(), Refusal> {
        name.check_new().map_err(|error| Refusal {
            problem: Problem::BadName,
            message: error.to_string(),
        })?;
        self.begin(cx, Credentials { name, password }, true)
    }

    pub(crate) fn login(
        &mut self,
        cx: &mut Context,
        name: Username,
        password: Password,
    ) -> Result<(), Refusal> {
        self.begin(cx, Credentials { name, password }, false)
    }

    fn begin(
        &mut self,
        cx: &mut Context,
        credentials: Credentials,
        register: bool,
    ) -> Result<(), Refusal> {
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
            LinkState::Connecting => {}
            // A user waits now: no reason to sit out the backoff.
            LinkState::Down { .. } => self.connect(cx),
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
        let askers = std::mem::take(askers);
        self.account = if *resumes {
            Account::Resumed {
                name: credentials.name,
            }
        } else {
            Account::LoggedOut
        };
        if askers.is_empty() {
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
        let username = match &self.account {
            Account::LoggedOut => return Err(Problem::NotLoggedIn.into()),
            Account::Pending { credentials, .. } | Account::LoggedIn { credentials } => {
                credentials.name
            }
            Account::Resumed { name } => *name,
        };
        if matches!(&self.account, Account::Pending { askers, .. } if !askers.is_empty()) {
            let asker = cx.defer();
            self.give_up_login(cx, Problem::NotLoggedIn.into());
            cx.answer_to(asker);
        }
        if self.link == LinkState::Up {
            self.ask(cx, Query::Logout, Request::Logout { username });
        }
        self.end();
        Ok(())
    }

    fn end(&mut self) {
        self.account = Account::LoggedOut;
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
        let Credentials { name, password } = credentials;
        let username = name;
        let is_this_login =
            |query: &Query| matches!(query, Query::Login { attempt: sent } if *sent == attempt);
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
        response: &Response,
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
        let problem = match response {
            Response::Registered => {
                *register = false;
                let Credentials { name, password } = credentials.clone();
                let at = cx.now.wall;
                cx.answer_to(askers.first().cloned());
                cx.emit(Event::Registered { at, name });
                if !name.is_legacy_compatible() {
                    cx.notice(Notice::LongName);
                }
                if !password.is_legacy_compatible() {
                    cx.notice(Notice::LongPassword);
                }
                // The login closes the call.
                cx.answer_to(None);
                return self.send_credentials(cx);
            }
            Response::NameTaken => Problem::NameTaken,
            Response::BadUsername => Problem::BadName,
            Response::BadPassword => Problem::BadPassword,
            _ => Problem::RegistryFailed,
        };
        self.give_up_login(cx, problem.into());
    }

    pub(super) fn login_answered(
        &mut self,
        cx: &mut Context,
        answered: u64,
        response: &Response,
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
        let problem = match response {
            Response::LoggedIn => {
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
            Response::WrongCredentials => Problem::WrongCredentials,
            Response::SlowDown => Problem::SlowDown,
            _ => Problem::RegistryFailed,
        };
        if is_pending {
            self.give_up_login(cx, problem.into());
        } else if problem == Problem::WrongCredentials {
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
