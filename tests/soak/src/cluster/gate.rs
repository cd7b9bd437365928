//! A TCP proxy to a server that can be shut: then nothing comes through any more, and
//! neither side is told.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Result;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// A gate, open until it is shut. Everything through it ends on drop.
#[derive(Debug)]
pub(super) struct Gate {
    /// Where to connect to.
    pub(super) address: SocketAddr,
    /// Where it leads to, `None` while it is shut.
    to: watch::Sender<Option<SocketAddr>>,
    _accepting: JoinSet<()>,
}

impl Gate {
    pub(super) async fn open(to: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (to, way) = watch::channel(Some(to));
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, way));
        Ok(Self {
            address,
            to,
            _accepting: accepting,
        })
    }

    /// Leads nowhere from now on.
    pub(super) fn shut(&self) {
        self.to.send_replace(None);
    }

    /// Leads there from now on. What was connected before is reset.
    pub(super) fn lead(&self, to: SocketAddr) {
        self.to.send_replace(Some(to));
    }
}

async fn accept(listener: TcpListener, way: watch::Receiver<Option<SocketAddr>>) {
    let mut carrying = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((client, _)) => _ = carrying.spawn(carry(client, way.clone())),
            // No file descriptor is free: one will be.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
        while carrying.try_join_next().is_some() {}
    }
}

/// Carries bytes while the gate leads where it led at first. Where it is shut meanwhile,
/// the connection stays, dead, until it is opened again.
async fn carry(mut client: TcpStream, mut way: watch::Receiver<Option<SocketAddr>>) {
    let to = *way.borrow_and_update();
    let carrying = async {
        match to {
            Some(to) => {
                if let Ok(mut server) = TcpStream::connect(to).await {
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                }
            }
            None => std::future::pending().await,
        }
    };
    let changed = tokio::select! {
        () = carrying => return,
        changed = way.changed() => changed,
    };
    if changed.is_ok() && to.is_some() {
        // Shut: the client hears nothing.
        let _ = way.wait_for(Option::is_some).await;
    }
    let _ = client.set_zero_linger();
}
