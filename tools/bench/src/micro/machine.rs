//! What a peer decides.

use std::time::Duration;

use p2pchat_model::{Command, ConversationId, Passphrase, Timestamp};
use p2pchat_peer::machine::{Acknowledgement, Config, ConnId, Input, Machine, Now, Output, SendId};
use p2pchat_protocol::{ChatText, Contact, MESSAGE_PORT, Message, Response};

use super::codecs::{MEMBERS, USERS, address, name, user};
use super::{TIMES, measured, repeated};

/// A machine, the time, and its recent outputs.
struct Peer {
    machine: Machine,
    now: Now,
    conn: u64,
    texts: Vec<SendId>,
}

impl Peer {
    /// Logged in, and in a chat with as many as [`MEMBERS`].
    fn in_a_group() -> Self {
        let now = Now {
            elapsed: Duration::ZERO,
            wall: Timestamp(1_795_348_800_000),
        };
        let config = Config {
            address: address(USERS),
            registry: "10.0.0.1".to_owned(),
            message_port: MESSAGE_PORT,
            request_limit: Duration::from_secs(60),
            seed: 1,
            keys: None,
        };
        let mut peer = Self {
            machine: Machine::new(config, now),
            now,
            conn: 0,
            texts: Vec::new(),
        };
        peer.log_in();
        let conn = peer.conn();
        peer.handle(Input::Contact {
            conn,
            from: address(0),
            contact: Contact::Request {
                from: name(0),
                members: (1..MEMBERS).map(address).collect(),
            },
        });
        let accept = Command::Accept {
            conversation: ConversationId::OPEN,
            from: address(0),
        };
        peer.handle(Input::Command(accept.into()));
        let texts = peer.say().to_vec();
        assert_eq!(texts.len(), MEMBERS as usize);
        peer.taken(texts);
        peer
    }

    fn log_in(&mut self) {
        self.handle(Input::RegistryUp);
        let login = Command::login(
            name(USERS),
            Passphrase::new("correct horse").expect("this is a password"),
        );
        self.handle(Input::Command(login.into()));
        self.handle(Input::Response(Response::LoggedIn));
        self.list();
    }

    /// The online list comes.
    fn list(&mut self) {
        let list = (0..=USERS).map(user).collect();
        self.handle(Input::Response(Response::Online(list)));
    }

    fn conn(&mut self) -> ConnId {
        self.conn += 1;
        ConnId(self.conn)
    }

    /// As its owner would: an input, and then all that there is to do.
    fn handle(&mut self, input: Input) {
        self.now.elapsed += Duration::from_millis(1);
        self.machine.handle(self.now, input);
        while let Some(output) = self.machine.output() {
            if let Output::Text { id, .. } = std::hint::black_box(output) {
                self.texts.push(id);
            }
        }
    }

    /// Says something; the texts that this makes.
    fn say(&mut self) -> &[SendId] {
        self.texts.clear();
        let text = "Shall we meet at noon?".to_owned();
        let conversation = ConversationId::OPEN;
        self.handle(Input::Command(
            Command::Say {
                conversation,
                text,
                reply_to: None,
            }
            .into(),
        ));
        &self.texts
    }

    /// All of these were taken.
    fn taken(&mut self, texts: Vec<SendId>) {
        for id in texts {
            let result = Ok(Acknowledgement::Confirmed);
            self.handle(Input::TextDone { id, result });
        }
    }
}

pub(super) fn say() {
    let mut peer = Peer::in_a_group();
    for _ in 0..TIMES {
        let texts = measured(|| peer.say().to_vec());
        peer.taken(texts);
    }
}

pub(super) fn delivered() {
    let mut peer = Peer::in_a_group();
    for _ in 0..TIMES {
        let texts = peer.say().to_vec();
        measured(|| peer.taken(texts.clone()));
    }
}

pub(super) fn text_received() {
    let mut peer = Peer::in_a_group();
    let text = ChatText::new("Shall we meet at noon?").expect("this is a text");
    let message = Message::new(name(7), text);
    repeated(|| {
        let (conn, from) = (peer.conn(), address(7));
        peer.handle(Input::Text {
            conn,
            from,
            message,
        });
    });
}

pub(super) fn notify() {
    let mut peer = Peer::in_a_group();
    let contact = Contact::Notify {
        newcomer: address(0),
        members: (0..MEMBERS)
            .filter(|number| *number != 7)
            .map(address)
            .collect(),
    };
    repeated(|| {
        let (conn, from) = (peer.conn(), address(7));
        let contact = contact.clone();
        peer.handle(Input::Contact {
            conn,
            from,
            contact,
        });
    });
}

pub(super) fn online() {
    let mut peer = Peer::in_a_group();
    repeated(|| {
        peer.handle(Input::Command(Command::Refresh.into()));
        peer.list();
    });
}
