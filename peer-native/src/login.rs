//! The login that `--user` and `--password-file` ask for.

use p2pchat_model::{Command, Event, Failure, Link, Problem, Username, View};

use crate::options::AutoLogin;

/// A login under way.
#[derive(Debug)]
pub struct Attempt {
    login: AutoLogin,
}

/// What to do about an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Wait for the next one.
    Wait,
    /// Send this.
    Send(Command),
    /// The login succeeded.
    Done,
    /// The login failed, for this reason.
    Failed(String),
}

impl Attempt {
    /// Begins a login; the command is to be sent first.
    #[must_use]
    pub fn start(login: AutoLogin) -> (Self, Command) {
        let AutoLogin { name, password, .. } = login.clone();
        let command = if login.register {
            Command::register(name, password)
        } else {
            Command::login(name, password)
        };
        (Self { login }, command)
    }

    /// What to do about an answer to its command. `view` is the view before it.
    #[must_use]
    pub fn on_answer(&self, event: &Event, view: &View) -> Step {
        match event {
            Event::Done => Step::Done,
            Event::Failed(failure) => self.failed(failure, view),
            _ => Step::Wait,
        }
    }

    fn failed(&self, failure: &Failure, view: &View) -> Step {
        match (failure.code, view.account) {
            (Problem::NameTaken, _) => {
                Step::Send(Command::login(self.login.name, self.login.password.clone()))
            }
            // Another front end of the profile was faster.
            (Problem::AlreadyLoggedIn, Some(account)) => {
                another_account(account, self.login.name).map_or(Step::Done, Step::Failed)
            }
            // What to do about it is not seen elsewhere.
            (Problem::NoRegistry, _) => {
                Step::Failed(format!("{}: {}", failure.message, failure.advice))
            }
            _ => Step::Failed(failure.message.clone()),
        }
    }
}

/// Whether an account has to log in: not if the profile has a session.
#[must_use]
pub fn is_needed(view: &View) -> bool {
    view.account.is_none() || view.link == Link::PasswordNeeded
}

/// What to do if the profile has the session of another account.
#[must_use]
pub fn another_account(account: Username, wanted: Username) -> Option<String> {
    (account != wanted).then(|| {
        format!(
            "this profile is signed in as {account}, not as {wanted}: \
             give another --profile, or sign out first"
        )
    })
}

#[cfg(test)]
mod tests {
    use p2pchat_model::Timestamp;

    use super::*;

    fn failed(code: Problem) -> Event {
        Event::Failed(Failure::new(Timestamp(0), "login", code))
    }

    #[test]
    fn an_account_that_exists_is_logged_in_to() {
        let name: Username = "alice".parse().unwrap();
        let password: p2pchat_model::Passphrase = "secret".parse().unwrap();
        let (attempt, first) = Attempt::start(AutoLogin {
            name,
            password: password.clone(),
            register: true,
        });
        let mut view = View::default();
        assert_eq!(first.name(), "register");
        assert_eq!(
            attempt.on_answer(&failed(Problem::NameTaken), &view),
            Step::Send(Command::login(name, password))
        );
        let wrong = Problem::WrongCredentials;
        assert_eq!(
            attempt.on_answer(&failed(wrong), &view),
            Step::Failed(wrong.words().to_owned())
        );
        let registered = Event::Registered {
            at: Timestamp(0),
            name,
        };
        assert_eq!(attempt.on_answer(&registered, &view), Step::Wait);
        assert_eq!(attempt.on_answer(&Event::Done, &view), Step::Done);

        // Another front end has logged in meanwhile.
        let faster = failed(Problem::AlreadyLoggedIn);
        view.account = Some(name);
        assert_eq!(attempt.on_answer(&faster, &view), Step::Done);
        view.account = Some("bob".parse().unwrap());
        let Step::Failed(words) = attempt.on_answer(&faster, &view) else {
            panic!("bob is not alice");
        };
        assert!(words.contains("as bob, not as alice"), "{words}");
    }

    #[test]
    fn a_session_needs_no_login_unless_the_registry_wants_the_password() {
        let mut view = View::default();
        assert!(is_needed(&view));
        view.account = Some("alice".parse().unwrap());
        assert!(!is_needed(&view));
        view.link = Link::PasswordNeeded;
        assert!(is_needed(&view));
    }
}
