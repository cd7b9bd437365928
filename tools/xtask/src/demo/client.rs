//! A peer that this program drives with JSON lines.

use std::net::Ipv4Addr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use p2pchat_model::{Call, Command, Event, Security};
use p2pchat_testkit::JsonLines;
use tokio::time::timeout;

use super::loopback;
use super::stage::Stage;
use crate::process::Group;

/// The most time that anything on one machine may take; later than that, it is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// A `p2pchat --json` that is registered and logged in.
#[derive(Debug)]
pub struct Client {
    pub(super) name: String,
    /// Whether its line to the registry is encrypted.
    pub(super) security: Security,
    json: JsonLines,
    group: Group,
}

impl Client {
    /// Creates an account.
    ///
    /// # Errors
    /// If the registry does not take it.
    pub async fn register(stage: &Stage, name: &str) -> Result<()> {
        let [address] = loopback::free()?;
        Self::start(stage, name, address).await?.quit().await
    }

    /// Starts it, and returns when it is logged in.
    ///
    /// # Errors
    /// If it does not get that far in time.
    pub async fn start(stage: &Stage, name: &str, address: Ipv4Addr) -> Result<Self> {
        Self::run(name, &mut stage.peer(name, address)).await
    }

    /// Starts the `p2pchat` of this command as a program that is driven by JSON lines, and
    /// returns when it is logged in.
    ///
    /// # Errors
    /// If it does not get that far in time.
    pub async fn run(name: &str, command: &mut tokio::process::Command) -> Result<Self> {
        command
            .arg("--json")
            .env("RUST_LOG", "error")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut group = Group::spawn(command)?;
        let stdin = group.child.stdin.take().context("no input to write")?;
        let stdout = group.child.stdout.take().context("no output to read")?;
        let mut client = Self {
            name: name.to_owned(),
            security: Security::default(),
            json: JsonLines::new(stdin, stdout),
            group,
        };
        // The key of a profile may have signed in before the first line.
        let is_logged_in = |event: &Event| match event {
            Event::LoggedIn { .. } => true,
            Event::View(snapshot) => snapshot.view.account.is_some(),
            _ => false,
        };
        client.until("be logged in", is_logged_in, |_| {}).await?;
        Ok(client)
    }

    /// Sends a command.
    pub(crate) async fn send(&mut self, command: &Command) -> Result<()> {
        let call = Call::new(command.clone());
        self.json.send(&call).await.context(self.name.clone())
    }

    /// The next event, however long it takes.
    pub(super) async fn next(&mut self) -> Result<Event> {
        let Some(update) = self.json.update().await.context(self.name.clone())? else {
            let status = self.group.child.wait().await?;
            bail!("{} has stopped: {status}", self.name);
        };
        match &*update.event {
            Event::Security(security) => self.security = *security,
            Event::View(snapshot) => self.security = snapshot.view.security,
            _ => {}
        }
        Ok(Arc::unwrap_or_clone(update.event))
    }

    /// Waits for an event, and shows each that comes until then, and that one.
    ///
    /// # Errors
    /// If it does not come in time, or a command fails meanwhile.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        wanted: impl Fn(&Event) -> bool,
        mut show: impl FnMut(&Event),
    ) -> Result<Event> {
        let search = async {
            loop {
                let event = self.next().await?;
                show(&event);
                if wanted(&event) {
                    return Ok(event);
                }
                if let Event::Failed(failure) = event {
                    bail!("{}: {}", failure.command, failure.message);
                }
            }
        };
        let found = timeout(PATIENCE, search).await;
        let limit = || format!("it did not happen within {} s", PATIENCE.as_secs());
        found
            .with_context(limit)
            .flatten()
            .with_context(|| format!("{} had to {what}", self.name))
    }

    /// Ends its input, and waits until it has logged out and ended in order.
    pub(crate) async fn quit(self) -> Result<()> {
        let Self {
            name,
            mut json,
            mut group,
            ..
        } = self;
        json.end_input();
        let end = async {
            // Its last updates have to be read, or it could not write them.
            json.skip_updates().await?;
            anyhow::Ok(group.child.wait().await?)
        };
        let status = timeout(PATIENCE, end)
            .await
            .with_context(|| format!("{name} did not end"))??;
        if !status.success() {
            bail!("{name} ended: {status}");
        }
        Ok(())
    }
}
