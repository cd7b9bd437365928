//! Devices whose registry dies: they sign in at another, and nobody sees them leave.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use anyhow::{Context, Result, ensure};
use p2pchat_protocol::Username;
use p2pchat_protocol::v2::{FromRegistry, Passphrase, ToRegistry};
use p2pchat_secure::Expected;
use p2pchat_testkit::{Device, SecureSession, own_address};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::LIMIT;
use super::site::Site;
use crate::Report;

/// How many devices a registry has that is killed.
const DEVICES: usize = 9;

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
