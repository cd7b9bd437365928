//! Version 2 in a cluster: who is online is pushed by each registry, and a name is bound to one
//! person, everywhere, however many ask at once and whatever is killed meanwhile.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use p2pchat_protocol::Username;
use p2pchat_protocol::v2::{
    Binding, FromRegistry, Passphrase, Refusal, SeatState, Status, ToRegistry,
};
use p2pchat_secure::Expected;
use p2pchat_testkit::{Device, SOON, SecureSession, own_address};
use tokio::time::sleep;

use super::LIMIT;
use super::site::{REGISTRIES, Site};
use super::user::User;
use crate::watchers::{Watchers, sign_in};
use crate::{Durations, Report};

/// How often a user comes, changes status, leaves, and is killed.
const ROUNDS: usize = 10;
/// How many watch, at each registry in turn.
const WATCHERS: usize = 9;
/// How many names two people want at the same moment.
const RACES: usize = 20;
/// The pause before another try, while there is no primary.
const PAUSE: Duration = Duration::from_millis(20);

fn password() -> Passphrase {
    "secret".parse().expect("a password")
}

async fn connect(site: &Site, device: &Device, registry: usize) -> Result<SecureSession> {
    let to = site.addresses(registry)[0];
    SecureSession::connect(device, own_address(), to, Expected::Any).await
}

/// A new account, bound to the person of a new device.
async fn new_person(site: &Site, name: Username) -> Result<Device> {
    let device = Device::of_new_person();
    let mut session = connect(site, &device, 0).await?;
    session.sign_up(name, password()).await?;
    Ok(device)
}

/// A user comes and goes at one registry after the other: those who watch at all of them are
/// told.
pub(super) async fn pushed(site: &Site, report: &mut Report) -> Result<()> {
    let mut watchers = Watchers::default();
    for number in 0..WATCHERS {
        let name = format!("w{number}").parse()?;
        let device = new_person(site, name).await?;
        let mut session = connect(site, &device, number % REGISTRIES).await?;
        session.sign_in(name, None).await?;
        watchers.add(session).await?;
    }
    let name: Username = "actor".parse()?;
    let device = new_person(site, name).await?;
    let [mut came, mut changed, mut left, mut killed] = [(); 4].map(|()| Durations::default());
    for round in 0..ROUNDS {
        let at = site.addresses(round % REGISTRIES)[0];
        let arrive = async || sign_in(&device, name, None, own_address(), at).await;
        let is_there = |state: Option<&SeatState>| state.is_some();
        let is_gone = |state: Option<&SeatState>| state.is_none();
        watchers.forget();
        let began = Instant::now();
        let mut session = arrive().await?;
        came.merge(&watchers.all_told(name, began, is_there).await?);

        let began = Instant::now();
        session.done(&ToRegistry::SetStatus(Status::Away)).await?;
        let is_away =
            |state: Option<&SeatState>| state.is_some_and(|state| state.status == Status::Away);
        changed.merge(&watchers.all_told(name, began, is_away).await?);

        let began = Instant::now();
        session.done(&ToRegistry::SignOut).await?;
        left.merge(&watchers.all_told(name, began, is_gone).await?);

        let session = arrive().await?;
        watchers.all_told(name, Instant::now(), is_there).await?;
        let began = Instant::now();
        drop(session);
        killed.merge(&watchers.all_told(name, began, is_gone).await?);
    }
    for (what, took) in [
        ("a login by key is pushed by all", &came),
        ("a change of status is pushed by all", &changed),
        ("a logout is pushed by all", &left),
        ("a kill is pushed by all", &killed),
    ] {
        report.figure(what, took);
        report.check(
            took.percentile(99) < LIMIT,
            format!("{what}: p99 {:?}", took.percentile(99)),
        );
    }
    Ok(())
}

/// A name that two people wanted, and the device of the one who has it.
#[derive(Debug)]
pub(super) struct Bound {
    name: Username,
    winner: Device,
    serial: u64,
}

/// Two people who know the password of an account that is bound to no one sign in at the same
/// moment at two registries, the first times while the primary is killed. One of them is bound.
pub(super) async fn races(
    site: &mut Site,
    primaries: usize,
    report: &mut Report,
) -> Result<Vec<Bound>> {
    let mut names = Vec::new();
    for round in 0..RACES {
        // Version 1 makes an account and binds no one.
        let name = User::new(site, &format!("r{round}"), 0).await?.name;
        let devices = [(); 2].map(|()| Device::of_new_person());
        let primary = site.set.primary().await?;
        let [first, second] = [0, 1].map(|number| site.addresses(number)[0]);
        let kill = async {
            if round < primaries {
                site.set.kill(primary).await?;
            }
            anyhow::Ok(())
        };
        let (one, two, ()) = tokio::try_join!(
            bind(&devices[0], name, first),
            bind(&devices[1], name, second),
            kill
        )?;
        if round < primaries {
            site.set.restart(primary).await?;
        }
        let [first, second] = devices;
        let (winner, serial) = match (one, two) {
            (Some(serial), None) => (first, serial),
            (None, Some(serial)) => (second, serial),
            both => bail!("of two who wanted {name}, this came about: {both:?}"),
        };
        names.push(Bound {
            name,
            winner,
            serial,
        });
    }
    site.lead_to_primary().await?;
    report.figure("names that two wanted at once", names.len());
    Ok(names)
}

/// Signs in by a password until it is decided whose the name is: the serial, if it is theirs.
async fn bind(device: &Device, name: Username, to: SocketAddr) -> Result<Option<u64>> {
    let deadline = Instant::now() + SOON * 2;
    loop {
        let answer = async {
            let mut session =
                SecureSession::connect(device, own_address(), to, Expected::Any).await?;
            let request = session.sign_in_request(name, Some(password()));
            session.ask(&request).await
        };
        match answer.await {
            Ok(FromRegistry::SignedIn(signed_in)) => return Ok(Some(signed_in.serial)),
            Ok(FromRegistry::Refused(Refusal::OtherPerson)) => return Ok(None),
            // There is no primary.
            Ok(FromRegistry::Refused(Refusal::Failed)) if Instant::now() < deadline => {}
            answer => bail!("the sign-in of {name} was answered {answer:?}"),
        }
        sleep(PAUSE).await;
    }
}

/// All registries find the same bindings, those that were told to the ones who won, and let
/// these in by their keys.
pub(super) async fn one_binding(site: &Site, names: &[Bound], report: &mut Report) -> Result<()> {
    let mut found: Vec<Vec<Binding>> = Vec::new();
    for number in 0..REGISTRIES {
        let mut here = Vec::new();
        for bound in names {
            let mut session = connect(site, &bound.winner, number).await?;
            session.sign_in(bound.name, None).await?;
            here.push(session.lookup(bound.name).await?);
        }
        found.push(here);
    }
    report.check(
        found.iter().all(|here| *here == found[0]),
        "the registries find different bindings",
    );
    let kept = |(bound, found): (&Bound, &Binding)| {
        found.person == Some(bound.winner.person())
            && found.serial >= bound.serial
            && found.devices.len() == 1
    };
    report.check(
        names.iter().zip(&found[0]).all(kept),
        format!("not what was told to {names:?}: {:?}", found[0]),
    );
    Ok(())
}
