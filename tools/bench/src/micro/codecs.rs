//! Bytes into packets and back.

use std::hint::black_box;
use std::net::Ipv4Addr;

use p2pchat_protocol::{
    ChatText, Contact, ContactDecoder, Hello, Message, OnlineUser, Password, PeerAddr, Request,
    RequestDecoder, Response, ResponseDecoder, Username, split_text,
};

use super::repeated;

/// How many users an online list has.
pub(super) const USERS: u32 = 1_000;
/// How many members a chat_list has.
pub(super) const MEMBERS: u32 = 100;
/// How much comes from a socket at a time, in bytes.
const PIECE: usize = 4 * 1024;

/// The user of this number.
pub(super) fn user(number: u32) -> OnlineUser {
    OnlineUser {
        name: name(number),
        address: address(number),
    }
}

/// The name of the user of this number.
pub(super) fn name(number: u32) -> Username {
    Username::new(&format!("user{number}")).expect("as many digits fit")
}

/// The address of the user of this number.
pub(super) fn address(number: u32) -> PeerAddr {
    let first = Ipv4Addr::new(10, 0, 0, 1).to_bits();
    PeerAddr::new(Ipv4Addr::from_bits(first + number)).expect("these are addresses of machines")
}

pub(super) fn request() {
    let request = Request::Login {
        username: name(1),
        password: Password::new("correct horse").expect("this is a password"),
    };
    let mut decoder = RequestDecoder::default();
    repeated(|| {
        let packet = black_box(&request).encode();
        decoder.next(&mut packet.as_slice())
    });
}

pub(super) fn response() {
    let response = Response::Found(address(1));
    let (mut decoder, mut packet) = (ResponseDecoder::default(), Vec::new());
    repeated(|| {
        packet.clear();
        black_box(&response).encode(&mut packet);
        decoder.next(&mut packet.as_slice())
    });
}

fn list() -> Response {
    Response::Online((0..USERS).map(user).collect())
}

pub(super) fn online_encode() {
    let (response, mut packet) = (list(), Vec::new());
    repeated(|| {
        packet.clear();
        black_box(&response).encode(&mut packet);
    });
}

pub(super) fn online_decode() {
    let mut packet = Vec::new();
    list().encode(&mut packet);
    repeated(|| {
        let mut decoder = ResponseDecoder::default();
        for mut piece in black_box(&packet).chunks(PIECE) {
            let none = decoder.next(&mut piece);
            assert!(matches!(none, Ok(None)), "a list has no end of its own");
        }
        decoder.quiet().expect("it is whole")
    });
}

pub(super) fn contact() {
    let contact = Contact::Notify {
        newcomer: address(MEMBERS),
        members: (0..MEMBERS).map(address).collect(),
    };
    let mut packet = Vec::new();
    repeated(|| {
        packet.clear();
        black_box(&contact).encode(&mut packet);
        let mut decoder = ContactDecoder::default();
        decoder.push(&packet).expect("it is one");
        decoder.finish().expect("it is whole")
    });
}

pub(super) fn text() {
    let text = ChatText::new("Shall we meet at noon, at the corner? 🍲").expect("this is a text");
    let message = Message::new(name(1), text);
    repeated(|| Message::decode(&black_box(&message).encode()));
}

pub(super) fn split() {
    let text = "Shall we meet at noon, at the corner? ".repeat(16 * 1024 / 38);
    repeated(|| split_text(black_box(&text)));
}

pub(super) fn hello() {
    let hello = Hello { username: name(1) };
    repeated(|| Hello::decode(&black_box(&hello).encode()));
}
