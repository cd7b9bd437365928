//! The WebSocket: who comes in, and what is said to and fro.
//!
//! The first frame of a page is `{"secret":"…"}`. The first frame of the bridge is the
//! view; then events go out and commands come in, one a frame, as in `p2pchat --json`.

use futures::{SinkExt, StreamExt};
use hyper_tungstenite::tungstenite::protocol::WebSocketConfig;
use hyper_tungstenite::tungstenite::{Error, Message};
use hyper_tungstenite::{HyperWebsocket, HyperWebsocketStream};
use serde::Deserialize;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use crate::gate::Entry;
use crate::limits::{Limits, MAX_FRAME_BYTES, MAX_WRITE_BYTES};
use crate::server::Shared;
use crate::slots::Place;

mod backlog;
mod command;
mod session;
mod stream;
mod subprotocol;

use stream::End;
pub(crate) use subprotocol::Dialect;

/// The connection, once it is a WebSocket.
type Stream = HyperWebsocketStream;

/// How much a connection reads at a time.
const READ_BUFFER_BYTES: usize = 8 * 1024;

/// The frame by which a page gets in.
#[derive(Deserialize)]
struct Greeting {
    secret: String,
}

/// The library's own limits are made for friends.
pub(crate) fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_WRITE_BYTES)
        .max_message_size(Some(MAX_FRAME_BYTES))
        .max_frame_size(Some(MAX_FRAME_BYTES))
}

/// Serves one socket, from the upgrade to its end. Its place is the user's once it has
/// shown the secret.
pub(crate) async fn serve(
    websocket: HyperWebsocket,
    entry: Entry,
    dialect: Dialect,
    shared: &Shared,
    place: &Place,
) {
    let mut stream = match websocket.await {
        Ok(stream) => stream,
        Err(error) => return tracing::debug!(%error, "a WebSocket was gone at once"),
    };
    let welcome = match (dialect, entry) {
        (Dialect::Other(_), _) => Err(End::OtherVersion),
        (_, Entry::Authorized) => Ok(()),
        (_, Entry::SecretFirst) => greet(&mut stream, shared).await,
    };
    let end = match welcome {
        Ok(()) => {
            place.keep();
            session::run(&mut stream, shared).await
        }
        Err(end) => end,
    };
    tracing::debug!(?end, "a WebSocket ends");
    close(stream, end, &shared.limits).await;
}

/// Waits for the secret.
async fn greet(stream: &mut Stream, shared: &Shared) -> Result<(), End> {
    let first = async {
        loop {
            match stream.next().await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => return other,
            }
        }
    };
    let first = tokio::select! {
        first = timeout(shared.limits.secret_timeout, first) => first.map_err(|_| End::NoSecret)?,
        () = shared.stop.cancelled() => return Err(End::Stopping),
    };
    let text = match first {
        Some(Ok(Message::Text(text))) => text,
        Some(Ok(Message::Close(_))) | None => return Err(End::Gone),
        Some(Ok(_)) => return Err(End::WrongSecret),
        Some(Err(error)) => return Err(End::from(error)),
    };
    match serde_json::from_str::<Greeting>(&text) {
        Ok(greeting) if shared.secret.is(&greeting.secret) => Ok(()),
        _ => Err(End::WrongSecret),
    }
}

/// Writes a frame; whoever does not read has to go.
async fn send(stream: &mut Stream, message: Message, limits: &Limits) -> Result<(), End> {
    match timeout(limits.write_timeout, stream.send(message)).await {
        Ok(sent) => sent.map_err(End::from),
        Err(_) => Err(End::Gone),
    }
}

/// Says why, or answers where the other side has closed, and waits a little for that to
/// be read.
async fn close(mut stream: Stream, end: End, limits: &Limits) {
    let closing = async {
        if let Some(frame) = end.frame()
            && stream.close(Some(frame)).await.is_err()
        {
            return;
        }
        loop {
            match stream.next().await {
                Some(Ok(_)) => {}
                None | Some(Err(Error::ConnectionClosed)) => return,
                Some(Err(_)) => break,
            }
        }
        // What comes is no WebSocket any more. It has to be read all the same: a
        // connection that is closed with something unread takes back what was written.
        let mut unread = [0; 1024];
        while let Ok(1..) = stream.get_mut().read(&mut unread).await {}
    };
    // Over the time limit it is closed without waiting.
    let _ = timeout(limits.close_timeout, closing).await;
}
