//! The built `p2pchat-bridge`, and the WebSocket of a page that looks at it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use futures::{SinkExt, StreamExt};
use p2pchat_model::{Command, Event};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::http::Request;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::lan::Host;
use crate::wait::SOON;
use crate::{Programs, Registry};

/// Where the bridge listens for pages. Each host has a loopback interface of its own.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7878);

/// A running bridge and the socket of a page. The bridge is killed on drop.
#[derive(Debug)]
pub struct Page {
    socket: WebSocketStream<TcpStream>,
    _bridge: Child,
}

impl Page {
    /// Starts a bridge on a host, opens its URL, and takes the view.
    ///
    /// # Errors
    /// If it is not built, does not start, or does not let the page in.
    pub async fn start(
        programs: &Programs,
        home: &Path,
        registry: &Registry,
        host: &Host,
    ) -> Result<Self> {
        let mut command = programs.command("p2pchat-bridge", home)?;
        command
            .args(["--registry", &registry.tcp.to_string()])
            .args(["--address", &host.address.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut bridge = host.inside(|| command.spawn())?.context("no bridge")?;
        let mut line = String::new();
        let stdout = bridge.stdout.take().context("no output to read")?;
        timeout(SOON, BufReader::new(stdout).read_line(&mut line))
            .await
            .context("the bridge says nothing")??;
        let secret = line.trim().split_once('#').map(|(_, secret)| secret);
        let secret = secret.with_context(|| format!("the bridge said {line:?}, and no secret"))?;
        let stream = host.inside(|| std::net::TcpStream::connect(LISTEN))??;
        stream.set_nonblocking(true)?;
        let (socket, _) = client_async(greeting()?, TcpStream::from_std(stream)?).await?;
        let mut page = Self {
            socket,
            _bridge: bridge,
        };
        let first = serde_json::json!({ "secret": secret }).to_string();
        page.socket.send(Message::text(first)).await?;
        timeout(SOON, page.text()).await.context("no view")??;
        Ok(page)
    }

    /// Asks for something.
    ///
    /// # Errors
    /// If the bridge has closed the socket.
    pub async fn ask(&mut self, command: &Command) -> Result<()> {
        let text = serde_json::to_string(command)?;
        Ok(self.socket.send(Message::text(text)).await?)
    }

    /// The next event. Can be dropped and called again.
    ///
    /// # Errors
    /// If the bridge has closed the socket, or what it wrote is no event.
    pub async fn event(&mut self) -> Result<Event> {
        let text = self.text().await?;
        serde_json::from_str(&text).with_context(|| format!("the bridge wrote {text:?}"))
    }

    async fn text(&mut self) -> Result<String> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => bail!("the bridge ended the socket: {other:?}"),
            }
        }
    }
}

/// What the browser of a page sends to open the WebSocket.
fn greeting() -> Result<Request<()>> {
    let request = Request::builder()
        .uri(format!("ws://{LISTEN}/ws"))
        .header("host", LISTEN.to_string())
        .header("origin", format!("http://{LISTEN}"))
        .header("sec-websocket-protocol", "p2pchat.v1")
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", generate_key());
    Ok(request.body(())?)
}
