//! Any frames on the WebSocket of the bridge.

use p2pchat_model::{Event, Update, View};
use serde_json::Value;

use super::{SECRET, exchange};
use crate::pieces::Pieces;

/// The key that frames are masked with. Not 0, so that it is used at all.
const MASK: [u8; 4] = [0x5a, 0xa5, 0x0f, 0xf0];
/// What follows is not framed: it goes out as it is.
const UNFRAMED: u8 = 0xff;
/// A length of this means that two bytes follow with the length.
const LONG: u8 = 0xff;
const TEXT: u8 = 0x81;

/// Who wants the WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visitor {
    /// A script with the secret in its request.
    Script,
    /// A page that sends the secret first.
    Page,
    /// A page that sends whatever it likes.
    Stranger,
    /// A page of another version.
    OtherVersion,
}

/// One byte for who comes, cuts, and then frames: their first byte, a length, a payload.
/// The bridge tells a stranger nothing, and tells the others updates, the view first.
pub fn socket(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    let visitor = match first % 4 {
        0 => Visitor::Script,
        1 => Visitor::Page,
        2 => Visitor::Stranger,
        _ => Visitor::OtherVersion,
    };
    let input = Pieces::new(rest);
    let frames = Frames::new(input.stream);
    let mut sent = Vec::new();
    if visitor == Visitor::Page {
        put(
            &mut sent,
            TEXT,
            format!("{{\"secret\":\"{SECRET}\",\"front_end\":\"tab\",\"version\":2}}").as_bytes(),
        );
    }
    sent.extend_from_slice(&frames.bytes);
    let head = head(visitor);
    // Cut in the same way, but what goes out is masked, and longer.
    let mut pieces = vec![head.as_bytes()];
    let mut left = &sent[..];
    for (piece, _) in input.iter() {
        let (front, after) = left.split_at(piece.len().min(left.len()));
        pieces.push(front);
        left = after;
    }
    pieces.push(left);
    let answer = exchange(pieces);
    let told = told(&answer);
    match visitor {
        Visitor::OtherVersion => assert!(told.is_empty(), "told to another version"),
        Visitor::Stranger if !frames.hold_the_secret() => {
            assert!(told.is_empty(), "told without the secret");
        }
        _ => are_updates(&told),
    }
}

fn head(visitor: Visitor) -> String {
    let authority = "127.0.0.1:7878";
    let (path, who) = match visitor {
        Visitor::Script => ("/ws", format!("Authorization: Bearer {SECRET}")),
        Visitor::OtherVersion => (
            "/ws?protocol=p2pchat.v1",
            format!("Origin: http://{authority}"),
        ),
        Visitor::Page | Visitor::Stranger => (
            "/ws?protocol=p2pchat.v2",
            format!("Origin: http://{authority}"),
        ),
    };
    format!(
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{who}\r\n\r\n"
    )
}

/// What a visitor sends once there is a WebSocket.
struct Frames {
    bytes: Vec<u8>,
    payloads: Vec<Vec<u8>>,
}

impl Frames {
    fn new(mut data: &[u8]) -> Self {
        let mut frames = Self {
            bytes: Vec::new(),
            payloads: Vec::new(),
        };
        while let Some((first, rest)) = data.split_first()
            && *first != UNFRAMED
        {
            let (length, rest) = match rest {
                [LONG, high, low, rest @ ..] => (u16::from_be_bytes([*high, *low]).into(), rest),
                [length, rest @ ..] => (usize::from(*length), rest),
                [] => (0, rest),
            };
            let (payload, rest) = rest.split_at(length.min(rest.len()));
            put(&mut frames.bytes, *first, payload);
            frames.payloads.push(payload.to_vec());
            data = rest;
        }
        frames.bytes.extend_from_slice(data.get(1..).unwrap_or(&[]));
        frames.payloads.push(data.to_vec());
        frames
    }

    /// Whether the secret may be in them, in one or in several.
    fn hold_the_secret(&self) -> bool {
        let all = self.payloads.concat();
        let shows = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            let shown = serde_json::from_str::<Value>(&text);
            text.contains(SECRET) || shown.is_ok_and(|shown| shown["secret"] == SECRET)
        };
        shows(&all) || self.payloads.iter().any(|payload| shows(payload))
    }
}

/// Appends a frame as a browser makes it.
fn put(out: &mut Vec<u8>, first: u8, payload: &[u8]) {
    out.push(first);
    match u8::try_from(payload.len()) {
        Ok(short) if short < 126 => out.push(0x80 | short),
        _ => {
            out.push(0x80 | 126);
            let length = u16::try_from(payload.len()).expect("two bytes said how long");
            out.extend(length.to_be_bytes());
        }
    }
    out.extend(MASK);
    out.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
}

/// The texts that the bridge sent.
fn told(answer: &[u8]) -> Vec<String> {
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n");
    let head = head.expect("an answer to the upgrade") + 4;
    assert!(answer.starts_with(b"HTTP/1.1 101 "), "no upgrade");
    let mut rest = &answer[head..];
    let mut texts = Vec::new();
    while let [first, second, after @ ..] = rest {
        let (length, after) = match (second, after) {
            (126, [a, b, after @ ..]) => (usize::from(u16::from_be_bytes([*a, *b])), after),
            (127, [_, _, _, _, a, b, c, d, after @ ..]) => {
                (u32::from_be_bytes([*a, *b, *c, *d]) as usize, after)
            }
            (length, after) => (usize::from(*length), after),
        };
        let (payload, after) = after.split_at(length.min(after.len()));
        match first {
            // The last one may be cut by the end of the connection.
            0x81 if payload.len() == length => {
                texts.push(String::from_utf8(payload.to_vec()).expect("text is UTF-8"));
            }
            0x81 | 0x88 | 0x89 | 0x8a => {}
            other => panic!("a frame of kind {other:x}"),
        }
        rest = after;
    }
    texts
}

fn are_updates(told: &[String]) {
    let mut view = View::default();
    for (number, text) in told.iter().enumerate() {
        let update = Update::from_json(text).expect("an update");
        let is_view = matches!(*update.event, Event::View(_));
        assert!(is_view || number > 0, "the view comes first");
        view.apply(&update.event);
    }
}
