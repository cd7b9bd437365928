//! A TCP proxy on loopback that can be cut.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What the proxy does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cable {
    /// Carries bytes.
    Whole,
    /// Closes every connection at once.
    Cut,
    /// Takes connections and bytes, and carries nothing.
    Silent,
}

/// The proxy. Ends on drop.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    cable: Arc<watch::Sender<Cable>>,
    target: Arc<watch::Sender<String>>,
    _runtime: Runtime,
}

impl Proxy {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let cable = Arc::new(watch::Sender::new(Cable::Whole));
        let target = Arc::new(watch::Sender::new(String::new()));
        let (states, targets) = (Arc::clone(&cable), Arc::clone(&target));
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(carry(stream, targets.borrow().clone(), states.subscribe()));
            }
        });
        Self {
            address,
            cable,
            target,
            _runtime: runtime,
        }
    }

    /// Sets the server behind it.
    pub(crate) fn lead_to(&self, host: String) {
        self.target.send_replace(host);
    }

    pub(crate) fn set(&self, cable: Cable) {
        self.cable.send_replace(cable);
    }
}

async fn carry(mut near: TcpStream, target: String, mut cable: watch::Receiver<Cable>) {
    let state = *cable.borrow_and_update();
    let carrying = async {
        match state {
            Cable::Cut => {}
            Cable::Silent => std::future::pending().await,
            Cable::Whole => {
                if let Ok(mut far) = TcpStream::connect(target).await {
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                }
            }
        }
    };
    tokio::select! {
        () = carrying => return,
        _ = cable.changed() => {}
    }
    // The two streams live until the state changes again, unless it was a cut.
    if *cable.borrow_and_update() == Cable::Silent {
        let _ = cable.changed().await;
    }
}
