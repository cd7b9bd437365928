//! A connection over a pipe of 8 bytes, so that every request and response is cut.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant as Clock;

use futures::future::join_all;
use p2pchat_protocol::{Password, Request, Response, Username};
use p2pchat_secure::SecretKey;
use tokio::io::{DuplexStream, duplex};
use tokio::task::JoinHandle;

use super::*;
use crate::options::{Options, StoreSpec};
use crate::presence::OnlineList;
use crate::store::{Opener, SqliteStore};

impl Stream for DuplexStream {
    /// Version 1.
    fn poll_peek(&self, _: &mut std::task::Context<'_>) -> Poll<io::Result<Option<u8>>> {
        Poll::Ready(Ok(Some(0)))
    }

    fn set_send_buffer(&self, _: u32) {}
}

const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(30);

struct Running {
    client: DuplexStream,
    served: JoinHandle<Result<(), ConnectionError>>,
    _folder: tempfile::TempDir,
}

/// What connections share, on a store in this folder.
fn shared(folder: &tempfile::TempDir, limits: &Limits) -> Arc<Shared> {
    let path = folder.path().join("accounts");
    let store = SqliteStore::open(&path, Opener::Registry).unwrap();
    let options = Options {
        limits: limits.clone(),
        ..Options::on_loopback(StoreSpec::Sqlite(path))
    };
    let key = SecretKey::generate();
    Shared::new(Arc::new(store), None, Clock::now(), &key, &options).unwrap()
}

fn start(limits: &Limits) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(&folder, limits);
    let (client, server) = duplex(8);
    let served = tokio::spawn(async move {
        let address: SocketAddr = "10.0.0.1:1".parse().unwrap();
        let (slot, _) = shared.slots.take(address.into()).await.unwrap();
        Connection::new(server, address.into(), slot, shared)
            .run()
            .await
    });
    Running {
        client,
        served,
        _folder: folder,
    }
}

fn patient() -> Limits {
    Limits {
        first_request_timeout: LONG,
        request_timeout: LONG,
        response_timeout: LONG,
        ..Limits::default()
    }
}

fn name() -> Username {
    Username::new("alice").unwrap()
}

fn search() -> [u8; Request::LEN] {
    Request::Search {
        username: name(),
        target: name(),
    }
    .encode()
}

async fn head(client: &mut DuplexStream) -> [u8; Response::HEAD_LEN] {
    let mut head = [0; Response::HEAD_LEN];
    client.read_exact(&mut head).await.unwrap();
    head
}

