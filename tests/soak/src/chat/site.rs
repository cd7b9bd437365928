//! What all users share: the registry, the lines to it, and the means to cut connections
//! between peers.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use p2pchat_protocol::{CONTACT_PORT, MESSAGE_PORT, MESSAGE_PORT_UNPRIVILEGED};
use p2pchat_testkit::{Programs, Registry, SOON};
use tokio::process::Command;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::proxy::Proxy;

/// The registry and what is around it.
#[derive(Debug)]
pub(super) struct Site {
    programs: Programs,
    home: PathBuf,
    store: String,
    registry: Option<Registry>,
    /// The registry that is on its way back.
    returning: Option<JoinHandle<Result<Registry>>>,
    pub(super) proxy: Proxy,
    /// Each says how many connections it cut.
    cuts: JoinSet<usize>,
    /// Where all peers are.
    peers: Vec<Ipv4Addr>,
    /// Where users find the registry: by TCP through the proxy, by UDP itself.
    pub(super) registry_addresses: [SocketAddr; 2],
}

impl Site {
    pub(super) async fn start(
        programs: &Programs,
        home: &Path,
        peers: &[Ipv4Addr],
    ) -> Result<Self> {
        let store = home.join("accounts.sqlite3");
        let store = store.to_str().context("a path that is text")?.to_owned();
        let registry = Registry::start(programs, home, &store, &[]).await?;
        let proxy = Proxy::start(registry.tcp).await?;
        Ok(Self {
            programs: programs.clone(),
            home: home.to_owned(),
            store,
            registry_addresses: [proxy.address, registry.udp],
            registry: Some(registry),
            returning: None,
            proxy,
            cuts: JoinSet::new(),
            peers: peers.to_owned(),
        })
    }

    /// The registry's process, while it runs.
    pub(super) fn registry(&self) -> Option<u32> {
        self.registry
            .as_ref()
            .and_then(|registry| registry.pid().ok())
    }

    /// Kills the registry, and starts it again after a while. `false` if it is away now.
    pub(super) fn kill_registry(&mut self, pause: Duration) -> bool {
        let Some(registry) = self.registry.take() else {
            return false;
        };
        let (programs, home, store) =
            (self.programs.clone(), self.home.clone(), self.store.clone());
        self.returning = Some(tokio::spawn(async move {
            let ports = registry.ports();
            registry.kill().await?;
            sleep(pause).await;
            Registry::start_at(ports, &programs, &home, &store, &[]).await
        }));
        true
    }

    /// Takes note of a registry that is back.
    pub(super) async fn look(&mut self) -> Result<()> {
        if let Some(returning) = self.returning.take_if(|returning| returning.is_finished()) {
            self.registry = Some(returning.await??);
        }
        Ok(())
    }

    /// Cuts the connections between peers that there are after a while: those to or from
    /// one of them, or all.
    pub(super) fn cut_connections(&mut self, of: Option<Ipv4Addr>, after: Duration) {
        let whose = of.map_or_else(|| self.peers.clone(), |address| vec![address]);
        self.cuts.spawn(async move {
            sleep(after).await;
            cut(&whose).await.unwrap_or_default()
        });
    }

    /// How many connections have been cut since this was last asked.
    pub(super) fn cuts(&mut self) -> usize {
        let mut count = 0;
        while let Some(cut) = self.cuts.try_join_next() {
            count += cut.unwrap_or_default();
        }
        count
    }
}

/// Has the system reset connections by `ss -K`, and returns how many: none where there is
/// no such program, or it needs a privilege that we lack.
async fn cut(whose: &[Ipv4Addr]) -> Option<usize> {
    let ends = whose.iter().map(|one| format!("src {one} or dst {one}"));
    let ends = ends.collect::<Vec<_>>().join(" or ");
    let ports = [CONTACT_PORT, MESSAGE_PORT, MESSAGE_PORT_UNPRIVILEGED];
    let ports = ports.map(|port| format!("dport = :{port}")).join(" or ");
    let mut command = Command::new("ss");
    command
        .args(["--kill", "--tcp", "--numeric", "--no-header"])
        .args(["state", "connected", "exclude", "time-wait"])
        .arg(format!("( {ports} ) and ( {ends} )"))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let output = timeout(SOON, command.output()).await.ok()?.ok()?;
    Some(String::from_utf8_lossy(&output.stdout).lines().count())
}
