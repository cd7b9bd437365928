//! What every scene begins with: a registry, people, and a chat of all of them.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use p2pchat_protocol::{REGISTRY_TCP_PORT, REGISTRY_UDP_PORT};
use p2pchat_testkit::{Peer, Programs, Registry, SOON};
use tempfile::TempDir;
use tokio::runtime::Handle;

use super::lan::Host;
use super::reader::Reader;
use crate::Report;
use crate::person::Person;

/// What a scene works with.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    /// What it finds out.
    pub(super) report: Report,
    /// How many texts each of them says where many are said.
    pub(super) texts: usize,
    programs: &'a Programs,
    homes: TempDir,
    show: bool,
}

impl<'a> Stage<'a> {
    /// A stage without hosts. `show` prints what all users see.
    pub(super) fn new(
        programs: &'a Programs,
        title: &str,
        texts: usize,
        show: bool,
    ) -> Result<Self> {
        Ok(Self {
            report: Report::new(title),
            texts,
            programs,
            homes: tempfile::tempdir()?,
            show,
        })
    }

    /// A registry on a host, at the ports that it has everywhere. One that is started
    /// again has the accounts of the last.
    pub(super) fn registry(&self, host: &Host, more: &[&str]) -> Result<Registry> {
        let home = self.home("registry")?;
        let store = home.join("accounts.sqlite3");
        let store = store.to_string_lossy();
        let ports = [REGISTRY_TCP_PORT, REGISTRY_UDP_PORT];
        let ports = ports.map(|port| SocketAddr::new(host.address.into(), port));
        host.inside(|| {
            let start = Registry::start_at(ports, self.programs, &home, &store, more);
            Handle::current().block_on(start)
        })?
    }

    /// A user of `p2pchat --json`, not logged in.
    pub(super) fn person(
        &self,
        name: &'static str,
        host: &Host,
        registry: &Registry,
    ) -> Result<Person> {
        self.start(name, host, |home| {
            Peer::start(self.programs, home, registry, host.address, &[])
        })
    }

    /// A user of `p2pchat --json` on a laptop: the program finds its address by itself.
    pub(super) fn roamer(
        &self,
        name: &'static str,
        host: &Host,
        registry: &Registry,
    ) -> Result<Person> {
        self.start(name, host, |home| {
            Peer::start_roaming(self.programs, home, registry, host.address, &[])
        })
    }

    fn start(
        &self,
        name: &'static str,
        host: &Host,
        start: impl FnOnce(&Path) -> Result<Peer> + Send,
    ) -> Result<Person> {
        let home = self.home(name)?;
        Person::new(name, host.inside(|| start(&home))??, self.show)
    }

    /// A user of `p2pchat-bridge` and a page, not logged in.
    pub(super) fn page(
        &self,
        name: &'static str,
        host: &Host,
        registry: &Registry,
    ) -> Result<Person> {
        let home = self.home(name)?;
        let start = async {
            let mut peer = Peer::start_bridge(self.programs, &home, registry, host.address).await?;
            peer.open_page().await?;
            anyhow::Ok(peer)
        };
        let peer = host.inside(|| Handle::current().block_on(start))??;
        Person::new(name, peer, self.show)
    }

    /// A user of `p2pchat --plain`, logged in.
    pub(super) async fn reader(
        &self,
        name: &'static str,
        host: &Host,
        registry: &Registry,
    ) -> Result<Reader> {
        let home = self.home(name)?;
        Reader::start(self.programs, &home, registry, host, name, self.show).await
    }

    fn home(&self, name: &str) -> Result<PathBuf> {
        let home = self.homes.path().join(name);
        fs::create_dir_all(&home)?;
        Ok(home)
    }
}

/// Brings three into one chat: the first asks the others, one after the other.
pub(super) async fn gather([ann, bob, carl]: [&Person; 3]) -> Result<()> {
    let began = Instant::now();
    for guest in [bob, carl] {
        ann.asks(guest.address).await?;
        guest.accepts(began).await?;
        ann.is_joined_by(guest.address, began, SOON).await?;
    }
    // Bob learns of carl, who came later, from ann.
    bob.is_joined_by(carl.address, began, SOON).await?;
    Ok(())
}
