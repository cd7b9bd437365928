//! Bare servers over TLS, with raw keys as ours have them.

use std::sync::Arc;

use anyhow::{Context, Result};
use p2pchat_protocol::v2::registry::ALPN;
use p2pchat_secure::{Acceptor, SecretKey, Secured};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What each connection gets and sends, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// What the server sends first.
    pub(super) greeting: usize,
    pub(super) request: usize,
    pub(super) answer: usize,
}

fn acceptor() -> Acceptor {
    Acceptor::new(&SecretKey::generate(), ALPN)
}

async fn accept(listener: &TcpListener) -> Result<TcpStream> {
    let (stream, _) = listener.accept().await.context("cannot accept")?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Greets, and answers each request.
pub(super) async fn answer(listener: TcpListener, sizes: Sizes) -> Result<()> {
    let acceptor = Arc::new(acceptor());
    loop {
        let stream = accept(&listener).await?;
        let acceptor = Arc::clone(&acceptor);
        tokio::spawn(async move {
            // The load has hung up: there is nobody left to tell.
            if let Ok(stream) = acceptor.accept(stream).await {
                let _ = answer_one(stream, sizes).await;
            }
        });
    }
}

async fn answer_one(mut stream: Secured<TcpStream>, sizes: Sizes) -> std::io::Result<()> {
    stream.write_all(&vec![b'x'; sizes.greeting]).await?;
    stream.flush().await?;
    let mut request = vec![0; sizes.request];
    let answer = vec![b'x'; sizes.answer];
    loop {
        stream.read_exact(&mut request).await?;
        stream.write_all(&answer).await?;
        stream.flush().await?;
    }
}

/// Takes so many connections, and then writes so many bytes to each whenever the first one
/// sends one.
pub(super) async fn tell(listener: TcpListener, connections: usize, length: usize) -> Result<()> {
    let acceptor = acceptor();
    let mut streams = Vec::new();
    for _ in 0..connections {
        streams.push(acceptor.accept(accept(&listener).await?).await?);
    }
    let bytes = vec![b'x'; length];
    loop {
        streams
            .first_mut()
            .context("no connection")?
            .read_u8()
            .await?;
        for stream in &mut streams {
            stream.write_all(&bytes).await?;
            stream.flush().await?;
        }
    }
}
