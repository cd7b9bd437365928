//! What may happen, from the bytes of the fuzzer.

use std::time::Duration;

use arbitrary::Arbitrary;
use p2pchat_model::{Call, Command, FrontEndId, LeaveReason, RequestFailure};
use p2pchat_peer::machine::{Acknowledgement, Asked, ConnId, Input, SendId};
use p2pchat_protocol::{
    ChatAnswer, ChatList, ChatText, Contact, ContactDecoder, Message, Response, ResponseDecoder,
};

use super::answered::{Answered, online};
use super::ask::{Ask, Someone};

/// The longest time that passes in one step.
const MAX_PASS: Duration = Duration::from_secs(40);

/// How many ids a front end has for its calls: few enough that one is used again at times.
const IDS: u64 = 64;

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
    /// Logged in, with another user online.
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
    /// What became of something that was sent: 0 is the newest.
    Done(u8, Fate),
    /// What became of something that was never sent, or was something else.
    Stray(Sent, u8, Fate),
}

/// What a machine sends to other peers.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub(super) enum Sent {
    Request,
    Notify,
    Text,
}

/// What becomes of it.
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
    /// `conn` is the connection of this step, if it makes one; `sent` is what the machine
    /// has sent so far.
    pub(super) fn into_inputs(self, conn: ConnId, sent: &[(SendId, Sent)]) -> Made {
        let input = match self {
            Step::Pass(millis) => {
                return Made::Pass(MAX_PASS.mul_f64(f64::from(millis) / f64::from(u16::MAX)));
            }
            Step::Begin => return Made::Inputs(begin()),
            Step::Registry(bytes) => return Made::Inputs(responses(bytes)),
            Step::Json(text) => {
                let text = std::str::from_utf8(text).unwrap_or_default();
                let call = Call::from_json(text).ok();
                return Made::Inputs(call.map(asked).into_iter().collect());
            }
            Step::Contact(from, bytes) => {
                let contact = contact(bytes).map(|contact| arrived(conn, from, contact));
                return Made::Inputs(contact.into_iter().collect());
            }
            Step::Said(from, name, text) => return Made::Inputs(said(conn, from, name, text)),
            Step::Ask(ask) => asked(Call::with_id(conn.0 % IDS, Command::from(ask))),
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
            Step::Done(back, fate) => {
                return Made::Inputs(match sent.iter().rev().nth(back.into()) {
                    Some(&(id, what)) => vec![done(what, id, fate)],
                    None => Vec::new(),
                });
            }
            Step::Stray(what, id, fate) => done(what, SendId(id.into()), fate),
        };
        Made::Inputs(vec![input])
    }
}

/// A call of the one front end that there is.
fn asked(call: Call) -> Input {
    let front_end = FrontEndId::new("fuzz").unwrap();
    Input::Command(Asked::by(front_end, call))
}

fn done(what: Sent, id: SendId, fate: Fate) -> Input {
    match what {
        Sent::Request => Input::RequestDone {
            id,
            result: match fate {
                Fate::Good => Ok(ChatAnswer::Accepted),
                Fate::Doubtful => Ok(ChatAnswer::Busy),
                Fate::Refused => Ok(ChatAnswer::Rejected),
                Fate::Unreachable => Err(RequestFailure::Unreachable),
            },
        },
        Sent::Notify => Input::NotifyDone {
            id,
            result: match fate {
                Fate::Good => Ok(Acknowledgement::Confirmed),
                Fate::Doubtful => Ok(Acknowledgement::Unconfirmed),
                Fate::Refused => Err(LeaveReason::Refused),
                Fate::Unreachable => Err(LeaveReason::Unreachable),
            },
        },
        Sent::Text => Input::TextDone {
            id,
            result: match fate {
                Fate::Good => Ok(Acknowledgement::Confirmed),
                Fate::Doubtful => Ok(Acknowledgement::Unconfirmed),
                Fate::Refused => Err(LeaveReason::Refused),
                Fate::Unreachable => Err(LeaveReason::Unreachable),
            },
        },
    }
}

/// A session, which most of what follows needs.
fn begin() -> Vec<Input> {
    let people = (0..4).map(|who| online((Someone::Known(who), Someone::Known(who))));
    vec![
        Input::RegistryUp,
        Input::Command(Command::from(Ask::Login(Someone::Known(0))).into()),
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

fn list(members: Vec<Someone>) -> ChatList {
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
