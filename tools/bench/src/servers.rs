//! The servers that are measured: started on their core, with what they need.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result};
use p2pchat_protocol::{Password, PeerAddr, Request, Username};
use p2pchat_registry::StoreSpec;
use p2pchat_registry::store::{self, NewAccount, Opener, StoredPassword};
use p2pchat_testkit::{Programs, Registry, SOON, own_address};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::pin::{self, Side};

/// What a registry is told so that nobody leaves its online list.
pub const STAY: [&str; 2] = ["--presence-timeout", "86400"];
/// What every registry that is measured is told: one address may make any number of
/// accounts, and there is room for all connections.
const LIFTED: [&str; 4] = [
    "--registrations",
    "1000000000",
    "--max-connections",
    "1000000",
];
/// The password of every account that is made here.
pub const PASSWORD: &str = "bench";
/// Accounts are given to the store in groups of as many: a file takes a group in one
/// commit, a MongoDB each account by itself.
const GROUPS: [usize; 2] = [512, 32];

/// A bare program, or Redis. Killed on drop.
#[derive(Debug)]
pub struct Bare {
    _child: Child,
    /// Its process id.
    pub pid: u32,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Bare {
    /// Starts this program as a bare one: `arguments` come behind `bare`.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(arguments: &[&str]) -> Result<Self> {
        Self::start_on(Side::Server, arguments).await
    }

    /// The same on the cores of a side.
    ///
    /// # Errors
    /// The same.
    pub async fn start_on(side: Side, arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("bare").args(arguments);
        command.kill_on_drop(true).stdout(Stdio::piped());
        let mut child = on_cores_of(side, || Ok(command.spawn()?))?;
        let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        let line = timeout(SOON, lines.next_line())
            .await
            .context("no line")??;
        Ok(Self {
            address: line.context("it ended at once")?.parse()?,
            pid: child.id().context("it ended at once")?,
            _child: child,
        })
    }
}

/// A bridge. Killed on drop.
#[derive(Debug)]
pub struct Bridge {
    child: Child,
    /// What it prints for its user to open.
    pub url: String,
}

impl Bridge {
    /// Starts one on the servers' core; nobody is logged in yet. `home` is made for its user.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(
        programs: &Programs,
        home: &Path,
        [tcp, udp]: [SocketAddr; 2],
    ) -> Result<Self> {
        std::fs::create_dir_all(home)?;
        let mut command = programs.command("p2pchat-bridge", home)?;
        command
            .args(["--registry", &tcp.to_string()])
            .args(["--hello-port", &udp.port().to_string()])
            .args(["--listen", "127.0.0.1:0"])
            .args(["--address", &own_address().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = on_its_core(|| Ok(command.spawn()?))?;
        let stdout = child.stdout.take().context("no output to read")?;
        let mut lines = BufReader::new(stdout).lines();
        loop {
            let line = timeout(SOON, lines.next_line()).await;
            let line = line.context("the bridge says nothing")??;
            let line = line.context("the bridge ended at once")?;
            if let Some(at) = line.find("http://") {
                let url = line[at..].trim().to_owned();
                return Ok(Self { child, url });
            }
        }
    }

    /// Ends it with SIGKILL, and waits until it is gone.
    ///
    /// # Errors
    /// If the system refuses.
    pub async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }
}

/// Starts something on the servers' core.
///
/// # Errors
/// If it cannot be started there.
pub fn on_its_core<T>(start: impl FnOnce() -> Result<T>) -> Result<T> {
    on_cores_of(Side::Server, start)
}

/// Starts something on the cores of a side.
///
/// # Errors
/// The same.
pub fn on_cores_of<T>(side: Side, start: impl FnOnce() -> Result<T>) -> Result<T> {
    pin::to(side)?;
    let started = start();
    pin::to(Side::Load)?;
    started
}

/// Starts the built registry on the servers' core, with limits that no measurement meets.
///
/// # Errors
/// If it is not built or does not start.
pub async fn registry(programs: &Programs, home: &Path, store: &str) -> Result<Registry> {
    registry_and(programs, home, store, &STAY).await
}

