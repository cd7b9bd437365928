//! The decoders of the wire: they take whatever comes, however it is cut, and what they
//! understood they understand again when it is encoded.

use std::fmt::Debug;

use p2pchat_protocol::{
    ChatAnswer, ChatText, Contact, ContactDecoder, ContactError, Hello, MalformedRequest, Message,
    Request, RequestDecoder, Response, ResponseDecoder, ResponseError, split_text,
};

use crate::pieces::Pieces;

/// What a peer sends to a registry.
pub fn requests(data: &[u8]) {
    let input = Pieces::new(data);
    let decoded = decode_requests(input.iter().map(|(piece, _)| piece));
    assert_eq!(decoded, decode_requests([input.stream]), "cut and uncut");
    for request in decoded.0 {
        match request {
            Ok(request) => assert_eq!(Request::decode(&request.encode()), Ok(request)),
            Err(malformed) => is_understood(&malformed.response()),
        }
    }
}

type Requests = (Vec<Result<Request, MalformedRequest>>, bool);

fn decode_requests<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Requests {
    let mut decoder = RequestDecoder::default();
    let mut requests = Vec::new();
    for mut piece in pieces {
        while let Some(request) = decoder.next(&mut piece) {
            requests.push(request);
        }
        assert!(piece.is_empty(), "everything is taken");
    }
    (requests, decoder.is_partial())
}

/// What a registry sends to a peer, with moments of silence, which end an online list.
pub fn responses(data: &[u8]) {
    let input = Pieces::new(data);
    let mut cut = Responses::default();
    for (piece, quiet) in input.iter() {
        cut.take(piece);
        if quiet {
            cut.quiet();
        }
    }
    let mut uncut = Responses::default();
    let parts = input.by_silence();
    for (index, part) in parts.iter().enumerate() {
        uncut.take(part);
        if index + 1 < parts.len() {
            uncut.quiet();
        }
    }
    cut.quiet();
    uncut.quiet();
    assert_eq!(cut.decoded, uncut.decoded, "cut and uncut");
    assert_eq!(cut.decoder.skipped(), uncut.decoder.skipped());
    for response in cut.decoded.into_iter().flatten() {
        is_understood(&response);
    }
}

#[derive(Default)]
struct Responses {
    decoder: ResponseDecoder,
    decoded: Vec<Result<Response, ResponseError>>,
}

impl Responses {
    /// After an error the connection is of no use, so nothing more is taken.
    fn take(&mut self, mut bytes: &[u8]) {
        while !matches!(self.decoded.last(), Some(Err(_))) {
            match self.decoder.next(&mut bytes) {
                Ok(Some(response)) => self.decoded.push(Ok(response)),
                Ok(None) => return assert!(bytes.is_empty(), "everything is taken"),
                Err(error) => self.decoded.push(Err(error)),
            }
        }
    }

    fn quiet(&mut self) {
        if !matches!(self.decoded.last(), Some(Err(_))) {
            self.decoded.extend(self.decoder.quiet().map(Ok));
        }
    }
}

/// What one side encodes, the other decodes.
fn is_understood(response: &Response) {
    let mut bytes = Vec::new();
    response.encode(&mut bytes);
    let mut decoder = ResponseDecoder::default();
    let mut rest = &bytes[..];
    let decoded = decoder.next(&mut rest).expect("an encoded response");
    let decoded = decoded.or_else(|| decoder.quiet());
    assert_eq!(decoded.as_ref(), Some(response));
    assert!(rest.is_empty());
}

/// What comes to port 5858.
pub fn contacts(data: &[u8]) {
    let input = Pieces::new(data);
    let decoded = decode_contact(input.iter().map(|(piece, _)| piece));
    assert_eq!(decoded, decode_contact([input.stream]), "cut and uncut");
    if let Ok(contact) = decoded {
        let mut bytes = Vec::new();
        contact.encode(&mut bytes);
        assert_eq!(decode_contact([&bytes[..]]), Ok(contact));
    }
}

fn decode_contact<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Contact, ContactError> {
    let mut decoder = ContactDecoder::default();
    for piece in pieces {
        decoder.push(piece)?;
    }
    let has_head = decoder.has_head();
    let contact = decoder.finish();
    assert_eq!(has_head, contact.is_ok(), "with a head it can end any time");
    contact
}

/// What comes in one packet of a fixed length, and texts that are to go into packets.
pub fn packets(data: &[u8]) {
    survives(data, Hello::decode, |hello| hello.encode().to_vec());
    survives(data, Message::decode, |message| message.encode().to_vec());
    if let Ok(packet) = data.try_into() {
        let answer = ChatAnswer::decode(packet);
        assert_eq!(ChatAnswer::decode(&answer.encode()), answer);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        is_split(text);
    }
}

fn survives<T: PartialEq + Debug, E: PartialEq + Debug>(
    data: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, E>,
    encode: impl Fn(&T) -> Vec<u8>,
) {
    if let Ok(value) = decode(data) {
        assert_eq!(decode(&encode(&value)), Ok(value));
    }
}

/// However long a text is, its words arrive, in packets that every client understands.
fn is_split(text: &str) {
    let kept = |text: &str| -> String { text.chars().filter(|c| !c.is_whitespace()).collect() };
    match split_text(text) {
        Ok(parts) => {
            let sent: String = parts.iter().map(|part| kept(part.as_str())).collect();
            assert_eq!(sent, kept(text));
            let longest = parts.iter().map(|part| part.as_str().len()).max();
            assert!(longest <= Some(ChatText::MAX_SENT));
        }
        Err(_) => assert!(text.contains('\0') || text.trim().is_empty()),
    }
}
