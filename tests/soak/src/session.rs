//! A session with a registry, request by request: what a client sees that is no p2pchat.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use p2pchat_protocol::{Request, Response, ResponseDecoder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// How long a registry may take to accept, and to answer: longer than it waits for
/// anything itself.
const LIMIT: Duration = Duration::from_secs(30);
/// How much is read at a time, in bytes.
const BUFFER: usize = 16 * 1024;

/// A connection to a registry.
#[derive(Debug)]
pub struct Session {
    stream: TcpStream,
    decoder: ResponseDecoder,
    answers: VecDeque<Response>,
    /// What was read last.
    read: Vec<u8>,
}

impl Session {
    /// Connects from an address of one's own, which is what a registry tells its users
    /// by.
    ///
    /// # Errors
    /// If nothing accepts within 30 s.
    pub async fn connect(from: Ipv4Addr, to: SocketAddr) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        let stream = timeout(LIMIT, socket.connect(to))
            .await
            .context("the registry does not accept")??;
        // Its Nagle delay would count as the registry's.
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            decoder: ResponseDecoder::default(),
            answers: VecDeque::new(),
            read: Vec::with_capacity(BUFFER),
        })
    }

    /// Asks, and waits for the answer. An online list is taken to end where there is
    /// nothing more to read.
    ///
    /// # Errors
    /// If the connection ends, or no answer comes within 30 s.
    pub async fn ask(&mut self, request: &Request) -> Result<Response> {
        self.stream.write_all(&request.encode()).await?;
        timeout(LIMIT, self.answer())
            .await
            .context("the registry does not answer")?
    }

    async fn answer(&mut self) -> Result<Response> {
        loop {
            if let Some(answer) = self.answers.pop_front() {
                return Ok(answer);
            }
            self.read.clear();
            if self.stream.read_buf(&mut self.read).await? == 0 {
                bail!("the registry closed the connection");
            }
            let mut bytes = &self.read[..];
            while let Some(answer) = self.decoder.next(&mut bytes)? {
                self.answers.push_back(answer);
            }
            if self.read.len() < self.read.capacity() {
                self.answers.extend(self.decoder.quiet());
            }
        }
    }
}
