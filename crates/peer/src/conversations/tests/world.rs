//! Devices that sync with each other and store what changes, with signatures that anybody could
//! make.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

use p2pchat_conversation::log::Named;
use p2pchat_conversation::message::Text;
use p2pchat_conversation::replica::{Deed, Fact, Replica};
use p2pchat_conversation::seal::{Next, Seal};
use p2pchat_conversation::sync::{Effect, Frame, Now, SessionId, Sync, What};
use p2pchat_protocol::v2::conversation::roster::{Act, Add as Sealed, RosterEntry};
use p2pchat_protocol::v2::conversation::talk::{Header, SALT, Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId, JoinId};
use p2pchat_protocol::v2::{Certificate, DeviceKey, PersonKey, PublicKey, Signature};

use super::super::retention::Limits;
use super::super::schema::sha256;
use super::super::{Change, Store, Visible};

/// Signs with the key itself.
#[derive(Debug, Clone)]
pub(super) struct OpenSeal {
    certificate: Certificate,
    salt: Cell<u64>,
}

pub(super) fn person(number: u8) -> PersonKey {
    PersonKey(PublicKey([number; 32]))
}

impl OpenSeal {
    /// The device of a person. `salt` makes what it writes differ from what a copy does.
    fn new(person_number: u8, salt: u64) -> Self {
        let device = DeviceKey(PublicKey([100 + person_number; 32]));
        let person = person(person_number);
        Self {
            certificate: Certificate {
                device,
                person,
                signature: Signature([1; 64]),
            },
            salt: Cell::new(salt << 32),
        }
    }

    fn signature(&self) -> Signature {
        Signature([self.certificate.device.0.0[0]; 64])
    }

    fn is_by(signature: &Signature, device: &DeviceKey) -> bool {
        signature.0[0] == device.0.0[0]
    }
}

impl Seal for OpenSeal {
    fn certificate(&self) -> Certificate {
        self.certificate
    }

    fn digest(&self, bytes: &[u8]) -> [u8; 32] {
        sha256(bytes)
    }

    fn is_certified(&self, _: &Certificate) -> bool {
        true
    }

    fn is_signed(&self, entry: &Sealed, device: &DeviceKey) -> bool {
        Self::is_by(&entry.signature(), device)
    }

    fn is_spoken(&self, entry: &Named, device: &DeviceKey) -> bool {
        Self::is_by(&entry.signature, device)
    }

    fn salt(&self) -> [u8; SALT] {
        self.salt.set(self.salt.get() + 1);
        let mut salt = [0; SALT];
        salt[..8].copy_from_slice(&self.salt.get().to_be_bytes());
        salt
    }

    fn seal(
        &self,
        conversation: Option<ConversationId>,
        under: Option<JoinId>,
        clock: Clock,
        act: Act,
    ) -> Sealed {
        let entry = RosterEntry::new(conversation, under, clock, &act, sha256).unwrap();
        let bytes = entry.to_bytes(&self.signature()).into();
        Sealed { entry, bytes }
    }

    fn speak(&self, place: Next, talk: &Talk) -> TalkEntry {
        let body = talk.to_body(self.salt()).unwrap();
        let header = Header {
            conversation: place.conversation,
            join: place.join,
            position: place.position,
            previous: place.previous,
            clock: place.clock,
            kind: talk.kind(),
            body_len: u32::try_from(body.len()).unwrap(),
            body_hash: sha256(&body),
        };
        TalkEntry {
            id: header.id(sha256),
            header,
            signature: self.signature(),
            body: Some(body.into()),
        }
    }
}

/// A device with its store.
pub(super) struct Device {
    pub(super) sync: Sync<OpenSeal>,
    pub(super) store: Store,
    pub(super) path: PathBuf,
    /// All facts that were stored, by the transaction.
    pub(super) stored: Vec<(ConversationId, Vec<Fact>)>,
    number: u8,
}

impl Device {
    pub(super) fn seal(&self) -> OpenSeal {
        OpenSeal::new(self.number, 0)
    }
}

/// Devices in one group, each connected with each other unless one is offline.
pub(super) struct World {
    pub(super) devices: Vec<Device>,
    pub(super) group: ConversationId,
    offline: Vec<bool>,
    wire: VecDeque<(usize, usize, Frame)>,
    millis: u64,
    folder: tempfile::TempDir,
}

