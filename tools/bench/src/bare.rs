//! What the built programs are held against: the least that any program could do.
//!
//! Each is a process of its own, started by this one as `p2pchat-bench bare …`, with the
//! same runtime and pinned like ours, and says in its first line where it listens.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result};
use clap::Subcommand;
use futures::StreamExt;
use futures::future::try_join_all;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, stdin};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

mod tls;

use tls::Sizes;

/// How long a request is, in bytes.
const REQUEST: usize = 27;
/// How long a text is, in bytes.
pub const TEXT: usize = 111;

/// A bare program.
#[derive(Debug, Subcommand)]
pub enum Bare {
    /// Answers each 27 bytes with so many
    Answer {
        /// How many bytes an answer has.
        #[arg(long)]
        length: usize,
        /// With a thread a core
        #[arg(long)]
        threads: bool,
    },
    /// Sends so many bytes over TLS, and answers each so many with so many
    TlsAnswer {
        /// How many bytes come first.
        #[arg(long)]
        greeting: usize,
        /// How many bytes a request has.
        #[arg(long)]
        request: usize,
        /// How many bytes an answer has.
        #[arg(long)]
        length: usize,
    },
    /// Writes so many bytes over TLS to each connection, whenever the first one sends one
    TlsTell {
        /// How many connections there are.
        #[arg(long)]
        connections: usize,
        /// How many bytes each gets.
        #[arg(long)]
        length: usize,
    },
    /// Takes datagrams
    Take,
    /// Sends each frame of a WebSocket back
    Echo,
    /// Sends a text to each of these addresses at a time, whenever a line comes in
    Say {
        /// The receivers
        to: Vec<SocketAddr>,
    },
    /// Takes texts, and writes a line for each
    Hear {
        /// Where
        at: SocketAddr,
    },
}

impl Bare {
    /// Whether it runs on a runtime with a thread a core.
    #[must_use]
    pub fn has_threads(&self) -> bool {
        matches!(self, Self::Answer { threads: true, .. })
    }
}

/// Runs one until it is killed.
///
/// # Errors
/// If it cannot listen.
pub async fn run(bare: Bare) -> Result<()> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    match bare {
        Bare::Answer { length, .. } => {
            let listener = TcpListener::bind(any).await?;
            println!("{}", listener.local_addr()?);
            answer(listener, vec![b'x'; length].into()).await
        }
        Bare::TlsAnswer {
            greeting,
            request,
            length,
        } => {
            let listener = TcpListener::bind(any).await?;
            println!("{}", listener.local_addr()?);
            let sizes = Sizes {
                greeting,
                request,
                answer: length,
            };
            tls::answer(listener, sizes).await
        }
        Bare::TlsTell {
            connections,
            length,
        } => {
            let listener = TcpListener::bind(any).await?;
            println!("{}", listener.local_addr()?);
            tls::tell(listener, connections, length).await
        }
        Bare::Take => {
            let socket = UdpSocket::bind(any).await?;
            println!("{}", socket.local_addr()?);
            take(socket).await
        }
        Bare::Echo => {
            let listener = TcpListener::bind(any).await?;
            println!("{}", listener.local_addr()?);
            echo(listener).await
        }
        Bare::Say { to } => say(&to).await,
        Bare::Hear { at } => hear(TcpListener::bind(at).await?).await,
    }
}

async fn answer(listener: TcpListener, answer: std::sync::Arc<[u8]>) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await.context("cannot accept")?;
        stream.set_nodelay(true)?;
        let answer = std::sync::Arc::clone(&answer);
        tokio::spawn(async move {
            // The load has hung up: there is nobody left to tell.
            let _ = answer_one(stream, &answer).await;
        });
    }
}

async fn answer_one(mut stream: TcpStream, answer: &[u8]) -> std::io::Result<()> {
    let mut request = [0; REQUEST];
    loop {
        stream.read_exact(&mut request).await?;
        stream.write_all(answer).await?;
    }
}

async fn take(socket: UdpSocket) -> Result<()> {
    let mut datagram = [0; 64];
    loop {
        socket.recv_from(&mut datagram).await?;
    }
}

async fn echo(listener: TcpListener) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await.context("cannot accept")?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let socket = tokio_tungstenite::accept_async(stream).await?;
            let (to, from) = socket.split();
            from.forward(to).await
        });
    }
}

async fn say(to: &[SocketAddr]) -> Result<()> {
    let mut lines = BufReader::new(stdin()).lines();
    while lines.next_line().await?.is_some() {
        try_join_all(to.iter().copied().map(say_to)).await?;
    }
    Ok(())
}

async fn say_to(to: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(to).await?;
    stream.write_all(&[b'x'; TEXT]).await
}

async fn hear(listener: TcpListener) -> Result<()> {
    println!("{}", listener.local_addr()?);
    loop {
        let (mut stream, _) = listener.accept().await.context("cannot accept")?;
        stream.read_exact(&mut [0; TEXT]).await?;
        println!("x");
    }
}
