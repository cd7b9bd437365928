//! Those who register users as fast as they can, each at an address of his own.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use p2pchat_protocol::{Password, Request, Response, Username};
use p2pchat_testkit::{Session, own_address};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::ledger::Ledger;

/// How long a writer waits between two tries to connect.
const PAUSE: Duration = Duration::from_millis(5);
/// So many acknowledged registrations are followed by one login: a login costs as much.
const LOGIN_EACH: usize = 4;

/// Writers at work. They stop on drop.
#[derive(Debug)]
pub(super) struct Writers {
    tasks: JoinSet<()>,
}

impl Writers {
    /// Sets so many to work on a registry that may come and go at `registry`.
    pub(super) fn start(count: usize, registry: SocketAddr, ledger: &Arc<Ledger>) -> Self {
        let mut tasks = JoinSet::new();
        for number in 0..count {
            let writer = Writer {
                number,
                next: 0,
                again: None,
                made: None,
                at: own_address(),
                ledger: Arc::clone(ledger),
            };
            tasks.spawn(writer.run(registry));
        }
        Self { tasks }
    }

    /// Stops them where they are.
    pub(super) async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

#[derive(Debug)]
struct Writer {
    number: usize,
    next: usize,
    /// A name whose registration was not acknowledged: it is asked for again.
    again: Option<String>,
    /// The account that was made last.
    made: Option<String>,
    at: Ipv4Addr,
    ledger: Arc<Ledger>,
}

impl Writer {
    async fn run(mut self, registry: SocketAddr) {
        loop {
            if let Ok(session) = Session::connect(self.at, registry).await {
                // An error here is the end of the connection, which is expected.
                let _ = self.register_until_cut(session).await;
            }
            sleep(PAUSE).await;
        }
    }

    async fn register_until_cut(&mut self, mut session: Session) -> Result<()> {
        loop {
            let (name, again) = match self.again.take() {
                Some(name) => (name, true),
                None => (self.new_name(), false),
            };
            // Until it is answered, whatever comes.
            self.again = Some(name.clone());
            let asked = Instant::now();
            match self.register(&mut session, &name).await? {
                Response::ServerError { .. } => {
                    self.ledger.count(|counts| counts.refused += 1);
                    self.log_in(&mut session).await?;
                    continue;
                }
                Response::Registered => self.ledger.acknowledge(&name, asked),
                Response::NameTaken if again => self.ledger.count(|counts| counts.untold += 1),
                answer => self.ledger.wrong(format!("register {name}: {answer:?}")),
            }
            self.again = None;
            self.made = Some(name);
            if self.next.is_multiple_of(LOGIN_EACH) {
                self.log_in(&mut session).await?;
            }
        }
    }

    /// Logs in the account that was made last, if any.
    async fn log_in(&self, session: &mut Session) -> Result<()> {
        match &self.made {
            Some(name) => login(session, name, &self.ledger).await,
            None => Ok(()),
        }
    }

    /// `Err` when the connection ends before the answer.
    async fn register(&self, session: &mut Session, name: &str) -> Result<Response> {
        let request = Request::Register {
            username: username(name),
            password: password(name),
        };
        self.ledger.ask(name);
        let asked = Instant::now();
        let answer = session.ask(&request).await;
        match &answer {
            Ok(_) => self.ledger.answered(asked.elapsed()),
            Err(_) => self.ledger.cut(),
        }
        answer
    }

    fn new_name(&mut self) -> String {
        self.next += 1;
        format!("w{}n{}", self.number, self.next)
    }
}

/// Logs an account in and out that has to be there.
pub(super) async fn login(session: &mut Session, name: &str, ledger: &Ledger) -> Result<()> {
    let (username, password) = (username(name), password(name));
    let asked = Instant::now();
    let answer = session.ask(&Request::Login { username, password }).await?;
    ledger.login_answered(asked.elapsed());
    match answer {
        Response::LoggedIn => {}
        Response::ServerError { .. } => ledger.count(|counts| counts.refused_logins += 1),
        answer => ledger.wrong(format!("log in {name}, which was made: {answer:?}")),
    }
    session.ask(&Request::Logout { username }).await?;
    Ok(())
}

/// An account's name as the protocol has it.
pub(super) fn username(name: &str) -> Username {
    Username::new(name).expect("at most 10 bytes of letters and digits")
}

/// The password of an account in these runs.
pub(super) fn password(name: &str) -> Password {
    Password::new(name).expect("a name is a password too")
}
