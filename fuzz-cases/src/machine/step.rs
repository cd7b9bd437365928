//! What may happen, from the bytes of the fuzzer.

use std::net::Ipv4Addr;
use std::time::Duration;

use arbitrary::Arbitrary;
use p2pchat_model::{
    Command, Gone, MessageId, OnlineUser, Password, PeerAddr, Target, Unanswered, Username,
};
use p2pchat_peer::machine::{ConnId, Input, SendId, Taken};
use p2pchat_protocol::{
    ChatAnswer, ChatText, Contact, ContactDecoder, Kind, Message, Response, ResponseDecoder,
};

/// The longest text that a user says here: a few packets.
const MAX_SAID: usize = 300;
/// The longest time that passes in one step.
const MAX_PASS: Duration = Duration::from_secs(40);

/// The address of the machine that is tried.
pub(super) fn own_address() -> PeerAddr {
    PeerAddr::new(Ipv4Addr::new(10, 0, 0, 1)).unwrap()
}

/// What may happen, with ids that may or may not mean anything.
#[derive(Debug, Arbitrary)]
pub(super) enum Step<'a> {
    Ask(Ask<'a>),
    /// A command as a script writes it.
    Json(&'a [u8]),
    /// Milliseconds.
    Pass(u16),
    Up,
    Down,
    /// Logged in, with somebody there.
    Begin,
    Answered(Answered),
    /// Bytes from the registry.
    Registry(&'a [u8]),
    Asked(Someone, Someone, Vec<Someone>),
    Notified(Someone, Someone, Vec<Someone>),
    /// Bytes at port 5858.
    Contact(Someone, &'a [u8]),
    Lost(u8),
    Said(Someone, Someone, &'a str),
    RequestDone(u8, Fate),
    NotifyDone(u8, Fate),
    TextDone(u8, Fate),
}

/// What the user asks.
#[derive(Debug, Arbitrary)]
pub(super) enum Ask<'a> {
    Register(Someone),
    Login(Someone),
    Logout,
    Refresh,
    Search(Someone),
    RequestAddress(Someone),
    RequestName(Someone),
    Accept(Someone),
    Reject(Someone),
    Say(&'a str),
    Leave,
    Busy(bool),
    History(Option<u64>),
    Find(&'a str),
}

/// One of a few people, or somebody at any address.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub(super) enum Someone {
    Known(u8),
    Anywhere(u32),
}

impl Someone {
    fn address(self) -> PeerAddr {
        let ip = match self {
            Self::Known(who) => Ipv4Addr::new(10, 0, 0, 1 + who % 8),
            Self::Anywhere(ip) => ip.into(),
        };
        PeerAddr::new(ip).unwrap_or(own_address())
    }

    fn name(self) -> Username {
        let name = match self {
            Self::Known(who) => ["ann", "bob", "cem", "dia"][usize::from(who % 4)].to_owned(),
            Self::Anywhere(number) => number.to_string(),
        };
        Username::new(&name).unwrap()
    }
}

/// What a registry says.
#[derive(Debug, Arbitrary)]
pub(super) enum Answered {
    Registered,
    LoggedIn,
    WrongCredentials,
    SlowDown,
    NameTaken,
    Found(Someone),
    NotFound,
    LoggedOut,
    WasNotOnline,
    Online(Vec<(Someone, Someone)>),
    NobodyOnline,
    ServerError(u8),
    BadRequest(u8),
    Unknown(u8, u8),
}

impl From<Answered> for Response {
    fn from(answered: Answered) -> Self {
        let kind = |byte: u8| Kind::from_byte(byte % 5).unwrap();
        match answered {
            Answered::Registered => Self::Registered,
            Answered::LoggedIn => Self::LoggedIn,
            Answered::WrongCredentials => Self::WrongCredentials,
            Answered::SlowDown => Self::SlowDown,
            Answered::NameTaken => Self::NameTaken,
            Answered::Found(who) => Self::Found(who.address()),
            Answered::NotFound => Self::NotFound,
            Answered::LoggedOut => Self::LoggedOut,
            Answered::WasNotOnline => Self::WasNotOnline,
            Answered::Online(users) => Self::Online(users.into_iter().map(online).collect()),
            Answered::NobodyOnline => Self::NobodyOnline,
            Answered::ServerError(byte) => Self::ServerError { kind: kind(byte) },
            Answered::BadRequest(kind) => Self::BadRequest { kind },
            Answered::Unknown(byte, status) => Self::Unknown {
                kind: kind(byte),
                status,
            },
        }
    }
}

fn online((name, address): (Someone, Someone)) -> OnlineUser {
    OnlineUser {
        name: name.name(),
        address: address.address(),
    }
}

/// What becomes of something that was sent.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub(super) enum Fate {
    Good,
    Doubtful,
    Refused,
    Unreachable,
}

/// What a step comes to.
pub(super) enum Made {
    Pass(Duration),
    Inputs(Vec<Input>),
}

impl Step<'_> {
    /// `conn` is the connection of this step, if it makes one.
    pub(super) fn into_inputs(self, conn: ConnId) -> Made {
        let id = |id: u8| SendId(id.into());
        let input = match self {
            Step::Pass(millis) => {
                return Made::Pass(MAX_PASS.mul_f64(f64::from(millis) / f64::from(u16::MAX)));
            }
            Step::Begin => return Made::Inputs(begin()),
            Step::Registry(bytes) => return Made::Inputs(responses(bytes)),
            Step::Json(text) => {
                let command = serde_json::from_slice(text).ok();
                return Made::Inputs(command.map(Input::Command).into_iter().collect());
            }
            Step::Contact(from, bytes) => {
                let contact = contact(bytes).map(|contact| arrived(conn, from, contact));
                return Made::Inputs(contact.into_iter().collect());
            }
            Step::Said(from, name, text) => return Made::Inputs(said(conn, from, name, text)),
            Step::Ask(ask) => Input::Command(ask.into()),
            Step::Up => Input::RegistryUp,
            Step::Down => Input::RegistryDown {
                reason: "test".to_owned(),
            },
            Step::Answered(answered) => Input::Response(answered.into()),
            Step::Asked(at, name, members) => {
                let (from, members) = (name.name(), list(members));
                arrived(conn, at, Contact::Request { from, members })
            }
            Step::Notified(at, who, members) => {
                let (newcomer, members) = (who.address(), list(members));
                arrived(conn, at, Contact::Notify { newcomer, members })
            }
            Step::Lost(conn) => Input::ContactLost {
                conn: ConnId(conn.into()),
            },
            Step::RequestDone(of, fate) => Input::RequestDone {
                id: id(of),
                result: match fate {
                    Fate::Good => Ok(ChatAnswer::Accepted),
                    Fate::Doubtful => Ok(ChatAnswer::Busy),
                    Fate::Refused => Ok(ChatAnswer::Rejected),
                    Fate::Unreachable => Err(Unanswered::Unreachable),
                },
            },
            Step::NotifyDone(of, fate) => Input::NotifyDone {
                id: id(of),
                result: match fate {
                    Fate::Good | Fate::Doubtful => Ok(()),
                    Fate::Refused => Err(Gone::Refused),
                    Fate::Unreachable => Err(Gone::Unreachable),
                },
            },
            Step::TextDone(of, fate) => Input::TextDone {
                id: id(of),
                result: match fate {
                    Fate::Good => Ok(Taken::Confirmed),
                    Fate::Doubtful => Ok(Taken::Unconfirmed),
                    Fate::Refused => Err(Gone::Refused),
                    Fate::Unreachable => Err(Gone::Unreachable),
                },
            },
        };
        Made::Inputs(vec![input])
    }
}

impl From<Ask<'_>> for Command {
    fn from(ask: Ask<'_>) -> Self {
        let password = || Password::new("pw").unwrap();
        match ask {
            Ask::Register(who) => Self::Register {
                name: who.name(),
                password: password(),
            },
            Ask::Login(who) => Self::Login {
                name: who.name(),
                password: password(),
            },
            Ask::Logout => Self::Logout,
            Ask::Refresh => Self::Refresh,
            Ask::Search(who) => Self::Search { name: who.name() },
            Ask::RequestAddress(who) => Self::Request {
                to: Target::Address(who.address()),
            },
            Ask::RequestName(who) => Self::Request {
                to: Target::Name(who.name()),
            },
            Ask::Accept(who) => Self::Accept {
                from: who.address(),
            },
            Ask::Reject(who) => Self::Reject {
                from: who.address(),
            },
            Ask::Say(text) => Self::Say {
                text: text.chars().take(MAX_SAID).collect(),
            },
            Ask::Leave => Self::Leave,
            Ask::Busy(on) => Self::Busy { on },
            Ask::History(before) => Self::History {
                before: before.map(MessageId),
            },
            Ask::Find(text) => Self::Find {
                text: text.to_owned(),
            },
        }
    }
}

/// A session, which most of what follows needs.
fn begin() -> Vec<Input> {
    let people = (0..4).map(|who| online((Someone::Known(who), Someone::Known(who))));
    vec![
        Input::RegistryUp,
        Input::Command(Ask::Login(Someone::Known(0)).into()),
        Input::Response(Response::LoggedIn),
        Input::Response(Response::Online(people.collect())),
    ]
}

fn arrived(conn: ConnId, from: Someone, contact: Contact) -> Input {
    Input::Contact {
        conn,
        from: from.address(),
        contact,
    }
}

fn list(members: Vec<Someone>) -> p2pchat_protocol::ChatList {
    members.into_iter().map(Someone::address).collect()
}

fn said(conn: ConnId, from: Someone, name: Someone, text: &str) -> Vec<Input> {
    let end = text.floor_char_boundary(ChatText::MAX);
    let text = ChatText::new(&text[..end]);
    let arrived = text.map(|text| Input::Text {
        conn,
        from: from.address(),
        message: Message::new(name.name(), text),
    });
    arrived.into_iter().collect()
}

fn responses(mut bytes: &[u8]) -> Vec<Input> {
    let mut decoder = ResponseDecoder::default();
    let mut inputs = Vec::new();
    while let Ok(Some(response)) = decoder.next(&mut bytes) {
        inputs.push(Input::Response(response));
    }
    inputs.extend(decoder.quiet().map(Input::Response));
    inputs
}

fn contact(bytes: &[u8]) -> Option<Contact> {
    let mut decoder = ContactDecoder::default();
    decoder.push(bytes).ok()?;
    decoder.finish().ok()
}
