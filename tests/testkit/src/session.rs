//! A client of the registry's wire protocol: a session, request by request, and Hello
//! datagrams.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use p2pchat_protocol::{Hello, Password, Request, Response, ResponseDecoder, Username};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

/// How long a registry may take to accept, and to answer: longer than any of its own
/// timeouts.
const LIMIT: Duration = Duration::from_secs(30);
/// How much is read at a time, in bytes.
const BUFFER: usize = 16 * 1024;

/// A connection to a registry.
#[derive(Debug)]
pub struct Session {
    stream: TcpStream,
    decoder: ResponseDecoder,
    responses: VecDeque<Response>,
    /// The bytes that were read last.
    read: Vec<u8>,
}

impl Session {
    /// Connects from a given address, since a registry tells its users apart by theirs.
    ///
    /// # Errors
    /// If the registry does not accept within 30 s.
    pub async fn connect(from: Ipv4Addr, to: SocketAddr) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        let stream = timeout(LIMIT, socket.connect(to))
            .await
            .context("the registry does not accept")??;
        // Nagle's delay here would count as the registry's.
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            decoder: ResponseDecoder::default(),
            responses: VecDeque::new(),
            read: Vec::with_capacity(BUFFER),
        })
    }

    /// Sends a request, and waits for the response. An online list ends where there is
    /// nothing more to read.
    ///
    /// # Errors
    /// If the connection ends, or no response comes within 30 s.
    pub async fn ask(&mut self, request: &Request) -> Result<Response> {
        self.stream.write_all(&request.encode()).await?;
        timeout(LIMIT, self.response())
            .await
            .context("the registry does not answer")?
    }

    /// Registers an account.
    ///
    /// # Errors
    /// If the registry does not, or as [`Session::ask`].
    pub async fn register(&mut self, username: Username, password: Password) -> Result<()> {
        let register = Request::Register { username, password };
        match self.ask(&register).await? {
            Response::Registered => Ok(()),
            other => bail!("Register of {username} was answered {other:?}"),
        }
    }

    /// Logs an account in.
    ///
    /// # Errors
    /// If the registry does not, or as [`Session::ask`].
    pub async fn login(&mut self, username: Username, password: Password) -> Result<()> {
        let login = Request::Login { username, password };
        match self.ask(&login).await? {
            Response::LoggedIn => Ok(()),
            other => bail!("Login of {username} was answered {other:?}"),
        }
    }

    async fn response(&mut self) -> Result<Response> {
        loop {
            if let Some(response) = self.responses.pop_front() {
                return Ok(response);
            }
            self.read.clear();
            if self.stream.read_buf(&mut self.read).await? == 0 {
                bail!("the registry closed the connection");
            }
            let mut bytes = &self.read[..];
            while let Some(response) = self.decoder.next(&mut bytes)? {
                self.responses.push_back(response);
            }
            if self.read.len() < self.read.capacity() {
                self.responses.extend(self.decoder.quiet());
            }
        }
    }
}

/// Hello datagrams of one user, one every `period`, until this is dropped.
#[derive(Debug)]
pub struct Hellos {
    _sending: JoinSet<()>,
}

impl Hellos {
    /// Sends from this address to a registry.
    ///
    /// # Errors
    /// If there is no such address here.
    pub async fn start(
        username: Username,
        from: Ipv4Addr,
        to: SocketAddr,
        period: Duration,
    ) -> Result<Self> {
        let socket = UdpSocket::bind((from, 0)).await?;
        let hello = Hello { username }.encode();
        let mut sending = JoinSet::new();
        sending.spawn(async move {
            let mut ticks = interval(period);
            loop {
                ticks.tick().await;
                // To a registry that is down it is lost, as any datagram may be.
                let _ = socket.send_to(&hello, to).await;
            }
        });
        Ok(Self { _sending: sending })
    }
}
