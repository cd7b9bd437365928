//! What a lane of a flood does with the handshake of version 2: carries it out and leaves, or
//! stays without signing in; stops in the middle; or sends something else behind the first byte
//! of TLS.

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::{Context, Result};
use p2pchat_protocol::v2::FIRST_BYTE;
use p2pchat_protocol::v2::registry::ALPN;
use p2pchat_secure::{Connector, Expected, SecretKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::TcpStream;

use super::attack::Lane;
use super::connections::{FLOODER, connect, spread_out};

/// How many lanes carry out handshakes as fast as possible.
pub(super) const LANES: usize = 8;
/// The longest first message of a client, in bytes.
const CLIENT_HELLO: usize = 4096;
/// What is sent behind the first byte of TLS, in bytes: it promises a record of 0x1601 bytes.
const GARBAGE: [u8; 64] = [FIRST_BYTE; 64];

/// Carries out handshakes, each on a connection of its own, from one address.
pub(super) async fn shake(lane: Arc<Lane>) -> Result<()> {
    shake_from(&lane, FLOODER).await
}

/// The same from a hundred addresses in turn.
pub(super) async fn shake_spread_out(lane: Arc<Lane>) -> Result<()> {
    shake_from(&lane, spread_out(&lane)).await
}

async fn shake_from(lane: &Lane, from: Ipv4Addr) -> Result<()> {
    lane.connected();
    let connector = connector();
    loop {
        let shaken = async {
            let stream = connect(lane, from, None).await?;
            let mut stream = connector.connect(stream, Expected::Any).await?;
            // A client believes that it is in before the registry has judged its key.
            stream.read_u8().await?;
            anyhow::Ok(())
        };
        match shaken.await {
            Ok(()) => _ = lane.count(),
            Err(_) => lane.lost(),
        }
        // The other lanes of this thread have their turn.
        tokio::task::yield_now().await;
    }
}

/// Carries out a handshake, and then does not sign in.
pub(super) async fn stay(lane: Arc<Lane>) -> Result<()> {
    let stream = connect(&lane, spread_out(&lane), None).await?;
    let mut stream = connector().connect(stream, Expected::Any).await?;
    lane.count();
    // The welcome, and then the end.
    while stream.read(&mut [0; 64]).await? > 0 {}
    Ok(())
}

/// Begins a handshake, and sends nothing more.
pub(super) async fn stop_in_the_middle(lane: Arc<Lane>) -> Result<()> {
    let hello = client_hello().await?;
    let mut stream = connect(&lane, spread_out(&lane), None).await?;
    stream.write_all(&hello).await?;
    lane.count();
    until_closed(stream).await
}

/// Sends something that begins like TLS.
pub(super) async fn send_garbage(lane: Arc<Lane>) -> Result<()> {
    let mut stream = connect(&lane, spread_out(&lane), None).await?;
    stream.write_all(&GARBAGE).await?;
    lane.count();
    until_closed(stream).await
}

async fn until_closed(mut stream: TcpStream) -> Result<()> {
    while stream.read(&mut [0; 4096]).await? > 0 {}
    Ok(())
}

fn connector() -> Connector {
    Connector::new(&SecretKey::generate(), ALPN)
}

/// The first message of a handshake.
async fn client_hello() -> Result<Vec<u8>> {
    let (ours, mut theirs) = duplex(CLIENT_HELLO);
    let connector = connector();
    let mut hello = vec![0; CLIENT_HELLO];
    let length = tokio::select! {
        _ = connector.connect(ours, Expected::Any) => None,
        length = theirs.read(&mut hello) => Some(length?),
    };
    hello.truncate(length.context("a handshake begins with a message of the client")?);
    Ok(hello)
}
