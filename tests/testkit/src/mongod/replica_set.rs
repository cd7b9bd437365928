//! Several mongods that keep the same data and agree on a primary.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::try_join_all;
use mongodb::Client;
use mongodb::bson::{Document, doc};
use mongodb::options::ClientOptions;

use super::Mongod;
use crate::wait_for;

/// The name of a set.
const NAME: &str = "testkit";
/// How long members may take to be ready, and to elect one of them.
const ELECTION: Duration = Duration::from_secs(60);
/// How long a command to a member waits for it.
const SELECTION: Duration = Duration::from_secs(1);
/// The options of each member. Allows the commands of MongoDB's own tests, which make a
/// member fail on purpose.
const MEMBER: [&str; 4] = ["--replSet", NAME, "--setParameter", "enableTestCommands=1"];
/// The options of each member unless others are given: a small oplog.
const ORDINARY: [&str; 2] = ["--oplogSize", "64"];

/// A running replica set. Its members are killed on drop.
#[derive(Debug)]
pub struct ReplicaSet {
    members: Vec<Mongod>,
    clients: Vec<Client>,
    election_timeout: Duration,
}

impl ReplicaSet {
    /// How long a set goes without its primary before it elects another: MongoDB's own
    /// default.
    pub const ELECTION_TIMEOUT: Duration = Duration::from_secs(10);

    /// Starts `count` members, and waits until they have a primary.
    ///
    /// # Errors
    /// If there is no mongod, or one does not start, or there is no primary.
    pub async fn start(count: usize, election_timeout: Duration) -> Result<Self> {
        Self::start_with(count, election_timeout, &ORDINARY).await
    }

    /// [`ReplicaSet::start`] with further options of each member.
    ///
    /// # Errors
    /// As [`ReplicaSet::start`].
    pub async fn start_with(
        count: usize,
        election_timeout: Duration,
        more: &[&str],
    ) -> Result<Self> {
        let options = [&MEMBER, more].concat();
        let members = try_join_all((0..count).map(|_| Mongod::start(&options))).await?;
        let clients = try_join_all(members.iter().map(client)).await?;
        let set = Self {
            members,
            clients,
            election_timeout,
        };
        set.initiate(election_timeout).await?;
        for member in 0..count {
            set.wait_until_ready(member).await?;
        }
        // Without this a member would wait for the election timeout first. If it has
        // become primary meanwhile it refuses, which is as good.
        let _ = set.ask(0, doc! { "replSetStepUp": 1 }).await;
        set.primary().await?;
        Ok(set)
    }

    async fn initiate(&self, election_timeout: Duration) -> Result<()> {
        let members: Vec<Document> = (0_i32..)
            .zip(&self.members)
            .map(|(id, member)| doc! { "_id": id, "host": member.address.to_string() })
            .collect();
        let timeout = i64::try_from(election_timeout.as_millis())?;
        let config = doc! {
            "_id": NAME,
            "members": members,
            "settings": { "electionTimeoutMillis": timeout },
        };
        self.ask(0, doc! { "replSetInitiate": config })
            .await
            .context("the replica set does not start")?;
        Ok(())
    }

    /// The URI of a database of the set, as `--store` takes it.
    #[must_use]
    pub fn uri(&self, database: &str) -> String {
        let hosts: Vec<String> = self
            .members
            .iter()
            .map(|member| member.address.to_string())
            .collect();
        format!("mongodb://{}/{database}?replicaSet={NAME}", hosts.join(","))
    }

    /// The address of a member.
    #[must_use]
    pub fn address(&self, member: usize) -> SocketAddr {
        self.members[member].address
    }

    /// How long this set goes without its primary before it elects another.
    #[must_use]
    pub fn election_timeout(&self) -> Duration {
        self.election_timeout
    }

    /// The number of the primary. Waits until there is one.
    ///
    /// # Errors
    /// If there is none within a minute.
    pub async fn primary(&self) -> Result<usize> {
        wait_for("primary", ELECTION, async || {
            for member in 0..self.members.len() {
                if self.says(member, &["isWritablePrimary"]).await {
                    return Some(member);
                }
            }
            None
        })
        .await
    }

    /// Ends a member by SIGKILL, and waits until it is gone.
    ///
    /// # Errors
    /// If its shell is gone.
    pub async fn kill(&mut self, member: usize) -> Result<()> {
        self.members[member].kill().await
    }

    /// Starts a member again after [`ReplicaSet::kill`], and waits until it takes part.
    ///
    /// # Errors
    /// If it does not within a minute.
    pub async fn restart(&mut self, member: usize) -> Result<()> {
        self.members[member].restart().await?;
        self.wait_until_ready(member).await
    }

    async fn wait_until_ready(&self, member: usize) -> Result<()> {
        wait_for("member that is ready", ELECTION, async || {
            let ready = self.says(member, &["secondary", "isWritablePrimary"]);
            ready.await.then_some(())
        })
        .await
    }

    /// Whether one of these fields of a member's `hello` is true.
    async fn says(&self, member: usize, fields: &[&str]) -> bool {
        let Ok(hello) = self.ask(member, doc! { "hello": 1 }).await else {
            return false;
        };
        fields
            .iter()
            .any(|field| hello.get_bool(field).unwrap_or_default())
    }

    /// Sends an admin command to a member.
    ///
    /// # Errors
    /// If it refuses, or does not run.
    pub async fn ask(&self, member: usize, command: Document) -> Result<Document> {
        let admin = self.clients[member].database("admin");
        Ok(admin.run_command(command).await?)
    }
}

/// A client of this mongod alone, whatever set it is in.
async fn client(mongod: &Mongod) -> Result<Client> {
    let mut options = ClientOptions::parse(mongod.uri()).await?;
    options.direct_connection = Some(true);
    options.server_selection_timeout = Some(SELECTION);
    Ok(Client::with_options(options)?)
}
