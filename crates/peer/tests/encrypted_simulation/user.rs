//! A user's program and its disk.

use std::collections::BTreeMap;
use std::time::Duration;

use p2pchat_model::{Call, Command, FrontEndId, Username, View};
use p2pchat_peer::machine::{Asked, Config, Keys, Machine, Now};
use p2pchat_peer::{Known, KnownFile};
use p2pchat_protocol::PeerAddr;
use p2pchat_protocol::v2::{Certificate, DeviceKey, Passphrase, PersonKey, PublicKey, Signature};

use crate::registry::Line;

/// See the module.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) name: Username,
    pub(crate) address: PeerAddr,
    pub(crate) certificate: Certificate,
    pub(crate) machine: Machine,
    pub(crate) view: View,
    pub(crate) disk: BTreeMap<KnownFile, String>,
    /// The connection that is there, or is being made.
    pub(crate) line: Option<Line>,
    /// Whether it has seen another key and was not told what to do.
    pub(crate) is_stopped: bool,
    /// How many passwords were given, and how many were sent.
    pub(crate) given: usize,
    pub(crate) sent: usize,
    /// Whether the whole list has come since the login.
    pub(crate) has_list: bool,
}

impl User {
    /// The `number`th user; those of one person differ in the device alone.
    pub(crate) fn new(number: u8, person: u8, now: Now) -> Self {
        let key = |byte| PublicKey([byte; PublicKey::LEN]);
        let certificate = Certificate {
            device: DeviceKey(key(number + 1)),
            person: PersonKey(key(person + 100)),
            signature: Signature([0; Signature::LEN]),
        };
        let address: PeerAddr = format!("10.0.0.{}", number + 1).parse().unwrap();
        let config = config(address, certificate, Known::default());
        Self {
            name: format!("user{person}").parse().unwrap(),
            address,
            certificate,
            machine: Machine::new(config, now),
            view: View::default(),
            disk: BTreeMap::new(),
            line: None,
            is_stopped: false,
            given: 0,
            sent: 0,
            has_list: false,
        }
    }

    fn known(&self) -> Known {
        let mut known = Known::default();
        for (file, text) in &self.disk {
            known.read(*file, text).unwrap();
        }
        known
    }

    /// The process is killed, and another one starts.
    pub(crate) fn restart(&mut self, now: Now) {
        let config = config(self.address, self.certificate, self.known());
        self.machine = Machine::new(config, now);
        self.view = View::default();
        (self.line, self.is_stopped, self.has_list) = (None, false, false);
    }

    /// The process is killed, and another one goes on with its view.
    pub(crate) fn take_over(&mut self, now: Now) {
        let config = config(self.address, self.certificate, self.known());
        self.machine = Machine::resume(config, now, &self.view);
        (self.line, self.is_stopped) = (None, false);
    }

    pub(crate) fn password(&self) -> Passphrase {
        Passphrase::new(&format!("the password of {}", self.name)).unwrap()
    }

    /// A call of their front end.
    pub(crate) fn call(command: Command) -> Asked {
        let front_end = FrontEndId::new("front-end").unwrap();
        Asked::by(front_end, Call::new(command))
    }
}

fn config(address: PeerAddr, certificate: Certificate, known: Known) -> Config {
    Config {
        address,
        registry: "registry".to_owned(),
        message_port: 1010,
        request_limit: Duration::from_secs(60),
        seed: address.ip().to_bits().into(),
        keys: Some(Keys {
            certificate,
            saved: true,
            names: vec!["registry".to_owned()],
            named: None,
            allow_plaintext: false,
            known,
        }),
    }
}
