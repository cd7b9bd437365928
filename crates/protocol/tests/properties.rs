//! What holds for every value and every input, however it is cut into pieces.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use p2pchat_protocol::{
    ChatAnswer, ChatList, ChatText, Contact, ContactDecoder, Hello, Kind, Message, OnlineUser,
    Password, PeerAddr, Request, RequestDecoder, Response, ResponseDecoder, Username,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn username() -> impl Strategy<Value = Username> {
    "[^\\p{C}\\s]{1,10}|[a-z-]{1,10}".prop_filter_map("too long", |name| Username::new(&name).ok())
}

fn password() -> impl Strategy<Value = Password> {
    "[^\0]{1,15}".prop_filter_map("too long", |password| Password::new(&password).ok())
}

fn text() -> impl Strategy<Value = ChatText> {
    "[^\0]{1,100}".prop_filter_map("too long", |text| ChatText::new(&text).ok())
}

fn address() -> impl Strategy<Value = PeerAddr> {
    any::<u32>().prop_filter_map("not one machine", |ip| PeerAddr::new(ip.into()).ok())
}

fn chat_list() -> impl Strategy<Value = ChatList> {
    vec(address(), 0..40).prop_map(|addresses| addresses.into_iter().collect())
}

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        (username(), password())
            .prop_map(|(username, password)| Request::Register { username, password }),
        (username(), password())
            .prop_map(|(username, password)| Request::Login { username, password }),
        (username(), username())
            .prop_map(|(username, target)| Request::Search { username, target }),
        username().prop_map(|username| Request::Logout { username }),
        username().prop_map(|username| Request::AllOnline { username }),
    ]
}

fn response() -> impl Strategy<Value = Response> {
    let users = vec(
        (username(), address()).prop_map(|(name, address)| OnlineUser { name, address }),
        0..30,
    );
    prop_oneof![
        prop::sample::select(vec![
            Response::Registered,
            Response::NameTaken,
            Response::BadUsername,
            Response::BadPassword,
            Response::LoggedIn,
            Response::WrongCredentials,
            Response::SlowDown,
            Response::NotFound,
            Response::LoggedOut,
            Response::WasNotOnline,
            Response::NobodyOnline,
            Response::ServerError { kind: Kind::Login },
            Response::BadRequest { kind: 9 },
            Response::Unknown {
                kind: Kind::Search,
                status: 99
            },
        ]),
        address().prop_map(Response::Found),
        users.prop_map(Response::Online),
    ]
}

fn contact() -> impl Strategy<Value = Contact> {
    prop_oneof![
        (username(), chat_list()).prop_map(|(from, members)| Contact::Request { from, members }),
        (address(), chat_list())
            .prop_map(|(newcomer, members)| Contact::Notify { newcomer, members }),
    ]
}

