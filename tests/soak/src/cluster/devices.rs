//! Devices: what becomes of one at a registry is pushed by all, and a name belongs to one person
//! whatever is killed.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use p2pchat_protocol::Username;
use p2pchat_protocol::v2::{FromRegistry, Passphrase, Refusal, SeatState, Status, ToRegistry};
use p2pchat_secure::Expected;
use p2pchat_testkit::{Device, SOON, SecureSession, own_address};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::LIMIT;
use super::site::{REGISTRIES, Site};
use crate::watchers::Watchers;
use crate::{Durations, Report};

/// How often a device comes, changes its status, leaves, comes again and is cut off.
const ROUNDS: usize = 20;
/// How many devices are there while something is killed.
const DEVICES: usize = 9;
/// How often the primary is killed while two claim one name.
const CLAIMS: usize = 3;
/// The pause before a client tries again.
const RETRY: Duration = Duration::from_millis(50);

fn passphrase() -> Result<Passphrase> {
    Ok(Passphrase::new("a secret")?)
}

/// A device at an address of its own.
struct Client {
    name: Username,
    device: Device,
    from: Ipv4Addr,
}

impl Client {
    fn new(name: &str) -> Result<Self> {
        Ok(Self {
            name: Username::new(name)?,
            device: Device::of_new_person(),
            from: own_address(),
        })
    }

    async fn connect(&self, site: &Site, at: usize) -> Result<SecureSession> {
        let to = site.addresses(at)[0];
        SecureSession::connect(&self.device, self.from, to, Expected::Any).await
    }

    async fn sign_up(&self, site: &Site, at: usize) -> Result<SecureSession> {
        let mut session = self.connect(site, at).await?;
        session.sign_up(self.name, passphrase()?).await?;
        session.sign_in(self.name, None).await?;
        Ok(session)
    }

    async fn sign_in(&self, site: &Site, at: usize) -> Result<SecureSession> {
        let mut session = self.connect(site, at).await?;
        session.sign_in(self.name, None).await?;
        Ok(session)
    }

    /// Signs in with the password, however often that takes. `false` if the name is another's.
    async fn claim(&self, site: &Site, at: usize, within: Duration) -> Result<bool> {
        let began = Instant::now();
        loop {
            let answer = self.try_to_claim(site, at).await;
            match answer {
                Ok(FromRegistry::SignedIn(_)) => return Ok(true),
                Ok(FromRegistry::Refused(Refusal::OtherPerson)) => return Ok(false),
                other if began.elapsed() > within => bail!("no answer that counts: {other:?}"),
                _ => sleep(RETRY).await,
            }
        }
    }

    async fn try_to_claim(&self, site: &Site, at: usize) -> Result<FromRegistry> {
        let mut session = self.connect(site, at).await?;
        let request = session.sign_in_request(self.name, Some(passphrase()?));
        session.ask(&request).await
    }
}

fn is_gone(state: Option<&SeatState>) -> bool {
    state.is_none()
}

fn is_busy(state: Option<&SeatState>) -> bool {
    state.is_some_and(|state| state.status == Status::Busy)
}

/// What becomes of a device at one registry is pushed by all of them.
pub(super) async fn pushed(site: &Site, report: &mut Report) -> Result<()> {
    let mut watchers = Watchers::default();
    for number in 0..REGISTRIES {
        let watcher = Client::new(&format!("w{number}"))?;
        watchers.add(watcher.sign_up(site, number).await?).await?;
    }
    let mut took = Durations::default();
    let client = Client::new("device")?;
    drop(client.sign_up(site, 0).await?);
    watchers
        .all_told(client.name, Instant::now(), is_gone)
        .await?;
    for round in 0..ROUNDS {
        let at = round % REGISTRIES;
        let began = Instant::now();
        let mut session = client.sign_in(site, at).await?;
        took.merge(
            &watchers
                .all_told(client.name, began, |state| state.is_some())
                .await?,
        );
        let began = Instant::now();
        session.done(&ToRegistry::SetStatus(Status::Busy)).await?;
        took.merge(&watchers.all_told(client.name, began, is_busy).await?);
        let began = Instant::now();
        if round % 2 == 0 {
            session.done(&ToRegistry::SignOut).await?;
        }
        drop(session);
        took.merge(&watchers.all_told(client.name, began, is_gone).await?);
    }
    report.figure("what becomes of a device at one is pushed by all", &took);
    report.check(
        took.percentile(99) < LIMIT,
        "a change of a device took too long",
    );
    Ok(())
}

