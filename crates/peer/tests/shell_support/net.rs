//! A registry and peers on loopback addresses of their own, and a front end that waits.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use p2pchat_model::{Command, Event, Password, PeerAddr, Username, View};
use p2pchat_peer::{Handle, Options, Peer, Subscription};
use p2pchat_registry::{Server, StoreSpec};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than anything takes that a test waits for, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(30);

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
            .send(Command::Register {
                name: name(user),
                password: Password::new("secret").unwrap(),
            })
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
    peer: Peer,
    handle: Handle,
    subscription: Subscription,
    pub(crate) view: View,
}

impl User {
    pub(crate) async fn start(options: Options) -> Self {
        let peer = Peer::start(options).await.unwrap();
        let handle = peer.handle();
        let subscription = handle.subscribe().await.unwrap();
        Self {
            view: subscription.view.clone(),
            peer,
            handle,
            subscription,
        }
    }

    pub(crate) fn address(&self) -> PeerAddr {
        self.handle.address()
    }

    pub(crate) async fn send(&self, command: Command) {
        self.handle.send(command).await.unwrap();
    }

    pub(crate) async fn say(&self, text: &str) {
        let text = text.to_owned();
        self.send(Command::Say { text }).await;
    }

    /// Waits for the next event that `wanted` takes, and shows all up to it.
    pub(crate) async fn hear<T>(&mut self, what: &str, wanted: impl Fn(&Event) -> Option<T>) -> T {
        let heard = timeout(PATIENCE, async {
            loop {
                let event = self.subscription.next().await.unwrap();
                self.view.apply(&event);
                if let Some(found) = wanted(&event) {
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
                let event = self.subscription.next().await.unwrap();
                self.view.apply(&event);
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

    /// Logs out and stops.
    pub(crate) async fn stop(self) {
        let stopped = timeout(PATIENCE, self.peer.stop()).await;
        stopped.unwrap().unwrap();
    }
}
