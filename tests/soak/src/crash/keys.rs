//! People who create accounts by version 2, sign in by their keys, and add devices, while
//! registries and databases are killed: what they were told about the bindings of their names
//! has to stay so.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use p2pchat_protocol::Username;
use p2pchat_protocol::v2::{
    Binding, DeviceKey, FromRegistry, Passphrase, Refusal, SignedIn, ToRegistry,
};
use p2pchat_secure::Expected;
use p2pchat_testkit::{Device, SecureSession, own_address};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::ledger::Ledger;
use super::writers::{password, username};
use crate::Report;

/// How their names begin. Version 1 does not log such an account in.
pub(super) const PREFIX: char = 'k';
/// How long a person waits before they try again.
const PAUSE: Duration = Duration::from_millis(5);
/// How many of the accounts are signed in to by key at the end.
const SAMPLE: usize = 100;

/// What people were told about the bindings of their names.
#[derive(Debug, Default)]
pub(super) struct Bindings {
    told: Mutex<BTreeMap<Username, Told>>,
    wrong: Mutex<Vec<String>>,
}

/// What a person was told.
#[derive(Debug, Clone)]
struct Told {
    device: Device,
    /// The greatest serial.
    serial: u64,
    /// The devices that were let in.
    devices: BTreeSet<DeviceKey>,
}

impl Bindings {
    fn told(&self) -> MutexGuard<'_, BTreeMap<Username, Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wrong(&self, what: String) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.push(what);
    }

    /// A device was let in.
    fn signed_in(&self, name: Username, device: &Device, serial: u64) {
        let mut told = self.told();
        let told = told.entry(name).or_insert_with(|| Told {
            device: device.clone(),
            serial: 0,
            devices: BTreeSet::new(),
        });
        told.devices.insert(device.key());
        let before = told.serial;
        told.serial = before.max(serial);
        if serial < before {
            self.wrong(format!("the serial of {name} was {before} and is {serial}"));
        }
    }

    /// A registry has answered a lookup.
    fn check(&self, name: Username, found: &Binding) {
        let Some(told) = self.told().get(&name).cloned() else {
            return;
        };
        let listed = |device: &DeviceKey| found.devices.iter().any(|one| one.device == *device);
        if found.serial < told.serial {
            let (before, now) = (told.serial, found.serial);
            self.wrong(format!("the serial of {name} was {before} and is {now}"));
        } else if found.person != Some(told.device.person()) {
            self.wrong(format!("{name} is bound to {:?}", found.person));
        } else if !told.devices.iter().all(listed) {
            let (devices, found) = (&told.devices, &found.devices);
            self.wrong(format!(
                "{name} has {found:?}, and was let in by {devices:?}"
            ));
        }
    }

    /// Compares what everyone was told with what each of these registries finds in the end, and
    /// signs some in by their keys alone.
    pub(super) async fn settle(
        &self,
        registries: &[SocketAddr],
        report: &mut Report,
    ) -> Result<()> {
        let told = self.told().clone();
        let Some((reader, of_reader)) = told.first_key_value() else {
            bail!("no one was let in by a key");
        };
        let mut found = Vec::new();
        for registry in registries {
            let mut session = connect(&of_reader.device, own_address(), *registry).await?;
            session.sign_in(*reader, None).await?;
            let mut bindings = BTreeMap::new();
            for name in told.keys() {
                let binding = session.lookup(*name).await?;
                self.check(*name, &binding);
                bindings.insert(*name, binding);
            }
            found.push(bindings);
        }
        for (name, told) in told.iter().step_by(told.len().div_ceil(SAMPLE)) {
            let mut session = connect(&told.device, own_address(), registries[0]).await?;
            let signed_in = session.sign_in(*name, None).await?;
            self.signed_in(*name, &told.device, signed_in.serial);
        }
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let devices: usize = told.values().map(|told| told.devices.len()).sum();
        report.figure("names bound to a person", told.len());
        report.figure("devices let in", devices);
        report.check(
            devices > told.len(),
            "no one was let in by a further device",
        );
        report.check(
            found.windows(2).all(|two| two[0] == two[1]),
            "two registries find different bindings",
        );
        report.none("a binding is not what its person was told", &wrong.first());
        Ok(())
    }
}

async fn connect(device: &Device, from: Ipv4Addr, to: SocketAddr) -> Result<SecureSession> {
    SecureSession::connect(device, from, to, Expected::Any).await
}