/// A registry is killed: its devices sign in at the others, and nobody sees them leave.
pub(super) async fn killed_registry(site: &mut Site, report: &mut Report) -> Result<()> {
    let mut clients = Vec::new();
    for number in 0..DEVICES {
        let client = Client::new(&format!("m{number}"))?;
        let session = client.sign_up(site, 0).await?;
        clients.push((client, session));
    }
    let watches = watch(site, [1, 2], &clients).await?;
    site.kill_registry(0).await?;
    for (number, (client, session)) in clients.iter_mut().enumerate() {
        *session = client.sign_in(site, 1 + number % 2).await?;
    }
    sleep(LIMIT).await;
    for watch in watches {
        watch
            .stop("the registry of devices was killed", report)
            .await?;
    }
    site.start_registry(0).await
}

/// Primaries are killed while two claim one name at two registries at once: one of them gets it,
/// everywhere, and no device that is online leaves.
pub(super) async fn killed_primary(site: &mut Site, report: &mut Report) -> Result<()> {
    let mut clients = Vec::new();
    for number in 0..DEVICES {
        let client = Client::new(&format!("d{number}"))?;
        // The last registry knows one member alone, which is killed.
        let session = client.sign_up(site, number % (REGISTRIES - 1)).await?;
        clients.push((client, session));
    }
    let asker = Client::new("asker")?;
    drop(asker.sign_up(site, 0).await?);
    let within = site.set.election_timeout() + SOON;
    let mut back = Durations::default();
    for round in 0..CLAIMS {
        let watches = watch(site, [0, 1], &clients).await?;
        let name = format!("claim{round}");
        create(site, &name).await?;
        let claimants = [Client::new(&name)?, Client::new(&name)?];
        let primary = site.set.primary().await?;
        let [one, two] = &claimants;
        let killed = Instant::now();
        site.set.kill(primary).await?;
        let claims = tokio::join!(one.claim(site, 0, within), two.claim(site, 1, within));
        back.add(killed.elapsed());
        let is_in = [claims.0?, claims.1?];
        report.check(
            is_in[0] != is_in[1],
            format!("of two who claim one name are in: {is_in:?}"),
        );
        site.lead_to_primary().await?;
        site.set.restart(primary).await?;
        let owner = &claimants[usize::from(is_in[1])];
        for at in 0..REGISTRIES {
            let mut asks = asker.sign_in(site, at).await?;
            let found = asks.lookup(one.name).await?;
            report.check(
                found.person == Some(owner.device.person()),
                format!(
                    "registry {at} says that {name} is bound to {:?}",
                    found.person
                ),
            );
        }
        for watch in watches {
            watch
                .stop("the primary was killed under devices", report)
                .await?;
        }
        for (_, session) in &mut clients {
            let pong = session.ask(&ToRegistry::Ping).await?;
            report.check(
                pong == FromRegistry::Pong,
                format!("a session had {pong:?}"),
            );
        }
    }
    report.figure("from a kill of the primary to a claimed name", &back);
    Ok(())
}

/// Creates an account that is bound to nobody, as version 1 does.
async fn create(site: &Site, name: &str) -> Result<()> {
    super::user::User::new(site, name, 0).await.map(drop)
}

/// A subscriber who notes which of the names leave.
struct Watch {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<BTreeSet<Username>>>,
}

async fn watch<const N: usize>(
    site: &Site,
    at: [usize; N],
    clients: &[(Client, SecureSession)],
) -> Result<Vec<Watch>> {
    let names: BTreeSet<Username> = clients.iter().map(|(client, _)| client.name).collect();
    let mut watches = Vec::new();
    for at in at {
        let unique = format!("v{:x}", rand::random::<u32>());
        let mut session = Client::new(&unique)?.sign_up(site, at).await?;
        session.done(&ToRegistry::Subscribe).await?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(note(session, names.clone(), stopped));
        watches.push(Watch { stop, task });
    }
    Ok(watches)
}

async fn note(
    mut session: SecureSession,
    names: BTreeSet<Username>,
    mut stopped: oneshot::Receiver<()>,
) -> Result<BTreeSet<Username>> {
    let mut left = BTreeSet::new();
    let mut snapshots = 0;
    loop {
        let pushed = tokio::select! {
            pushed = session.pushed() => pushed?,
            _ = &mut stopped => break,
        };
        let FromRegistry::Delta(updates) = pushed else {
            snapshots += 1;
            continue;
        };
        let gone = updates.into_iter().filter(|(_, state)| state.is_none());
        left.extend(
            gone.map(|(seat, _)| seat.name)
                .filter(|name| names.contains(name)),
        );
    }
    ensure!(snapshots > 0, "no snapshot came");
    Ok(left)
}

impl Watch {
    async fn stop(self, when: &str, report: &mut Report) -> Result<()> {
        // If it has failed, its task says why.
        let _ = self.stop.send(());
        let left = self.task.await?.with_context(|| when.to_owned())?;
        report.check(left.is_empty(), format!("{when}: seen to leave: {left:?}"));
        Ok(())
    }
}
