//! A peer: the built `p2pchat --json`, or the built `p2pchat-bridge` with a page that can
//! be closed and opened again.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Error, Result, bail};
use p2pchat_model::{Command, Event, Password, PeerAddr, Target, Username};
use rustix::process::Signal;
use tokio::time::{Instant, timeout, timeout_at};

use crate::bridge::{BridgeUrl, Frame, Page};
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
}

#[derive(Debug)]
enum Client {
    Lines(JsonLines),
    Page {
        url: BridgeUrl,
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
        let mut command = programs.command("p2pchat", home)?;
        command
            .arg("--json")
            .args(registry.into().arguments())
            .args(["--address", &address.to_string()])
            .args(more)
            .stdin(Stdio::piped());
        let mut process = Process::spawn("p2pchat", &mut command, &home.join("p2pchat.log"))?;
        Ok(Self {
            address,
            client: Client::Lines(process.json_lines()?),
            process,
        })
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
        let client = Client::Page { url, page: None };
        Ok(Self {
            address,
            process,
            client,
        })
    }

    /// The URL of a bridge's page.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        match &self.client {
            Client::Lines(_) => None,
            Client::Page { url, .. } => Some(url.text()),
        }
    }

    /// Opens the page of a bridge; does nothing to `p2pchat`.
    ///
    /// # Errors
    /// If the bridge does not let the page in.
    pub async fn open_page(&mut self) -> Result<()> {
        if let Client::Page { url, page } = &mut self.client {
            *page = Some(Box::new(Page::open(url).await?));
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

    /// Sends a command.
    ///
    /// # Errors
    /// If the program has ended or does not read, or its page is not open.
    pub async fn ask(&mut self, command: &Command) -> Result<()> {
        match &mut self.client {
            Client::Lines(lines) => lines.ask(command).await,
            Client::Page { page, .. } => {
                let page = page.as_mut().context("no page is open")?;
                page.ask(command).await
            }
        }
    }

    /// The next frame; `None` when the program has ended. Cancel safe.
    ///
    /// # Errors
    /// If what it wrote is not a frame, or its page is not open.
    pub async fn frame(&mut self) -> Result<Option<Frame>> {
        match &mut self.client {
            Client::Lines(lines) => Ok(lines.event().await?.map(Frame::Event)),
            Client::Page { page, .. } => page.as_mut().context("no page is open")?.frame().await,
        }
    }

    /// The next event, past the view of a page that was opened; `None` when the program
    /// has ended. Cancel safe.
    ///
    /// # Errors
    /// As [`Peer::frame`].
    pub async fn event(&mut self) -> Result<Option<Event>> {
        loop {
            match self.frame().await? {
                Some(Frame::View(_)) => {}
                Some(Frame::Event(event)) => return Ok(Some(event)),
                None => return Ok(None),
            }
        }
    }

    /// Reads and drops what `p2pchat` writes, unparsed, until it ends: a program whose
    /// events no one reads comes to a halt.
    ///
    /// # Errors
    /// If it cannot be read from.
    pub async fn skip_events(&mut self) -> Result<()> {
        match &mut self.client {
            Client::Lines(lines) => lines.skip_events().await,
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
        let deadline = Instant::now() + limit;
        let mut others = Vec::new();
        while let Ok(event) = timeout_at(deadline, self.event()).await {
            match event? {
                Some(event) => match wanted(&event) {
                    Some(found) => return Ok(found),
                    None => others.push(event),
                },
                None => bail!("p2pchat ended before {what}; its events were {others:?}"),
            }
        }
        bail!("no {what} within {limit:?} but {others:?}")
    }

    /// Registers an account, and waits until it is logged in.
    ///
    /// # Errors
    /// If the registry does not let it.
    pub async fn register(&mut self, name: Username, password: Password) -> Result<()> {
        self.log_in_by(&Command::Register { name, password }).await
    }

    /// Logs an account in.
    ///
    /// # Errors
    /// If the registry does not let it.
    pub async fn login(&mut self, name: Username, password: Password) -> Result<()> {
        self.log_in_by(&Command::Login { name, password }).await
    }

    async fn log_in_by(&mut self, command: &Command) -> Result<()> {
        self.ask(command).await?;
        let answer = |event: &Event| match event {
            Event::LoggedIn { .. } => Some(Ok(())),
            Event::Failed { failure, .. } => Some(Err(failure.message.clone())),
            _ => None,
        };
        let answer = self.event_with("login", SOON, answer).await?;
        answer.map_err(Error::msg)
    }

    /// Sends a chat request, and waits until it is accepted.
    ///
    /// # Errors
    /// If it is not.
    pub async fn request(&mut self, to: PeerAddr) -> Result<()> {
        let request = Command::Request {
            to: Target::Address(to),
        };
        self.ask(&request).await?;
        let joins = |event: &Event| match event {
            Event::MemberJoined { member, .. } => (member.address == to).then_some(()),
            _ => None,
        };
        self.event_with("member", SOON, joins).await
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
        self.ask(&Command::Accept { from }).await
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

    /// Ends it by SIGKILL, and returns the events that it had written and no one had read.
    ///
    /// # Errors
    /// If the system refuses.
    pub async fn kill_and_read(mut self) -> Result<Vec<Event>> {
        self.process.kill().await?;
        let mut events = Vec::new();
        let reading = async {
            // The last line may be cut off.
            while let Ok(Some(event)) = self.event().await {
                events.push(event);
            }
        };
        // The socket of a killed bridge is reset at once: this is for the worst case.
        let _ = timeout(SOON, reading).await;
        Ok(events)
    }
}
