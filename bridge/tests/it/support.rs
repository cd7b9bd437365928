//! Helpers of the tests: a bridge, a page, and a client that sends any bytes.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use p2pchat_bridge::{Assets, Limits, ProfileEnded, Secret, Server, Setup};
use p2pchat_model::PeerAddr;
use p2pchat_profile::Profile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

mod page;

pub(crate) use page::{Page, Visit, closed};

/// Longer than anything takes that a test waits for, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// An origin that the bridges here let in.
pub(crate) const DEV_ORIGIN: &str = "http://127.0.0.1:8080";

/// Waits for something that has to happen.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("{what} did not come"))
}

/// An address that no other test uses, in this process or in one that runs beside it.
pub(crate) fn own_address() -> PeerAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let pid = std::process::id();
    let own = NEXT.fetch_add(1, Ordering::Relaxed);
    PeerAddr::new(Ipv4Addr::new(
        127,
        200 + (pid % 50) as u8,
        (pid / 50 % 250) as u8,
        own,
    ))
    .unwrap()
}

/// A bridge and its profile.
pub(crate) struct Bridge {
    pub(crate) address: SocketAddr,
    pub(crate) secret: Secret,
    pub(crate) url: String,
    peer: PeerAddr,
    profile: Profile,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), ProfileEnded>>,
}

/// The options of a bridge under test.
pub(crate) struct TestOptions {
    pub(crate) limits: Limits,
    pub(crate) assets: Assets,
    pub(crate) registry: String,
    pub(crate) hello_port: u16,
    pub(crate) history: Option<PathBuf>,
    /// The system's buffer for a page that does not read; its default is megabytes.
    pub(crate) send_buffer: Option<u32>,
}

impl Default for TestOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            assets: Assets::from_files([]),
            // No registry listens there: most tests need none.
            registry: "127.0.0.1:9".to_owned(),
            hello_port: 9,
            history: None,
            send_buffer: None,
        }
    }
}

impl Bridge {
    pub(crate) async fn start() -> Self {
        Self::start_with(TestOptions::default()).await
    }

    pub(crate) async fn limited(change: impl FnOnce(&mut Limits)) -> Self {
        let mut options = TestOptions::default();
        change(&mut options.limits);
        Self::start_with(options).await
    }

    pub(crate) async fn start_with(options: TestOptions) -> Self {
        let peer = own_address();
        let profile = open_profile(p2pchat_peer::Options {
            registry: options.registry,
            hello_port: options.hello_port,
            address: Some(peer),
            unprivileged: true,
            // One that keeps its messages keeps its keys too.
            folder: options
                .history
                .as_ref()
                .map(|history| history.with_extension("profile")),
            history: options.history,
            ..p2pchat_peer::Options::default()
        });
        let profile = profile.await;
        let listener = listen(options.send_buffer);
        let address = listener.local_addr().unwrap();
        let secret = Secret::random().unwrap();
        let setup = Setup {
            secret: secret.clone(),
            assets: options.assets,
            origins: vec![DEV_ORIGIN.to_owned()],
            limits: options.limits,
        };
        let server = Server::new(listener, profile.clone(), setup).unwrap();
        let url = server.url();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run(async { stopped.await.unwrap_or(()) }));
        Self {
            address,
            secret,
            url,
            peer,
            profile,
            stop,
            running,
        }
    }

    /// The peer's own address.
    pub(crate) fn peer(&self) -> PeerAddr {
        self.peer
    }

    /// A connection attempt as the bridge's own page makes it.
    pub(crate) fn visit(&self) -> Visit {
        Visit::new(self.address)
    }

    /// A page that has shown the secret.
    pub(crate) async fn page(&self) -> Page {
        let mut page = self.visit().connect().await.unwrap();
        page.greet(self.secret.expose()).await;
        page.begin().await;
        page
    }

    /// A plain TCP connection.
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends these bytes over a new connection and reads the whole answer.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The bridge may close before it has read all.
        let _ = stream.write_all(bytes).await;
        read_all(&mut stream).await
    }

    /// `GET`s a path with these headers besides `Host`.
    pub(crate) async fn get(&self, path: &str, headers: &str) -> Answer {
        self.ask("GET", path, headers).await
    }

    /// Requests a path with any method.
    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &str) -> Answer {
        let host = self.address;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n"
        );
        Answer(self.raw(request.as_bytes()).await)
    }

    /// Stops the bridge in order.
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        let ended = within("the end of the server", self.running).await;
        ended.unwrap().unwrap();
        self.profile.close().await.unwrap();
    }

    /// Ends the profile, and returns what the server says of that.
    pub(crate) async fn lose_profile(self) -> Result<(), ProfileEnded> {
        self.profile.close().await.unwrap();
        within("the end of the server", self.running).await.unwrap()
    }
}

/// A profile that no other program shares.
pub(crate) async fn open_profile(peer: p2pchat_peer::Options) -> Profile {
    let opened = Profile::open(p2pchat_profile::Options {
        folder: None,
        peer,
        program: "p2pchat-bridge",
        takes_over: true,
        login: None,
    });
    opened.await.unwrap()
}

/// A listener; its connections inherit its send buffer.
fn listen(send_buffer: Option<u32>) -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    if let Some(bytes) = send_buffer {
        socket.set_send_buffer_size(bytes).unwrap();
    }
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    socket.listen(1024).unwrap()
}

/// All bytes until the other side closes.
pub(crate) async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset ends it as well.
    let _ = within("the end of an answer", stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// The answer to an HTTP request.
pub(crate) struct Answer(pub(crate) String);

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.0.split(' ').nth(1).unwrap_or("0").parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (head, _) = self.0.split_once("\r\n\r\n")?;
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    pub(crate) fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}
