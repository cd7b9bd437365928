//! Whether the peer is signed in, and what to do if not.

use p2pchat_model::{
    Call, Command, Event, Failure, Link, Problem, Timestamp, Update, Username, View,
};

use super::job::{End, Ids, Job, Pending, Step, in_words};
use crate::exit::Exit;
use crate::login::{self, Attempt, another_account, is_needed};
use crate::options::AutoLogin;

/// Signs in if that is needed and possible.
#[derive(Debug)]
pub(super) struct SigningIn {
    /// Who is to be signed in, if the options say it.
    user: Option<Username>,
    login: Option<AutoLogin>,
    /// The account that the key of this profile signs in to, where none is named.
    remembered: Option<Username>,
    /// Whether the peer was started for this alone.
    is_owner: bool,
    attempt: Option<Attempt>,
    is_signed_in: bool,
    ids: Ids,
    pending: Pending,
}

impl SigningIn {
    pub(super) fn new(
        user: Option<Username>,
        login: Option<AutoLogin>,
        remembered: Option<Username>,
        is_owner: bool,
        ids: Ids,
    ) -> Self {
        Self {
            user,
            login,
            remembered,
            is_owner,
            attempt: None,
            is_signed_in: false,
            ids,
            pending: Pending::default(),
        }
    }

    /// The account that the key of this profile may sign in to.
    fn by_key(&self) -> Option<Username> {
        self.user.or(self.remembered)
    }

    /// Done, once the list of who is online is there: users are asked by their names.
    fn signed_in(&mut self, view: &View) -> Step {
        self.is_signed_in = true;
        if view.account.is_some_and(|name| view.user(name).is_none()) {
            return Step::Wait;
        }
        Step::End(End::DONE)
    }

    /// The answer to a login by the key.
    fn answered(&mut self, update: &Update, view: &View) -> Step {
        match self.pending.closed_by(update) {
            None => Step::Wait,
            Some(Ok(())) => self.signed_in(view),
            Some(Err(failure)) if failure.code == Problem::AlreadyLoggedIn => Step::End(End::DONE),
            Some(Err(failure)) if failure.code == Problem::PasswordNeeded => Step::End(End::new(
                Exit::Login,
                "not signed in: the password is needed once, give --user and --password-file",
            )),
            Some(Err(failure)) => {
                let stop = End::stopped(view);
                let stop = stop.filter(|_| failure.code == Problem::RegistryKeyChanged);
                let words = || format!("login failed: {}", in_words(failure));
                Step::End(stop.unwrap_or_else(|| End::new(Exit::Login, words())))
            }
        }
    }

    fn ask(&mut self, command: Command) -> Step {
        let call = self.ids.call(command);
        self.pending.begin(call)
    }
}

impl Job for SigningIn {
    fn start(&mut self, view: &View) -> Step {
        let other = view.account.zip(self.user);
        if let Some(words) = other.and_then(|(account, user)| another_account(account, user)) {
            return Step::End(End::new(Exit::Login, words));
        }
        if view.link == Link::NoRegistry {
            let failure = Failure::new(Timestamp(0), "login", Problem::NoRegistry);
            return Step::End(End::new(Exit::Login, in_words(&failure)));
        }
        match self.login.take().filter(|_| is_needed(view)) {
            Some(login) => {
                // A session that is only to be renewed has its account.
                let register = login.register && view.account.is_none();
                let login = AutoLogin { register, ..login };
                let (attempt, command) = Attempt::start(login);
                self.attempt = Some(attempt);
                self.ask(command)
            }
            None if view.account.is_some() => Step::End(End::DONE),
            None if let Some(name) = self.by_key() => {
                let password = None;
                self.ask(Command::Login { name, password })
            }
            None => {
                let advice = if self.is_owner {
                    "no p2pchat runs for this profile: start one and sign in"
                } else {
                    "sign in with a front end of this profile"
                };
                let words = format!("not signed in: {advice}, or give --user and --password-file");
                Step::End(End::new(Exit::Login, words))
            }
        }
    }

    fn on_update(&mut self, update: &Update, view: &View) -> Step {
        if matches!(*update.event, Event::LoggedOut { .. }) {
            return Step::End(End::logged_out());
        }
        if self.is_signed_in {
            return self.signed_in(view);
        }
        if self.attempt.is_none() {
            return self.answered(update, view);
        }
        let attempt = self.attempt.as_ref();
        let attempt = attempt.filter(|_| self.pending.is_answered_by(update));
        match attempt.map(|attempt| attempt.on_answer(&update.event, view)) {
            None | Some(login::Step::Wait) => Step::Wait,
            Some(login::Step::Send(command)) => self.ask(command),
            Some(login::Step::Done) => self.signed_in(view),
            Some(login::Step::Failed(reason)) => {
                if let Some(stop) = End::stopped(view) {
                    return Step::End(stop);
                }
                let words = format!("login failed: {reason}");
                Step::End(End::new(Exit::Login, words))
            }
        }
    }

    fn out_of_time(&mut self, _: &View) -> (Option<Call>, End) {
        if self.is_signed_in {
            // Without the list.
            return (None, End::DONE);
        }
        let words = "not signed in: the registry did not answer in time";
        (None, End::new(Exit::Login, words))
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_model::{Failure, Link, OnlineUser, Timestamp};

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
        SigningIn::new(user, login, None, false, Ids::new(Timestamp(0)))
    }

    fn signed_in() -> View {
        let alice = OnlineUser {
            name: "alice".parse().unwrap(),
            address: "127.0.0.2".parse().unwrap(),
        };
        View {
            account: Some("alice".parse().unwrap()),
            online: vec![alice.into()],
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
        let mut job = job(Some("alice"), Some(login(true)));
        assert_eq!(call(job.start(&view)).command.name(), "login");
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
        let words = format!("login failed: {}", Problem::WrongCredentials.words());
        assert_eq!(end.words, Some(words));
    }

    #[test]
    fn one_who_was_faster_has_signed_in_for_all() {
        let mut job = job(Some("alice"), Some(login(false)));
        let log_in = call(job.start(&View::default()));
        let there = failed(Problem::AlreadyLoggedIn);
        let step = answer(&mut job, &log_in, there, &signed_in());
        assert_eq!(exit(step), Exit::Done);
    }

    #[test]
    fn the_key_signs_in_to_the_account_of_before_or_to_the_one_that_is_named() {
        let name: Username = "alice".parse().unwrap();
        let ids = || Ids::new(Timestamp(0));
        for (user, remembered) in [(Some(name), None), (None, Some(name))] {
            let mut job = SigningIn::new(user, None, remembered, true, ids());
            let view = View::default();
            let log_in = call(job.start(&view));
            let password = None;
            assert_eq!(log_in.command, Command::Login { name, password });
            let step = answer(&mut job, &log_in, Event::Done, &signed_in());
            assert_eq!(exit(step), Exit::Done);
        }
        let mut job = SigningIn::new(Some(name), None, None, true, ids());
        let log_in = call(job.start(&View::default()));
        let needed = failed(Problem::PasswordNeeded);
        let Step::End(end) = answer(&mut job, &log_in, needed, &View::default()) else {
            panic!("no end");
        };
        assert_eq!(end.exit, Exit::Login);
        assert!(end.words.unwrap().contains("--password-file"));
    }
}
