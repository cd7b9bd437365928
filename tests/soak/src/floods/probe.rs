//! The client that is measured: it logs in and searches, at a modest pace.

use std::time::{Duration, Instant};

use anyhow::Result;
use p2pchat_protocol::{Request, Response};
use tokio::time::{MissedTickBehavior, interval};

use super::online_users::OnlineUsers;
use super::scene::{Scene, connect_home, probe_account};
use crate::Durations;

/// The time between two logins, each on a connection of its own: hashing them takes a
/// fifth of what two threads can do.
const LOGIN_PACE: Duration = Duration::from_millis(60);
/// The time between two searches, on one connection.
const SEARCH_PACE: Duration = Duration::from_millis(4);

/// How long what was asked took.
#[derive(Debug, Default)]
pub(super) struct Probe {
    /// Connecting included.
    pub(super) logins: Durations,
    pub(super) searches: Durations,
    /// Connecting and the handshake included.
    pub(super) key_logins: Durations,
    /// What was not as it ought to be.
    pub(super) failures: Vec<String>,
}

impl Probe {
    /// Measures for some time.
    pub(super) async fn of(scene: &Scene, time: Duration) -> Result<Self> {
        let until = Instant::now() + time;
        let (logins, searches, by_key) = tokio::join!(
            log_in(scene, until),
            search(scene, until),
            log_in_by_key(scene, until)
        );
        let (mut logins, searches, by_key) = (logins?, searches?, by_key);
        logins.failures.extend(searches.failures);
        logins.failures.extend(by_key.failures);
        logins.searches = searches.searches;
        logins.key_logins = by_key.key_logins;
        Ok(logins)
    }

    fn failed(&mut self, what: &str, answer: &Result<Response>) {
        self.failures.push(match answer {
            Ok(answer) => format!("{what} was answered {answer:?}"),
            Err(error) => format!("{what}: {error:#}"),
        });
    }
}

async fn log_in(scene: &Scene, until: Instant) -> Result<Probe> {
    let mut probe = Probe::default();
    let mut turns = paced(LOGIN_PACE);
    let (username, password) = probe_account();
    let login = Request::Login { username, password };
    while Instant::now() < until {
        turns.tick().await;
        let began = Instant::now();
        let answer = match connect_home(scene.registry.tcp).await {
            Ok(mut session) => session.ask(&login).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(Response::LoggedIn) => probe.logins.add(began.elapsed()),
            answer => probe.failed("a login", &answer),
        }
    }
    Ok(probe)
}

async fn log_in_by_key(scene: &Scene, until: Instant) -> Probe {
    let mut probe = Probe::default();
    let mut turns = paced(LOGIN_PACE);
    while Instant::now() < until {
        turns.tick().await;
        let began = Instant::now();
        match scene.sign_in_home().await {
            Ok(_) => probe.key_logins.add(began.elapsed()),
            Err(error) => probe.failures.push(format!("a login by key: {error:#}")),
        }
    }
    probe
}

async fn search(scene: &Scene, until: Instant) -> Result<Probe> {
    let mut probe = Probe::default();
    let mut turns = paced(SEARCH_PACE);
    let mut session = connect_home(scene.registry.tcp).await?;
    let (username, password) = probe_account();
    session.ask(&Request::Login { username, password }).await?;
    let users = scene.target().users.max(1);
    for n in (0..users).cycle() {
        turns.tick().await;
        let target = OnlineUsers::name(n);
        let began = Instant::now();
        let answer = session.ask(&Request::Search { username, target }).await;
        match answer {
            Ok(Response::Found(_)) => probe.searches.add(began.elapsed()),
            answer => {
                let is_lost = answer.is_err();
                probe.failed("a search", &answer);
                if is_lost {
                    session = connect_home(scene.registry.tcp).await?;
                }
            }
        }
        // At least one: on a busy machine the login above may take all the time.
        if Instant::now() >= until {
            break;
        }
    }
    Ok(probe)
}

/// Turns that are skipped when the one before took longer: it is no flood of its own.
fn paced(pace: Duration) -> tokio::time::Interval {
    let mut turns = interval(pace);
    turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
    turns
}
