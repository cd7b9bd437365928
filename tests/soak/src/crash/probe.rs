//! A user who is online all the time and asks for what needs no store: whether that is ever
//! interrupted.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use p2pchat_protocol::{Hello, Request, Response, Username};
use p2pchat_testkit::{Session, own_address};
use tokio::net::UdpSocket;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::ledger::Ledger;
use super::writers::{password, username};
use crate::{Durations, Report};

/// The user's name.
const NAME: &str = "probe";
/// The pause between two questions.
const PAUSE: Duration = Duration::from_millis(20);
/// The pause between two Hellos.
const HELLO: Duration = Duration::from_millis(200);
/// What a registry is told, so that hellos that are not heard show soon.
pub(super) const SHORT_PRESENCE: [&str; 2] = ["--presence-timeout", "5"];
/// The longest time without an answer. Both are answered from memory, so this
/// is how long a busy machine may keep a program waiting.
const GAP: Duration = Duration::from_secs(2);

/// The user's task, until it is stopped.
#[derive(Debug)]
pub(super) struct Probe {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<Seen>>,
}

/// What the user has seen.
#[derive(Debug, Default)]
struct Seen {
    waits: Durations,
    /// The longest time between two answers, the user's own pauses included.
    gap: Duration,
}

impl Probe {
    /// Registers, logs in, and asks from then on.
    pub(super) async fn start(ports: [SocketAddr; 2], ledger: &Ledger) -> Result<Self> {
        let at = own_address();
        let mut session = Session::connect(at, ports[0]).await?;
        let (username, password) = (username(NAME), password(NAME));
        ledger.ask(NAME);
        let asked = Instant::now();
        session.register(username, password.clone()).await?;
        session.login(username, password).await?;
        ledger.answered(asked.elapsed());
        ledger.acknowledge(NAME, asked);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(ask(session, at, username, ports[1], stopped));
        Ok(Self { stop, task })
    }

    /// Stops the task and reports.
    pub(super) async fn stop(self, report: &mut Report) -> Result<()> {
        // It may have ended already; then it says why.
        let _ = self.stop.send(());
        let seen = self.task.await?.context("Search and All Online")?;
        report.figure("waits for Search and All Online", &seen.waits);
        report.figure(
            "the longest time without an answer",
            format!("{:.1?}", seen.gap),
        );
        report.check(
            seen.gap < GAP,
            format!("Search and All Online were interrupted for {:?}", seen.gap),
        );
        Ok(())
    }
}

async fn ask(
    mut session: Session,
    at: Ipv4Addr,
    username: Username,
    hellos: SocketAddr,
    mut stopped: oneshot::Receiver<()>,
) -> Result<Seen> {
    let socket = UdpSocket::bind((at, 0)).await?;
    let mut seen = Seen::default();
    let mut last = Instant::now();
    let mut greeted = last;
    let target = username;
    while stopped.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
        if greeted.elapsed() > HELLO {
            socket.send_to(&Hello { username }.encode(), hellos).await?;
            greeted = Instant::now();
        }
        for request in [
            Request::Search { username, target },
            Request::AllOnline { username },
        ] {
            let asked = Instant::now();
            let answer = session.ask(&request).await?;
            if !shows(&answer, at, username) {
                bail!("{NAME} is online, and {request:?} was answered {answer:?}");
            }
            seen.waits.add(asked.elapsed());
            seen.gap = seen.gap.max(last.elapsed());
            last = Instant::now();
        }
        sleep(PAUSE).await;
    }
    Ok(seen)
}

/// Whether an answer has the user at the address.
fn shows(answer: &Response, at: Ipv4Addr, username: Username) -> bool {
    match answer {
        Response::Found(address) => address.ip() == at,
        Response::Online(users) => users
            .iter()
            .any(|user| user.name == username && user.address.ip() == at),
        _ => false,
    }
}