/// The same password as by version 1.
fn passphrase(name: &str) -> Passphrase {
    Passphrase::from(&password(name))
}

/// People at work. They stop on drop.
#[derive(Debug)]
pub(super) struct People {
    tasks: JoinSet<()>,
}

impl People {
    /// Sets so many to work on a registry that may come and go.
    pub(super) fn start(
        count: usize,
        registry: SocketAddr,
        ledger: &Arc<Ledger>,
        bindings: &Arc<Bindings>,
    ) -> Self {
        let mut tasks = JoinSet::new();
        for number in 0..count {
            let person = Person {
                number,
                registry,
                at: own_address(),
                ledger: Arc::clone(ledger),
                bindings: Arc::clone(bindings),
            };
            tasks.spawn(person.run());
        }
        Self { tasks }
    }

    /// Stops them where they are.
    pub(super) async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

#[derive(Debug)]
struct Person {
    number: usize,
    registry: SocketAddr,
    at: Ipv4Addr,
    ledger: Arc<Ledger>,
    bindings: Arc<Bindings>,
}

impl Person {
    /// One account after the other, each of a new person.
    async fn run(self) {
        for account in 0.. {
            let name = format!("{PREFIX}{}n{account}", self.number);
            let device = Device::of_new_person();
            let mut again = false;
            // A connection that breaks is expected.
            while !matches!(self.sign_up(&device, &name, again).await, Ok(true)) {
                again = true;
                sleep(PAUSE).await;
            }
            let further = device.further();
            let name = username(&name);
            for device in [&device, &further, &device] {
                while !matches!(self.live(device, name).await, Ok(true)) {
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// Creates the account, if it is not there from an earlier attempt; whether it is there.
    async fn sign_up(&self, device: &Device, name: &str, again: bool) -> Result<bool> {
        let mut session = connect(device, self.at, self.registry).await?;
        let request = session.sign_up_request(username(name), passphrase(name));
        self.ledger.ask(name);
        let asked = Instant::now();
        let answer = session.ask(&request).await;
        match &answer {
            Ok(_) => self.ledger.answered(asked.elapsed()),
            Err(_) => self.ledger.cut(),
        }
        match answer? {
            FromRegistry::Done => self.ledger.acknowledge(name, asked),
            FromRegistry::Refused(Refusal::NameTaken) if again => {
                self.ledger.count(|counts| counts.untold += 1);
            }
            FromRegistry::Refused(Refusal::Failed) => {
                self.ledger.count(|counts| counts.refused += 1);
                return Ok(false);
            }
            answer => self.ledger.wrong(format!("sign up {name}: {answer:?}")),
        }
        Ok(true)
    }

    /// Signs in, changes the display name, and looks at the binding; whether all was done.
    async fn live(&self, device: &Device, name: Username) -> Result<bool> {
        let mut session = connect(device, self.at, self.registry).await?;
        // The first sign-in may have to bind the name.
        let request = session.sign_in_request(name, Some(passphrase(name.as_str())));
        let SignedIn { serial, .. } = match session.ask(&request).await? {
            FromRegistry::SignedIn(signed_in) => signed_in,
            FromRegistry::Refused(Refusal::Failed) => {
                self.ledger.count(|counts| counts.refused_logins += 1);
                return Ok(false);
            }
            answer => {
                self.bindings.wrong(format!("sign in {name}: {answer:?}"));
                return Ok(true);
            }
        };
        self.bindings.signed_in(name, device, serial);
        let display_name = format!("{name} {serial}").parse()?;
        let change = ToRegistry::SetDisplayName(display_name);
        match session.ask(&change).await? {
            FromRegistry::Done => {}
            FromRegistry::Refused(Refusal::Failed) => return Ok(false),
            answer => self
                .bindings
                .wrong(format!("display name of {name}: {answer:?}")),
        }
        match session.ask(&ToRegistry::Lookup(name)).await? {
            FromRegistry::Found(found) => {
                self.bindings.check(name, &found);
                // A change that is acknowledged has a serial of its own.
                self.bindings.signed_in(name, device, found.serial);
                if found.serial <= serial || found.display_name != display_name {
                    self.bindings
                        .wrong(format!("{name} after {serial}: {found:?}"));
                }
            }
            FromRegistry::Refused(Refusal::Failed) => return Ok(false),
            answer => self.bindings.wrong(format!("lookup of {name}: {answer:?}")),
        }
        Ok(true)
    }
}
