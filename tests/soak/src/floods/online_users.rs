//! Users who are logged in, say Hello, and expect to stay.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::Result;
use p2pchat_protocol::{Hello, Request, Response, Username};
use p2pchat_testkit::Session;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

/// The time between two Hellos of a user: a quarter of what the registry waits for one, as
/// p2pchat has it.
const HELLO_INTERVAL: Duration = Duration::from_secs(3);

/// Users with a connection each, and the task that says their Hellos.
pub(super) struct OnlineUsers {
    sessions: Vec<Session>,
    hellos: JoinHandle<()>,
}

impl OnlineUsers {
    /// The name of the nth.
    pub(super) fn name(n: usize) -> Username {
        format!("r{n}").parse().expect("a short word is a name")
    }

    /// Where the nth is.
    pub(super) fn address(n: usize) -> Ipv4Addr {
        let n = u32::try_from(n).unwrap_or_default();
        Ipv4Addr::from_bits(Ipv4Addr::new(127, 40, 1, 0).to_bits() + n)
    }

    /// Logs the first `count` in.
    pub(super) async fn log_in(count: usize, [tcp, udp]: [SocketAddr; 2]) -> Result<Self> {
        let mut sessions = Vec::with_capacity(count);
        for n in 0..count {
            let mut session = Session::connect(Self::address(n), tcp).await?;
            session.login(Self::name(n), "secret".parse()?).await?;
            sessions.push(session);
        }
        Ok(Self {
            sessions,
            hellos: tokio::spawn(say_hello(count, udp)),
        })
    }

    pub(super) fn count(&self) -> usize {
        self.sessions.len()
    }

    /// How many have lost their connection, or are not online where they are.
    pub(super) async fn lost(&mut self) -> usize {
        let mut lost = 0;
        for (n, session) in self.sessions.iter_mut().enumerate() {
            let name = Self::name(n);
            let search = Request::Search {
                username: name,
                target: name,
            };
            let answer = session.ask(&search).await;
            let is_there = matches!(answer, Ok(Response::Found(at)) if at.ip() == Self::address(n));
            lost += usize::from(!is_there);
        }
        lost
    }
}

impl Drop for OnlineUsers {
    fn drop(&mut self) {
        self.hellos.abort();
    }
}

/// The Hellos of all, one after the other, without a burst.
async fn say_hello(count: usize, registry: SocketAddr) {
    let Ok(users) = u32::try_from(count.max(1)) else {
        return;
    };
    let mut turns = interval(HELLO_INTERVAL / users);
    turns.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for n in (0..count).cycle() {
        turns.tick().await;
        let hello = Hello {
            username: OnlineUsers::name(n),
        };
        if let Ok(socket) = UdpSocket::bind((OnlineUsers::address(n), 0)) {
            // The next one is sent all the same.
            let _ = socket.send_to(&hello.encode(), registry);
        }
    }
}
