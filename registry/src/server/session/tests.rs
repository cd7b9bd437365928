//! Sessions over a pipe, with what they share in the same process.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant as Clock};

use p2pchat_protocol::Username;
use p2pchat_protocol::v2::registry::{ALPN, MAX_FROM_REGISTRY};
use p2pchat_protocol::v2::{FrameDecoder, Seat, SignIn, SignUp, Status};
use p2pchat_secure::{Connector, Expected, Identity, SecretKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;

use super::*;
use crate::options::{Limits, Options, StoreSpec};
use crate::presence::version_1;
use crate::server::presence::publish;
use crate::store::{Opener, SqliteStore};

const SHORT: Duration = Duration::from_secs(1);
const USERS: usize = 5000;

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

fn name() -> Username {
    Username::new("alice").unwrap()
}

/// A client at the other end of a pipe.
struct Client {
    stream: Secured<DuplexStream>,
    identity: Identity,
    decoder: FrameDecoder,
    unread: Vec<u8>,
    served: JoinHandle<Result<(), ConnectionError>>,
}

impl Client {
    async fn connect(shared: &Arc<Shared>, identity: &Identity) -> Self {
        Self::connect_from(origin(), shared, identity).await
    }

    async fn connect_from(from: Origin, shared: &Arc<Shared>, identity: &Identity) -> Self {
        let (here, mut there) = duplex(4096);
        let shared = Arc::clone(shared);
        let served = tokio::spawn(async move {
            let (mut slot, _) = shared.slots.take(from.source).await.unwrap();
            serve(&mut there, from, &mut slot, &shared).await
        });
        let connector = Connector::new(identity.device(), ALPN);
        let stream = connector.connect(here, Expected::Any).await.unwrap();
        let mut client = Self {
            stream,
            identity: identity.clone(),
            decoder: FrameDecoder::default(),
            unread: Vec::new(),
            served,
        };
        assert!(matches!(client.next().await, FromRegistry::Welcome { .. }));
        client
    }

    async fn send(&mut self, request: ToRegistry) {
        let mut bytes = Vec::new();
        request.encode(&mut bytes);
        self.stream.write_all(&bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    async fn ask(&mut self, request: ToRegistry) -> FromRegistry {
        self.send(request).await;
        self.next().await
    }

    async fn next(&mut self) -> FromRegistry {
        loop {
            let mut bytes = &self.unread[..];
            let frame = self.decoder.next(&mut bytes, MAX_FROM_REGISTRY).unwrap();
            self.unread = bytes.to_vec();
            if let Some(frame) = frame {
                return FromRegistry::decode(&frame).unwrap().unwrap();
            }
            let mut buffer = vec![0; 4096];
            let length = self.stream.read(&mut buffer).await.unwrap();
            assert!(length > 0, "the connection has ended");
            self.unread.extend_from_slice(&buffer[..length]);
        }
    }

    async fn sign_up(&mut self) {
        let sign_up = ToRegistry::SignUp(SignUp {
            name: name(),
            password: Passphrase::new("pw").unwrap(),
            certificate: self.identity.certificate(),
            display_name: DisplayName::default(),
        });
        assert_eq!(self.ask(sign_up).await, FromRegistry::Done);
    }

    async fn try_to_sign_in(&mut self) -> FromRegistry {
        let sign_in = ToRegistry::SignIn(SignIn {
            name: name(),
            certificate: self.identity.certificate(),
            password: None,
            port: 5858,
            version_1: false,
            status: Status::Available,
        });
        self.ask(sign_in).await
    }

    async fn sign_in(&mut self) {
        let answer = self.try_to_sign_in().await;
        assert!(matches!(answer, FromRegistry::SignedIn(_)), "{answer:?}");
    }

    fn seat(&self) -> Seat {
        Seat {
            name: name(),
            device: Some(self.identity.certificate().device.id()),
        }
    }
}

/// A user who is signed in, where many others are online.
async fn among_many(shared: &Arc<Shared>) -> Client {
    tokio::spawn(publish(Arc::clone(shared)));
    for n in 0..USERS {
        let name = Username::new(&format!("u{n}")).unwrap();
        let address = "10.0.0.2".parse().unwrap();
        shared.presence.login(name, address, shared.now());
    }
    let mut client = Client::connect(shared, &Identity::ephemeral()).await;
    client.sign_up().await;
    client.sign_in().await;
    client
}

#[tokio::test]
async fn a_session_takes_little_memory_while_nothing_is_asked() {
    /// Of which some 1,200 are what TLS has of a connection, in whatever program.
    const MAX: usize = 2_300;
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

#[tokio::test]
async fn a_subscriber_who_reads_nothing_is_given_up_and_offline_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits {
        session_timeout: SHORT,
        ..Limits::default()
    };
    let shared = shared(&folder, limits);
    let mut client = among_many(&shared).await;
    client.send(ToRegistry::Subscribe).await;
    let lost = (&mut client.served).await.unwrap().unwrap_err();
    assert_eq!(lost.reason(), Some(DropReason::UnreadResponse));
    assert_eq!(shared.presence.session(client.seat()), None);
    assert_eq!(
        (shared.live.count(), shared.presence.feed().subscribers()),
        (0, 0)
    );
}

#[tokio::test]
async fn a_subscriber_who_reads_late_gets_all_of_the_snapshot_and_what_came_then() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(&folder, Limits::default());
    let mut client = among_many(&shared).await;
    assert_eq!(client.ask(ToRegistry::Subscribe).await, FromRegistry::Done);
    // The pipe is full long before; meanwhile a user leaves.
    let gone = Username::new("u0").unwrap();
    tokio::time::sleep(SHORT).await;
    let from = "10.0.0.2".parse().unwrap();
    shared
        .presence
        .logout(gone, None, from, shared.now())
        .unwrap();
    tokio::time::sleep(SHORT).await;
    let mut seen = 0;
    loop {
        match client.next().await {
            FromRegistry::Snapshot { users, begins, .. } => {
                assert_eq!(begins, seen == 0);
                seen += users.len();
            }
            FromRegistry::Delta(users) => {
                let seat = Seat {
                    name: gone,
                    device: None,
                };
                assert_eq!(users, [(seat, None)]);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, USERS + 1);
}

#[tokio::test]
async fn a_sign_in_is_ended_by_what_an_operator_does_and_not_by_an_older_read() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(&folder, Limits::default());
    let mut client = Client::connect(&shared, &Identity::ephemeral()).await;
    client.sign_up().await;
    let before = shared.store.binding(name()).await.unwrap().unwrap();
    client.sign_in().await;
    let named = DisplayName::new("Alice").unwrap();
    let done = client.ask(ToRegistry::SetDisplayName(named)).await;
    assert_eq!(done, FromRegistry::Done);
    let mut older = before.clone();
    older.binding.devices.clear();
    shared.apply_binding(&older);
    assert_eq!(client.ask(ToRegistry::Ping).await, FromRegistry::Pong);
    let mut reset = shared.store.binding(name()).await.unwrap().unwrap();
    assert_eq!(reset.binding.serial, before.binding.serial + 1);
    reset.binding.serial += 1;
    reset.binding.person = None;
    assert!(shared.store.bind(reset).await.unwrap());
    shared.check_access_once().await.unwrap();
    let end = client.next().await;
    assert_eq!(end, FromRegistry::Goodbye(Goodbye::AccessChanged));
    assert_eq!(shared.presence.session(client.seat()), None);
}

#[tokio::test]
async fn one_who_asks_without_a_pause_is_ended_before_the_next_answer() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(&folder, Limits::default());
    let mut client = Client::connect(&shared, &Identity::ephemeral()).await;
    client.sign_up().await;
    client.sign_in().await;
    let mut reset = shared.store.binding(name()).await.unwrap().unwrap();
    reset.binding.serial += 1;
    reset.binding.person = None;
    let mut pings = Vec::new();
    (0..500).for_each(|_| ToRegistry::Ping.encode(&mut pings));
    client.stream.write_all(&pings).await.unwrap();
    client.stream.flush().await.unwrap();
    // The session runs on this thread: it has read none of them yet.
    shared.apply_binding(&reset);
    let end = client.next().await;
    assert_eq!(end, FromRegistry::Goodbye(Goodbye::AccessChanged));
}

#[tokio::test]
async fn sessions_are_told_that_the_server_stops_whenever_they_begin() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(&folder, Limits::default());
    let mut stranger = Client::connect(&shared, &Identity::ephemeral()).await;
    let mut client = Client::connect(&shared, &Identity::ephemeral()).await;
    client.sign_up().await;
    client.sign_in().await;
    let (seat, person) = (client.seat(), client.identity.person());
    let session = shared.presence.session(seat).unwrap();
    shared.stop.cancel();
    shared.live.stop();
    let late = shared.begin_live(seat, session, person, 1).unwrap();
    assert_eq!(late.await, Ok(Goodbye::Stopping));
    let stopping = FromRegistry::Goodbye(Goodbye::Stopping);
    assert_eq!(stranger.next().await, stopping);
    assert_eq!(client.next().await, stopping);
}

#[tokio::test]
async fn of_two_connections_of_a_device_the_one_that_the_presence_has_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(&folder, Limits::default());
    let mut client = Client::connect(&shared, &Identity::ephemeral()).await;
    client.sign_up().await;
    client.sign_in().await;
    let seat = client.seat();
    let person = client.identity.person();
    let (state, now) = (
        shared.presence.state(seat, shared.now()).unwrap(),
        shared.now(),
    );
    let first = shared.presence.sign_in(seat, state, now);
    let second = shared.presence.sign_in(seat, state, now);
    assert!(shared.begin_live(seat, second, person, 1).is_some());
    assert!(
        shared.begin_live(seat, first, person, 1).is_none(),
        "it was overtaken"
    );
    let end = client.next().await;
    assert_eq!(end, FromRegistry::Goodbye(Goodbye::Replaced));
    assert_eq!(shared.presence.session(seat), Some(second));
    assert_eq!(shared.live.count(), 1);
}

