//! A part is killed, restarted or cut off.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use p2pchat_protocol::{Request, Response, Username};
use p2pchat_testkit::{Cable, Peer, SOON, own_address};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::TIMEOUT;
use super::presence::{shown_everywhere, until};
use super::site::{Observer, REGISTRIES, Site};
use super::user::User;
use crate::{Durations, Report};

/// How often a watch looks.
const LOOK: Duration = Duration::from_millis(20);
/// How long a user stays online without a Hello, where nothing else is said.
const EVERYDAY: Duration = Duration::from_secs(60);
/// How long a registry is down in a rolling restart, and then left alone.
const AWAY: Duration = Duration::from_secs(3);
/// The longest that a registry may take to answer from memory, on a machine that is busy.
const GAP: Duration = Duration::from_secs(2);
/// How much longer than its election timeout a set may be without a primary: it may have
/// to vote twice.
const SLACK: Duration = Duration::from_secs(15);
/// How long users may take to be shown right again after a break.
const CATCH_UP: Duration = Duration::from_secs(10);

/// A registry is killed. Its users go on at another, and no one sees them leave.
pub(super) async fn killed_registry(site: &mut Site, report: &mut Report) -> Result<()> {
    let mut users = Vec::new();
    for number in 0..12 {
        let mut user = User::new(site, &format!("k{number}"), 0).await?;
        user.login(site, 0).await?;
        users.push(user);
    }
    let mut others = [site.observer(1).await?, site.observer(2).await?];
    for user in &users {
        shown_everywhere(&mut others, user.name, Some(user.address)).await?;
    }
    // In the middle of their time, so that what was not written yet is missed.
    sleep(TIMEOUT / 2).await;
    let watches = others.map(|observer| Watch::start(observer, &users));
    site.kill_registry(0).await?;
    for (number, user) in users.iter_mut().enumerate() {
        user.send_hellos(site, 1 + number % 2).await?;
    }
    sleep(TIMEOUT * 2).await;
    for watch in watches {
        watch.stop("a registry was killed", report).await?;
    }
    site.start_registry(0).await?;
    let mut observer = site.observer(0).await?;
    let listed = observer.list().await?.len();
    report.check(
        listed == users.len(),
        format!(
            "a registry that is back lists {listed} of {} at first",
            users.len()
        ),
    );
    for user in &mut users {
        user.logout(site, 0).await?;
    }
    Ok(())
}

/// One registry after the other is stopped and started, and the `p2pchat` of its users
/// goes on with the next.
///
/// Its hellos are 15 s apart, so this takes the timeout of everyday use.
pub(super) async fn rolling_restart(site: &mut Site, report: &mut Report) -> Result<()> {
    site.restart_all(EVERYDAY).await?;
    let mut peers = BTreeMap::new();
    for name in ["ann", "bob", "cem"] {
        let home = site.home().join(name);
        std::fs::create_dir(&home)?;
        let address = own_address();
        let addresses = site.all_addresses();
        let mut peer = Peer::start(site.programs(), &home, addresses, address, &[])?;
        let name: Username = name.parse()?;
        peer.register(name, "secret".parse()?).await?;
        peers.insert(name, peer);
    }
    for number in 0..REGISTRIES {
        let next = (number + 1) % REGISTRIES;
        let mut observer = site.observer(next).await?;
        for (name, peer) in &peers {
            until(&mut observer, *name, Some(peer.address)).await?;
        }
        let names = peers.keys().copied().collect();
        let watch = Watch::start_names(observer, names);
        site.stop_registry(number).await?;
        sleep(AWAY).await;
        site.start_registry(number).await?;
        sleep(AWAY).await;
        watch.stop("a rolling restart", report).await?;
    }
    for peer in peers.into_values() {
        peer.kill().await?;
    }
    site.restart_all(TIMEOUT).await
}

/// The last registry no longer reaches the database: it goes on from memory, and catches
/// up when it does.
pub(super) async fn cut_off(site: &Site, report: &mut Report) -> Result<()> {
    let last = REGISTRIES - 1;
    let mut stays = User::new(site, "stays", 0).await?;
    let mut leaves = User::new(site, "leaves", 0).await?;
    let mut comes = User::new(site, "comes", 0).await?;
    let mut here = User::new(site, "here", last).await?;
    stays.login(site, 0).await?;
    leaves.login(site, 0).await?;
    here.login(site, last).await?;
    let mut observers = site.observers().await?;
    for user in [&stays, &leaves, &here] {
        shown_everywhere(&mut observers, user.name, Some(user.address)).await?;
    }
    site.proxy.set(Cable::Silent);
    let watch = Watch::start(site.observer(last).await?, [&stays, &here]);
    leaves.logout(site, 0).await?;
    comes.login(site, 1).await?;
    // Users that no registry hears of time out meanwhile.
    sleep(TIMEOUT * 2).await;
    refuses(site, last, comes.name, report).await?;
    watch.stop("cut off from the database", report).await?;
    report.check(
        site.log(last)?.contains("cut off"),
        "its log does not say that it was cut off",
    );
    site.lead_to_primary().await?;
    let healed = Instant::now();
    let mut observer = site.observer(last).await?;
    until(&mut observer, comes.name, Some(comes.address)).await?;
    until(&mut observer, leaves.name, None).await?;
    let mut first = site.observer(0).await?;
    until(&mut first, here.name, Some(here.address)).await?;
    report.figure(
        "after a cut all is right again",
        format!("{:.1?}", healed.elapsed()),
    );
    report.check(healed.elapsed() < CATCH_UP, "catching up took too long");
    for user in [&mut stays, &mut comes, &mut here] {
        user.logout(site, 1).await?;
    }
    Ok(())
}

