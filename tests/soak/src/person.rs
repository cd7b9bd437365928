//! A user of a program that speaks the JSON contract.

mod chats;

pub(crate) use chats::posts;

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use p2pchat_model::{
    Command, ConversationId, DeliveryState, Event, JoinedBy, LeaveReason, Line, Link, MessageId,
    PeerAddr, Target, User, View,
};
use p2pchat_testkit::{Peer, SOON};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::record::Record;

/// How many commands may wait for the program to read them.
const MAX_COMMANDS: usize = 64;

/// A user. The program is killed on drop.
#[derive(Debug)]
pub(crate) struct Person {
    /// The user's name.
    pub(crate) name: &'static str,
    /// The peer's address.
    pub(crate) address: PeerAddr,
    /// The id of the program's process.
    pub(crate) pid: u32,
    record: std::sync::Arc<Record<Event>>,
    commands: mpsc::Sender<Command>,
    task: JoinHandle<()>,
}

impl Drop for Person {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Person {
    /// A user of this program. `show` prints what they see.
    pub(crate) fn new(name: &'static str, peer: Peer, show: bool) -> Result<Self> {
        let address = PeerAddr::new(peer.address)?;
        let pid = peer.pid()?;
        let (commands, asked) = mpsc::channel(MAX_COMMANDS);
        let record = std::sync::Arc::<Record<Event>>::default();
        let task = follow(peer, asked, record.clone(), show.then_some(name));
        Ok(Self {
            name,
            address,
            pid,
            record,
            commands,
            task: tokio::spawn(task),
        })
    }

    /// Asks for something.
    pub(crate) async fn ask(&self, command: Command) -> Result<()> {
        let sent = self.commands.send(command).await;
        sent.with_context(|| format!("the program of {} has ended", self.name))
    }

    /// Registers and logs in.
    pub(crate) async fn registers(&self) -> Result<()> {
        let name = self.name.parse()?;
        let password = "secret".parse()?;
        self.enters(Command::register(name, password)).await
    }

    /// Logs in.
    pub(crate) async fn logs_in(&self) -> Result<()> {
        let name = self.name.parse()?;
        let password = "secret".parse()?;
        self.enters(Command::login(name, password)).await
    }

    async fn enters(&self, command: Command) -> Result<()> {
        let began = Instant::now();
        self.ask(command).await?;
        self.is_logged_in(began, SOON).await?;
        Ok(())
    }

    /// Waits until they are logged in, and says how long after `since` that was.
    pub(crate) async fn is_logged_in(&self, since: Instant, limit: Duration) -> Result<Duration> {
        let logged_in = |event: &Event| matches!(event, Event::LoggedIn { .. }).then_some(());
        let (after, ()) = self.sees(since, "login", limit, logged_in).await?;
        Ok(after)
    }

    /// Waits until their program is at this address, and says how long after `since` that was.
    pub(crate) async fn is_at(
        &self,
        address: Ipv4Addr,
        since: Instant,
        limit: Duration,
    ) -> Result<Duration> {
        let what = format!("address {address}");
        let at = PeerAddr::new(address)?;
        let is_there = |event: &Event| {
            matches!(event, Event::Registry { address, .. } if *address == at).then_some(())
        };
        Ok(self.sees(since, &what, limit, is_there).await?.0)
    }

    /// Waits until those who are online are exactly these, and says how long after `since` that
    /// was. Where nothing has changed since, nothing is told.
    pub(crate) async fn lists(
        &self,
        names: &[&str],
        since: Instant,
        limit: Duration,
    ) -> Result<Duration> {
        let what = format!("list of {names:?}");
        let lists = |seen: &[(Instant, Event)]| {
            let mut view = View::default();
            let mut at = since;
            let mut rest = seen.iter().peekable();
            loop {
                // What came before decides what is listed at that time.
                while let Some((_, event)) = rest.next_if(|(now, _)| *now <= at) {
                    view.apply(event);
                }
                if view
                    .online
                    .iter()
                    .map(User::title)
                    .eq(names.iter().copied())
                {
                    return Some(at - since);
                }
                at = rest.peek()?.0;
            }
        };
        let found = self.record.find_in_all(&what, limit, lists).await;
        found.with_context(|| format!("at {}'s", self.name))
    }

    /// Sends a chat request.
    pub(crate) async fn asks(&self, other: PeerAddr) -> Result<()> {
        let to = Target::Address(other);
        let conversation = ConversationId::OPEN;
        self.ask(Command::Request { conversation, to }).await
    }

    /// Waits for a request, and accepts it.
    pub(crate) async fn accepts(&self, since: Instant) -> Result<()> {
        let asks = |event: &Event| match event {
            Event::RequestReceived(request) => Some((request.conversation, request.from.address)),
            _ => None,
        };
        let (_, (conversation, from)) = self.sees(since, "chat request", SOON, asks).await?;
        self.ask(Command::Accept { conversation, from }).await
    }

    /// Sends a text.
    pub(crate) async fn says(&self, text: &str) -> Result<Instant> {
        let text = text.to_owned();
        let now = Instant::now();
        let conversation = ConversationId::OPEN;
        self.ask(Command::Say {
            conversation,
            text,
            reply_to: None,
        })
        .await?;
        Ok(now)
    }

