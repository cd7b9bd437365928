//! A registry and peers on loopback addresses of their own, and a front end that waits.

use std::net::Ipv4Addr;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use p2pchat_model::{
    Call, Command, ConversationId, Event, FrontEndId, Passphrase, PeerAddr, Update, Username, View,
};
use p2pchat_peer::{Calls, Handle, Options, Peer, Updates};
use p2pchat_registry::{Server, StoreSpec};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub(crate) const OPEN: ConversationId = ConversationId::OPEN;

/// Longer than anything takes that a test waits for, on the slowest machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// An address that no other test uses, in this process or in one that runs beside it.
pub(crate) fn own_address() -> PeerAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let host = NEXT.fetch_add(1, Ordering::Relaxed);
    let [_, .., a, b] = std::process::id().to_be_bytes();
    // 127.0 to 127.199 are taken by people and by other tests.
    PeerAddr::new(Ipv4Addr::new(127, 200 + a % 50, b, host)).unwrap()
}

pub(crate) fn name(text: &str) -> Username {
    Username::new(text).unwrap()
}

/// A registry in this process.
pub(crate) struct Registry {
    pub(crate) folder: TempDir,
    tcp: u16,
    udp: u16,
    task: JoinHandle<Result<(), p2pchat_registry::PartEnded>>,
}

impl Registry {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = StoreSpec::Sqlite(folder.path().join("accounts.db"));
        let options = p2pchat_registry::Options::on_loopback(store);
        let server = Server::bind(options).await.unwrap();
        Self {
            folder,
            tcp: server.tcp_addr().port(),
            udp: server.udp_addr().port(),
            task: tokio::spawn(server.run(std::future::pending())),
        }
    }

    pub(crate) fn options(&self) -> Options {
        Options {
            registry: format!("127.0.0.1:{}", self.tcp),
            allow_plaintext: true,
            hello_port: self.udp,
            address: Some(own_address()),
            ..Options::default()
        }
    }

    pub(crate) fn history_of(&self, user: &str) -> PathBuf {
        self.folder.path().join(format!("{user}.db"))
    }

    /// A user who is registered and logged in.
    pub(crate) async fn user(&self, user: &str) -> User {
        let options = Options {
            history: Some(self.history_of(user)),
            ..self.options()
        };
        let mut started = User::start(options).await;
        started
            .send(Command::register(
                name(user),
                Passphrase::new("secret").unwrap(),
            ))
            .await;
        started
            .see("the session", |view| view.account == Some(name(user)))
            .await;
        started
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A peer, and a front end that draws what it is told. Dropped, it ends without a word,
/// as a killed process does.
pub(crate) struct User {
    pub(crate) peer: Peer,
    pub(crate) front_end: FrontEnd,
}

impl Deref for User {
    type Target = FrontEnd;

    fn deref(&self) -> &FrontEnd {
        &self.front_end
    }
}

impl DerefMut for User {
    fn deref_mut(&mut self) -> &mut FrontEnd {
        &mut self.front_end
    }
}

impl User {
    pub(crate) async fn start(options: Options) -> Self {
        Self::of(Peer::start(options, None).await.unwrap()).await
    }

    pub(crate) async fn of(peer: Peer) -> Self {
        let front_end = FrontEnd::join(&peer.handle(), "first").await;
        Self { peer, front_end }
    }

    /// Logs out and stops.
    pub(crate) async fn stop(self) {
        let stopped = timeout(PATIENCE, self.peer.stop()).await;
        stopped.unwrap().unwrap();
    }
}

/// One of the front ends of a peer.
pub(crate) struct FrontEnd {
    calls: Calls,
    pub(crate) updates: Updates,
    pub(crate) view: View,
}

impl FrontEnd {
    pub(crate) async fn join(handle: &Handle, id: &str) -> Self {
        let (calls, mut updates) = handle.join(FrontEndId::new(id).unwrap()).await.unwrap();
        let mut view = View::default();
        let first = timeout(PATIENCE, updates.next()).await.unwrap().unwrap();
        assert!(matches!(*first.event, Event::View(_)), "{first:?}");
        view.apply(&first.event);
        Self {
            calls,
            updates,
            view,
        }
    }

    pub(crate) fn address(&self) -> PeerAddr {
        self.view.address.unwrap()
    }

    pub(crate) async fn send(&self, call: impl Into<Call>) {
        self.calls.send(call).await.unwrap();
    }

    pub(crate) async fn say(&self, text: &str) {
        let text = text.to_owned();
        self.send(Command::Say {
            conversation: OPEN,
            text,
            reply_to: None,
        })
        .await;
    }

    /// Waits for the next event that `wanted` takes, and shows all up to it.
    pub(crate) async fn hear<T>(&mut self, what: &str, wanted: impl Fn(&Event) -> Option<T>) -> T {
        let heard = timeout(PATIENCE, async {
            loop {
                if let Some(found) = wanted(&self.apply_next().await.event) {
                    return found;
                }
            }
        });
        match heard.await {
            Ok(found) => found,
            Err(_) => panic!("{what} did not come; there is {:#?}", self.view),
        }
    }

    /// Waits until the view is like this.
    pub(crate) async fn see(&mut self, what: &str, seen: impl Fn(&View) -> bool) {
        let wait = timeout(PATIENCE, async {
            while !seen(&self.view) {
                self.apply_next().await;
            }
        });
        if wait.await.is_err() {
            panic!("{what} did not come; there is {:#?}", self.view);
        }
    }

    /// Waits for a text of another member.
    pub(crate) async fn read(&mut self) -> (PeerAddr, String) {
        self.hear("a text", |event| match event {
            Event::Message(message) if !message.is_own() => {
                Some((message.from.address, message.text.clone()))
            }
            _ => None,
        })
        .await
    }

    /// Waits for the next update, and shows it.
    pub(crate) async fn apply_next(&mut self) -> Update {
        let update = self.updates.next().await.unwrap();
        self.view.apply(&update.event);
        update
    }
}
