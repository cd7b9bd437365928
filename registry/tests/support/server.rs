//! A registry within the test process.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use p2pchat_registry::metrics::{DropReason, Metrics};
use p2pchat_registry::options::Guessing;
use p2pchat_registry::{Options, Server, StoreSpec};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::key_file;

/// Limits under which no one is slowed down for guessing.
pub(crate) fn guessing_at_will() -> Guessing {
    Guessing {
        failed_logins: NonZeroU32::MAX,
        failed_login_interval: Duration::from_nanos(1),
        failed_logins_by_name: NonZeroU32::MAX,
        failed_login_by_name_interval: Duration::from_nanos(1),
        ..Guessing::default()
    }
}

/// A running registry. Stops in order on drop.
pub(crate) struct TestServer {
    pub(crate) tcp: SocketAddr,
    pub(crate) udp: SocketAddr,
    /// The address of its metrics, if it has one.
    pub(crate) watched: Option<SocketAddr>,
    pub(crate) metrics: Arc<Metrics>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Removed after the server has ended.
    folder: Option<TempDir>,
}

impl TestServer {
    /// On an embedded store of its own.
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// On an embedded store of its own, with other options.
    pub(crate) fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = StoreSpec::Sqlite(folder.path().join("accounts.sqlite3"));
        let mut options = Options::on_loopback(store);
        change(&mut options);
        let mut server = Self::start_on(options);
        server.folder = Some(folder);
        server
    }

    /// With options of the caller.
    pub(crate) fn start_on(mut options: Options) -> Self {
        if matches!(options.store, StoreSpec::Mongo(_)) {
            options.key_file.get_or_insert_with(key_file);
        }
        let (ready, addresses) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let server = Server::bind(options).await.unwrap();
                let addresses = (server.tcp_addr(), server.udp_addr());
                let watched = (server.metrics_addr(), server.metrics());
                ready.send((addresses, watched)).unwrap();
                let ended = server.run(async { stopped.await.unwrap_or(()) }).await;
                ended.unwrap();
            });
        });
        let ((tcp, udp), (watched, metrics)) = addresses.recv().unwrap();
        Self {
            tcp,
            udp,
            watched,
            metrics,
            stop: Some(stop),
            thread: Some(thread),
            folder: None,
        }
    }

    /// How much it has refused for one reason.
    pub(crate) fn refused(&self, reason: DropReason) -> u64 {
        self.metrics.drops.get(reason)
    }

    /// Asks it to stop and does not wait.
    pub(crate) fn begin_to_stop(&mut self) {
        drop(self.stop.take());
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.begin_to_stop();
        let ended = self.thread.take().unwrap().join();
        if !thread::panicking() {
            ended.unwrap();
        }
    }
}