    /// Waits until this text is shown, and says how long after `since` that was.
    pub(crate) async fn hears(
        &self,
        text: &str,
        since: Instant,
        limit: Duration,
    ) -> Result<Duration> {
        let what = format!("text {text:?}");
        let hears = |event: &Event| match event {
            Event::Message(said) if !said.is_own() && said.text == text => Some(()),
            _ => None,
        };
        let (after, ()) = self.sees(since, &what, limit, hears).await?;
        Ok(after)
    }

    /// The texts of another user that were shown so far, in order.
    pub(crate) fn heard_from(&self, other: PeerAddr) -> Vec<String> {
        self.record.all(|event| match event {
            Event::Message(said) if !said.is_own() && said.from.address == other => {
                Some(said.text.clone())
            }
            _ => None,
        })
    }

    /// Waits for the final delivery status of a text to one member, and says how long after `since` that was.
    pub(crate) async fn delivery(
        &self,
        text: &str,
        to: PeerAddr,
        since: Instant,
        limit: Duration,
    ) -> Result<(Duration, DeliveryState)> {
        let what = format!("own text {text:?}");
        let said = |event: &Event| match event {
            Event::Message(said) if said.is_own() && said.text == text => Some(said.id),
            _ => None,
        };
        let (_, id) = self.sees(since, &what, limit, said).await?;
        let what = format!("delivery status of {text:?} to {to}");
        self.sees(since, &what, limit, |event| delivery_of(event, id, to))
            .await
    }

    /// Waits until another user has joined the chat, or is back in it.
    pub(crate) async fn is_joined_by(
        &self,
        other: PeerAddr,
        since: Instant,
        limit: Duration,
    ) -> Result<(Duration, JoinedBy)> {
        let what = format!("member {other}");
        let joined = |event: &Event| match event {
            Event::MemberJoined { member, by, .. } if member.address == other => Some(*by),
            _ => None,
        };
        self.sees(since, &what, limit, joined).await
    }

    /// Waits for the notice that another user is no longer in the chat.
    pub(crate) async fn misses(
        &self,
        other: PeerAddr,
        since: Instant,
        limit: Duration,
    ) -> Result<(Duration, LeaveReason)> {
        let what = format!("word that {other} is gone");
        let gone = |event: &Event| match event {
            Event::MemberLeft { member, reason, .. } if member.address == other => Some(*reason),
            _ => None,
        };
        self.sees(since, &what, limit, gone).await
    }

    /// Waits for the notice that the registry cannot be reached, with its reason.
    pub(crate) async fn misses_registry(
        &self,
        since: Instant,
        limit: Duration,
    ) -> Result<(Duration, String)> {
        let down = |event: &Event| match event {
            Event::Link(Link::Down { reason, .. }) => Some(reason.clone()),
            _ => None,
        };
        let what = "word that the registry is gone";
        self.sees(since, what, limit, down).await
    }

    /// How many events there were so far in which `wanted` finds something.
    pub(crate) fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.record.all(|event| wanted(event).then_some(())).len()
    }

    /// Waits for the first event since then in which `wanted` finds something, and says how
    /// long after `since` it came.
    pub(crate) async fn sees<U>(
        &self,
        since: Instant,
        what: &str,
        limit: Duration,
        wanted: impl FnMut(&Event) -> Option<U>,
    ) -> Result<(Duration, U)> {
        let found = self.record.find(since, what, limit, wanted).await;
        found.with_context(|| format!("at {}'s", self.name))
    }
}

fn delivery_of(event: &Event, text: MessageId, member: PeerAddr) -> Option<DeliveryState> {
    match event {
        Event::Delivered {
            message, delivery, ..
        } if *message == text && delivery.to.address == member => Some(delivery.state),
        _ => None,
    }
}

/// What a page shows of an event, roughly.
fn words(event: &Event) -> Option<String> {
    match event {
        Event::Message(said) => Some(format!("{}: {}", said.from, said.text)),
        Event::Post(post) => Some(format!("{}: {}", post.from.key, post.text)),
        Event::Delivered { delivery, .. } => Some(format!("{}: {:?}", delivery.to, delivery.state)),
        Event::Link(link) => Some(format!("{link:?}")),
        _ => match View::notice(event)? {
            Line::Notice { text, .. } => Some(text),
            Line::Message(_) | Line::Post(_) => None,
        },
    }
}

/// Passes commands on and records events, until the program ends.
async fn follow(
    mut peer: Peer,
    mut asked: mpsc::Receiver<Command>,
    record: std::sync::Arc<Record<Event>>,
    show: Option<&'static str>,
) {
    let began = Instant::now();
    loop {
        let event = tokio::select! {
            Some(command) = asked.recv() => match peer.ask(&command).await {
                Ok(_) => continue,
                Err(error) => Err(error),
            },
            event = peer.event() => event.and_then(|event| event.context("it has ended")),
        };
        match event {
            Ok(event) => {
                if let Err(error) = peer.agree(&event).await {
                    return eprintln!("{error:#}");
                }
                if let (Some(name), Some(words)) = (show, words(&event)) {
                    let seconds = began.elapsed().as_secs_f32();
                    eprintln!("{seconds:5.1} s {name} sees: {words}");
                }
                record.add(event);
            }
            Err(error) => {
                // A wait for something from this program fails, and says for what.
                return eprintln!("{error:#}");
            }
        }
    }
}
