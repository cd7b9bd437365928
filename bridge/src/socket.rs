//! The WebSocket: greeting, session, close.
//!
//! The first frame of a page is `{"secret":"…"}`. The first frame of the bridge is the
//! view; then events go out and commands come in, one a frame, as in `p2pchat --json`.

use std::sync::atomic::Ordering;

use futures::StreamExt;
use hyper_tungstenite::HyperWebsocket;
use hyper_tungstenite::tungstenite::Message;
use serde::Deserialize;
use tokio::time::timeout;

use crate::gate::Entry;
use crate::shared::Shared;
use crate::slots::Slot;

mod backlog;
mod session;
mod stream;
mod subprotocol;

pub(crate) use stream::config;
use stream::{CloseReason, Stream};
pub(crate) use subprotocol::Subprotocol;

/// The first frame of a page.
#[derive(Deserialize)]
struct Greeting {
    secret: String,
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
        (_, Entry::Authorized) => Ok(()),
        (_, Entry::SecretFirst) => greet(&mut stream, shared).await,
    };
    let reason = match welcome {
        Ok(()) => {
            slot.protect();
            session::run(&mut stream, shared).await
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

/// Waits for the secret.
async fn greet(stream: &mut Stream, shared: &Shared) -> Result<(), CloseReason> {
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
    match serde_json::from_str::<Greeting>(&text) {
        Ok(greeting) if shared.secret.is(&greeting.secret) => Ok(()),
        _ => Err(CloseReason::WrongSecret),
    }
}
