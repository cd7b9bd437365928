//! Floods of connections: held without a word, with hardly any, without reading, and
//! opened as fast as it goes.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use p2pchat_protocol::{Request, Response, Username};
use p2pchat_testkit::Session;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::time::sleep;

use super::attack::Progress;
use super::residents::Residents;
use super::scene::{Target, attacker_account};

/// Over how many addresses the held connections are spread.
const ADDRESSES: usize = 100;
/// The time between two bytes of the slow ones, shorter than what a registry waits for a
/// request.
const BYTE_PACE: Duration = Duration::from_secs(3);
/// How many requests the deaf ones send at a time, how often, and how much their system
/// takes of the answers.
const DEAF_BURST: usize = 20;
const DEAF_PACE: Duration = Duration::from_millis(100);
const DEAF_BUFFER: u32 = 4096;
/// The pause before a connection that was lost is made again.
const PAUSE: Duration = Duration::from_millis(200);
/// How many open connections at a time, as fast as it goes.
const LANES: usize = 8;
/// The one address of a flood from one address.
pub(super) const FLOODER: Ipv4Addr = Ipv4Addr::new(127, 50, 0, 1);
/// How many it holds that may have no more: what a registry grants if nothing else is said.
pub(super) const REFUSED: usize = 500;

fn one_of(n: usize) -> Ipv4Addr {
    let n = u32::try_from(n % ADDRESSES).unwrap_or_default();
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 51, 0, 1).to_bits() + n)
}

async fn connect(from: Ipv4Addr, to: Target, buffer: Option<u32>) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if let Some(buffer) = buffer {
        socket.set_recv_buffer_size(buffer)?;
    }
    socket.bind((from, 0).into())?;
    let stream = socket.connect(to.tcp).await?;
    // What is lost on purpose leaves no socket waiting for stray packets.
    stream.set_zero_linger()?;
    Ok(stream)
}

/// Keeps a connection for ever: makes it, does with it what `keep` does until it is lost,
/// and makes it again.
async fn hold<F: Future<Output = io::Result<()>>>(
    from: Ipv4Addr,
    to: Target,
    buffer: Option<u32>,
    progress: Arc<Progress>,
    keep: impl Fn(TcpStream) -> F,
) {
    let mut has_risen = false;
    loop {
        if let Ok(stream) = connect(from, to, buffer).await {
            if !has_risen {
                progress.rise();
                has_risen = true;
            }
            // However it ends, it was lost.
            let _ = keep(stream).await;
            progress.lost();
        }
        sleep(PAUSE).await;
    }
}

/// Connections on which nothing is said.
pub(super) fn idle(
    runtime: &Runtime,
    count: usize,
    target: Target,
    progress: &Arc<Progress>,
) -> usize {
    for n in 0..count {
        let made = Arc::clone(progress);
        let keep = move |mut stream: TcpStream| {
            made.did();
            async move { stream.read(&mut [0]).await.map(|_| ()) }
        };
        runtime.spawn(hold(one_of(n), target, None, Arc::clone(progress), keep));
    }
    count
}

/// Connections on which a byte is said now and then.
pub(super) fn slow(
    runtime: &Runtime,
    count: usize,
    target: Target,
    progress: &Arc<Progress>,
) -> usize {
    for n in 0..count {
        let sent = Arc::clone(progress);
        let keep = move |mut stream: TcpStream| {
            let sent = Arc::clone(&sent);
            async move {
                for byte in all_online() {
                    stream.write_all(&[byte]).await?;
                    sent.did();
                    sleep(BYTE_PACE).await;
                }
                Ok(())
            }
        };
        runtime.spawn(hold(one_of(n), target, None, Arc::clone(progress), keep));
    }
    count
}

/// Connections that ask for the online list and never read it, while somebody comes and
/// goes so that each list is another one.
pub(super) fn deaf(
    runtime: &Runtime,
    count: usize,
    target: Target,
    progress: &Arc<Progress>,
) -> usize {
    for n in 0..count {
        let sent = Arc::clone(progress);
        let keep = move |mut stream: TcpStream| {
            let sent = Arc::clone(&sent);
            async move {
                let requests = all_online().repeat(DEAF_BURST);
                loop {
                    stream.write_all(&requests).await?;
                    sent.did();
                    sleep(DEAF_PACE).await;
                }
            }
        };
        let buffer = Some(DEAF_BUFFER);
        runtime.spawn(hold(one_of(n), target, buffer, Arc::clone(progress), keep));
    }
    runtime.spawn(come_and_go(target, Arc::clone(progress)));
    count + 1
}

/// Logs in and out with an account of its own, as fast as the registry hashes.
async fn come_and_go(target: Target, progress: Arc<Progress>) {
    let mut has_risen = false;
    while let Ok(mut session) = Session::connect(FLOODER, target.tcp).await {
        let (username, password) = attacker_account();
        let login = Request::Login { username, password };
        let logout = Request::Logout { username };
        loop {
            let answer = session.ask(&login).await;
            if matches!(answer, Ok(Response::LoggedIn)) && !has_risen {
                progress.rise();
                has_risen = true;
            }
            if answer.is_err() || session.ask(&logout).await.is_err() {
                break;
            }
        }
        progress.lost();
        sleep(PAUSE).await;
    }
}

/// Connections from one address, opened and reset as fast as it goes.
pub(super) fn connections(runtime: &Runtime, target: Target, progress: &Arc<Progress>) -> usize {
    for _ in 0..LANES {
        runtime.spawn(hammer(target, Arc::clone(progress)));
    }
    LANES
}

/// The same from an address that has as many as it may.
pub(super) fn refused(runtime: &Runtime, target: Target, progress: &Arc<Progress>) -> usize {
    for _ in 0..REFUSED {
        let keep = |mut stream: TcpStream| async move { stream.read(&mut [0]).await.map(|_| ()) };
        runtime.spawn(hold(FLOODER, target, None, Arc::clone(progress), keep));
    }
    REFUSED + connections(runtime, target, progress)
}

async fn hammer(target: Target, progress: Arc<Progress>) {
    progress.rise();
    loop {
        match connect(FLOODER, target, None).await {
            Ok(_) => progress.did(),
            Err(_) => progress.lost(),
        }
        // The others of this thread have their turn.
        tokio::task::yield_now().await;
    }
}

fn all_online() -> [u8; Request::LEN] {
    let username: Username = Residents::name(0);
    Request::AllOnline { username }.encode()
}
