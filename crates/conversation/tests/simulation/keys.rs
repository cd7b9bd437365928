//! Keys whose signatures nobody can make without them, in a world without cryptography.

use std::cell::Cell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use p2pchat_conversation::log::Named;
use p2pchat_conversation::seal::{Next, Seal};
use p2pchat_protocol::v2::conversation::roster::{Act, Add as Sealed, RosterEntry};
use p2pchat_protocol::v2::conversation::talk::{Header, Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId, JoinId};
use p2pchat_protocol::v2::{Certificate, DeviceKey, PersonKey, PublicKey, Signature};

/// The keys of a device.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    certificate: Certificate,
    /// How many salts there were, of all clones.
    salts: Rc<Cell<u64>>,
}

pub(crate) fn hash(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    for (at, part) in (0_u8..).zip(hash.chunks_mut(8)) {
        let mut hasher = DefaultHasher::new();
        (at, bytes).hash(&mut hasher);
        part.copy_from_slice(&hasher.finish().to_be_bytes());
    }
    hash
}

fn sign(key: &PublicKey, what: &[u8]) -> Signature {
    let half = hash(&[&b"by"[..], &key.0, what].concat());
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&half);
    signature[32..].copy_from_slice(&half);
    Signature(signature)
}

impl Keys {
    pub(crate) fn new(device: u8, person: u8) -> Self {
        let device = DeviceKey(PublicKey(hash(&[1, device])));
        let person = PersonKey(PublicKey(hash(&[2, person])));
        let signature = sign(&person.0, &device.0.0);
        Self {
            certificate: Certificate {
                device,
                person,
                signature,
            },
            salts: Rc::default(),
        }
    }

    /// An entry with any header, signed.
    pub(crate) fn sign_header(&self, header: Header, body: Option<Vec<u8>>) -> TalkEntry {
        let id = header.id(hash);
        TalkEntry {
            id,
            header,
            signature: sign(&self.certificate.device.0, &id.0),
            body: body.map(Vec::into_boxed_slice),
        }
    }

    /// A body, with its hash and length.
    pub(crate) fn body(&self, talk: &Talk) -> Vec<u8> {
        talk.to_body(self.salt()).unwrap()
    }
}

impl Seal for Keys {
    fn certificate(&self) -> Certificate {
        self.certificate
    }

    fn digest(&self, bytes: &[u8]) -> [u8; 32] {
        hash(bytes)
    }

    fn salt(&self) -> [u8; 16] {
        self.salts.set(self.salts.get() + 1);
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&self.salts.get().to_be_bytes());
        salt
    }

    fn is_certified(&self, certificate: &Certificate) -> bool {
        let Certificate {
            device,
            person,
            signature,
        } = certificate;
        *signature == sign(&person.0, &device.0.0)
    }

    fn is_signed(&self, entry: &Sealed, device: &DeviceKey) -> bool {
        entry.bytes.ends_with(&sign(&device.0, &entry.entry.id.0).0)
    }

    fn is_spoken(&self, entry: &Named, device: &DeviceKey) -> bool {
        entry.signature == sign(&device.0, &entry.id.0)
    }

    fn seal(
        &self,
        conversation: Option<ConversationId>,
        under: Option<JoinId>,
        clock: Clock,
        act: Act,
    ) -> Sealed {
        let entry = RosterEntry::new(conversation, under, clock, &act, hash).unwrap();
        let signature = sign(&self.certificate.device.0, &entry.id.0);
        let bytes = entry.to_bytes(&signature).into_boxed_slice();
        Sealed { entry, bytes }
    }

    fn speak(&self, place: Next, talk: &Talk) -> TalkEntry {
        let body = self.body(talk);
        let header = Header {
            conversation: place.conversation,
            join: place.join,
            position: place.position,
            previous: place.previous,
            clock: place.clock,
            kind: talk.kind(),
            body_len: u32::try_from(body.len()).unwrap(),
            body_hash: hash(&body),
        };
        self.sign_header(header, Some(body))
    }
}

pub(crate) const NOTHING: EntryId = EntryId([0; 32]);
