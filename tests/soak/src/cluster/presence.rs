//! How fast one registry shows what another was told, while all of them run.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use p2pchat_protocol::{Request, Response, Username};
use p2pchat_testkit::{SOON, Session, own_address};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::site::{Observer, REGISTRIES, Site};
use super::user::User;
use super::{LIMIT, TIMEOUT};
use crate::{Durations, Report};

/// How often a registry is asked.
const LOOK: Duration = Duration::from_millis(5);
/// How many connections search without a pause while users log in.
const SEARCHING: usize = 6;
/// How many users stop.
const STOPPING: usize = 20;

/// Users log in at one registry each, while all are busy: the others show them.
pub(super) async fn spread(site: &Site, users: usize, report: &mut Report) -> Result<()> {
    let mut load = JoinSet::new();
    for number in 0..SEARCHING {
        let address = site.addresses(number % REGISTRIES)[0];
        load.spawn(search_for_ever(address));
    }
    let mut observers = site.observers().await?;
    let mut took = Durations::default();
    let mut all = Vec::new();
    for number in 0..users {
        let at = number % REGISTRIES;
        let mut user = User::new(site, &format!("s{number}"), at).await?;
        user.login(site, at).await?;
        took.add(shown_everywhere(&mut observers, user.name, Some(user.address)).await?);
        all.push(user);
    }
    report.figure("a login at one is shown by all", &took);
    report.check(
        took.percentile(99) < LIMIT,
        format!(
            "p99 {:?} until a login was shown by all",
            took.percentile(99)
        ),
    );
    drop(load);
    for (number, mut observer) in observers.into_iter().enumerate() {
        let listed = observer.list().await?;
        report.check(
            listed.len() == users,
            format!("registry {number} lists {} of {users}", listed.len()),
        );
    }
    let mut took = Durations::default();
    let mut observers = site.observers().await?;
    for (number, user) in all.iter_mut().enumerate() {
        let answer = user.logout(site, (number + 1) % REGISTRIES).await?;
        report.check(
            answer == Response::LoggedOut,
            format!("a logout at another registry was answered {answer:?}"),
        );
        took.add(shown_everywhere(&mut observers, user.name, None).await?);
    }
    report.figure("a logout at another is heeded by all", &took);
    report.check(took.percentile(99) < LIMIT, "a logout took too long");
    Ok(())
}

/// A name logs in at one address and then at another, here and there: the last one wins.
pub(super) async fn moves(site: &Site, report: &mut Report) -> Result<()> {
    let mut observers = site.observers().await?;
    let mut user = User::new(site, "mover", 0).await?;
    let mut took = Durations::default();
    for round in 0..30 {
        user.move_away();
        user.login(site, round % REGISTRIES).await?;
        took.add(shown_everywhere(&mut observers, user.name, Some(user.address)).await?);
    }
    report.figure("two show one name at two addresses", &took);
    report.check(
        took.max() < LIMIT,
        format!("two registries disagreed for {:?}", took.max()),
    );
    // Two at the same moment, at two registries: one of them wins everywhere.
    for round in 0..20 {
        let mut other = User::twin(&user);
        let (one, two) = tokio::join!(
            user.login(site, round % 3),
            other.login(site, (round + 1) % 3)
        );
        one.and(two)?;
        agreed(&mut observers, user.name).await?;
        other.fall_silent();
    }
    user.logout(site, 0).await?;
    Ok(())
}

/// Users fall silent: all drop them when their time has run out, and not before.
pub(super) async fn stops(site: &Site, report: &mut Report) -> Result<()> {
    let mut watching = JoinSet::new();
    let silent_for = Duration::from_millis(1700);
    for number in 0..STOPPING {
        let mut user = User::new(site, &format!("q{number}"), number % REGISTRIES).await?;
        user.login(site, number % REGISTRIES).await?;
        let observers = site.observers().await?;
        watching.spawn(async move {
            // Past the login's own time, so that it is the hellos that count.
            sleep(TIMEOUT + silent_for * u32::try_from(number % 4)?).await;
            user.fall_silent();
            let silent = Instant::now();
            let gone = observers.into_iter().map(|mut observer| async move {
                until(&mut observer, user.name, None).await?;
                Ok::<_, anyhow::Error>(silent.elapsed())
            });
            try_join_all(gone).await
        });
    }
    let mut took = Durations::default();
    while let Some(gone) = watching.join_next().await {
        gone??.into_iter().for_each(|gone| took.add(gone));
    }
    report.figure(
        format!("who stops is gone from all (timeout {TIMEOUT:?})"),
        &took,
    );
    report.check(
        took.max() < TIMEOUT + LIMIT,
        format!("a user who had stopped was shown for {:?}", took.max()),
    );
    let first = took.min();
    // The last Hello was at most half a second old.
    report.check(
        first > TIMEOUT.saturating_sub(Duration::from_secs(1)),
        format!("a user was gone after {first:?}"),
    );
    Ok(())
}

/// In the end all show the same.
pub(super) async fn same_everywhere(site: &Site, report: &mut Report) -> Result<()> {
    sleep(TIMEOUT + LIMIT).await;
    let mut lists = Vec::new();
    for mut observer in site.observers().await? {
        lists.push(observer.list().await?);
    }
    report.check(
        lists.iter().all(|list| *list == lists[0]),
        format!("the registries list different users: {lists:?}"),
    );
    Ok(())
}

/// How long it takes until all show a user there, or as offline.
pub(super) async fn shown_everywhere(
    observers: &mut [Observer],
    name: Username,
    at: Option<Ipv4Addr>,
) -> Result<Duration> {
    let began = Instant::now();
    try_join_all(
        observers
            .iter_mut()
            .map(|observer| until(observer, name, at)),
    )
    .await?;
    Ok(began.elapsed())
}

/// Waits until a registry shows a user there.
pub(super) async fn until(
    observer: &mut Observer,
    name: Username,
    at: Option<Ipv4Addr>,
) -> Result<()> {
    let began = Instant::now();
    loop {
        let found = observer.find(name).await?;
        if found == at {
            return Ok(());
        }
        ensure!(
            began.elapsed() < SOON,
            "{name:?} is at {found:?} and not at {at:?} after {SOON:?}"
        );
        sleep(LOOK).await;
    }
}

/// Waits until all show a user at the same address.
async fn agreed(observers: &mut [Observer], name: Username) -> Result<()> {
    let began = Instant::now();
    loop {
        let found = try_join_all(observers.iter_mut().map(|observer| observer.find(name))).await?;
        if found[0].is_some() && found.iter().all(|at| *at == found[0]) {
            return Ok(());
        }
        ensure!(
            began.elapsed() < LIMIT,
            "{name:?} is at {found:?} for {LIMIT:?}"
        );
        sleep(LOOK).await;
    }
}

async fn search_for_ever(address: std::net::SocketAddr) -> Result<()> {
    let mut session = Session::connect(own_address(), address).await?;
    let username = Username::new("nobody").context("a name")?;
    loop {
        let target = username;
        session.ask(&Request::Search { username, target }).await?;
        sleep(Duration::from_millis(1)).await;
    }
}
