//! Two people with the built program, a registry, and a member of their groups who keeps no rule.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use p2pchat_model::{ChatChange, ConversationId as Named, Event};
use p2pchat_protocol::CONTACT_PORT;
use p2pchat_protocol::v2::conversation::roster::Add as Sealed;
use p2pchat_protocol::v2::conversation::{ConversationId, JoinId};
use p2pchat_protocol::v2::peer::{ToPeer, What};
use p2pchat_protocol::v2::{DeviceKey, PersonKey};
use p2pchat_secure::Expected;
use p2pchat_testkit::{
    Device, Peer, Programs, Registry, SOON, SecureSession, own_address, peak_memory,
};
use tempfile::TempDir;

use super::line::Line;
use super::member::{self, Log};
use crate::person::{Person, posts};
use crate::{Durations, Report};

/// What a message between the honest may take during an attack. Without one it takes some
/// milliseconds; more than this is no busy machine any more.
const PROMPT: Duration = Duration::from_secs(10);
/// What each program may have of memory at any time, the pages of its file included. A quiet one
/// has some 40 MiB; what is bounded for each session, and the views of front ends, take the rest.
const MAX_MEMORY: u64 = 192 * 1024 * 1024;
/// A word that stands in all texts that nobody may be shown.
pub(super) const FORGED: &str = "forged";

/// A peer as the attacker knows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) at: (SocketAddr, DeviceKey),
    pub(super) person: PersonKey,
}

/// The programs.
pub(super) struct Scene {
    pub(super) alice: Person,
    pub(super) bob: Person,
    /// Alice and bob.
    pub(super) targets: [Target; 2],
    pub(super) device: Device,
    pub(super) times: Durations,
    home: TempDir,
    groups: usize,
    said: usize,
    _registry: Registry,
    _session: SecureSession,
}

/// A group of the three.
pub(super) struct Group {
    pub(super) name: Named,
    pub(super) id: ConversationId,
    /// The add by which the attacker is in.
    pub(super) add: Sealed,
    /// Their log, in which nothing stands.
    pub(super) log: Log,
    /// The join of alice.
    pub(super) alice: JoinId,
    /// Sessions with alice and bob.
    pub(super) lines: [Line; 2],
}

impl Scene {
    pub(super) async fn new(programs: &Programs) -> Result<Self> {
        let home = tempfile::tempdir()?;
        let store = home.path().join("accounts.sqlite3");
        let store = store.to_string_lossy();
        let registry = Registry::start(programs, home.path(), &store, &[]).await?;
        let mut people = Vec::new();
        for name in ["alice", "bob"] {
            let folder = home.path().join(name);
            fs::create_dir(&folder)?;
            let peer = Peer::start(programs, &folder, &registry, own_address(), &[])?;
            let person = Person::new(name, peer, false)?;
            person.registers().await?;
            people.push(person);
        }
        let [alice, bob] = people.try_into().ok().context("two people")?;
        let device = Device::of_new_person();
        let mut session = connect(&device, &registry).await?;
        let name = "mallory".parse()?;
        session.sign_up(name, "secret".parse()?).await?;
        session.sign_in(name, None).await?;
        let mut targets = Vec::new();
        for person in [&alice, &bob] {
            targets.push(target(&mut session, person).await?);
        }
        let targets = targets.try_into().ok().context("two people")?;
        Ok(Self {
            alice,
            bob,
            targets,
            device,
            times: Durations::default(),
            home,
            groups: 0,
            said: 0,
            _registry: registry,
            _session: session,
        })
    }

    /// A new group of the three, in which each has spoken but the attacker.
    pub(super) async fn group(&mut self) -> Result<Group> {
        self.groups += 1;
        let title = format!("group {}", self.groups);
        let members = ["bob", "mallory"];
        let name = self.alice.begins_group(&title, &members).await?;
        self.bob.joins(name).await?;
        let id = ConversationId(name.to_encrypted().context("it is encrypted")?);
        let mut lines = Vec::new();
        for target in &self.targets {
            lines.push(Line::meet(&self.device, target.at).await?);
        }
        let [mut alice, mut bob]: [Line; 2] = lines.try_into().ok().context("two lines")?;
        named(&mut alice, id).await?;
        let roster = member::fetch_roster(&mut alice, id).await?;
        let add = member::find_add(&roster, self.device.person())?;
        let join = member::join(&self.device, id, &add)?;
        alice.tell(id, What::Roster(vec![join.clone()])).await?;
        named(&mut bob, id).await?;
        bob.tell(id, What::Roster(vec![join.clone()])).await?;
        for person in [&self.alice, &self.bob] {
            person.counts_members(name, 3).await?;
        }
        let roster = member::fetch_roster(&mut alice, id).await?;
        let [target, _] = self.targets;
        Ok(Group {
            name,
            id,
            add,
            log: Log::new(id, join.entry.id),
            alice: member::find_join(&roster, target.person)?,
            lines: [alice, bob],
        })
    }

