//! Many who are told who is online, and when each of them was.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use p2pchat_protocol::Username;
use p2pchat_protocol::v2::{FromRegistry, Passphrase, SeatState, SeatUpdate, ToRegistry};
use p2pchat_secure::Expected;
use p2pchat_testkit::{Device, SOON, SecureSession};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant as Deadline, timeout_at};

use crate::Durations;

/// The time between two pings of a watcher: far from the silence that ends a session.
const PING: Duration = Duration::from_secs(15);

/// What one watcher was told, and when.
#[derive(Debug)]
struct Told {
    watcher: usize,
    updates: Vec<SeatUpdate>,
    at: Instant,
}

/// Clients that are subscribed to who is online. They end on drop.
#[derive(Debug)]
pub struct Watchers {
    tasks: JoinSet<Result<()>>,
    told: mpsc::UnboundedReceiver<Told>,
    tell: mpsc::UnboundedSender<Told>,
    count: usize,
}

impl Default for Watchers {
    fn default() -> Self {
        let (tell, told) = mpsc::unbounded_channel();
        Self {
            tasks: JoinSet::new(),
            told,
            tell,
            count: 0,
        }
    }
}

impl Watchers {
    /// Adds a client that is signed in.
    ///
    /// # Errors
    /// If the registry does not send one.
    pub async fn add(&mut self, mut session: SecureSession) -> Result<()> {
        session.done(&ToRegistry::Subscribe).await?;
        loop {
            match session.pushed().await? {
                FromRegistry::Snapshot { ends: true, .. } => break,
                FromRegistry::Snapshot { .. } => {}
                other => bail!("instead of a snapshot: {other:?}"),
            }
        }
        let (watcher, tell) = (self.count, self.tell.clone());
        self.count += 1;
        self.tasks.spawn(watch(session, watcher, tell));
        Ok(())
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many have lost their session since this was last asked.
    pub fn ended(&mut self) -> usize {
        std::iter::from_fn(|| self.tasks.try_join_next()).count()
    }

    /// Forgets what they were told until now.
    pub fn forget(&mut self) {
        while self.told.try_recv().is_ok() {}
    }

    /// Waits until each was told of a state of a name that is `wanted`; how long each took
    /// since `began`. `None` is the state of one who is gone.
    ///
    /// # Errors
    /// If one is not told within [`SOON`], or has ended.
    pub async fn all_told(
        &mut self,
        name: Username,
        began: Instant,
        mut wanted: impl FnMut(Option<&SeatState>) -> bool,
    ) -> Result<Durations> {
        let mut waiting: Vec<bool> = vec![true; self.count];
        let mut left = self.count;
        let mut took = Durations::default();
        let deadline = Deadline::now() + SOON;
        while left > 0 {
            let Ok(told) = timeout_at(deadline, self.told.recv()).await else {
                let ended = self.tasks.try_join_next();
                bail!("{left} were not told of {name} within {SOON:?}; ended: {ended:?}");
            };
            let told = told.context("this holds a sender")?;
            let is_it = |(seat, state): &SeatUpdate| seat.name == name && wanted(state.as_ref());
            if waiting[told.watcher] && told.updates.iter().any(is_it) {
                waiting[told.watcher] = false;
                left -= 1;
                took.add(told.at.saturating_duration_since(began));
            }
        }
        Ok(took)
    }

    /// Waits until each was told of so many names that begin in this way; the most deltas that
    /// one of them was told by.
    ///
    /// # Errors
    /// As [`Watchers::all_told`].
    pub async fn deltas_of(&mut self, prefix: &str, names: usize) -> Result<usize> {
        let mut seen = vec![(0, 0); self.count];
        let deadline = Deadline::now() + SOON;
        while seen.iter().any(|(told, _)| *told < names) {
            let told = timeout_at(deadline, self.told.recv()).await;
            let told = told.context("a burst was not told")?;
            let told = told.context("this holds a sender")?;
            let of_burst = |(seat, _): &&SeatUpdate| seat.name.as_str().starts_with(prefix);
            let count = told.updates.iter().filter(of_burst).count();
            let (names, deltas) = &mut seen[told.watcher];
            *names += count;
            *deltas += usize::from(count > 0);
        }
        Ok(seen.iter().map(|(_, deltas)| *deltas).max().unwrap_or(0))
    }
}

/// Subscribes, and waits until so many seats are online by what it is told: the snapshot, which
/// may be some moments old, and the deltas that follow it.
///
/// # Errors
/// If it is not within [`SOON`].
pub async fn wait_for_seats(mut session: SecureSession, count: usize) -> Result<()> {
    session.done(&ToRegistry::Subscribe).await?;
    let mut online = HashSet::new();
    let deadline = Deadline::now() + SOON;
    while online.len() != count {
        let Ok(pushed) = timeout_at(deadline, session.pushed()).await else {
            bail!(
                "{} and not {count} seats are online after {SOON:?}",
                online.len()
            );
        };
        let updates = match pushed? {
            FromRegistry::Snapshot { users, .. } | FromRegistry::Delta(users) => users,
            other => bail!("it was told {other:?}"),
        };
        for (seat, state) in updates {
            if state.is_some() {
                online.insert(seat);
            } else {
                online.remove(&seat);
            }
        }
    }
    Ok(())
}

async fn watch(
    mut session: SecureSession,
    watcher: usize,
    tell: mpsc::UnboundedSender<Told>,
) -> Result<()> {
    let mut pings = tokio::time::interval(PING);
    loop {
        let pushed = tokio::select! {
            pushed = session.pushed() => pushed?,
            _ = pings.tick() => {
                let pong = session.ask(&ToRegistry::Ping).await?;
                ensure!(pong == FromRegistry::Pong, "a ping was answered {pong:?}");
                continue;
            }
        };
        let at = Instant::now();
        let updates = match pushed {
            FromRegistry::Delta(updates) => updates,
            // One that has read too slowly.
            FromRegistry::Snapshot { users, .. } => users,
            other => bail!("it was told {other:?}"),
        };
        let told = Told {
            watcher,
            updates,
            at,
        };
        if tell.send(told).is_err() {
            return Ok(());
        }
    }
}

/// Signs a device in, at an address of its own.
///
/// # Errors
/// If the registry does not let it.
pub async fn sign_in(
    device: &Device,
    name: Username,
    password: Option<Passphrase>,
    from: Ipv4Addr,
    to: SocketAddr,
) -> Result<SecureSession> {
    let mut session = SecureSession::connect(device, from, to, Expected::Any).await?;
    session.sign_in(name, password).await?;
    Ok(session)
}