impl World {
    /// Two people in a group.
    pub(super) fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    pub(super) fn with_limits(limits: Limits) -> Self {
        let mut world = Self {
            devices: Vec::new(),
            group: ConversationId([0; 32]),
            offline: Vec::new(),
            wire: VecDeque::new(),
            millis: 1_000_000_000_000,
            folder: tempfile::tempdir().unwrap(),
        };
        world.add_device(1, limits);
        world.add_device(2, limits);
        let now = world.now();
        let name = "friends".parse().unwrap();
        let (group, effects) = world.devices[0].sync.create([7; 16], name, now).unwrap();
        world.group = group;
        world.perform(0, effects);
        let add = Deed::Add {
            person: person(2),
            sees_all: true,
        };
        world.act(0, &add);
        world.connect(0, 1);
        world.settle();
        let now = world.now();
        let effects = world.devices[1].sync.accept(group, now).unwrap();
        world.perform(1, effects);
        world.settle();
        world
    }

    fn add_device(&mut self, number: u8, limits: Limits) {
        let at = self.devices.len();
        let path = self.folder.path().join(format!("{at}.sqlite"));
        self.devices.push(Device {
            sync: Sync::new(OpenSeal::new(number, at as u64)),
            store: Store::open_with(&path, limits).unwrap(),
            path,
            stored: Vec::new(),
            number,
        });
        self.offline.push(false);
    }

    /// Adds a device that goes on with a copy of another's folder.
    pub(super) fn copy(&mut self, of: usize) {
        let at = self.devices.len();
        let path = self.folder.path().join(format!("{at}.sqlite"));
        let to = path.to_str().unwrap();
        let original = &self.devices[of];
        (original.store.connection.execute("VACUUM INTO ?1", [to])).unwrap();
        let (stored, number) = (original.stored.clone(), original.number);
        let store = Store::open(&path).unwrap();
        let mut sync = Sync::new(OpenSeal::new(number, at as u64));
        for kept in store.restore().unwrap().conversations {
            sync.restore(kept.id, kept.kind, kept.facts);
        }
        self.devices.push(Device {
            sync,
            store,
            path,
            stored,
            number,
        });
        self.offline.push(true);
        self.switch(at);
    }

    /// Ends the program of a device and starts it.
    pub(super) fn restart(&mut self, at: usize) {
        if !self.offline[at] {
            self.switch(at);
        }
        let device = &mut self.devices[at];
        device.store = Store::open(&device.path).unwrap();
        device.sync = Sync::new(OpenSeal::new(device.number, self.millis));
        for kept in device.store.restore().unwrap().conversations {
            device.sync.restore(kept.id, kept.kind, kept.facts);
        }
        self.switch(at);
    }

    pub(super) fn now(&self) -> Now {
        Now {
            clock: Clock::from_millis(self.millis),
            millis: self.millis,
        }
    }

    fn connect(&mut self, one: usize, other: usize) {
        for (at, to) in [(one, other), (other, one)] {
            let (now, peer) = (self.now(), person(self.devices[to].number));
            let session = SessionId(to as u64);
            let effects = self.devices[at].sync.connected(session, peer, now);
            self.perform(at, effects);
        }
    }

    /// Takes a device off the network, or puts it back.
    pub(super) fn switch(&mut self, at: usize) {
        self.offline[at] = !self.offline[at];
        let others = (0..self.devices.len()).filter(|other| *other != at && !self.offline[*other]);
        let others: Vec<_> = others.collect();
        for other in others {
            if !self.offline[at] {
                self.connect(at, other);
                continue;
            }
            let now = self.now();
            for (at, to) in [(at, other), (other, at)] {
                let gone = SessionId(to as u64);
                let effects = self.devices[at].sync.disconnected(gone, now);
                self.perform(at, effects);
            }
            self.wire.retain(|(from, to, _)| *from != at && *to != at);
        }
    }

    /// Lets everybody say what they have to, for a while.
    pub(super) fn settle(&mut self) {
        for _ in 0..12 {
            self.millis += 1000;
            let now = self.now();
            for at in 0..self.devices.len() {
                let effects = self.devices[at].sync.tick(now);
                self.perform(at, effects);
            }
            while let Some((from, to, frame)) = self.wire.pop_front() {
                let session = SessionId(from as u64);
                let effects = self.devices[to].sync.receive(session, [frame], now);
                self.perform(to, effects);
            }
        }
    }

