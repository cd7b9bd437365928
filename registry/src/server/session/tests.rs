//! Sessions over pipes and sockets of one process.

use std::net::SocketAddr;
use std::time::Instant as Clock;

use p2pchat_secure::SecretKey;
use tokio::io::{DuplexStream, duplex};

use super::*;
use crate::options::{Limits, Options, StoreSpec};
use crate::store::{Opener, SqliteStore};

fn shared(folder: &tempfile::TempDir, limits: Limits) -> Arc<Shared> {
    let path = folder.path().join("accounts");
    let store = SqliteStore::open(&path, Opener::Registry).unwrap();
    let options = Options {
        limits,
        ..Options::on_loopback(StoreSpec::Sqlite(path))
    };
    let key = SecretKey::generate();
    Shared::new(Arc::new(store), None, Clock::now(), &key, &options).unwrap()
}

fn origin() -> Origin {
    "10.0.0.1:1".parse::<SocketAddr>().unwrap().into()
}

#[tokio::test]
async fn a_session_takes_little_memory_while_nothing_is_asked() {
    /// Of which some 1,200 are what TLS has of a connection, in whatever program.
    const MAX: usize = 2_600;
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(&folder, Limits::default());
    let (mut stream, _client) = duplex(8);
    let (mut slot, _) = shared.slots.take(origin().source).await.unwrap();
    let tls = size_of::<Secured<&mut DuplexStream>>();
    let session = size_of::<Session<'_, DuplexStream>>();
    let size = size_of_val(&serve(&mut stream, origin(), &mut slot, &shared));
    assert!(
        size + session <= MAX,
        "{size} + {session} bytes, of which TLS has {tls}"
    );
}
