//! A real MongoDB: the one at `$MONGODB_URI`, or a mongod that is started here.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use mongodb::bson::Document;
use mongodb::{Client, Collection};
use p2pchat_registry::StoreSpec;

use super::{SOON, unique};

/// Runs mongod until the shell's standard input ends, then removes its folder: neither
/// outlives the test program, however that ends.
const SHELL: &str = r#"
    folder=$1; shift
    "$@" --dbpath "$folder" >/dev/null & pid=$!
    read -r _
    kill -9 $pid; wait $pid; rm -rf "$folder"
"#;
/// A port may be taken between looking for it and mongod's binding it.
const TRIES: usize = 5;

/// The URI of the MongoDB of this test run.
fn base_uri() -> String {
    if let Ok(uri) = std::env::var("MONGODB_URI") {
        return uri;
    }
    static STARTED: OnceLock<Mongod> = OnceLock::new();
    format!(
        "mongodb://127.0.0.1:{}",
        STARTED.get_or_init(Mongod::start).port
    )
}

struct Mongod {
    port: u16,
    /// Its standard input ends with this process.
    _shell: Child,
}

impl Mongod {
    fn start() -> Self {
        (0..TRIES)
            .find_map(|_| Self::try_start())
            .expect("mongod does not start")
    }

    fn try_start() -> Option<Self> {
        let program = binary();
        let folder = tempfile::tempdir().unwrap().keep();
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut shell = Command::new("sh")
            .args(["-c", SHELL, "sh"])
            .arg(folder)
            .arg(program)
            .args(["--bind_ip", "127.0.0.1", "--port", &port.to_string()])
            .args(["--wiredTigerCacheSizeGB", "0.25", "--nounixsocket"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The shell does not end with mongod, so one that failed is seen by nothing
        // answering.
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if began.elapsed() > SOON {
                drop(shell.stdin.take());
                shell.wait().unwrap();
                return None;
            }
            thread::sleep(Duration::from_millis(50));
        }
        Some(Self {
            port,
            _shell: shell,
        })
    }
}

/// Where mongod is. It being nowhere is a failure and no reason to skip anything.
fn binary() -> PathBuf {
    if let Some(named) = std::env::var_os("P2PCHAT_MONGOD") {
        return named.into();
    }
    let on_path = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path)
            .map(|folder| folder.join("mongod"))
            .find(|file| file.is_file())
    });
    on_path.expect(
        "these tests need MongoDB: run them by `cargo xtask test`, which fetches it, \
         or set MONGODB_URI, or P2PCHAT_MONGOD to a mongod",
    )
}

/// A database of one test. Dropped on drop.
pub(crate) struct TestDatabase {
    /// Its URI, as `--store` takes it.
    pub(crate) uri: String,
}

impl TestDatabase {
    pub(crate) fn new() -> Self {
        let name = format!("p2pchat_test_{}_{}", std::process::id(), unique());
        Self {
            uri: with_database(&base_uri(), &name),
        }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        let address = self.uri.split('?').next().unwrap();
        address.rsplit('/').next().unwrap()
    }

    pub(crate) fn spec(&self) -> StoreSpec {
        self.uri.parse().unwrap()
    }

    /// Does something with the collection itself, as another program would.
    pub(crate) fn with<T>(&self, work: impl AsyncFnOnce(Collection<Document>) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let client = Client::with_uri_str(&self.uri).await.unwrap();
            let database = client.default_database().unwrap();
            let done = work(database.collection("authentication")).await;
            client.shutdown().await;
            done
        })
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let uri = self.uri.clone();
        // On a thread of its own: the test may be in a runtime already.
        let dropping = std::thread::spawn(move || {
            let database = std::mem::ManuallyDrop::new(Self { uri });
            database.with(async |accounts| {
                let name = accounts.namespace().db;
                accounts.client().database(&name).drop().await.unwrap();
            });
        });
        let dropped = dropping.join();
        assert!(dropped.is_ok() || std::thread::panicking());
    }
}

/// A URI with its database replaced.
pub(crate) fn with_database(uri: &str, name: &str) -> String {
    let (address, options) = uri.split_once('?').unwrap_or((uri, ""));
    let (scheme, rest) = address.split_once("://").unwrap();
    let hosts = rest.split('/').next().unwrap();
    match options {
        "" => format!("{scheme}://{hosts}/{name}"),
        options => format!("{scheme}://{hosts}/{name}?{options}"),
    }
}

/// The first host of a URI, and the URI with that host alone replaced by another.
pub(crate) fn first_host(uri: &str, other: std::net::SocketAddr) -> (String, String) {
    let (address, options) = uri.split_once('?').unwrap_or((uri, ""));
    let (scheme, rest) = address.split_once("://").unwrap();
    let (hosts, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, hosts) = hosts
        .rsplit_once('@')
        .map_or(("", hosts), |(user, hosts)| (user, hosts));
    let at = if user.is_empty() { "" } else { "@" };
    let first = hosts.split(',').next().unwrap();
    let first = if first.contains(':') {
        first.to_owned()
    } else {
        format!("{first}:27017")
    };
    let options = options
        .split('&')
        .filter(|option| !option.starts_with("replicaSet="));
    let options: Vec<&str> = options
        .filter(|option| !option.is_empty())
        .chain(["directConnection=true"])
        .collect();
    (
        first,
        format!(
            "{scheme}://{user}{at}{other}/{database}?{}",
            options.join("&")
        ),
    )
}
