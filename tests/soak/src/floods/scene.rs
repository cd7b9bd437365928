//! The registry of a flood with its users, and what can be measured of it from outside.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::{Context, Result};
use p2pchat_protocol::{Password, Username};
use p2pchat_testkit::{Programs, Registry, SOON, Session, open_files, peak_memory, wait_for};
use rusqlite::{Connection, params};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;

use super::online_users::OnlineUsers;
use super::verdict::TurnedAway;
use super::{Options, connections};
use crate::Report;

/// How long users stay online without a Hello, in seconds: shorter than the default, as the time between two Hellos is ([`super::online_users`]):
/// so a flood of some seconds is long enough to starve them.
const PRESENCE_TIMEOUT: &str = "12";
/// The client that is measured. No one else is at its address.
const HOME: Ipv4Addr = Ipv4Addr::new(127, 30, 0, 1);
/// Files that a process needs beside its connections.
const SPARE_FILES: u64 = 200;
/// How many open files more than before a flood count as none: connections of the client
/// that is measured which are on their way out.
const FEW_FILES: usize = 8;

/// Where the attacker finds the registry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) tcp: SocketAddr,
    pub(super) udp: SocketAddr,
    pub(super) users: usize,
}

/// A registry and its users.
pub(super) struct Scene {
    pub(super) registry: Registry,
    pub(super) online: OnlineUsers,
    home: TempDir,
}

impl Scene {
    /// Starts a registry, with users online and the one that is measured.
    pub(super) async fn start(programs: &Programs, options: &Options) -> Result<Self> {
        let home = TempDir::new()?;
        let store = home.path().join("accounts.sqlite3");
        let mut more = vec!["--presence-timeout", PRESENCE_TIMEOUT];
        more.extend(options.registry.iter().map(String::as_str));
        let registry = Registry::start(
            programs,
            home.path(),
            store.to_str().context("a path that is text")?,
            &more,
        )
        .await?;
        add_accounts(&store, options.online)?;
        for (from, (name, password)) in [
            (HOME, probe_account()),
            (connections::FLOODER, attacker_account()),
        ] {
            let mut session = Session::connect(from, registry.tcp).await?;
            session.register(name, password).await?;
        }
        let online = OnlineUsers::log_in(options.online, registry.ports()).await?;
        Ok(Self {
            registry,
            online,
            home,
        })
    }

    pub(super) fn target(&self) -> Target {
        Target {
            tcp: self.registry.tcp,
            udp: self.registry.udp,
            users: self.online.count(),
        }
    }

    /// How many files the registry has open.
    pub(super) fn open_files(&self) -> Result<usize> {
        open_files(self.registry.pid()?)
    }

    /// Waits until no more than a few files are open than there were; whether that
    /// happened.
    pub(super) async fn wait_for_files(&self, before: usize) -> bool {
        let waiting = wait_for("end of the flood's connections", SOON, async || {
            let open = self.open_files().ok()?;
            (open <= before + FEW_FILES).then_some(())
        });
        waiting.await.is_ok()
    }

    /// The most memory that was ever resident, in bytes.
    pub(super) fn peak_memory(&self) -> Result<u64> {
        peak_memory(self.registry.pid()?)
    }

    /// How many datagrams the system threw away because the registry was behind.
    pub(super) fn dropped_datagrams(&self) -> Result<u64> {
        let sockets = std::fs::read_to_string(format!("/proc/{}/net/udp", self.registry.pid()?))?;
        let port = format!(":{:04X}", self.registry.udp.port());
        let fields = sockets.lines().find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            fields.get(1)?.ends_with(&port).then_some(fields)
        });
        let drops = fields.and_then(|fields| fields.last().copied().map(str::to_owned));
        Ok(drops.context("the socket is not listed")?.parse()?)
    }

    /// Stops the registry in order, and reads what it has turned away.
    pub(super) async fn stop(self) -> Result<TurnedAway> {
        drop(self.online);
        self.registry.stop().await?;
        let log = std::fs::read_to_string(self.home.path().join("registry.log"))?;
        Ok(TurnedAway::last_in(&log))
    }
}

/// A connection of the client that is measured.
pub(super) async fn connect_home(to: SocketAddr) -> Result<Session> {
    Session::connect(HOME, to).await
}

/// The account of the client that is measured. Its password is hashed like any other.
pub(super) fn probe_account() -> (Username, Password) {
    let name = "ann".parse().expect("a name");
    (name, "secret".parse().expect("a password"))
}

/// The account of the attacker, likewise.
pub(super) fn attacker_account() -> (Username, Password) {
    let name = "mallory".parse().expect("a name");
    (name, "secret".parse().expect("a password"))
}

/// Puts the accounts of the users into the store: thousands of real hashes would take a
/// minute.
fn add_accounts(store: &Path, users: usize) -> Result<()> {
    /// Argon2id of the password "secret", as cheap as it gets.
    const CHEAP: &str = "$argon2id$v=19$m=8,t=1,p=1$cDJwY2hhdC1sYWItc2FsdA$\
                         p+PiSpgzT95DWeoJmJs5RTXYi0O6eKbZ1YzvC7O1Lgo";
    let mut connection = Connection::open(store)?;
    connection.busy_timeout(SOON)?;
    let transaction = connection.transaction()?;
    for n in 0..users {
        transaction.execute(
            "INSERT INTO account (name, password) VALUES (?1, ?2)",
            params![OnlineUsers::name(n).as_str(), CHEAP],
        )?;
    }
    Ok(transaction.commit()?)
}

/// Lets this process have as many files as the system allows, and says how many that is,
/// and whether they are enough here and for the registry.
pub(super) fn raise_files(options: &Options, report: &mut Report) {
    let limit = getrlimit(Resource::Nofile).maximum;
    let raised = Rlimit {
        current: limit,
        maximum: limit,
    };
    let is_raised = setrlimit(Resource::Nofile, raised).is_ok();
    let held = [
        options.idle,
        options.slow,
        options.deaf,
        connections::REFUSED,
    ];
    let most = held.into_iter().max().unwrap_or_default() + options.online;
    let needed = u64::try_from(most).unwrap_or(u64::MAX) + SPARE_FILES;
    let shown = limit.map_or_else(|| "no limit".to_owned(), |limit| limit.to_string());
    report.figure("file descriptors for each process", &shown);
    report.check(
        is_raised && limit.is_none_or(|limit| limit >= needed),
        format!("{needed} file descriptors are needed and {shown} are to be had: raise the hard limit (ulimit -Hn)"),
    );
}