#[tokio::test]
async fn requests_and_responses_may_be_cut_anywhere() {
    let mut running = start(&patient());
    let password = Password::new("secret").unwrap();
    let requests = [
        (
            Request::Register {
                username: name(),
                password: password.clone(),
            },
            Response::Registered,
        ),
        (
            Request::Login {
                username: name(),
                password,
            },
            Response::LoggedIn,
        ),
        (
            Request::Search {
                username: name(),
                target: name(),
            },
            Response::Found("10.0.0.1".parse().unwrap()),
        ),
        (Request::Logout { username: name() }, Response::LoggedOut),
        (
            Request::AllOnline { username: name() },
            Response::NobodyOnline,
        ),
    ];
    for (request, response) in requests {
        running.client.write_all(&request.encode()).await.unwrap();
        assert_eq!(head(&mut running.client).await, response.encode_head());
    }
    drop(running.client);
    running.served.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed() {
    let running = start(&Limits {
        first_request_timeout: SHORT,
        ..patient()
    });
    let lost = running.served.await.unwrap().unwrap_err();
    assert_eq!(lost.reason(), Some(DropReason::NoRequest));
}

#[tokio::test]
async fn a_request_that_does_not_end_costs_the_connection_and_bytes_do_not_prolong_it() {
    let mut running = start(&Limits {
        request_timeout: SHORT,
        ..patient()
    });
    let began = Clock::now();
    let dripping = async {
        let mut bytes = search().into_iter().take(Request::LEN - 1);
        while let Some(byte) = bytes.next()
            && running.client.write_all(&[byte]).await.is_ok()
        {
            tokio::time::sleep(SHORT / 4).await;
        }
        std::future::pending::<()>().await;
    };
    let lost = tokio::select! {
        served = &mut running.served => served.unwrap().unwrap_err(),
        () = dripping => unreachable!("it never ends"),
    };
    assert_eq!(lost.reason(), Some(DropReason::PartialRequest));
    assert!(began.elapsed() < SHORT * 10, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_session_may_be_silent_between_requests() {
    let mut running = start(&Limits {
        first_request_timeout: SHORT,
        request_timeout: SHORT,
        ..patient()
    });
    running.client.write_all(&search()).await.unwrap();
    head(&mut running.client).await;
    tokio::time::sleep(SHORT * 3).await;
    running.client.write_all(&search()).await.unwrap();
    assert_eq!(
        head(&mut running.client).await,
        Response::NotFound.encode_head()
    );
}

/// Logs users in, now here and now there, until it is dropped.
struct Newcomers {
    are_enough: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Newcomers {
    fn come(shared: &Arc<Shared>) -> Self {
        let are_enough = Arc::<AtomicBool>::default();
        let (shared, is_over) = (Arc::clone(shared), Arc::clone(&are_enough));
        let thread = thread::spawn(move || {
            let numbers = (0..).take_while(|_| !is_over.load(Ordering::Relaxed));
            numbers.for_each(|n: usize| {
                let there = if n % 200 < 100 {
                    "10.0.0.2"
                } else {
                    "10.0.0.3"
                };
                log_in(&shared, &format!("n{}", n % 100), there);
            });
        });
        Self {
            are_enough,
            thread: Some(thread),
        }
    }
}

impl Drop for Newcomers {
    fn drop(&mut self) {
        self.are_enough.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn log_in(shared: &Shared, user: &str, from: &str) {
    let name = Username::new(user).unwrap();
    (shared.presence).login(name, from.parse().unwrap(), shared.now());
}

/// A connection that nothing is read from.
async fn connection(shared: Arc<Shared>) -> Connection<DuplexStream> {
    let address: SocketAddr = "10.0.0.1:1".parse().unwrap();
    let (slot, _) = shared.slots.take(address.into()).await.unwrap();
    Connection::new(duplex(8).0, address.into(), slot, shared)
}

async fn ask_for_the_list(shared: Arc<Shared>) -> Arc<OnlineList> {
    let mut connection = connection(shared).await;
    let request = Request::AllOnline { username: name() };
    match connection.answer(request).await {
        Reply::List(list) => list,
        Reply::Head(head) => panic!("{head:?}"),
    }
}

#[tokio::test]
async fn however_many_ask_while_users_come_and_go_a_long_list_is_rebuilt_rarely() {
    const USERS: usize = 20_000;
    const ASKERS: usize = 12;
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(&folder, &Limits::default());
    (0..USERS).for_each(|n| log_in(&shared, &format!("u{n}"), "10.0.0.1"));
    let newcomers = Newcomers::come(&shared);
    let began = Clock::now();
    let asking = (0..ASKERS).map(|_| tokio::spawn(ask_for_the_list(Arc::clone(&shared))));
    let asking: Vec<_> = asking.collect();
    tokio::task::yield_now().await;
    // By now all have asked. Each list may be as old as it has users, in microseconds.
    let most = 2 + began.elapsed().as_millis() / (USERS as u128 / 1000);
    let lists: Vec<_> = join_all(asking).await;
    drop(newcomers);
    let lists = lists.into_iter().map(Result::unwrap);
    let different: HashSet<_> = lists.map(|list| Arc::as_ptr(&list)).collect();
    let made = different.len();
    assert!(made as u128 <= most, "{made} lists for {ASKERS}");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_given_up() {
    let mut running = start(&Limits {
        response_timeout: SHORT,
        ..patient()
    });
    running.client.write_all(&search()).await.unwrap();
    let lost = running.served.await.unwrap().unwrap_err();
    assert_eq!(lost.reason(), Some(DropReason::UnreadResponse));
}

#[tokio::test]
async fn a_connection_takes_little_memory_while_nothing_is_asked() {
    /// Two parts: the connection, of which 232 are its fields, and what version 1 needs, the
    /// largest part of which is for a long response. Without the boxes of Register and Login it
    /// would be 1,500.
    const MAX: usize = 848;
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(&folder, &Limits::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let address = stream.local_addr().unwrap();
    let (slot, evicted) = shared.slots.take(address.into()).await.unwrap();
    let mut connection = Connection::new(stream, address.into(), slot, shared);
    let version_1 = size_of_val(&connection.run_version_1());
    let serving = connection.serve(evicted);
    let size = size_of_val(&serving) + version_1;
    assert!(size <= MAX, "{size} bytes");
}

#[tokio::test]
async fn a_connection_remembers_so_many_names_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = connection(shared(&folder, &Limits::default())).await;
    let names: Vec<Username> = (0..=MAX_SESSIONS)
        .map(|n| Username::new(&format!("n{n}")).unwrap())
        .collect();
    let peer = connection.origin.peer.unwrap();
    for &name in &names {
        let session = connection.shared.presence.login(name, peer, Duration::ZERO);
        connection.begin_session(name, session);
    }
    assert_eq!(connection.sessions.len(), MAX_SESSIONS);
    assert_eq!(connection.session_of(names[0]), None);
    assert!(connection.session_of(names[MAX_SESSIONS]).is_some());
}
