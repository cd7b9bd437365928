//! Whether the peer is signed in, and what to do if not.

use p2pchat_model::{Call, Command, Event, Link, Problem, Update, Username, View};

use super::job::{End, Ids, Job, Pending, Step, in_words};
use crate::exit::Exit;
use crate::options::AutoLogin;

/// Signs in if that is needed and possible.
#[derive(Debug)]
pub(super) struct SigningIn {
    /// Who is to be signed in, if the options say it.
    user: Option<Username>,
    login: Option<AutoLogin>,
    ids: Ids,
    pending: Pending,
}

impl SigningIn {
    pub(super) fn new(user: Option<Username>, login: Option<AutoLogin>, ids: Ids) -> Self {
        Self {
            user,
            login,
            ids,
            pending: Pending::default(),
        }
    }

    /// Creates the account first if `register` says so.
    fn log_in(&mut self, login: &AutoLogin, register: bool) -> Step {
        let AutoLogin { name, password, .. } = login.clone();
        let command = if register {
            Command::Register { name, password }
        } else {
            Command::Login { name, password }
        };
        let call = self.ids.call(command);
        self.pending.begin(call)
    }
}

impl Job for SigningIn {
    fn start(&mut self, view: &View) -> Step {
        match (view.account, self.user, self.login.clone()) {
            (Some(account), Some(user), _) if account != user => {
                let words = format!(
                    "this profile is signed in as {account}, not as {user}: \
                     give another --profile, or leave out --user"
                );
                Step::End(End::new(Exit::Login, words))
            }
            (Some(_), _, Some(login)) if view.link == Link::PasswordNeeded => {
                self.log_in(&login, false)
            }
            (Some(_), _, _) => Step::End(End::DONE),
            (None, _, Some(login)) => {
                let register = login.register;
                self.log_in(&login, register)
            }
            (None, _, None) => {
                let words = "not signed in: sign in with another front end of this profile, \
                             or give --user and --password-file";
                Step::End(End::new(Exit::Login, words))
            }
        }
    }

    fn on_update(&mut self, update: &Update, view: &View) -> Step {
        match (self.pending.closed_by(update), self.login.clone()) {
            (Some(Err(failure)), Some(login)) if failure.code == Problem::NameTaken => {
                self.log_in(&login, false)
            }
            // Another front end was faster.
            (Some(Err(failure)), _)
                if failure.code == Problem::AlreadyLoggedIn && view.account == self.user =>
            {
                Step::End(End::DONE)
            }
            (Some(Err(failure)), _) => {
                let words = format!("login failed: {}", in_words(failure));
                Step::End(End::new(Exit::Login, words))
            }
            (Some(Ok(())), _) => Step::End(End::DONE),
            (None, _) => match &*update.event {
                Event::LoggedOut { .. } => Step::End(End::logged_out()),
                _ => Step::Wait,
            },
        }
    }

    fn out_of_time(&mut self, _: &View) -> (Option<Call>, End) {
        let words = "not signed in: the registry did not answer in time";
        (None, End::new(Exit::Login, words))
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_model::{Failure, Timestamp};

    use super::*;

    fn login(register: bool) -> AutoLogin {
        AutoLogin {
            name: "alice".parse().unwrap(),
            password: "secret".parse().unwrap(),
            register,
        }
    }

    fn job(user: Option<&str>, login: Option<AutoLogin>) -> SigningIn {
        let user = user.map(|user| user.parse().unwrap());
        SigningIn::new(user, login, Ids::new(Timestamp(0)))
    }

    fn signed_in() -> View {
        View {
            account: Some("alice".parse().unwrap()),
            link: Link::Up,
            ..View::default()
        }
    }

    #[track_caller]
    fn call(step: Step) -> Call {
        match step {
            Step::Call(call) => call,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn exit(step: Step) -> Exit {
        match step {
            Step::End(end) => end.exit,
            other => panic!("{other:?}"),
        }
    }

    fn answer(job: &mut SigningIn, call: &Call, event: Event, view: &View) -> Step {
        let mut update = Update::from(event);
        update.re.clone_from(&call.id);
        job.on_update(&update, view)
    }

    fn failed(code: Problem) -> Event {
        Event::Failed(Failure::new(Timestamp(0), "login", code))
    }

    #[test]
    fn a_session_that_is_there_needs_no_password() {
        for user in [None, Some("alice")] {
            assert_eq!(exit(job(user, None).start(&signed_in())), Exit::Done);
        }
        let other = job(Some("bob"), None).start(&signed_in());
        assert_eq!(exit(other), Exit::Login);
    }

    #[test]
    fn without_a_session_a_password_is_needed() {
        let view = View::default();
        assert_eq!(exit(job(None, None).start(&view)), Exit::Login);
        let mut job = job(Some("alice"), Some(login(false)));
        let log_in = call(job.start(&view));
        assert_eq!(log_in.command.name(), "login");
        let logged_in = Event::LoggedIn {
            at: Timestamp(0),
            name: "alice".parse().unwrap(),
        };
        let step = answer(&mut job, &log_in, logged_in, &signed_in());
        assert_eq!(step, Step::Wait);
        let step = answer(&mut job, &log_in, Event::Done, &signed_in());
        assert_eq!(exit(step), Exit::Done);
    }

    #[test]
    fn after_a_takeover_the_session_is_renewed_if_that_is_possible() {
        let view = View {
            link: Link::PasswordNeeded,
            ..signed_in()
        };
        assert_eq!(exit(job(None, None).start(&view)), Exit::Done);
        let log_in = call(job(Some("alice"), Some(login(true))).start(&view));
        assert_eq!(log_in.command.name(), "login");
    }

    #[test]
    fn an_account_that_exists_is_logged_in_to() {
        let view = View::default();
        let mut job = job(Some("alice"), Some(login(true)));
        let register = call(job.start(&view));
        assert_eq!(register.command.name(), "register");
        let taken = failed(Problem::NameTaken);
        let log_in = call(answer(&mut job, &register, taken, &view));
        assert_eq!(log_in.command.name(), "login");
        assert_ne!(log_in.id, register.id);
        let wrong = failed(Problem::WrongCredentials);
        let Step::End(end) = answer(&mut job, &log_in, wrong, &view) else {
            panic!("no end");
        };
        assert_eq!(end.exit, Exit::Login);
        let words = end.words.unwrap();
        assert!(words.contains("wrong_credentials: "), "{words}");
    }

    #[test]
    fn one_who_was_faster_has_signed_in_for_all() {
        let mut job = job(Some("alice"), Some(login(false)));
        let log_in = call(job.start(&View::default()));
        let there = failed(Problem::AlreadyLoggedIn);
        let step = answer(&mut job, &log_in, there, &signed_in());
        assert_eq!(exit(step), Exit::Done);
    }
}