/// Bytes cut into pieces of the given sizes, over and over.
fn pieces<'a>(bytes: &'a [u8], sizes: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = bytes;
    sizes.iter().cycle().map_while(move |&size| {
        let (piece, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(1..60_usize, 1..8)
}

proptest! {
    #[test]
    fn requests_survive_any_segmentation(requests in vec(request(), 1..6), sizes in sizes()) {
        let bytes: Vec<u8> = requests.iter().flat_map(Request::encode).collect();
        let mut decoder = RequestDecoder::default();
        let mut decoded = Vec::new();
        for mut piece in pieces(&bytes, &sizes) {
            while let Some(request) = decoder.next(&mut piece) {
                decoded.push(request.unwrap());
            }
        }
        prop_assert_eq!(decoded, requests);
        prop_assert!(!decoder.is_partial());
    }

    #[test]
    fn responses_survive_any_segmentation(responses in vec(response(), 1..6), sizes in sizes()) {
        let mut bytes = Vec::new();
        responses.iter().for_each(|response| response.encode(&mut bytes));
        let mut decoder = ResponseDecoder::default();
        let mut decoded = Vec::new();
        for mut piece in pieces(&bytes, &sizes) {
            while let Some(response) = decoder.next(&mut piece).unwrap() {
                decoded.push(response);
            }
        }
        decoded.extend(decoder.quiet());
        prop_assert_eq!(decoded, responses);
    }

    #[test]
    fn responses_survive_silence_anywhere(responses in vec(response(), 1..6), sizes in sizes()) {
        let mut bytes = Vec::new();
        responses.iter().for_each(|response| response.encode(&mut bytes));
        let mut decoder = ResponseDecoder::default();
        let mut decoded = Vec::new();
        for mut piece in pieces(&bytes, &sizes) {
            let mut is_quiet = false;
            while !is_quiet {
                let next = decoder.next(&mut piece).unwrap();
                is_quiet = next.is_none();
                if let Some(response) = next.or_else(|| decoder.quiet()) {
                    let continues = matches!(response, Response::Online(_)) && decoder.continues();
                    decoded.truncate(decoded.len() - usize::from(continues));
                    decoded.push(response);
                }
            }
        }
        prop_assert_eq!(decoded, responses);
    }

    #[test]
    fn contacts_survive_any_segmentation(contact in contact(), sizes in sizes()) {
        let mut bytes = Vec::new();
        contact.encode(&mut bytes);
        let mut decoder = ContactDecoder::default();
        for piece in pieces(&bytes, &sizes) {
            decoder.push(piece).unwrap();
        }
        prop_assert_eq!(decoder.finish().unwrap(), contact);
    }

    #[test]
    fn a_request_with_the_fields_the_other_way_round_is_understood(from in username()) {
        let mut bytes = vec![0; Contact::HEAD_LEN];
        bytes[1..1 + from.as_str().len()].copy_from_slice(from.as_str().as_bytes());
        bytes[16..].copy_from_slice(b"CHAT REQUE");
        let mut decoder = ContactDecoder::default();
        decoder.push(&bytes).unwrap();
        let expected = Contact::Request { from, members: ChatList::default() };
        prop_assert_eq!(decoder.finish().unwrap(), expected);
    }

    #[test]
    fn a_user_whose_name_is_the_cut_word_can_ask(members in chat_list()) {
        let from = "CHAT REQUE".parse().unwrap();
        let contact = Contact::Request { from, members };
        let mut bytes = Vec::new();
        contact.encode(&mut bytes);
        let mut decoder = ContactDecoder::default();
        decoder.push(&bytes).unwrap();
        prop_assert_eq!(decoder.finish().unwrap(), contact);
    }

    #[test]
    fn fixed_packets_decode_to_what_was_encoded(name in username(), text in text(), kind in any::<u8>()) {
        let hello = Hello { username: name };
        prop_assert_eq!(Hello::decode(&hello.encode()), Ok(hello));
        let message = Message { kind, from: name, text };
        prop_assert_eq!(Message::decode(&message.encode()), Ok(message));
        for answer in [ChatAnswer::Accepted, ChatAnswer::Rejected, ChatAnswer::Busy] {
            prop_assert_eq!(ChatAnswer::decode(&answer.encode()), answer);
        }
    }

    #[test]
    fn what_follows_a_nul_changes_nothing(request in request(), noise in any::<u8>()) {
        let mut packet = request.encode();
        for field in [1..11, 11..26] {
            let nul = packet[field.clone()].iter().position(|&byte| byte == 0);
            if let Some(nul) = nul && nul + 1 < field.len() {
                packet[field][nul + 1] = noise;
            }
        }
        prop_assert_eq!(Request::decode(&packet), Ok(request));
    }

    #[test]
    fn no_input_makes_a_decoder_panic(bytes in vec(any::<u8>(), 0..2_000), sizes in sizes()) {
        let _ = Hello::decode(&bytes);
        let _ = Message::decode(&bytes);
        let mut requests = RequestDecoder::default();
        let mut responses = ResponseDecoder::default();
        let mut contacts = ContactDecoder::default();
        for piece in pieces(&bytes, &sizes) {
            let mut rest = piece;
            while requests.next(&mut rest).is_some() {}
            let mut rest = piece;
            while let Ok(Some(_)) = responses.next(&mut rest) {}
            let _ = responses.quiet();
            let _ = contacts.push(piece);
        }
        let _ = contacts.finish();
    }

    #[test]
    fn almost_valid_input_makes_no_decoder_panic(
        contact in contact(), response in response(),
        at in any::<prop::sample::Index>(), byte in any::<u8>(), sizes in sizes(),
    ) {
        let mut bytes = Vec::new();
        contact.encode(&mut bytes);
        *at.get_mut(&mut bytes) = byte;
        let mut decoder = ContactDecoder::default();
        let _ = pieces(&bytes, &sizes).try_for_each(|piece| decoder.push(piece));
        let _ = decoder.finish();

        let mut bytes = Vec::new();
        response.encode(&mut bytes);
        *at.get_mut(&mut bytes) = byte;
        let mut decoder = ResponseDecoder::default();
        for mut piece in pieces(&bytes, &sizes) {
            while let Ok(Some(_)) = decoder.next(&mut piece) {}
        }
    }
}

#[test]
fn an_endless_chat_list_is_refused_at_its_limit() {
    let mut decoder = ContactDecoder::default();
    let request = Contact::Request {
        from: Username::new("mallory").unwrap(),
        members: ChatList::default(),
    };
    let mut bytes = Vec::new();
    request.encode(&mut bytes);
    decoder.push(&bytes).unwrap();
    let refused_at = (0..2 * ChatList::MAX)
        .find(|n| {
            let line = format!("10.1.{}.{}\n", n / 256, n % 256);
            decoder.push(line.as_bytes()).is_err()
        })
        .unwrap();
    assert_eq!(refused_at, ChatList::MAX);
}

#[test]
fn an_endless_online_list_is_refused_at_its_limit() {
    let mut decoder = ResponseDecoder::default();
    let head = Response::Online(Vec::new()).encode_head();
    assert_eq!(decoder.next(&mut &head[..]), Ok(None));
    let entries = b"bob-10.0.0.1 \t\n ".repeat(1_000);
    let refused_at = (0..2 * ResponseDecoder::MAX_USERS / 1_000)
        .find(|_| decoder.next(&mut &entries[..]).is_err())
        .unwrap();
    assert_eq!(refused_at, ResponseDecoder::MAX_USERS / 1_000);
}

#[test]
fn an_entry_that_is_no_user_is_left_out_and_counted() {
    let mut decoder = ResponseDecoder::default();
    let mut bytes = Response::Online(Vec::new()).encode_head().to_vec();
    bytes.extend_from_slice(b"bob-10.0.0.1 \t\n nobody \t\n x-1.2.3.999 \t\n -10.0.0.2 \t\n ");
    assert_eq!(decoder.next(&mut &bytes[..]), Ok(None));
    let bob = OnlineUser {
        name: "bob".parse().unwrap(),
        address: "10.0.0.1".parse().unwrap(),
    };
    assert_eq!(decoder.quiet(), Some(Response::Online(vec![bob])));
    assert_eq!(decoder.skipped(), 3);
}

#[test]
fn a_malformed_request_has_a_response_and_only_an_unknown_type_ends_the_connection() {
    let mut packet = Request::Logout {
        username: "bob".parse().unwrap(),
    }
    .encode();
    packet[0] = 9;
    let unknown = Request::decode(&packet).unwrap_err();
    assert_eq!(unknown.response(), Response::BadRequest { kind: 9 });
    assert!(unknown.is_fatal());

    let mut register = Request::Register {
        username: "a b".parse().unwrap(),
        password: Password::new("pw").unwrap(),
    }
    .encode();
    let bad_name = Request::decode(&register).unwrap_err();
    assert_eq!(bad_name.response(), Response::BadUsername);
    assert!(!bad_name.is_fatal());
    register[2] = b'-';
    register[11] = 0;
    let bad_password = Request::decode(&register).unwrap_err();
    assert_eq!(bad_password.response(), Response::BadPassword);
}
