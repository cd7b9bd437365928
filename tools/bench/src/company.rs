//! People of encrypted conversations, each with a node in this process.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use p2pchat_conversation::replica::{Deed, Role};
use p2pchat_peer::conversations::{Event, Handle, Node, Options, View};
use p2pchat_protocol::v2::conversation::ConversationId;
use p2pchat_protocol::v2::peer::{ALPN, Hello, ToPeer};
use p2pchat_secure::{Connector, Expected, Identity, Secured};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle as Runtime};
use tokio::sync::broadcast::Receiver;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::pin::{self, Side};
use crate::process;

/// Far more than anything takes.
pub const LONG: Duration = Duration::from_secs(120);
const A_WHILE: Duration = Duration::from_millis(50);

/// Someone with one device.
#[derive(Debug)]
pub struct Person {
    /// Their keys.
    pub identity: Identity,
    /// Where their device listens.
    pub address: SocketAddr,
    node: Node,
}

impl Person {
    /// Starts a node. Without a file its store ends with it.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(identity: Identity, store: Option<PathBuf>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let options = Options {
            identity: identity.clone(),
            store,
            is_copy: false,
            listener: Some(listener),
        };
        Ok(Self {
            identity,
            address,
            node: Node::start(options).await?,
        })
    }

    /// Their node.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        self.node.handle()
    }

    /// Stops the node, which closes its store.
    pub async fn stop(self) {
        self.node.stop().await;
    }

    /// Makes a session with someone else.
    ///
    /// # Errors
    /// If they do not answer.
    pub async fn dial(&self, other: &Self) -> Result<()> {
        let device = other.identity.certificate().device;
        Ok(self.handle().dial(other.address, device).await??)
    }

    /// Waits until something holds, which is looked at whenever something has happened, and once in
    /// a while: not all that happens is an event.
    ///
    /// # Errors
    /// If it takes far too long.
    pub async fn until(
        &self,
        what: &str,
        check: impl Fn(&View<'_>) -> bool + Clone + Send + 'static,
    ) -> Result<()> {
        let mut events = self.handle().events();
        let holds = async {
            while !self.handle().read(check.clone()).await? {
                // Events that were missed are as good.
                let _ = timeout(A_WHILE, events.recv()).await;
            }
            anyhow::Ok(())
        };
        timeout(LONG, holds)
            .await
            .with_context(|| format!("waited too long for {what}"))?
    }

    /// Asks someone into a group, who accepts.
    ///
    /// # Errors
    /// If they do not get in.
    pub async fn bring(&self, group: ConversationId, other: &Self, sees_all: bool) -> Result<()> {
        let person = other.identity.person();
        let deed = Deed::Add { person, sees_all };
        self.handle().act(group, deed).await?;
        other.dial(self).await?;
        other
            .until("the request", move |view| {
                let replica = view.sync.get(&group);
                replica.is_some_and(|replica| matches!(replica.own_role(), Role::Invited(_)))
            })
            .await?;
        other.handle().accept(group).await?;
        self.until("the join", move |view| {
            let replica = view.sync.get(&group);
            replica.is_some_and(|it| it.membership().members.contains_key(&person))
        })
        .await
    }

    /// Makes a group with all of these, who stay connected.
    ///
    /// # Errors
    /// If one does not get in.
    pub async fn group(&self, others: &[Self]) -> Result<ConversationId> {
        let group = self.handle().create_group("bench".parse()?).await?;
        for other in others {
            self.bring(group, other, true).await?;
        }
        Ok(group)
    }
}

/// A session of someone without a node, who has said hello.
///
/// # Errors
/// If nobody answers there.
pub async fn session(identity: &Identity, to: SocketAddr) -> Result<Secured<TcpStream>> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let connector = Connector::new(identity.device(), ALPN);
    let mut line = connector.connect(stream, Expected::Any).await?;
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let hello = Hello {
        certificate: identity.certificate(),
        time: u64::try_from(since_1970.as_millis())?,
    };
    let mut bytes = Vec::new();
    ToPeer::Hello(hello).encode(&mut bytes);
    line.write_all(&bytes).await?;
    line.flush().await?;
    Ok(line)
}

/// Waits for an event.
///
/// # Errors
/// If it does not come, or some were missed.
pub async fn event(events: &mut Receiver<Event>, is_it: impl Fn(&Event) -> bool) -> Result<()> {
    timeout(LONG, async {
        while !is_it(&events.recv().await?) {}
        anyhow::Ok(())
    })
    .await?
}

/// A runtime in a thread of its own, on the core of what is measured.
#[derive(Debug)]
pub struct Apart {
    runtime: Runtime,
    /// Its thread, and those that were started with it.
    threads: BTreeSet<u32>,
    _ends: oneshot::Sender<()>,
}

impl Apart {
    /// Begins with something, whose threads count as its own.
    ///
    /// # Errors
    /// If there can be no such runtime, or that fails.
    pub async fn with<T: Send + 'static>(
        begin: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<(Self, T)> {
        let before = process::threads()?;
        let (ends, ended) = oneshot::channel();
        let (tell, told) = oneshot::channel();
        std::thread::spawn(move || {
            let run = || {
                pin::to(Side::Server)?;
                let runtime = Builder::new_current_thread().enable_all().build()?;
                // The caller may be gone.
                let _ = tell.send(runtime.handle().clone());
                let _ = runtime.block_on(ended);
                anyhow::Ok(())
            };
            run()
        });
        let runtime = told.await.context("no runtime")?;
        let begun = runtime.spawn(begin).await??;
        let threads = &process::threads()? - &before;
        let apart = Self {
            runtime,
            threads,
            _ends: ends,
        };
        Ok((apart, begun))
    }

    /// Runs something there.
    ///
    /// # Errors
    /// If it fails.
    pub async fn run<T: Send + 'static>(
        &self,
        task: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.runtime.spawn(task).await?
    }

    /// How long its threads have run on the core so far.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn cpu(&self) -> Result<Duration> {
        process::cpu_of(&self.threads)
    }
}
