//! How connections become sessions.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use p2pchat_conversation::sync::SessionId;
use p2pchat_protocol::v2::peer::Hello;
use p2pchat_protocol::v2::{Certificate, DeviceKey};
use p2pchat_secure::{Acceptor, Connector, Expected, Secured};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::super::session::{HANDSHAKE, Inbound, Outbound, SessionError, Told, meet, tell};
use super::handle::Incoming;
use crate::shell::clock::wall;

/// How long the listener waits after it could not accept a connection: the system has no more of
/// something.
const RETRY: Duration = Duration::from_millis(100);

/// What every connection needs.
pub(super) struct Shared {
    pub(super) certificate: Certificate,
    pub(super) acceptor: Acceptor,
    pub(super) connector: Connector,
    pub(super) inputs: mpsc::Sender<Inbound>,
}

/// Where a connection comes from.
pub(super) enum Route {
    Accepted(TcpStream),
    Dialled(SocketAddr, DeviceKey),
}

impl Shared {
    /// A connection from its beginning to its end.
    pub(super) async fn run(self: Arc<Self>, id: SessionId, route: Route) -> SessionError {
        let ended = self.session(id, route).await;
        ended.unwrap_or_else(|error| error)
    }

    async fn session(&self, id: SessionId, route: Route) -> Result<SessionError, SessionError> {
        let encrypted = timeout(HANDSHAKE, self.encrypt(route)).await;
        let secured = encrypted.map_err(|_| SessionError::Late)??;
        let own = Hello {
            certificate: self.certificate,
            time: wall().0,
        };
        let met = timeout(HANDSHAKE, meet(secured, own)).await;
        let (line, hello) = met.map_err(|_| SessionError::Late)??;
        let outbound = Outbound::default();
        let met = Told::Met {
            hello,
            outbound: outbound.clone(),
        };
        tell(&self.inputs, id, met).await?;
        Ok(line.run(id, &outbound, &self.inputs).await)
    }

    async fn encrypt(&self, route: Route) -> Result<Secured<TcpStream>, SessionError> {
        Ok(match route {
            Route::Accepted(stream) => {
                stream.set_nodelay(true)?;
                self.acceptor.accept(stream).await?
            }
            Route::Dialled(address, device) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                let expected = Expected::Key(device.0);
                self.connector.connect(stream, expected).await?
            }
        })
    }
}

/// A connection of another runtime, whose thread would be woken for each thing that comes.
pub(super) fn taken_over(stream: TcpStream) -> io::Result<TcpStream> {
    TcpStream::from_std(stream.into_std()?)
}

/// Accepts connections until it is aborted, or the node is gone. More wait in the system's queue
/// while the node is busy.
pub(super) async fn listen(listener: TcpListener, Incoming(accepted): Incoming) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if accepted.send(stream).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::debug!(%error, "cannot accept a connection");
                sleep(RETRY).await;
            }
        }
    }
}
