//! What a lane of a flood does with its connection: hold it idle, send a byte now and then,
//! never read, open and reset as fast as possible, or ask again as soon as it is answered.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use p2pchat_protocol::{Request, Response};
use p2pchat_testkit::Session;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::sleep;

use super::attack::Lane;
use super::online_users::OnlineUsers;
use super::scene::{attacker_account, probe_account};

/// Over how many addresses the held connections are spread.
pub(super) const ADDRESSES: usize = 100;
/// The time between two bytes of a slow connection: shorter than a registry waits for a
/// request.
const BYTE_PACE: Duration = Duration::from_secs(3);
/// How many requests a deaf connection sends at a time, how often, and the receive buffer
/// that its system has for the responses, in bytes.
const DEAF_BURST: usize = 20;
const DEAF_PACE: Duration = Duration::from_millis(100);
const DEAF_BUFFER: u32 = 4096;
/// How many lanes open connections as fast as possible.
pub(super) const LANES: usize = 8;
/// The one address of a flood from one address.
pub(super) const FLOODER: Ipv4Addr = Ipv4Addr::new(127, 50, 0, 1);
/// How many connections an address holds that may have no more: a registry's default.
pub(super) const REFUSED: usize = 500;

pub(super) async fn connect(
    lane: &Lane,
    from: Ipv4Addr,
    buffer: Option<u32>,
) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if let Some(buffer) = buffer {
        socket.set_recv_buffer_size(buffer)?;
    }
    socket.bind((from, 0).into())?;
    let stream = socket.connect(lane.target.tcp).await?;
    // What is lost on purpose leaves no socket waiting for stray packets.
    stream.set_zero_linger()?;
    lane.connected();
    Ok(stream)
}

async fn ask_from_one_address(lane: &Lane) -> Result<Session> {
    let session = Session::connect(FLOODER, lane.target.tcp).await?;
    lane.connected();
    Ok(session)
}

/// One of a hundred addresses.
pub(super) fn spread_out(lane: &Lane) -> Ipv4Addr {
    let n = u32::try_from(lane.number % ADDRESSES).unwrap_or_default();
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 51, 0, 1).to_bits() + n)
}

async fn be_idle(lane: &Lane, from: Ipv4Addr) -> Result<()> {
    let mut stream = connect(lane, from, None).await?;
    lane.count();
    // The registry sends nothing: what is read is the end.
    let _ = stream.read(&mut [0]).await?;
    Ok(())
}

/// Sends nothing.
pub(super) async fn idle(lane: Arc<Lane>) -> Result<()> {
    be_idle(&lane, spread_out(&lane)).await
}

/// Sends nothing, from the one address.
pub(super) async fn idle_at_one_address(lane: Arc<Lane>) -> Result<()> {
    be_idle(&lane, FLOODER).await
}

/// Sends a byte now and then.
pub(super) async fn slow(lane: Arc<Lane>) -> Result<()> {
    let mut stream = connect(&lane, spread_out(&lane), None).await?;
    for byte in all_online() {
        stream.write_all(&[byte]).await?;
        lane.count();
        sleep(BYTE_PACE).await;
    }
    Ok(())
}

/// Asks for the online list and never reads it.
pub(super) async fn deaf(lane: Arc<Lane>) -> Result<()> {
    let mut stream = connect(&lane, spread_out(&lane), Some(DEAF_BUFFER)).await?;
    let requests = all_online().repeat(DEAF_BURST);
    loop {
        stream.write_all(&requests).await?;
        lane.count();
        sleep(DEAF_PACE).await;
    }
}

/// Logs in and out as fast as the registry hashes, so that each online list is another one.
pub(super) async fn come_and_go(lane: Arc<Lane>) -> Result<()> {
    let mut session = Session::connect(FLOODER, lane.target.tcp).await?;
    let (username, password) = attacker_account();
    let login = Request::Login { username, password };
    loop {
        if session.ask(&login).await? == Response::LoggedIn {
            lane.connected();
        }
        session.ask(&Request::Logout { username }).await?;
    }
}

/// Opens connections from the one address and resets them.
pub(super) async fn hammer(lane: Arc<Lane>) -> Result<()> {
    lane.connected();
    loop {
        match connect(&lane, FLOODER, None).await {
            Ok(_) => _ = lane.count(),
            Err(_) => lane.lost(),
        }
        // The other lanes of this thread have their turn.
        tokio::task::yield_now().await;
    }
}

/// Guesses passwords of everyone who is online and of the client that is measured.
pub(super) async fn guess(lane: Arc<Lane>) -> Result<()> {
    let mut session = ask_from_one_address(&lane).await?;
    loop {
        let n = usize::try_from(lane.count())?;
        let username = if n.is_multiple_of(2) {
            probe_account().0
        } else {
            OnlineUsers::name(n % lane.target.users.max(1))
        };
        let password = "guess".parse()?;
        session.ask(&Request::Login { username, password }).await?;
    }
}

/// Logs in with the attacker's own account.
pub(super) async fn log_in(lane: Arc<Lane>) -> Result<()> {
    let mut session = ask_from_one_address(&lane).await?;
    let (username, password) = attacker_account();
    let login = Request::Login { username, password };
    loop {
        lane.count();
        session.ask(&login).await?;
    }
}

/// Registers one name after the other.
pub(super) async fn register(lane: Arc<Lane>) -> Result<()> {
    let mut session = ask_from_one_address(&lane).await?;
    loop {
        let username = format!("f{}", lane.count()).parse()?;
        let password = "secret".parse()?;
        let register = Request::Register { username, password };
        session.ask(&register).await?;
    }
}

fn all_online() -> [u8; Request::LEN] {
    let username = OnlineUsers::name(0);
    Request::AllOnline { username }.encode()
}
