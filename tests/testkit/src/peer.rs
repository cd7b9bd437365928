//! A peer: the built `p2pchat --json`, or the built `p2pchat-bridge` with a page that can
//! be closed and opened again. Those that are started with the same home folder share the
//! profile in it: the first runs the peer, the others attach.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{self, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Error, Result, bail};
use p2pchat_model::{
    Call, CallId, Command, ConversationId, Event, Failure, FrontEndId, Passphrase, PeerAddr,
    Problem, Target, Update, Username,
};
use rustix::process::Signal;
use tokio::time::{Instant, timeout, timeout_at};

use crate::bridge::{BridgeUrl, Page};
use crate::json::JsonLines;
use crate::process::{Process, memory};
use crate::{Programs, RegistryAt, SOON};

/// A running peer and a client of its JSON contract. Killed on drop.
#[derive(Debug)]
pub struct Peer {
    /// The loopback address that it listens at.
    pub address: Ipv4Addr,
    process: Process,
    client: Client,
    /// The id of the last call.
    last_id: u64,
    /// Updates that came while the answers to a call were waited for.
    kept: VecDeque<Update>,
    /// The last command that brings someone into the open chat.
    meets: Option<Command>,
}

#[derive(Debug)]
enum Client {
    Lines(JsonLines),
    Page {
        url: BridgeUrl,
        /// Stays while pages come and go.
        front_end: FrontEndId,
        page: Option<Box<Page>>,
    },
}

impl Peer {
    /// Starts `p2pchat --json` at an address, logged out. `home` holds its history and its
    /// log, `p2pchat.log`; `more` are further arguments.
    ///
    /// # Errors
    /// If it is not built or does not start.
    pub fn start(
        programs: &Programs,
        home: &Path,
        registry: impl Into<RegistryAt>,
        address: Ipv4Addr,
        more: &[&str],
    ) -> Result<Self> {
        let at = ["--address", &address.to_string()];
        Self::start_roaming(programs, home, registry, address, &[&at, more].concat())
    }

    /// The same without an address: it finds the one from which the registry is reached, which is
    /// to be this one.
    ///
    /// # Errors
    /// If it is not built or does not start.
    pub fn start_roaming(
        programs: &Programs,
        home: &Path,
        registry: impl Into<RegistryAt>,
        address: Ipv4Addr,
        more: &[&str],
    ) -> Result<Self> {
        let mut command = programs.command("p2pchat", home)?;
        command
            .arg("--json")
            .args(registry.into().arguments())
            .args(more)
            .stdin(Stdio::piped());
        let mut process = Process::spawn("p2pchat", &mut command, &home.join("p2pchat.log"))?;
        let client = Client::Lines(process.json_lines()?);
        Ok(Self::new(address, process, client))
    }

    /// Starts `p2pchat-bridge` at an address, logged out, its page not open yet. `home`
    /// holds its history and its log, `p2pchat-bridge.log`.
    ///
    /// # Errors
    /// If it is not built or does not start.
    pub async fn start_bridge(
        programs: &Programs,
        home: &Path,
        registry: impl Into<RegistryAt>,
        address: Ipv4Addr,
    ) -> Result<Self> {
        let mut command = programs.command("p2pchat-bridge", home)?;
        command
            .args(registry.into().arguments())
            .args(["--address", &address.to_string()])
            .args(["--listen", "127.0.0.1:0"])
            .stdin(Stdio::null());
        let log = home.join("p2pchat-bridge.log");
        let mut process = Process::spawn("p2pchat-bridge", &mut command, &log)?;
        let line = process.first_line().await?;
        let url = BridgeUrl::find_in(&line).with_context(|| format!("no URL in {line:?}"))?;
        let client = Client::Page {
            url,
            front_end: new_front_end()?,
            page: None,
        };
        Ok(Self::new(address, process, client))
    }

    fn new(address: Ipv4Addr, process: Process, client: Client) -> Self {
        Self {
            address,
            process,
            client,
            last_id: 0,
            kept: VecDeque::new(),
            meets: None,
        }
    }

