//! Several mongods that keep the same data and agree on a primary.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::try_join_all;
use mongodb::Client;
use mongodb::bson::{Document, doc};

use super::Mongod;
use crate::wait::wait_for;

/// The name of a set.
const NAME: &str = "lab";
/// How long members may take to be ready, and to elect one of them.
const ELECTION: Duration = Duration::from_secs(60);
/// The options of each member. The commands of MongoDB's own tests, which make a member
/// fail where one wants, are allowed.
const MEMBER: [&str; 4] = ["--replSet", NAME, "--setParameter", "enableTestCommands=1"];
/// And those of each, unless others are given: the oplog is small.
const ORDINARY: [&str; 2] = ["--oplogSize", "64"];

/// A running replica set. Its members are killed on drop.
#[derive(Debug)]
pub struct ReplicaSet {
    members: Vec<Mongod>,
    clients: Vec<Client>,
    election_timeout: Duration,
}

impl ReplicaSet {
    /// How long a set goes without its primary before it elects another, unless it is
    /// told otherwise: MongoDB's own default.
    pub const ELECTION_TIMEOUT: Duration = Duration::from_secs(10);

    /// Starts so many members, and waits until they have a primary.
    ///
    /// # Errors
    /// If there is no mongod, or one does not start, or there is no primary.
    pub async fn start(count: usize, election_timeout: Duration) -> Result<Self> {
        Self::start_with(count, election_timeout, &ORDINARY).await
    }

    /// The same with further options of each member.
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
        let clients = try_join_all(members.iter().map(Mongod::client)).await?;
        let set = Self {
            members,
            clients,
            election_timeout,
        };
        set.initiate(election_timeout).await?;
        for member in 0..count {
            set.wait_until_ready(member).await?;
        }
        // A member that is not told to would wait for the election timeout first. If it
        // has become primary meanwhile, it refuses, which is as good.
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

    /// Where a member is.
    #[must_use]
    pub fn address(&self, member: usize) -> SocketAddr {
        self.members[member].address
    }

    /// How long it goes without its primary before it elects another.
    #[must_use]
    pub fn election_timeout(&self) -> Duration {
        self.election_timeout
    }

    /// Which member is the primary. Waits until one is.
    ///
    /// # Errors
    /// If none is within a minute.
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

    /// Ends a member with SIGKILL, and waits until it is gone.
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

    /// Whether a member says one of these of itself.
    async fn says(&self, member: usize, words: &[&str]) -> bool {
        let said = self.ask(member, doc! { "hello": 1 }).await;
        said.is_ok_and(|said| {
            words
                .iter()
                .any(|word| said.get_bool(word).is_ok_and(|is| is))
        })
    }

    /// Gives a member a command of its administrator.
    ///
    /// # Errors
    /// If it refuses, or is not there.
    pub async fn ask(&self, member: usize, command: Document) -> Result<Document> {
        let admin = self.clients[member].database("admin");
        Ok(admin.run_command(command).await?)
    }
}