/// The same with further arguments, and without [`STAY`].
///
/// # Errors
/// The same.
pub async fn registry_and(
    programs: &Programs,
    home: &Path,
    store: &str,
    more: &[&str],
) -> Result<Registry> {
    registry_on(Side::Server, programs, home, store, more).await
}

/// The same on the cores of a side.
///
/// # Errors
/// The same.
pub async fn registry_on(
    side: Side,
    programs: &Programs,
    home: &Path,
    store: &str,
    more: &[&str],
) -> Result<Registry> {
    let options = [&LIFTED, more].concat();
    pin::to(side)?;
    // It is started before the first await, on this thread.
    let registry = Registry::start(programs, home, store, &options).await;
    pin::to(Side::Load)?;
    registry
}

/// The name of the account of this number.
///
/// # Panics
/// Never: nine digits fit into a name.
#[must_use]
pub fn name(number: usize) -> Username {
    Username::new(&format!("u{number:08}")).expect("nine bytes are a name")
}

/// Makes so many accounts in a store, all of one password, whose hash costs next to
/// nothing: it is not hashing that is measured with them.
///
/// # Errors
/// If the store cannot be written.
pub async fn fill(store: &str, accounts: usize) -> Result<()> {
    let spec = store.parse()?;
    let [of_file, of_mongodb] = GROUPS;
    let group = match spec {
        StoreSpec::Sqlite(_) => of_file,
        StoreSpec::Mongo(_) => of_mongodb,
    };
    let store = store::open(&spec, Opener::Operator).await?;
    let password = cheap_hash()?;
    for group in (0..accounts).collect::<Vec<_>>().chunks(group) {
        let registering = group.iter().map(|&number| {
            store.register(NewAccount {
                name: name(number),
                password: password.clone(),
                address: None,
            })
        });
        futures::future::try_join_all(registering).await?;
    }
    store.close().await;
    Ok(())
}

/// A hash of [`PASSWORD`] with the least memory and passes that Argon2id has.
fn cheap_hash() -> Result<StoredPassword> {
    use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
    let params = Params::new(Params::MIN_M_COST, 1, 1, None).map_err(anyhow::Error::msg)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2
        .hash_password(PASSWORD.as_bytes())
        .map_err(|error| anyhow::anyhow!("cannot hash: {error}"))?;
    Ok(StoredPassword::new(hash.to_string()))
}

/// Logs the accounts of these numbers in, one after the other, on one connection.
///
/// # Errors
/// If one is refused.
pub async fn log_in(stream: &mut TcpStream, numbers: std::ops::Range<usize>) -> Result<()> {
    for number in numbers {
        expect(stream, &login(number)?, 21).await?;
    }
    Ok(())
}

/// Registers the account of this number on a connection, for a registry whose store this
/// program must not open: it would make one of a later version of it.
///
/// # Errors
/// If it is refused.
pub async fn register(stream: &mut TcpStream, number: usize) -> Result<()> {
    let register = Request::Register {
        username: name(number),
        password: Password::new(PASSWORD)?,
    };
    expect(stream, &register, 20).await
}

/// The login of the account of this number.
///
/// # Errors
/// Never: the password is one.
pub fn login(number: usize) -> Result<Request> {
    Ok(Request::Login {
        username: name(number),
        password: Password::new(PASSWORD)?,
    })
}

/// Sends a request and reads the head of its response, which has to have this status.
///
/// # Errors
/// If it has another, or the connection is lost.
pub async fn expect(stream: &mut TcpStream, request: &Request, status: u8) -> Result<()> {
    let mut head = [0; 18];
    stream.write_all(&request.encode()).await?;
    timeout(SOON, stream.read_exact(&mut head))
        .await
        .context("no answer")??;
    anyhow::ensure!(
        head[1] == status,
        "{:?} was answered {}",
        request.kind(),
        head[1]
    );
    Ok(())
}

/// An address as the protocol has it.
///
/// # Errors
/// If it is none of one machine.
pub fn peer(address: std::net::Ipv4Addr) -> Result<PeerAddr> {
    Ok(PeerAddr::new(address)?)
}
