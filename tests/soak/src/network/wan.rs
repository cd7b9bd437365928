//! A slow network: what each host sends arrives after a while.
//!
//! Each host is wired to a gate of its own, which has the addresses of all the others: to
//! the host it *is* the others. A connection to one of them ends at the gate and is made
//! again, from the gate of the other one and from the address of the first. So both ends
//! see the addresses and ports that they would see, and between the two every byte, end
//! and reset waits as long as the network is slow.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use p2pchat_protocol::{CONTACT_PORT, Hello, MESSAGE_PORT, REGISTRY_TCP_PORT, REGISTRY_UDP_PORT};
use p2pchat_testkit::Namespace;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::lan::Host;

/// The TCP ports that are carried on.
const PORTS: [u16; 3] = [CONTACT_PORT, MESSAGE_PORT, REGISTRY_TCP_PORT];
/// How many pieces of a connection are under way at once; then its sender waits.
const MAX_UNDER_WAY: usize = 64;

/// A slow network. Dropping it cuts all hosts off.
#[derive(Debug)]
pub(super) struct Wan {
    /// The hosts, in the order of their numbers, from 1.
    pub(super) hosts: Vec<Host>,
    gates: Vec<Arc<Gate>>,
    _tasks: JoinSet<()>,
}

/// What is between a host and the others.
#[derive(Debug)]
struct Gate {
    host: Ipv4Addr,
    space: Namespace,
}

impl Wan {
    /// A network of so many hosts, on which everything takes `delay` one way.
    pub(super) fn new(hosts: u8, delay: Duration) -> Result<Self> {
        let hosts: Vec<Host> = (1..=hosts).map(Host::new).collect::<Result<_>>()?;
        let gates = hosts
            .iter()
            .map(|host| Gate::new(host, &hosts).map(Arc::new))
            .collect::<Result<Vec<_>>>()?;
        let mut tasks = JoinSet::new();
        for near in &gates {
            for far in gates.iter().filter(|far| far.host != near.host) {
                let way = Way {
                    near: near.clone(),
                    far: far.clone(),
                    delay,
                };
                way.open(&mut tasks)?;
            }
        }
        Ok(Self {
            hosts,
            gates,
            _tasks: tasks,
        })
    }

    /// From now on this part of all packets between a host and its gate is lost: of the way between
    /// two hosts, at both ends.
    pub(super) fn lose(&self, percent: u8) -> Result<()> {
        let chain = |hook: &str| {
            format!(
                " chain {hook} {{\n  type filter hook {hook} priority 0;\n  \
                 numgen random mod 100 < {percent} drop\n }}\n"
            )
        };
        let rules = format!(
            "table ip gate {{\n{}{}}}\n",
            chain("input"),
            chain("output")
        );
        self.gates
            .iter()
            .try_for_each(|gate| gate.space.nft(&rules))
    }
}

impl Gate {
    fn new(host: &Host, hosts: &[Host]) -> Result<Self> {
        let space = Namespace::new()?;
        host.connect(&space, "gate")?;
        for other in hosts.iter().filter(|other| other.address != host.address) {
            space.ip(&format!("addr add {}/24 dev gate", other.address))?;
        }
        Ok(Self {
            host: host.address,
            space,
        })
    }
}

/// From one host to another.
#[derive(Debug, Clone)]
struct Way {
    near: Arc<Gate>,
    far: Arc<Gate>,
    delay: Duration,
}

impl Way {
    /// Opens the ports that carry what the near host sends to the far one.
    fn open(&self, tasks: &mut JoinSet<()>) -> Result<()> {
        for port in PORTS {
            let to = SocketAddr::new(self.far.host.into(), port);
            let listener = self.near.space.inside(|| listen(to))??;
            tasks.spawn(self.clone().accept(listener, to));
        }
        let to = SocketAddr::new(self.far.host.into(), REGISTRY_UDP_PORT);
        let from = SocketAddr::new(self.near.host.into(), 0);
        let taken = self.near.space.inside(|| datagrams(to))??;
        let given = self.far.space.inside(|| datagrams(from))??;
        tasks.spawn(self.clone().carry_hellos(taken, given, to));
        Ok(())
    }

    async fn accept(self, listener: TcpListener, to: SocketAddr) {
        let mut open = JoinSet::new();
        while let Ok((near, _)) = listener.accept().await {
            while open.try_join_next().is_some() {}
            let way = self.clone();
            open.spawn(async move {
                // Both ends learn from the system how it ended.
                let _ = way.carry(near, to).await;
            });
        }
    }

    async fn carry(&self, near: TcpStream, to: SocketAddr) -> Result<()> {
        // The system has shaken hands already, which takes there and back.
        sleep(self.delay).await;
        let socket = self.far.space.inside(TcpSocket::new_v4)??;
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::new(self.near.host.into(), 0))?;
        let far = socket.connect(to).await;
        sleep(self.delay).await;
        let far = match far {
            Ok(far) => far,
            Err(error) => {
                near.set_zero_linger()?;
                return Err(error).context("refused");
            }
        };
        let (near_read, near_write) = near.into_split();
        let (far_read, far_write) = far.into_split();
        tokio::try_join!(
            pass_on(near_read, far_write, self.delay),
            pass_on(far_read, near_write, self.delay),
        )
        .context("reset")?;
        Ok(())
    }

    async fn carry_hellos(self, taken: UdpSocket, given: UdpSocket, to: SocketAddr) {
        let mut buffer = [0; 2 * Hello::LEN];
        while let Ok(length) = taken.recv(&mut buffer).await {
            // One in 15 s: the next one does not wait for this one.
            sleep(self.delay).await;
            // A datagram may be lost.
            let _ = given.send_to(&buffer[..length], to).await;
        }
    }
}

fn listen(at: SocketAddr) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(at)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

fn datagrams(at: SocketAddr) -> io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind(at)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// What arrives, and when: bytes, the end (no bytes), or a reset.
type Piece = (Instant, io::Result<Vec<u8>>);

/// Passes on one direction of a connection. An error means that it was reset, and then
/// the other end is to be reset too, by dropping it.
async fn pass_on(from: OwnedReadHalf, to: OwnedWriteHalf, delay: Duration) -> io::Result<()> {
    let (under_way, arriving) = mpsc::channel(MAX_UNDER_WAY);
    let ((), arrived) = tokio::join!(send(from, under_way, delay), arrive(arriving, to));
    arrived
}

async fn send(mut from: OwnedReadHalf, under_way: mpsc::Sender<Piece>, delay: Duration) {
    loop {
        let mut bytes = vec![0; 4096];
        let piece = from.read(&mut bytes).await.map(|length| {
            bytes.truncate(length);
            bytes
        });
        let is_last = !matches!(&piece, Ok(bytes) if !bytes.is_empty());
        if under_way
            .send((Instant::now() + delay, piece))
            .await
            .is_err()
            || is_last
        {
            return;
        }
    }
}

async fn arrive(mut arriving: mpsc::Receiver<Piece>, mut to: OwnedWriteHalf) -> io::Result<()> {
    while let Some((at, piece)) = arriving.recv().await {
        sleep_until(at).await;
        match piece {
            // Where that fails the other direction knows why.
            Ok(bytes) if !bytes.is_empty() => drop(to.write_all(&bytes).await),
            Ok(_) => drop(to.shutdown().await),
            Err(reset) => {
                to.as_ref().set_zero_linger()?;
                return Err(reset);
            }
        }
    }
    Ok(())
}