#[tokio::test]
async fn an_evicted_session_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits {
        max_connections: NonZeroUsize::MIN,
        ..Limits::default()
    };
    let shared = shared(&folder, limits);
    let mut client = Client::connect(&shared, &Identity::ephemeral()).await;
    client.sign_up().await;
    client.sign_in().await;
    let done = client.ask(ToRegistry::Subscribe).await;
    assert_eq!(done, FromRegistry::Done);
    client.served.abort();
    assert!((&mut client.served).await.unwrap_err().is_cancelled());
    assert_eq!(shared.presence.session(client.seat()), None);
    assert_eq!(
        (shared.live.count(), shared.presence.feed().subscribers()),
        (0, 0)
    );
    assert_eq!(shared.slots.taken(), (0, 1));
}

#[tokio::test]
async fn a_connection_that_ends_while_it_signs_in_takes_its_seat_offline() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(&folder, Limits::default());
    let identity = Identity::ephemeral();
    let (mut here, mut there) = duplex(4096);
    let connector = Connector::new(identity.device(), ALPN);
    let (mut slot, _) = shared.slots.take(origin().source).await.unwrap();
    let opening = Session::open(&mut there, origin(), &mut slot, &shared);
    let (session, client) = tokio::join!(opening, connector.connect(&mut here, Expected::Any));
    let (mut session, _client) = (session.unwrap(), client.unwrap());
    let seat = Seat {
        name: name(),
        device: Some(identity.certificate().device.id()),
    };
    let state = version_1::state("10.0.0.1".parse().unwrap());
    let users = Arc::strong_count(&shared);
    {
        let mut beginning = Box::pin(session.begin(seat, state, identity.person()));
        assert!(futures::poll!(&mut beginning).is_pending());
    }
    drop(session);
    // What has begun is done to its end without the connection.
    assert!(Arc::strong_count(&shared) > users);
    while Arc::strong_count(&shared) > users {
        yield_now().await;
    }
    assert_eq!(shared.presence.session(seat), None);
    assert_eq!(shared.live.count(), 0);
}

#[tokio::test]
async fn who_has_no_address_that_peers_can_use_is_not_online() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(&folder, Limits::default());
    let from = "[2001:db8::1]:1".parse::<SocketAddr>().unwrap().into();
    let mut client = Client::connect_from(from, &shared, &Identity::ephemeral()).await;
    client.sign_up().await;
    let answer = client.try_to_sign_in().await;
    assert_eq!(answer, FromRegistry::Refused(Refusal::NoAddress));
    assert_eq!(shared.presence.session(client.seat()), None);
}
