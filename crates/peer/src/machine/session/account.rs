//! The account: made, logged in, logged in anew, logged out.

use std::time::Duration;

use p2pchat_model::{Event, Notice, Problem, Username};
use p2pchat_protocol::{Password, Request, Response};

use super::super::{Machine, Output, Refusal};
use super::{Account, Credentials, LinkState, MAX_ASKED, Question};

/// The pause before another login when the registry was too busy to take the last one, or
/// took it and does not list us.
const LOGIN_PAUSE: Duration = Duration::from_secs(5);

impl Machine {
    pub(in super::super) fn register(
        &mut self,
        name: Username,
        password: Password,
    ) -> Result<(), Refusal> {
        name.check_new().map_err(|error| Refusal {
            problem: Problem::BadName,
            message: error.to_string(),
        })?;
        self.want(Credentials { name, password }, true)
    }

    pub(in super::super) fn login(
        &mut self,
        name: Username,
        password: Password,
    ) -> Result<(), Refusal> {
        self.want(Credentials { name, password }, false)
    }

    fn want(&mut self, credentials: Credentials, register: bool) -> Result<(), Refusal> {
        match self.session.account {
            Account::None => {}
            Account::Wanted { .. } => return Err(Problem::TooMuch.into()),
            Account::In { .. } => return Err(Problem::AlreadyLoggedIn.into()),
        }
        if self.session.asked.len() >= MAX_ASKED {
            return Err(Problem::TooMuch.into());
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

    pub(in super::super) fn logout(&mut self) -> Result<(), Refusal> {
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

    /// The registry does not list us. A login is dear to it, and one that forgets at once
    /// must not be asked for one after the other.
    pub(super) fn login_anew(&mut self) {
        let earliest = self.session.logged_in_at + LOGIN_PAUSE;
        let at = earliest.max(self.now.elapsed);
        self.session.login_at.get_or_insert(at);
    }

    /// Registers or logs in, whichever is due.
    pub(super) fn ask_account(&mut self) {
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

    pub(super) fn register_answered(&mut self, answered: u64, response: &Response) {
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
                if !name.is_legacy_compatible() {
                    self.notice(Notice::LongName);
                }
                if !password.is_legacy_compatible() {
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

    pub(super) fn login_answered(&mut self, answered: u64, response: &Response) {
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
        self.session.logged_in_at = self.now.elapsed;
        let at = self.now.wall;
        self.emit(Event::LoggedIn { at, name });
        if !anew {
            self.tell_blocks(name, None);
            self.out.push_back(Output::Recall {
                account: name,
                before: None,
            });
        }
        self.ask_online(name, true);
    }
}
