//! The frames of version 2: they take whatever comes, however it is cut, and what they
//! understood they understand again when it is encoded.

use p2pchat_protocol::v2::peer::{self, ToPeer};
use p2pchat_protocol::v2::registry::{MAX_FIRST, MAX_FROM_REGISTRY, MAX_TO_REGISTRY};
use p2pchat_protocol::v2::{Frame, FrameDecoder, FrameError, FromRegistry, Malformed, ToRegistry};

use crate::entries::hash;
use crate::pieces::Pieces;

/// What a client sends to a registry over TLS, before it has signed in and after that.
pub fn to_registry(data: &[u8]) {
    for limit in [MAX_FIRST, MAX_TO_REGISTRY] {
        for request in decoded(data, limit, ToRegistry::decode) {
            let mut bytes = Vec::new();
            request.encode(&mut bytes);
            let again = decoded_frames([&bytes[..]], MAX_FIRST, ToRegistry::decode);
            assert_eq!(again, vec![Ok(Ok(Some(request)))]);
        }
    }
}

/// What a registry sends to a client over TLS.
pub fn from_registry(data: &[u8]) {
    for answer in decoded(data, MAX_FROM_REGISTRY, FromRegistry::decode) {
        let mut bytes = Vec::new();
        answer.encode(&mut bytes);
        let again = decoded_frames([&bytes[..]], MAX_FROM_REGISTRY, FromRegistry::decode);
        assert_eq!(again, vec![Ok(Ok(Some(answer)))]);
    }
}

/// What a peer sends to another over TLS.
pub fn to_peer(data: &[u8]) {
    for limit in [peer::MAX_FIRST, peer::MAX_TO_PEER] {
        for (frame, _) in decoded(data, limit, read_to_peer) {
            let mut bytes = Vec::new();
            frame.encode(&mut bytes);
            let again = decoded_frames([&bytes[..]], peer::MAX_TO_PEER, read_to_peer);
            assert_eq!(again, vec![Ok(Ok(Some((frame, 0))))]);
        }
    }
}

fn read_to_peer(frame: &Frame) -> Result<Option<(ToPeer, usize)>, Malformed> {
    ToPeer::decode(frame, hash)
}

type Decoded<T> = Result<Result<Option<T>, Malformed>, FrameError>;

/// What a stream has that is known, cut and uncut.
fn decoded<T: PartialEq + std::fmt::Debug>(
    data: &[u8],
    limit: usize,
    decode: fn(&Frame) -> Result<Option<T>, Malformed>,
) -> impl Iterator<Item = T> {
    let input = Pieces::new(data);
    let cut = decoded_frames(input.iter().map(|(piece, _)| piece), limit, decode);
    let uncut = decoded_frames([input.stream], limit, decode);
    assert_eq!(cut, uncut, "cut and uncut");
    uncut.into_iter().flatten().flatten().flatten()
}

/// After an error the connection is of no use, so nothing more is taken.
fn decoded_frames<'a, T>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    limit: usize,
    decode: fn(&Frame) -> Result<Option<T>, Malformed>,
) -> Vec<Decoded<T>> {
    let mut decoder = FrameDecoder::default();
    let mut decoded = Vec::new();
    for mut piece in pieces {
        loop {
            match decoder.next(&mut piece, limit) {
                Ok(Some(frame)) => {
                    assert!(frame.message.len() <= limit);
                    decoded.push(Ok(decode(&frame)));
                }
                Ok(None) => break,
                Err(error) => {
                    decoded.push(Err(error));
                    return decoded;
                }
            }
            if matches!(decoded.last(), Some(Ok(Err(_)))) {
                return decoded;
            }
        }
        assert!(piece.is_empty(), "everything is taken");
    }
    decoded
}
