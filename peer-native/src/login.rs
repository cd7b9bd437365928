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
    /// Wait for another.
    Wait,
    /// Send this.
    Send(Command),
    /// It has succeeded.
    Done,
    /// It has not, for this reason.
    Failed(String),
}

impl Attempt {
    /// Begins: gives the command to send first.
    #[must_use]
    pub fn start(login: AutoLogin) -> (Self, Command) {
        let AutoLogin { name, password, .. } = login.clone();
        let command = match login.register {
            true => Command::Register { name, password },
            false => Command::Login { name, password },
        };
        (Self { login }, command)
    }

    /// Says what to do about an event.
    #[must_use]
    pub fn saw(&self, event: &Event) -> Step {
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
    fn an_account_that_is_there_is_logged_in_to() {
        let name = "alice".parse().unwrap();
        let password: p2pchat_model::Password = "secret".parse().unwrap();
        let (attempt, first) = Attempt::start(AutoLogin {
            name,
            password: password.clone(),
            register: true,
        });
        assert_eq!(first.name(), "register");
        assert_eq!(
            attempt.saw(&failed("register", Problem::NameTaken)),
            Step::Send(Command::Login { name, password })
        );
        assert_eq!(
            attempt.saw(&failed("login", Problem::WrongCredentials)),
            Step::Failed("no such account, or not its password".to_owned())
        );
        assert_eq!(
            attempt.saw(&failed("say", Problem::NotLoggedIn)),
            Step::Wait
        );
    }
}
