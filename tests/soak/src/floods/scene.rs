//! The registry of a flood with its users, and what can be measured of it from outside.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result};
use p2pchat_protocol::{Password, Username};
use p2pchat_testkit::{
    Device, Programs, Registry, SOON, SecureSession, Session, open_files, own_address, peak_memory,
    wait_for,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;

use super::online_users::OnlineUsers;
use super::verdict::TurnedAway;
use super::{Options, connections};
use crate::watchers::{Watchers, sign_in};
use crate::{Report, accounts};

/// How long users stay online without a Hello, in seconds: shorter than the default, as the time between two Hellos is ([`super::online_users`]):
/// so a flood of some seconds is long enough to starve them.
const PRESENCE_TIMEOUT: &str = "12";
/// The client that is measured. No one else is at its address.
const HOME: Ipv4Addr = Ipv4Addr::new(127, 30, 0, 1);
/// How many users have a session of version 2.
const WATCHERS: usize = 20;
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
    /// Users with a session of version 2, who are told who is online.
    pub(super) watchers: Watchers,
    /// The device of the client that is measured.
    device: Device,
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
        let keyed = (0..WATCHERS).map(watcher_name).chain([home_name()]);
        accounts::add(
            &store,
            (0..options.online).map(OnlineUsers::name).chain(keyed),
        )?;
        for (from, (name, password)) in [
            (HOME, probe_account()),
            (connections::FLOODER, attacker_account()),
        ] {
            let mut session = Session::connect(from, registry.tcp).await?;
            session.register(name, password).await?;
        }
        let online = OnlineUsers::log_in(options.online, registry.ports()).await?;
        let mut watchers = Watchers::default();
        let password = || accounts::PASSWORD.parse().map(Some);
        for number in 0..WATCHERS {
            let (device, name) = (Device::of_new_person(), watcher_name(number));
            let session = sign_in(&device, name, password()?, own_address(), registry.tcp);
            watchers.add(session.await?).await?;
        }
        let device = Device::of_new_person();
        sign_in(&device, home_name(), password()?, HOME, registry.tcp).await?;
        Ok(Self {
            watchers,
            device,
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

    /// A session of the client that is measured, by its key.
    pub(super) async fn sign_in_home(&self) -> Result<SecureSession> {
        sign_in(&self.device, home_name(), None, HOME, self.registry.tcp).await
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

fn watcher_name(number: usize) -> Username {
    format!("w{number}").parse().expect("a name")
}

/// The account that the client which is measured signs in to by its key.
fn home_name() -> Username {
    "bea".parse().expect("a name")
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
