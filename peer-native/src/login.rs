//! The login that `--user` and `--password-file` ask for.

use p2pchat_model::{Command, Event, Failure, Problem};

use crate::options::AutoLogin;

/// A login under way.
#[derive(Debug)]
pub struct Attempt {
    login: AutoLogin,
}

/// What to do about an event.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Wait for the next event.
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
            Command::Register { name, password }
        } else {
            Command::Login { name, password }
        };
        (Self { login }, command)
    }

    /// What to do about an event.
    #[must_use]
    pub fn on_event(&self, event: &Event) -> Step {
        match event {
            Event::LoggedIn { .. } => Step::Done,
            Event::Failed { failure, .. } => self.failed(failure),
            _ => Step::Wait,
        }
    }

    fn failed(&self, failure: &Failure) -> Step {
        match failure.command.as_str() {
            "register" if failure.problem == Problem::NameTaken => Step::Send(Command::Login {
                name: self.login.name,
                password: self.login.password.clone(),
            }),
            "register" | "login" => Step::Failed(failure.message.clone()),
            _ => Step::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_model::Timestamp;

    use super::*;

    fn failed(command: &str, problem: Problem) -> Event {
        Event::Failed {
            at: Timestamp(0),
            failure: Failure {
                command: command.to_owned(),
                problem,
                message: problem.words().to_owned(),
            },
        }
    }

    #[test]
    fn an_account_that_exists_is_logged_in_to() {
        let name = "alice".parse().unwrap();
        let password: p2pchat_model::Password = "secret".parse().unwrap();
        let (attempt, first) = Attempt::start(AutoLogin {
            name,
            password: password.clone(),
            register: true,
        });
        assert_eq!(first.name(), "register");
        assert_eq!(
            attempt.on_event(&failed("register", Problem::NameTaken)),
            Step::Send(Command::Login { name, password })
        );
        assert_eq!(
            attempt.on_event(&failed("login", Problem::WrongCredentials)),
            Step::Failed(Problem::WrongCredentials.words().to_owned())
        );
        assert_eq!(
            attempt.on_event(&failed("say", Problem::NotLoggedIn)),
            Step::Wait
        );
    }
}
