//! A TCP proxy on loopback whose cable can be cut.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Result;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// What the cable of a [`Proxy`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cable {
    /// Carries bytes.
    Whole,
    /// Closes every connection at once.
    Cut,
    /// Accepts connections and bytes, and carries nothing; neither side is told.
    Silent,
}

/// A proxy to one server. Everything through it ends on drop.
#[derive(Debug)]
pub struct Proxy {
    /// Where to connect to.
    pub address: SocketAddr,
    state: watch::Sender<State>,
    _accepting: JoinSet<()>,
}

#[derive(Debug, Clone)]
struct State {
    cable: Cable,
    target: String,
}

impl Proxy {
    /// Starts one to a server, `host:port`, on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start(target: impl Into<String>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (state, states) = watch::channel(State {
            cable: Cable::Whole,
            target: target.into(),
        });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, states));
        Ok(Self {
            address,
            state,
            _accepting: accepting,
        })
    }

    /// Leads to another server from now on, by a whole cable. Earlier connections are
    /// reset.
    pub fn lead_to(&self, target: impl Into<String>) {
        self.state.send_replace(State {
            cable: Cable::Whole,
            target: target.into(),
        });
    }

    /// Changes the cable. Earlier connections are reset, or, while it is silent, dead.
    pub fn set(&self, cable: Cable) {
        self.state.send_modify(|state| state.cable = cable);
    }
}

async fn accept(listener: TcpListener, states: watch::Receiver<State>) {
    let mut carrying = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((client, _)) => _ = carrying.spawn(carry(client, states.clone())),
            // No file descriptor is free: one will be.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
        while carrying.try_join_next().is_some() {}
    }
}

async fn carry(mut client: TcpStream, mut states: watch::Receiver<State>) {
    let State { cable, target } = states.borrow_and_update().clone();
    let carrying = async {
        match cable {
            Cable::Cut => {}
            Cable::Silent => std::future::pending().await,
            Cable::Whole => {
                if let Ok(mut server) = TcpStream::connect(target).await {
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                }
            }
        }
    };
    let changed = tokio::select! {
        () = carrying => return,
        changed = states.changed() => changed,
    };
    if changed.is_ok() && cable == Cable::Whole {
        let _ = states.wait_for(|state| state.cable != Cable::Silent).await;
    }
    let _ = client.set_zero_linger();
}
