//! Bytes on a connection to the bridge, without a socket: pipes in memory.
//!
//! The peer behind it is a real one that listens on a loopback address of this process's
//! own. Its registry is not there, so nobody is ever logged in and nothing is ever sent.

use std::borrow::Cow;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::OnceLock;
use std::time::Duration;

use p2pchat_bridge::{Assets, Limits, Secret, Service, Setup};
use p2pchat_model::PeerAddr;
use p2pchat_profile::Profile;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::runtime::{self, Runtime};
use tokio::task::yield_now;
use tokio::time::timeout;

pub(crate) mod http;
pub(crate) mod socket;

/// Where the bridge believes that it can be reached.
const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7878);
/// What lets a page in.
const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// What only the page holds.
const PAGE_MARK: &str = "the page itself";
/// Bytes in a pipe: less than the page, so that writing waits for reading now and then.
const PIPE: usize = 4096;
/// No connection whose other side has ended takes this long.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is there once for all inputs of a process.
struct Bridge {
    runtime: Runtime,
    service: Service,
}

impl Bridge {
    fn the_one() -> &'static Self {
        static THE_ONE: OnceLock<Bridge> = OnceLock::new();
        THE_ONE.get_or_init(Self::start)
    }

    fn start() -> Self {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let profile = runtime.block_on(Profile::open(p2pchat_profile::Options {
            folder: None,
            peer: p2pchat_peer::Options {
                registry: "127.0.0.1:9".to_owned(),
                hello_port: 9,
                address: Some(own_address()),
                unprivileged: true,
                ..p2pchat_peer::Options::default()
            },
            program: "p2pchat-bridge",
            takes_over: false,
            login: None,
        }));
        let profile = profile.unwrap();
        let setup = Setup {
            secret: secret(),
            assets: Assets::from_files(assets()),
            origins: vec!["http://127.0.0.1:8080".to_owned()],
            limits: Limits::default(),
        };
        Self {
            runtime,
            service: Service::new(ADDRESS, profile, setup),
        }
    }
}

fn own_address() -> PeerAddr {
    let pid = std::process::id();
    let [_, high, low, last] = (pid % 0x3f_ff00 + 1).to_be_bytes();
    PeerAddr::new(Ipv4Addr::new(127, 64 + high, low, last.max(1))).unwrap()
}

fn secret() -> Secret {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(&path);
    std::io::Write::write_all(&mut file.unwrap(), SECRET.as_bytes()).unwrap();
    Secret::load_or_make(&path).unwrap()
}

fn assets() -> Vec<(String, Cow<'static, [u8]>)> {
    let page = format!("<html><script>start()</script><style>p{{}}</style>{PAGE_MARK}</html>");
    let program = format!("// {PAGE_MARK}\n{}", "go(); ".repeat(2 * PIPE / 6));
    let own = |text: String| Cow::Owned(text.into_bytes());
    vec![
        ("index.html".to_owned(), own(page.clone())),
        ("index.html.br".to_owned(), own(page.clone())),
        ("index.html.gz".to_owned(), own(page)),
        ("app-0123456789abcdef.js".to_owned(), own(program)),
        ("icon.svg".to_owned(), own(PAGE_MARK.to_owned())),
    ]
}

/// Sends these pieces on one connection, ends it, and gives all that was answered.
fn exchange<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let bridge = Bridge::the_one();
    let (ours, theirs) = duplex(PIPE);
    let (mut reader, mut writer) = tokio::io::split(ours);
    let send = async {
        for piece in pieces {
            // The bridge may close before it has read all.
            if writer.write_all(piece).await.is_err() {
                break;
            }
            yield_now().await;
        }
        let _ = writer.shutdown().await;
    };
    let receive = async {
        let mut answer = Vec::new();
        let _ = reader.read_to_end(&mut answer).await;
        answer
    };
    let all = async { tokio::join!(bridge.service.serve(theirs), send, receive).2 };
    bridge
        .runtime
        .block_on(async { timeout(PATIENCE, all).await })
        .expect("a connection that does not end when its other side has")
}
