//! The replica set, the registries, and observers of what these answer.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use p2pchat_protocol::{PeerAddr, Request, Response, Username};
use p2pchat_testkit::{
    Programs, Proxy, Registry, RegistryAt, ReplicaSet, Session, free_ports, own_address,
};
use tempfile::TempDir;

use super::TIMEOUT;

/// The database that they share.
const DATABASE: &str = "P2PAppCluster";
/// How many registries there are. The last one is behind the proxy.
pub(super) const REGISTRIES: usize = 3;

/// Everything that runs.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) programs: Programs,
    pub(super) home: TempDir,
    pub(super) set: ReplicaSet,
    /// The last registry's way to the primary.
    pub(super) proxy: Proxy,
    /// How long users stay online without a Hello.
    timeout: Duration,
    /// `None` while one is away.
    registries: Vec<Option<Registry>>,
    /// Where they are, whether they are there or not.
    addresses: Vec<[SocketAddr; 2]>,
}

impl Site {
    pub(super) async fn start(programs: &Programs, election: Duration) -> Result<Self> {
        let set = ReplicaSet::start(REGISTRIES, election).await?;
        let primary = set.address(set.primary().await?);
        let proxy = Proxy::start(primary.to_string()).await?;
        let mut site = Self {
            programs: programs.clone(),
            home: TempDir::new()?,
            set,
            proxy,
            timeout: TIMEOUT,
            registries: Vec::new(),
            addresses: Vec::new(),
        };
        let [tcp, udp] = free_ports()?;
        for number in 0..REGISTRIES {
            // Each at an address of its own, since clients know one port for hellos.
            let ip = own_address();
            site.addresses.push([
                SocketAddr::new(ip.into(), tcp),
                SocketAddr::new(ip.into(), udp),
            ]);
            site.registries.push(None);
            std::fs::create_dir(site.folder(number))?;
            site.start_registry(number).await?;
        }
        Ok(site)
    }

    fn folder(&self, number: usize) -> PathBuf {
        self.home.path().join(format!("registry{number}"))
    }

    /// What a registry has logged.
    pub(super) fn log(&self, number: usize) -> Result<String> {
        Ok(std::fs::read_to_string(
            self.folder(number).join("registry.log"),
        )?)
    }

    pub(super) async fn start_registry(&mut self, number: usize) -> Result<()> {
        let store = if number + 1 == REGISTRIES {
            let proxy = self.proxy.address;
            format!("mongodb://{proxy}/{DATABASE}?directConnection=true")
        } else {
            self.set.uri(DATABASE)
        };
        let timeout = self.timeout.as_secs().to_string();
        // One key for all of them.
        let key = self.home.path().join("registry.key");
        let more = [
            "--cluster",
            "--key-file",
            key.to_str().context("a path that is text")?,
            "--presence-timeout",
            &timeout,
            "--registrations",
            "1000000",
            "--handshakes",
            "1000000",
            "--unknown-handshakes",
            "1000000",
        ];
        let folder = self.folder(number);
        let registry = Registry::start_at(
            self.addresses[number],
            &self.programs,
            &folder,
            &store,
            &more,
        )
        .await;
        self.registries[number] = Some(registry.context("a registry does not start")?);
        Ok(())
    }

    pub(super) async fn kill_registry(&mut self, number: usize) -> Result<()> {
        match self.registries[number].take() {
            Some(registry) => registry.kill().await,
            None => bail!("registry {number} is not there"),
        }
    }

    pub(super) async fn stop_registry(&mut self, number: usize) -> Result<()> {
        match self.registries[number].take() {
            Some(registry) => registry.stop().await,
            None => bail!("registry {number} is not there"),
        }
    }

    /// Lets the last registry reach the primary that there is now.
    pub(super) async fn lead_to_primary(&self) -> Result<()> {
        let primary = self.set.address(self.set.primary().await?);
        self.proxy.lead_to(primary.to_string());
        Ok(())
    }

    /// Stops all of them, and starts them with another timeout.
    pub(super) async fn restart_all(&mut self, timeout: Duration) -> Result<()> {
        self.timeout = timeout;
        for number in 0..REGISTRIES {
            self.stop_registry(number).await?;
            self.start_registry(number).await?;
        }
        Ok(())
    }

    /// Where a registry is: TCP, UDP.
    pub(super) fn addresses(&self, number: usize) -> [SocketAddr; 2] {
        self.addresses[number]
    }

    /// All of them.
    pub(super) fn all_addresses(&self) -> RegistryAt {
        let tcp: Vec<String> = self
            .addresses
            .iter()
            .map(|[tcp, _]| tcp.to_string())
            .collect();
        RegistryAt {
            tcp: tcp.join(","),
            hello_port: self.addresses[0][1].port(),
            allow_plaintext: false,
        }
    }

    pub(super) fn programs(&self) -> &Programs {
        &self.programs
    }

    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    /// A client that asks a registry and is not logged in.
    pub(super) async fn observer(&self, number: usize) -> Result<Observer> {
        let from = own_address();
        Ok(Observer {
            session: Session::connect(from, self.addresses[number][0]).await?,
        })
    }

    /// One at each registry.
    pub(super) async fn observers(&self) -> Result<Vec<Observer>> {
        let mut observers = Vec::new();
        for number in 0..REGISTRIES {
            observers.push(self.observer(number).await?);
        }
        Ok(observers)
    }
}

/// Asks where users are.
#[derive(Debug)]
pub(super) struct Observer {
    session: Session,
}

impl Observer {
    /// Where a registry says that a user is.
    pub(super) async fn find(&mut self, target: Username) -> Result<Option<Ipv4Addr>> {
        let username = target;
        match self
            .session
            .ask(&Request::Search { username, target })
            .await?
        {
            Response::Found(address) => Ok(Some(address.ip())),
            Response::NotFound => Ok(None),
            other => bail!("a search was answered {other:?}"),
        }
    }

    /// Who is online, by the list.
    pub(super) async fn list(&mut self) -> Result<Vec<(Username, PeerAddr)>> {
        let username = Username::new("observer")?;
        match self.session.ask(&Request::AllOnline { username }).await? {
            Response::Online(users) => {
                Ok(users.iter().map(|user| (user.name, user.address)).collect())
            }
            Response::NobodyOnline => Ok(Vec::new()),
            other => bail!("All Online was answered {other:?}"),
        }
    }

    /// Any other request.
    pub(super) async fn ask(&mut self, request: &Request) -> Result<Response> {
        self.session.ask(request).await
    }
}