    /// Writes a roster entry, if this device's person may: what the replica begins before it finds
    /// out that they may not is not stored.
    pub(super) fn act(&mut self, at: usize, deed: &Deed) {
        let replica = self.replica(at);
        let is_owner = replica.membership().owners.contains(&replica.person());
        if !is_owner && *deed != Deed::Leave {
            return;
        }
        let (now, group) = (self.now(), self.group);
        if let Ok(effects) = self.devices[at].sync.act(group, deed, now) {
            self.perform(at, effects);
        }
    }

    pub(super) fn say(&mut self, at: usize, talk: &Talk) -> Option<EntryId> {
        self.say_instead(at, talk, None)
    }

    pub(super) fn say_instead(
        &mut self,
        at: usize,
        talk: &Talk,
        instead_of: Option<EntryId>,
    ) -> Option<EntryId> {
        self.millis += 1;
        let (now, group) = (self.now(), self.group);
        let said = self.devices[at].sync.say(group, talk, instead_of, now);
        let (id, effects) = said.ok()?;
        self.perform(at, effects);
        Some(id)
    }

    pub(super) fn message(&mut self, at: usize, text: &str) -> EntryId {
        let text = text.to_owned();
        self.say(at, &Talk::Message { text }).unwrap()
    }

    /// Does what a device is told to: what is stored in one step is one transaction.
    pub(super) fn perform(&mut self, at: usize, effects: Vec<Effect>) {
        let mut changes = Vec::new();
        let mut facts: BTreeMap<ConversationId, Vec<Fact>> = BTreeMap::new();
        let mut sends = Vec::new();
        for effect in effects {
            match effect {
                Effect::Open(id, kind) => changes.push(Change::Open(id, kind)),
                Effect::Store(id, fact) => facts.entry(id).or_default().extend(fact),
                send => sends.push(send),
            }
        }
        for (id, facts) in facts {
            changes.push(Change::Facts(id, facts.clone()));
            self.devices[at].stored.push((id, facts));
        }
        self.devices[at].store.commit(&changes).unwrap();
        for send in sends {
            self.send(at, send);
        }
    }

    fn send(&mut self, at: usize, effect: Effect) {
        let (session, frame) = match effect {
            Effect::Send(session, frame) => (session, frame),
            Effect::SendTalk {
                session,
                conversation,
                join,
                range,
            } => {
                let store = &self.devices[at].store;
                let stretch = store.entries(&conversation, &join, &range).unwrap();
                let positions: Vec<_> = stretch.iter().map(|of| of.header.position).collect();
                assert_eq!(
                    positions,
                    range.collect::<Vec<_>>(),
                    "what is held is stored"
                );
                let what = What::Talk { join, stretch };
                (session, Frame { conversation, what })
            }
            other => panic!("{other:?}"),
        };
        let to = usize::try_from(session.0).unwrap();
        self.wire.push_back((at, to, frame));
    }

    pub(super) fn replica(&self, at: usize) -> &Replica {
        self.devices[at].sync.get(&self.group).unwrap()
    }

    pub(super) fn visible(&self, at: usize) -> Visible {
        Visible::of(self.replica(at), Clock::MAX)
    }

    /// The texts that a device shows, oldest first.
    pub(super) fn texts(&self, at: usize) -> Vec<String> {
        self.texts_in(at, &self.visible(at))
    }

    /// The texts that it would show if that were visible.
    pub(super) fn texts_in(&self, at: usize, visible: &Visible) -> Vec<String> {
        let page = self.devices[at]
            .store
            .page(&self.group, None, 10_000, visible);
        let posts = page.unwrap().posts;
        let shown = posts.iter().map(|post| match post.message().unwrap().text {
            Text::Shown(text) => text.to_owned(),
            other => format!("{other:?}"),
        });
        shown.collect()
    }

    /// The texts of the messages that a device finds.
    pub(super) fn found(&self, at: usize, words: &str) -> Vec<String> {
        let within = BTreeMap::from([(self.group, self.visible(at))]);
        let found = self.devices[at].store.find(&within, words, 100).unwrap();
        let texts = found
            .iter()
            .filter_map(|(_, post)| match post.message()?.text {
                Text::Shown(text) => Some(text.to_owned()),
                _ => None,
            });
        texts.collect()
    }
}
