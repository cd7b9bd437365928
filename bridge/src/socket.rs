//! The WebSocket: greeting, session, close.
//!
//! The first frame of a page is `{"secret":"…","front_end":"…","version":2}`. Then updates go
//! out, the view first, and calls come in, one a frame, as in `p2pchat --json`.

use std::sync::atomic::Ordering;

use futures::StreamExt;
use hyper_tungstenite::HyperWebsocket;
use hyper_tungstenite::tungstenite::Message;
use p2pchat_model::{CONTRACT_VERSION, FrontEndId};
use serde::Deserialize;
use tokio::time::timeout;

use crate::gate::Entry;
use crate::shared::Shared;
use crate::slots::Slot;

mod session;
mod stream;
mod subprotocol;

pub(crate) use stream::config;
use stream::{CloseReason, Stream};
pub(crate) use subprotocol::Subprotocol;

/// What has to be right in the first frame before more of it is looked at.
#[derive(Deserialize)]
struct Key {
    secret: String,
}

/// The rest of the first frame.
#[derive(Deserialize)]
struct Greeting {
    /// The page's id, which stays when it connects again. A tool may do without.
    front_end: Option<FrontEndId>,
    /// The version of the contract, if the subprotocol is not enough.
    version: Option<u32>,
}

/// Serves one socket, from the upgrade to its end. Its slot is the user's once it has
/// shown the secret.
pub(crate) async fn serve(
    websocket: HyperWebsocket,
    entry: Entry,
    subprotocol: Subprotocol,
    shared: &Shared,
    slot: &Slot,
) {
    let mut stream = match websocket.await {
        Ok(stream) => stream,
        Err(error) => return tracing::debug!(%error, "a WebSocket was gone at once"),
    };
    let welcome = match (subprotocol, entry) {
        (Subprotocol::Unsupported(_), _) => Err(CloseReason::OtherVersion),
        (_, Entry::Authorized) => Ok(new_front_end()),
        (_, Entry::SecretFirst) => greet(&mut stream, shared).await,
    };
    let reason = match welcome {
        Ok(front_end) => {
            slot.protect();
            session::run(&mut stream, shared, front_end).await
        }
        Err(reason) => reason,
    };
    tracing::debug!(?reason, "a WebSocket ends");
    stream::close(stream, reason, &shared.limits).await;
}

/// Waits until the bridge stops, and returns why.
async fn stopping(shared: &Shared) -> CloseReason {
    shared.stop.cancelled().await;
    if shared.peer_stopped.load(Ordering::Relaxed) {
        CloseReason::PeerStopped
    } else {
        CloseReason::Stopping
    }
}

/// The id of a front end that has said none.
fn new_front_end() -> FrontEndId {
    FrontEndId::random(rand::random())
}

/// Waits for the secret, and returns who has shown it.
async fn greet(stream: &mut Stream, shared: &Shared) -> Result<FrontEndId, CloseReason> {
    let first = async {
        loop {
            match stream.next().await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => return other,
            }
        }
    };
    let first = tokio::select! {
        first = timeout(shared.limits.secret_timeout, first) => {
            first.map_err(|_| CloseReason::NoSecret)?
        }
        reason = stopping(shared) => return Err(reason),
    };
    let text = match first {
        Some(Ok(Message::Text(text))) => text,
        Some(Ok(Message::Close(_))) | None => return Err(CloseReason::Gone),
        Some(Ok(_)) => return Err(CloseReason::WrongSecret),
        Some(Err(error)) => return Err(CloseReason::from(error)),
    };
    match serde_json::from_str::<Key>(&text) {
        Ok(Key { secret }) if shared.secret.is(&secret) => {}
        _ => return Err(CloseReason::WrongSecret),
    }
    match serde_json::from_str::<Greeting>(&text) {
        Ok(Greeting { version, .. }) if version.is_some_and(|said| said != CONTRACT_VERSION) => {
            Err(CloseReason::OtherVersion)
        }
        Ok(Greeting { front_end, .. }) => Ok(front_end.unwrap_or_else(new_front_end)),
        Err(_) => Err(CloseReason::BadGreeting),
    }
}
