//! The keys of this device, as conversations use them.

use std::cell::RefCell;
use std::collections::BTreeSet;

use p2pchat_conversation::log::Named;
use p2pchat_conversation::seal::{Next, Seal};
use p2pchat_protocol::v2::conversation::roster::{self, Act, Add as Sealed, RosterEntry};
use p2pchat_protocol::v2::conversation::talk::{self, Header, SALT, Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, JoinId};
use p2pchat_protocol::v2::{Certificate, DeviceKey};
use p2pchat_secure::{Identity, SecretKey, sha256, verify, verify_certificate};

/// The most certificates that are remembered as verified, at 129 bytes each: four devices of each
/// person of four large groups. With more, all are forgotten and verified again as they come.
const MAX_CERTIFIED: usize = 4096;

/// Signs and verifies with the device key of an [`Identity`].
#[derive(Debug)]
pub struct Keys {
    device: SecretKey,
    certificate: Certificate,
    /// The certificates that were verified. One stands in each entry that begins a log.
    certified: RefCell<BTreeSet<[u8; Certificate::LEN]>>,
}

impl Keys {
    /// Those of a profile.
    #[must_use]
    pub fn new(identity: &Identity) -> Self {
        Self {
            device: identity.device().clone(),
            certificate: identity.certificate(),
            certified: RefCell::default(),
        }
    }
}

impl Seal for Keys {
    fn certificate(&self) -> Certificate {
        self.certificate
    }

    fn digest(&self, bytes: &[u8]) -> [u8; 32] {
        sha256(bytes)
    }

    fn salt(&self) -> [u8; SALT] {
        rand::random()
    }

    fn is_certified(&self, certificate: &Certificate) -> bool {
        let bytes = certificate.to_bytes();
        if self.certified.borrow().contains(&bytes) {
            return true;
        }
        let is_certified = verify_certificate(certificate);
        if is_certified {
            let mut certified = self.certified.borrow_mut();
            if certified.len() >= MAX_CERTIFIED {
                certified.clear();
            }
            certified.insert(bytes);
        }
        is_certified
    }

    fn is_signed(&self, entry: &Sealed, device: &DeviceKey) -> bool {
        let signed = roster::signed_part(&entry.entry.id);
        verify(&device.0, &signed, &entry.signature())
    }

    fn is_spoken(&self, entry: &Named, device: &DeviceKey) -> bool {
        verify(&device.0, &talk::signed_part(&entry.id), &entry.signature)
    }

    fn seal(
        &self,
        conversation: Option<ConversationId>,
        under: Option<JoinId>,
        clock: Clock,
        act: Act,
    ) -> Sealed {
        let entry = RosterEntry::new(conversation, under, clock, &act, sha256);
        let entry = entry.expect("what a replica writes is well-formed");
        let signature = self.device.sign(&roster::signed_part(&entry.id));
        let bytes = entry.to_bytes(&signature).into();
        Sealed { entry, bytes }
    }

    fn speak(&self, place: Next, talk: &Talk) -> TalkEntry {
        let body = talk.to_body(self.salt());
        let body = body.expect("the caller has checked its length");
        let header = Header {
            conversation: place.conversation,
            join: place.join,
            position: place.position,
            previous: place.previous,
            clock: place.clock,
            kind: talk.kind(),
            body_len: u32::try_from(body.len()).expect("a body is limited to far less"),
            body_hash: sha256(&body),
        };
        let id = header.id(sha256);
        TalkEntry {
            id,
            header,
            signature: self.device.sign(&talk::signed_part(&id)),
            body: Some(body.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_protocol::v2::conversation::EntryId;
    use p2pchat_protocol::v2::{PersonKey, Signature};

    use super::*;

    #[test]
    fn what_is_written_is_verified_for_its_device_alone() {
        let (keys, other) = (Identity::ephemeral(), Identity::ephemeral());
        let (keys, other) = (Keys::new(&keys), Keys::new(&other));
        let create = Act::Create {
            certificate: keys.certificate(),
            salt: keys.salt(),
            name: "friends".parse().unwrap(),
        };
        let create = keys.seal(None, None, Clock::from_millis(7), create);
        let place = Next {
            conversation: create.entry.conversation,
            join: create.entry.id,
            position: 0,
            previous: EntryId([0; 32]),
            clock: Clock::from_millis(8),
        };
        let text = "hello".to_owned();
        let entry = Named::from(&keys.speak(place, &Talk::Message { text }));
        for (device, is_right) in [(&keys, true), (&other, false)] {
            let device = device.certificate().device;
            assert_eq!(other.is_signed(&create, &device), is_right);
            assert_eq!(other.is_spoken(&entry, &device), is_right);
        }
    }

    #[test]
    fn certificates_are_verified_and_remembered_within_a_bound() {
        let keys = Keys::new(&Identity::ephemeral());
        let genuine = Identity::ephemeral().certificate();
        let forged = Certificate {
            person: PersonKey(SecretKey::generate().public()),
            ..genuine
        };
        for _ in 0..2 {
            assert!(keys.is_certified(&genuine));
            assert!(!keys.is_certified(&forged));
            // As long as the one that is remembered, but signed by nobody.
            let signature = Signature([0; 64]);
            assert!(!keys.is_certified(&Certificate {
                signature,
                ..genuine
            }));
        }
        assert_eq!(keys.certified.borrow().len(), 1);
        let filled = (0..MAX_CERTIFIED).map(|number| {
            let mut bytes = [0; Certificate::LEN];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            bytes
        });
        keys.certified.borrow_mut().extend(filled);
        let new = Identity::ephemeral().certificate();
        assert!(keys.is_certified(&new));
        assert_eq!(keys.certified.borrow().len(), 1);
    }
}