    /// The URL of a bridge's page.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        match &self.client {
            Client::Lines(_) => None,
            Client::Page { url, .. } => Some(url.text()),
        }
    }

    /// The same with a page that was open before, at a bridge that has ended, and whose calls may
    /// be made again. Nothing to `p2pchat`.
    #[must_use]
    pub(crate) fn with_front_end(mut self, id: &FrontEndId) -> Self {
        if let Client::Page { front_end, .. } = &mut self.client {
            front_end.clone_from(id);
        }
        self
    }

    /// Opens the page of a bridge; does nothing to `p2pchat`.
    ///
    /// # Errors
    /// If the bridge does not let the page in.
    pub async fn open_page(&mut self) -> Result<()> {
        if let Client::Page {
            url,
            front_end,
            page,
        } = &mut self.client
        {
            *page = Some(Box::new(Page::open(url, front_end).await?));
        }
        Ok(())
    }

    /// Closes the page of a bridge, by the closing handshake or as a browser that was
    /// killed; does nothing to `p2pchat`.
    pub async fn close_page(&mut self, in_order: bool) {
        if let Client::Page { page, .. } = &mut self.client
            && let Some(page) = page.take()
            && in_order
        {
            page.close().await;
        }
    }

    /// Sends a call as it is.
    ///
    /// # Errors
    /// If the program has ended or does not read, or its page is not open.
    pub async fn send(&mut self, call: &Call) -> Result<()> {
        match &mut self.client {
            Client::Lines(lines) => lines.send(call).await,
            Client::Page { page, .. } => {
                let page = page.as_mut().context("no page is open")?;
                page.send(call).await
            }
        }
    }

    /// Sends a command with an id of its own, which its answers carry.
    ///
    /// # Errors
    /// As [`Peer::send`].
    pub async fn ask(&mut self, command: &Command) -> Result<CallId> {
        if matches!(command, Command::Request { .. } | Command::Accept { .. }) {
            self.meets = Some(command.clone());
        }
        self.last_id += 1;
        let id = CallId::from(self.last_id);
        let call = Call::with_id(id.clone(), command.clone());
        self.send(&call).await?;
        Ok(id)
    }

    /// Agrees to have people in the open chat whose p2pchat is encrypted, if that is what an event
    /// asks for, and gives the command again that has failed.
    ///
    /// # Errors
    /// As [`Peer::send`].
    pub async fn agree(&mut self, event: &Event) -> Result<()> {
        let Event::Failed(failure) = event else {
            return Ok(());
        };
        let failed = self.meets.clone();
        let failed = failed.filter(|command| command.name() == failure.command);
        if let (Problem::HasEncrypted, Some(command)) = (failure.code, failed) {
            let names = failure.names.clone();
            self.ask(&Command::AllowOpen { names }).await?;
            self.ask(&command).await?;
        }
        Ok(())
    }

    /// Sends a command, and waits until it is done or has failed. Returns the updates that
    /// answer it, [`Event::Done`] included; all others are left to be read.
    ///
    /// # Errors
    /// If there is no answer within [`SOON`], or as [`Peer::ask`] and [`Peer::update`].
    pub async fn call(&mut self, command: &Command) -> Result<Result<Vec<Update>, Failure>> {
        let id = self.ask(command).await?;
        let what = format!("answer to {:?}", command.name());
        let deadline = Instant::now() + SOON;
        let mut answers = Vec::new();
        // Those that are kept are older than the call.
        while let Ok(update) = timeout_at(deadline, self.read()).await {
            let Some(update) = update? else {
                bail!("p2pchat ended before the {what}");
            };
            if update.re.as_ref() != Some(&id) {
                self.kept.push_back(update);
                continue;
            }
            if let Event::Failed(failure) = &*update.event {
                return Ok(Err(failure.clone()));
            }
            let is_done = *update.event == Event::Done;
            answers.push(update);
            if is_done {
                return Ok(Ok(answers));
            }
        }
        bail!("no {what} within {SOON:?} but {answers:?}")
    }

    /// The next update, of which the first is the view; `None` when the program has ended.
    /// Cancel safe.
    ///
    /// # Errors
    /// If what it wrote is not an update, or its page is not open.
    pub async fn update(&mut self) -> Result<Option<Update>> {
        match self.kept.pop_front() {
            Some(update) => Ok(Some(update)),
            None => self.read().await,
        }
    }

    async fn read(&mut self) -> Result<Option<Update>> {
        match &mut self.client {
            Client::Lines(lines) => lines.update().await,
            Client::Page { page, .. } => page.as_mut().context("no page is open")?.update().await,
        }
    }

    /// The event of the next update.
    ///
    /// # Errors
    /// As [`Peer::update`].
    pub async fn event(&mut self) -> Result<Option<Event>> {
        let update = self.update().await?;
        Ok(update.map(|update| Arc::unwrap_or_clone(update.event)))
    }

    /// Reads and drops what `p2pchat` writes, unparsed, until it ends: a program whose
    /// updates no one reads misses some.
    ///
    /// # Errors
    /// If it cannot be read from.
    pub async fn skip_updates(&mut self) -> Result<()> {
        self.kept.clear();
        match &mut self.client {
            Client::Lines(lines) => lines.skip_updates().await,
            Client::Page { .. } => bail!("a page parses what it reads"),
        }
    }

    /// The first event from now on in which `wanted` finds something.
    ///
    /// # Errors
    /// If there is none within `limit`; says which events there were.
    pub async fn event_with<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut wanted: impl FnMut(&Event) -> Option<T>,
    ) -> Result<T> {
        let wanted = |update: &Update| wanted(&update.event);
        self.update_with(what, limit, wanted).await
    }

    /// The same for updates.
    ///
    /// # Errors
    /// As [`Peer::event_with`].
    pub async fn update_with<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut wanted: impl FnMut(&Update) -> Option<T>,
    ) -> Result<T> {
        let deadline = Instant::now() + limit;
        let mut others = Vec::new();
        while let Ok(update) = timeout_at(deadline, self.update()).await {
            match update? {
                Some(update) => match wanted(&update) {
                    Some(found) => return Ok(found),
                    None => others.push(update),
                },
                None => bail!("p2pchat ended before {what}; its updates were {others:?}"),
            }
        }
        bail!("no {what} within {limit:?} but {others:?}")
    }

    /// Registers an account, and waits until it is logged in.
    ///
    /// # Errors
    /// If the registry does not let it.
    pub async fn register(&mut self, name: Username, password: Passphrase) -> Result<()> {
        self.log_in_by(&Command::register(name, password)).await
    }

    /// Logs an account in.
    ///
    /// # Errors
    /// If the registry does not let it.
    pub async fn login(&mut self, name: Username, password: Passphrase) -> Result<()> {
        self.log_in_by(&Command::login(name, password)).await
    }

    async fn log_in_by(&mut self, command: &Command) -> Result<()> {
        let id = self.ask(command).await?;
        let answer = |update: &Update| match &*update.event {
            Event::LoggedIn { .. } => Some(Ok(())),
            // The key has signed in already.
            Event::Done if update.re.as_ref() == Some(&id) => Some(Ok(())),
            Event::Failed(failure) if update.re.as_ref() == Some(&id) => {
                Some(Err(failure.message.clone()))
            }
            _ => None,
        };
        let answer = self.update_with("login", SOON, answer).await?;
        answer.map_err(Error::msg)
    }

    /// Sends a chat request, and waits until it is accepted.
    ///
    /// # Errors
    /// If it is not.
    pub async fn request(&mut self, to: PeerAddr) -> Result<()> {
        let request = Command::Request {
            conversation: ConversationId::OPEN,
            to: Target::Address(to),
        };
        self.ask(&request).await?;
        self.meet(to).await
    }

    /// Waits until someone is a member, and agrees to that.
    async fn meet(&mut self, other: PeerAddr) -> Result<()> {
        let deadline = Instant::now() + SOON;
        let decides = |event: &Event| match event {
            Event::MemberJoined { member, .. } if member.address == other => Some(None),
            Event::Failed(failure) if failure.code == Problem::HasEncrypted => {
                Some(Some(event.clone()))
            }
            _ => None,
        };
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.event_with("member", left, decides).await? {
                Some(asks) => self.agree(&asks).await?,
                None => return Ok(()),
            }
        }
    }

    /// Waits for a chat request, and accepts it.
    ///
    /// # Errors
    /// If none comes.
    pub async fn accept(&mut self) -> Result<()> {
        let asks = |event: &Event| match event {
            Event::RequestReceived(request) => Some(request.from.address),
            _ => None,
        };
        let from = self.event_with("chat request", SOON, asks).await?;
        let conversation = ConversationId::OPEN;
        let accept = Command::Accept { conversation, from };
        if let Err(failure) = self.call(&accept).await? {
            self.agree(&Event::Failed(failure)).await?;
        }
        Ok(())
    }

    /// Its process id.
    ///
    /// # Errors
    /// If it has ended.
    pub fn pid(&self) -> Result<u32> {
        self.process.pid()
    }

    /// Its resident memory, in bytes.
    ///
    /// # Errors
    /// If it has ended.
    pub fn memory(&self) -> Result<u64> {
        memory(self.pid()?)
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// If it has ended.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        self.process.signal(signal)
    }

    /// Ends it by SIGKILL, and waits until it is gone.
    ///
    /// # Errors
    /// If the system refuses.
    pub async fn kill(mut self) -> Result<()> {
        self.process.kill().await
    }

    /// Ends it by SIGKILL, and returns the updates that it had written and no one had read.
    ///
    /// # Errors
    /// If the system refuses.
    pub async fn kill_and_read(mut self) -> Result<Vec<Update>> {
        self.process.kill().await?;
        let mut updates = Vec::new();
        let reading = async {
            // The last line may be cut off.
            while let Ok(Some(update)) = self.update().await {
                updates.push(update);
            }
        };
        // The socket of a killed bridge is reset at once: this is for the worst case.
        let _ = timeout(SOON, reading).await;
        Ok(updates)
    }
}

/// The id of a front end, which no other has: neither in this process nor in another.
pub(crate) fn new_front_end() -> Result<FrontEndId> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Ok(FrontEndId::new(&format!(
        "page-{}-{number}",
        process::id()
    ))?)
}
