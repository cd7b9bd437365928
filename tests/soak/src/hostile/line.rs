//! One session with a peer, frame by frame, that keeps no rule by itself.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use p2pchat_protocol::v2::conversation::ConversationId;
use p2pchat_protocol::v2::peer::{ALPN, Frame, Hello, MAX_TO_PEER, ToPeer, What};
use p2pchat_protocol::v2::{Certificate, DeviceKey, FrameDecoder};
use p2pchat_secure::{Connector, Expected, Secured, sha256};
use p2pchat_testkit::{Device, SOON};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

/// How long the other side may not read, before it counts as deaf.
const DEAF: Duration = Duration::from_secs(2);

/// A session. What comes is read all the time, and kept for who wants it.
pub(super) struct Line {
    writer: WriteHalf<Secured<TcpStream>>,
    frames: mpsc::UnboundedReceiver<ToPeer>,
    _reader: JoinSet<()>,
}

impl Line {
    /// An encrypted connection, before the hello.
    pub(super) async fn connect(device: &Device, to: (SocketAddr, DeviceKey)) -> Result<Self> {
        let (address, key) = to;
        let stream = TcpStream::connect(address).await?;
        let connector = Connector::new(device.secret(), ALPN);
        let stream = connector.connect(stream, Expected::Key(key.0)).await?;
        let (reader, writer) = split(stream);
        let (sender, frames) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(read(reader, sender));
        Ok(Self {
            writer,
            frames,
            _reader: tasks,
        })
    }

    /// With the hellos.
    pub(super) async fn meet(device: &Device, to: (SocketAddr, DeviceKey)) -> Result<Self> {
        let mut line = Self::connect(device, to).await?;
        line.hello(device.certificate()).await?;
        let is_hello = |frame: &ToPeer| matches!(frame, ToPeer::Hello(_)).then_some(());
        line.until("hello", is_hello).await?;
        Ok(line)
    }

    pub(super) async fn hello(&mut self, certificate: Certificate) -> Result<()> {
        let time = super::member::millis();
        self.send(&ToPeer::Hello(Hello { certificate, time })).await
    }

    pub(super) async fn send(&mut self, frame: &ToPeer) -> Result<()> {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        self.write(&bytes).await
    }

    pub(super) async fn tell(&mut self, conversation: ConversationId, what: What) -> Result<()> {
        self.send(&ToPeer::About(Frame { conversation, what }))
            .await
    }

    /// Sends bytes, however long it takes.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.writer.write_all(bytes).await?;
        Ok(self.writer.flush().await?)
    }

    /// Sends bytes as long as they are read. Returns whether all of them were.
    pub(super) async fn try_write(&mut self, bytes: &[u8]) -> bool {
        matches!(timeout(DEAF, self.write(bytes)).await, Ok(Ok(())))
    }

    /// The first frame from now on in which `wanted` finds something.
    pub(super) async fn until<T>(
        &mut self,
        what: &str,
        mut wanted: impl FnMut(&ToPeer) -> Option<T>,
    ) -> Result<T> {
        let deadline = Instant::now() + SOON;
        while let Ok(frame) = timeout_at(deadline, self.frames.recv()).await {
            let frame = frame.with_context(|| format!("the session ended before the {what}"))?;
            if let Some(found) = wanted(&frame) {
                return Ok(found);
            }
        }
        bail!("no {what} within {SOON:?}")
    }

    /// Waits until the other side has dealt with all that was sent.
    pub(super) async fn settle(&mut self) -> Result<()> {
        self.send(&ToPeer::Ping).await?;
        let is_pong = |frame: &ToPeer| matches!(frame, ToPeer::Pong).then_some(());
        self.until("pong", is_pong).await
    }

    /// The frames that came so far.
    pub(super) fn came(&mut self) -> Vec<ToPeer> {
        std::iter::from_fn(|| self.frames.try_recv().ok()).collect()
    }

    /// What it is told last, at the end of the session.
    pub(super) async fn last(mut self) -> Result<Option<ToPeer>> {
        let reading = async {
            let mut last = None;
            while let Some(frame) = self.frames.recv().await {
                last = Some(frame);
            }
            last
        };
        timeout(SOON, reading).await.context("it does not end")
    }
}

async fn read(mut stream: ReadHalf<Secured<TcpStream>>, to: mpsc::UnboundedSender<ToPeer>) {
    let mut decoder = FrameDecoder::default();
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        let mut bytes = &buffer[..length];
        while let Ok(Some(frame)) = decoder.next(&mut bytes, MAX_TO_PEER) {
            let Ok(read) = ToPeer::decode(&frame, sha256) else {
                return;
            };
            if let Some((frame, _)) = read
                && to.send(frame).is_err()
            {
                return;
            }
        }
    }
}
