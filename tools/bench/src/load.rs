//! The load: so many connections, each of which asks, waits for the whole answer, and
//! asks again (a closed loop, no pipelining).

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::future::try_join_all;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::sample::{Sample, Times};

/// How long anything may take before the measurement has failed.
const LIMIT: Duration = Duration::from_secs(20);
/// How many connections come from one address: as many people share one, not more.
const PER_ADDRESS: usize = 50;

/// What each connection does again and again.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// What it asks.
    pub request: Vec<u8>,
    /// How many bytes the whole answer has.
    pub answer: usize,
}

/// Connections to a server, made before anything is measured.
#[derive(Debug)]
pub struct Load<S = TcpStream> {
    streams: Vec<S>,
}

impl Load {
    /// Makes so many connections to a server.
    ///
    /// # Errors
    /// If it does not take them.
    pub async fn connect(to: SocketAddr, connections: usize) -> Result<Self> {
        let mut streams = Vec::with_capacity(connections);
        for index in 0..connections {
            let connecting = timeout(LIMIT, connect(source(index), to));
            let stream = connecting.await.context("no connection in time")??;
            streams.push(stream);
        }
        Ok(Self { streams })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Load<S> {
    /// Of connections that there are.
    #[must_use]
    pub fn of(streams: Vec<S>) -> Self {
        Self { streams }
    }

    /// Lets all of them ask for `time`.
    ///
    /// # Errors
    /// If the server closes one, or does not answer.
    pub async fn run(&mut self, exchange: &Exchange, time: Duration) -> Result<Sample> {
        let began = Instant::now();
        let asking = self
            .streams
            .iter_mut()
            .map(|stream| ask(stream, exchange, began + time));
        let mut all = Times::default();
        for times in try_join_all(asking).await? {
            all.merge(&times);
        }
        Ok(Sample::new(&all, began.elapsed()))
    }

    /// The same with a task a connection, so that all threads of the runtime ask.
    ///
    /// # Errors
    /// The same.
    pub async fn run_in_tasks(&mut self, exchange: &Exchange, time: Duration) -> Result<Sample> {
        let began = Instant::now();
        let mut asking = JoinSet::new();
        for mut stream in std::mem::take(&mut self.streams) {
            let exchange = exchange.clone();
            asking.spawn(async move {
                let times = ask(&mut stream, &exchange, began + time).await?;
                Ok::<_, anyhow::Error>((stream, times))
            });
        }
        let mut all = Times::default();
        while let Some(asked) = asking.join_next().await {
            let (stream, times) = asked??;
            self.streams.push(stream);
            all.merge(&times);
        }
        Ok(Sample::new(&all, began.elapsed()))
    }
}

/// Where the connection of this number comes from.
#[must_use]
pub fn source(index: usize) -> Ipv4Addr {
    let address = u32::try_from(index / PER_ADDRESS).unwrap_or_default();
    // 127.16.0.1 and up: nobody else's.
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 16, 0, 1).to_bits() + address)
}

/// A connection from an address.
///
/// # Errors
/// If the server does not take it.
pub async fn connect(from: Ipv4Addr, to: SocketAddr) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    let stream = socket
        .connect(to)
        .await
        .with_context(|| format!("{to} takes no connection"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    exchange: &Exchange,
    until: Instant,
) -> Result<Times> {
    let mut times = Times::default();
    let mut answer = vec![0; exchange.answer];
    loop {
        let began = Instant::now();
        if began >= until {
            return Ok(times);
        }
        let asking = async {
            stream.write_all(&exchange.request).await?;
            stream.flush().await?;
            stream.read_exact(&mut answer).await
        };
        if let Err(error) = timeout(LIMIT, asking).await.context("no answer in time")? {
            bail!("a connection was lost under load: {error}");
        }
        times.record(began.elapsed());
    }
}