/// It takes no logins and registrations, and says so.
async fn refuses(
    site: &Site,
    registry: usize,
    username: Username,
    report: &mut Report,
) -> Result<()> {
    let password = p2pchat_protocol::Password::new("secret")?;
    let mut asks = site.observer(registry).await?;
    let login = Request::Login {
        username,
        password: password.clone(),
    };
    let register = Request::Register {
        username: Username::new("late")?,
        password,
    };
    for request in [login, register] {
        let answer = asks.ask(&request).await?;
        report.check(
            matches!(answer, Response::ServerError { .. }),
            format!("cut off, it answered {answer:?}"),
        );
    }
    Ok(())
}

/// The primary is killed: no one leaves a list, and users log in again by themselves.
pub(super) async fn killed_primary(
    site: &mut Site,
    times: usize,
    report: &mut Report,
) -> Result<()> {
    let mut users = Vec::new();
    for number in 0..9 {
        let mut user = User::new(site, &format!("p{number}"), number % 2).await?;
        user.login(site, number % 2).await?;
        users.push(user);
    }
    let mut back = Durations::default();
    for round in 0..times {
        let mut watches = Vec::new();
        for number in 0..REGISTRIES {
            let mut observer = site.observer(number).await?;
            for user in &users {
                until(&mut observer, user.name, Some(user.address)).await?;
            }
            watches.push(Watch::start(observer, &users));
        }
        let primary = site.set.primary().await?;
        site.set.kill(primary).await?;
        let killed = Instant::now();
        let mut newcomer = register_when_possible(site, &format!("n{round}")).await?;
        back.add(killed.elapsed());
        site.lead_to_primary().await?;
        site.set.restart(primary).await?;
        for watch in watches {
            watch.stop("the primary was killed", report).await?;
        }
        newcomer.logout(site, 1).await?;
    }
    report.figure("from a kill of the primary to the next login", &back);
    let election = site.set.election_timeout();
    report.check(
        back.max() < election + SLACK,
        "logins did not come back in time",
    );
    for user in &mut users {
        user.logout(site, 1).await?;
    }
    Ok(())
}

/// Registers and logs in, however often that takes.
async fn register_when_possible(site: &Site, name: &str) -> Result<User> {
    let began = Instant::now();
    let mut user = loop {
        match User::new(site, name, 0).await {
            Ok(user) => break user,
            Err(error) if began.elapsed() > SOON * 2 => return Err(error),
            // A registration that was answered 50 may have been made.
            Err(_) => {
                if let Ok(user) = User::existing(name) {
                    break user;
                }
            }
        }
    };
    while let Err(error) = user.login(site, 0).await {
        ensure!(began.elapsed() < SOON * 2, "no login: {error:#}");
        // If the registration did not get through either.
        if let Ok(again) = User::new(site, name, 0).await {
            user = again;
        }
        sleep(LOOK).await;
    }
    Ok(user)
}

/// Looks all the time whether users are online at a registry.
struct Watch {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<Seen>>,
}

#[derive(Default)]
struct Seen {
    /// How often they were all there.
    looks: usize,
    missed: BTreeMap<Username, usize>,
    slowest: Duration,
}

impl Watch {
    fn start<'a>(observer: Observer, users: impl IntoIterator<Item = &'a User>) -> Self {
        Self::start_names(observer, users.into_iter().map(|user| user.name).collect())
    }

    fn start_names(observer: Observer, names: Vec<Username>) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(watch(observer, names, stopped));
        Self { stop, task }
    }

    async fn stop(self, when: &str, report: &mut Report) -> Result<()> {
        // If it has failed, its task says why.
        let _ = self.stop.send(());
        let seen = self.task.await?.with_context(|| when.to_owned())?;
        report.check(seen.looks > 0, format!("{when}: no look was taken"));
        report.check(
            seen.missed.is_empty(),
            format!("{when}: so often were not online: {:?}", seen.missed),
        );
        report.check(
            seen.slowest < GAP,
            format!("{when}: no answer for {:?}", seen.slowest),
        );
        Ok(())
    }
}

async fn watch(
    mut observer: Observer,
    names: Vec<Username>,
    mut stopped: oneshot::Receiver<()>,
) -> Result<Seen> {
    let mut seen = Seen::default();
    while stopped.try_recv().is_err() {
        let asked = Instant::now();
        let listed = observer.list().await?;
        seen.slowest = seen.slowest.max(asked.elapsed());
        for name in &names {
            let asked = Instant::now();
            let found = observer.find(*name).await?;
            seen.slowest = seen.slowest.max(asked.elapsed());
            let is_listed = listed.iter().any(|(listed, _)| listed == name);
            if found.is_none() || !is_listed {
                *seen.missed.entry(*name).or_default() += 1;
            }
        }
        seen.looks += 1;
        sleep(LOOK).await;
    }
    Ok(seen)
}
