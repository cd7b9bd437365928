//! A client of the JSON contract over a bridge's WebSocket: what the page in a browser does.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use futures::{SinkExt, StreamExt};
use p2pchat_model::{CONTRACT_VERSION, Call, FrontEndId, Update};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::http::Request;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::SOON;

/// Where a bridge serves its page, and the secret that lets the page in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BridgeUrl {
    pub(crate) listen: SocketAddr,
    secret: String,
}

impl BridgeUrl {
    /// Reads it from the line that a bridge starts with:
    /// `… open http://127.0.0.1:7878/#SECRET`.
    pub(crate) fn find_in(line: &str) -> Option<Self> {
        let (_, url) = line.trim().rsplit_once(" http://")?;
        let (listen, secret) = url.split_once("/#")?;
        Some(Self {
            listen: listen.parse().ok()?,
            secret: secret.to_owned(),
        })
    }

    pub(crate) fn text(&self) -> String {
        format!("http://{}/#{}", self.listen, self.secret)
    }
}

/// The WebSocket of an open page.
#[derive(Debug)]
pub(crate) struct Page {
    socket: WebSocketStream<TcpStream>,
}

impl Page {
    /// Opens the page's WebSocket, with the headers of a browser, and sends the secret.
    pub(crate) async fn open(url: &BridgeUrl, front_end: &FrontEndId) -> Result<Self> {
        let opening = async {
            let host = url.listen;
            let stream = TcpStream::connect(host).await?;
            let request = Request::builder()
                .uri(format!("ws://{host}/ws"))
                .header("host", host.to_string())
                .header("origin", format!("http://{host}"))
                .header("connection", "Upgrade")
                .header("upgrade", "websocket")
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", generate_key())
                .header("sec-websocket-protocol", "p2pchat.v2")
                .body(())?;
            let (mut socket, _) = client_async(request, stream).await?;
            let first = serde_json::json!({
                "secret": url.secret,
                "front_end": front_end,
                "version": CONTRACT_VERSION,
            });
            socket.send(Message::text(first.to_string())).await?;
            anyhow::Ok(socket)
        };
        let socket = timeout(SOON, opening)
            .await
            .context("the bridge does not open the page")??;
        Ok(Self { socket })
    }

    /// Closes it by the closing handshake, as a browser does.
    pub(crate) async fn close(mut self) {
        // If the bridge does not take part, the connection is dropped.
        let _ = timeout(SOON, self.socket.close(None)).await;
    }

    pub(crate) async fn send(&mut self, call: &Call) -> Result<()> {
        let json = serde_json::to_string(call)?;
        timeout(SOON, self.socket.send(Message::text(json)))
            .await
            .context("the bridge does not read")??;
        Ok(())
    }

    /// The next update, of which the first is the view; `None` when the bridge has ended.
    /// Cancel safe.
    pub(crate) async fn update(&mut self) -> Result<Option<Update>> {
        loop {
            let text = match self.socket.next().await {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(Some(frame)))) => {
                    bail!(
                        "the bridge closed the page: {} {}",
                        frame.code,
                        frame.reason
                    )
                }
                Some(Ok(_)) => continue,
                // The bridge was killed.
                Some(Err(_)) | None => return Ok(None),
            };
            let bytes = text.len();
            return Update::from_json(&text)
                .map(Some)
                .with_context(|| format!("the bridge sent {bytes} bytes of something else"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_a_bridge_has_its_address_and_the_secret() {
        let line = "p2pchat-bridge: peer at 127.0.0.2, open http://127.0.0.1:4711/#s3cret\n";
        let url = BridgeUrl::find_in(line).unwrap();
        assert_eq!(url.listen, "127.0.0.1:4711".parse().unwrap());
        assert_eq!(url.text(), "http://127.0.0.1:4711/#s3cret");
        assert_eq!(
            BridgeUrl::find_in("p2pchat-bridge: no port is free\n"),
            None
        );
    }
}
