//! What the built programs are held against: the least that any program could do.
//!
//! Each is a process of its own, started by this one as `p2pchat-bench bare …`, with the
//! same runtime and pinned like ours, and says in its first line where it listens.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result};
use clap::Subcommand;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

/// What a request is long.
const REQUEST: usize = 27;

/// A bare program.
#[derive(Debug, Subcommand)]
pub enum Bare {
    /// Answers each 27 bytes with so many
    Answer {
        /// How many bytes an answer has.
        #[arg(long)]
        length: usize,
    },
    /// Takes datagrams
    Take,
}

/// Runs one until it is killed.
///
/// # Errors
/// If it cannot listen.
pub async fn run(bare: Bare) -> Result<()> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    match bare {
        Bare::Answer { length } => {
            let listener = TcpListener::bind(any).await?;
            println!("{}", listener.local_addr()?);
            answer(listener, vec![b'x'; length].into()).await
        }
        Bare::Take => {
            let socket = UdpSocket::bind(any).await?;
            println!("{}", socket.local_addr()?);
            take(socket).await
        }
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