    /// Alice and bob write to each other.
    pub(super) async fn exchange(&mut self, group: Named, report: &mut Report) -> Result<()> {
        for (writer, reader) in [(&self.alice, &self.bob), (&self.bob, &self.alice)] {
            self.said += 1;
            let text = format!("honest {}", self.said);
            let since = writer.writes(group, &text).await?;
            let took = reader.gets(group, &text, since, SOON).await?;
            self.times.add(took);
            report.check(took < PROMPT, format!("a message took {took:.1?}"));
        }
        Ok(())
    }

    /// What has to hold whatever the attacker does.
    pub(super) fn check(&self, report: &mut Report) -> Result<()> {
        for person in [&self.alice, &self.bob] {
            let name = person.name;
            let shown = person.count(|event| posts(event).any(|post| post.text.contains(FORGED)));
            report.check(shown == 0, format!("{name} was shown {shown} forged texts"));
            let memory = peak_memory(person.pid).with_context(|| self.log_of(name))?;
            report.check(
                memory < MAX_MEMORY,
                format!("the program of {name} had {memory} bytes of memory"),
            );
        }
        Ok(())
    }

    /// The most memory that a program ever had, in MiB.
    pub(super) fn memory(&self) -> Result<u64> {
        let of = [peak_memory(self.alice.pid)?, peak_memory(self.bob.pid)?];
        Ok(of.into_iter().max().unwrap_or_default() >> 20)
    }

    /// Whether it stands in the log of a program.
    pub(super) fn is_logged(&self, name: &str, words: &str) -> Result<bool> {
        Ok(fs::read_to_string(self.log_file(name))?.contains(words))
    }

    fn log_file(&self, name: &str) -> PathBuf {
        self.home.path().join(name).join("p2pchat.log")
    }

    fn log_of(&self, name: &str) -> String {
        let log = fs::read_to_string(self.log_file(name)).unwrap_or_default();
        format!("{name} has ended; its log is {log}")
    }

    /// Waits until both are told that the log of the attacker has ended.
    pub(super) async fn sees_end(&self, group: Named, since: Instant) -> Result<()> {
        for person in [&self.alice, &self.bob] {
            let limit = 2 * SOON;
            let is_end = |event: &Event| is_end(event, group).then_some(());
            person.sees(since, "end of the log", limit, is_end).await?;
        }
        Ok(())
    }

    /// They are told once.
    pub(super) fn check_told_once(&self, group: Named, report: &mut Report) {
        for person in [&self.alice, &self.bob] {
            let told = person.count(|event| is_end(event, group));
            let name = person.name;
            report.check(told == 1, format!("{name} is told {told} times, not once"));
        }
    }
}

fn is_end(event: &Event, group: Named) -> bool {
    matches!(event, Event::ChatChanged { conversation, change: ChatChange::LogEnded(_), .. }
        if *conversation == group)
}

async fn connect(device: &Device, registry: &Registry) -> Result<SecureSession> {
    let fingerprint = Expected::Fingerprint(registry.fingerprint()?);
    SecureSession::connect(device, own_address(), registry.tcp, fingerprint).await
}

async fn target(session: &mut SecureSession, person: &Person) -> Result<Target> {
    let binding = session.lookup(person.name.parse()?).await?;
    let certificate = binding.devices.first().context("a user has a device")?;
    let address: Ipv4Addr = person.address.ip();
    Ok(Target {
        at: (
            SocketAddr::new(IpAddr::V4(address), CONTACT_PORT),
            certificate.device,
        ),
        person: certificate.person,
    })
}

/// Waits until a conversation is named.
pub(super) async fn named(line: &mut Line, id: ConversationId) -> Result<()> {
    let is_named = |frame: &ToPeer| match frame {
        ToPeer::About(frame) if frame.conversation == id => Some(()),
        _ => None,
    };
    line.until("name of the group", is_named).await
}
