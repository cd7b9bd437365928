//! Somebody who chats by the built `p2pchat-bridge`: the process, and a page of it that
//! can be closed and opened again.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use futures::{SinkExt, StreamExt};
use p2pchat_model::{Command, Event, View};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::http::Request;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::Programs;
use crate::wait::SOON;

/// A running `p2pchat-bridge`. Killed on drop.
#[derive(Debug)]
pub(super) struct Bridge {
    child: Child,
    /// Where it serves, and the secret of its URL.
    listen: SocketAddr,
    secret: String,
    page: Option<Page>,
}

type Page = WebSocketStream<TcpStream>;

/// What a page is sent.
#[derive(Debug)]
pub(super) enum Frame {
    /// What there is to see: the first frame.
    View(Box<View>),
    /// What happened then.
    Event(Event),
}

impl Bridge {
    /// Starts one at an address, for its user to log in on its page.
    pub(super) async fn start(
        programs: &Programs,
        home: &Path,
        [tcp, udp]: [SocketAddr; 2],
        address: Ipv4Addr,
    ) -> Result<Self> {
        let log = home.join("p2pchat-bridge.log");
        let mut child = programs
            .command("p2pchat-bridge", home)?
            .args(["--registry", &tcp.to_string()])
            .args(["--hello-port", &udp.port().to_string()])
            .args(["--address", &address.to_string()])
            .args(["--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(log)?)
            .spawn()
            .context("cannot start p2pchat-bridge")?;
        let stdout = child.stdout.take().context("no output to read")?;
        let mut line = String::new();
        timeout(SOON, BufReader::new(stdout).read_line(&mut line))
            .await
            .context("p2pchat-bridge says nothing")??;
        let (listen, secret) =
            url(&line).with_context(|| format!("no URL of a bridge: {line:?}"))?;
        Ok(Self {
            child,
            listen,
            secret,
            page: None,
        })
    }

    pub(super) fn pid(&self) -> Result<u32> {
        self.child.id().context("p2pchat-bridge has ended")
    }

    /// Opens the page, as the page itself does.
    pub(super) async fn open(&mut self) -> Result<()> {
        let opening = async {
            let stream = TcpStream::connect(self.listen).await?;
            let host = self.listen;
            let request = Request::builder()
                .uri(format!("ws://{host}/ws"))
                .header("host", host.to_string())
                .header("origin", format!("http://{host}"))
                .header("connection", "Upgrade")
                .header("upgrade", "websocket")
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", generate_key())
                .header("sec-websocket-protocol", "p2pchat.v1")
                .body(())?;
            let (mut page, _) = client_async(request, stream).await?;
            let greeting = serde_json::json!({ "secret": self.secret });
            page.send(Message::text(greeting.to_string())).await?;
            anyhow::Ok(page)
        };
        let page = timeout(SOON, opening)
            .await
            .context("the bridge does not open the page")??;
        self.page = Some(page);
        Ok(())
    }

    /// Closes the page: as a browser does, or as one that is killed.
    pub(super) async fn close(&mut self, in_order: bool) {
        if let Some(mut page) = self.page.take()
            && in_order
        {
            // A page that cannot be closed in order is closed all the same.
            let _ = timeout(SOON, page.close(None)).await;
        }
    }

    pub(super) async fn ask(&mut self, command: &Command) -> Result<()> {
        let page = self.page.as_mut().context("no page is open")?;
        let json = serde_json::to_string(command)?;
        timeout(SOON, page.send(Message::text(json)))
            .await
            .context("the bridge does not read")??;
        Ok(())
    }

    /// What comes next; `None` when the bridge has ended. Can be dropped and called again.
    pub(super) async fn next(&mut self, is_first: bool) -> Result<Option<Frame>> {
        let page = self.page.as_mut().context("no page is open")?;
        loop {
            let text = match page.next().await {
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
            let frame = match is_first {
                true => serde_json::from_str(&text).map(|view| Frame::View(Box::new(view))),
                false => serde_json::from_str(&text).map(Frame::Event),
            };
            let bytes = text.len();
            return frame
                .map(Some)
                .with_context(|| format!("the bridge sent {bytes} bytes of something else"));
        }
    }
}

/// Where a bridge serves and its secret: `… open http://127.0.0.1:7878/#SECRET`.
fn url(line: &str) -> Option<(SocketAddr, String)> {
    let (_, url) = line.trim().rsplit_once(" http://")?;
    let (listen, secret) = url.split_once("/#")?;
    Some((listen.parse().ok()?, secret.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_tells_where_and_the_secret() {
        let line = "p2pchat-bridge: peer at 127.0.0.2, open http://127.0.0.1:4711/#s3cret\n";
        let listen = "127.0.0.1:4711".parse().unwrap();
        assert_eq!(url(line), Some((listen, "s3cret".to_owned())));
        assert_eq!(url("p2pchat-bridge: no port is free\n"), None);
    }
}
