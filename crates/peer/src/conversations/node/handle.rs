//! What others ask of a node, and what it tells them.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use p2pchat_conversation::message::Place;
use p2pchat_conversation::replica::{Deed, MAX_AHEAD, Unable};
use p2pchat_conversation::sync::{Effect, Now, Sync};
use p2pchat_protocol::v2::conversation::talk::{SALT, Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId, JoinId};
use p2pchat_protocol::v2::peer::Ephemeral;
use p2pchat_protocol::v2::{DeviceKey, DisplayName, PersonKey};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::super::session::SessionError;
use super::super::{Change, Keys, Mark, Page, Said, Store, StoreError, Visible};
use crate::machine::SaidBy;

/// How many events wait for who reads them slowly. With more, the oldest are lost to them, which
/// they are told.
pub(super) const MAX_EVENTS: usize = 1024;
/// How many commands wait for the node. With more, callers wait.
pub(super) const MAX_COMMANDS: usize = 64;

/// What has happened. All of it is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// There is one conversation more.
    Opened(ConversationId),
    /// This device's person is asked to be in one more.
    Requested(ConversationId),
    /// There are new entries, of this device or of others.
    Entries {
        /// Of which conversation.
        conversation: ConversationId,
        /// Who wrote them.
        person: PersonKey,
        /// Which.
        entries: Vec<EntryId>,
    },
    /// A person holds entries of one of this person's logs.
    Delivered {
        /// Of which conversation.
        conversation: ConversationId,
        /// Who holds them.
        person: PersonKey,
        /// Of which log.
        join: JoinId,
        /// Their positions.
        range: Range<u64>,
    },
    /// The roster has changed, or what is known of an answer, and with it maybe who is in or asked.
    Membership(ConversationId),
    /// A log breaks a rule: it counts no further.
    LogEnded {
        /// Of which conversation.
        conversation: ConversationId,
        /// Which.
        join: JoinId,
        /// What was stored and does not count any more, the first of it.
        lost: Vec<TalkEntry>,
    },
    /// A member is writing, or has read up to a place.
    Ephemeral {
        /// Of which conversation.
        conversation: ConversationId,
        /// Who.
        person: PersonKey,
        /// What.
        what: Ephemeral,
    },
    /// There is a session with a device.
    Connected(PersonKey, DeviceKey),
    /// There is none any more.
    Disconnected(PersonKey, DeviceKey),
    /// Whether the clock of this computer is wrong, and that of others is gone by.
    ClockCorrected(bool),
    /// The store cannot be written, for this reason, or can again. Until it can, nothing is taken,
    /// sent or said.
    Broken(Option<String>),
}

/// Why something was not done.
#[derive(Debug, Error)]
pub enum Failed {
    /// This person may not, or cannot.
    #[error(transparent)]
    Unable(#[from] Unable),
    /// A text is empty or too long.
    #[error("a text has 1 to 32,768 bytes, a reaction at most 64")]
    Text,
    /// The id of the call stands for something else already.
    #[error("this id was used for another call")]
    IdUsed,
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The node has stopped.
    #[error("the conversations are closed")]
    Stopped,
}

/// What a node knows, to be read.
pub struct View<'a> {
    /// The conversations.
    pub sync: &'a Sync<Keys>,
    /// What is stored of them.
    pub store: &'a Store,
    /// The time.
    pub now: Now,
}

impl View<'_> {
    /// What is shown of a conversation at this time. `None` if there is none.
    #[must_use]
    pub fn visible(&self, conversation: &ConversationId) -> Option<Visible> {
        let millis = self.now.clock.since_1970().as_millis();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        let latest = Clock::from_millis(millis.saturating_add(MAX_AHEAD + 1));
        Some(Visible::of(self.sync.get(conversation)?, latest))
    }
}

type Reply<T> = oneshot::Sender<T>;
/// Marks to keep, all or none.
pub(super) type Marks = (Vec<Change>, Reply<Result<(), StoreError>>);

pub(super) enum Command {
    Read(Read),
    Write(Write),
    Say(Say),
    /// Changes the store alone.
    Mark(Marks),
    Dial {
        address: SocketAddr,
        device: DeviceKey,
        reply: Reply<Result<(), SessionError>>,
    },
    Tell(ConversationId, Ephemeral),
    /// Tells a person alone, of several conversations.
    TellPerson(PersonKey, Vec<(ConversationId, Ephemeral)>),
    /// Whether there may be sessions.
    SetOpen(bool),
    RegistryTime(Option<u64>),
    /// For how long what was written is kept.
    Keep(Option<Duration>),
}

/// Called when all that came before it is stored.
pub(super) type Read = Box<dyn FnOnce(&View<'_>) + Send>;
/// Changes what syncs. What is given back is called when the effects were stored.
pub(super) type Write = Box<dyn FnOnce(&mut Sync<Keys>, Now) -> (Vec<Effect>, Answer) + Send>;
pub(super) type Answer = Box<dyn FnOnce() + Send>;

pub(super) struct Say {
    pub(super) conversation: ConversationId,
    pub(super) talk: Talk,
    pub(super) said_by: Option<SaidBy>,
    pub(super) reply: Reply<Result<Said, Failed>>,
}

/// Asks things of a node. Answers come when what was written is in the store.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) events: broadcast::Sender<Event>,
    pub(super) accepted: Incoming,
}

/// Takes connections that others have begun.
#[derive(Debug, Clone)]
pub struct Incoming(pub(super) mpsc::Sender<TcpStream>);

impl Incoming {
    /// One that hands over to a test.
    #[cfg(test)]
    pub(crate) fn to(accepted: mpsc::Sender<TcpStream>) -> Self {
        Self(accepted)
    }

    /// Takes a connection, of which nothing was read. It is closed if too many wait, or there may
    /// be no sessions.
    pub fn accept(&self, stream: TcpStream) {
        if self.0.try_send(stream).is_err() {
            tracing::debug!("a connection is closed: too many wait, or the node has stopped");
        }
    }
}

impl Handle {
    /// What happens from now on. A receiver that is too slow is told that it has missed some.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Takes connections that others have begun.
    #[must_use]
    pub fn incoming(&self) -> Incoming {
        self.accepted.clone()
    }

    /// Lets there be sessions, as there may at the start, or ends all and takes no new ones.
    ///
    /// # Errors
    /// [`Failed::Stopped`]
    pub async fn set_open(&self, is_open: bool) -> Result<(), Failed> {
        self.send(Command::SetOpen(is_open)).await
    }

    /// Reads what the node knows. It does nothing else meanwhile.
    ///
    /// # Errors
    /// [`Failed::Stopped`]
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&View<'_>) -> T + Send + 'static,
    ) -> Result<T, Failed> {
        self.ask(|reply| {
            let read = Box::new(move |view: &View<'_>| {
                // The caller may be gone.
                let _ = reply.send(read(view));
            });
            Command::Read(read)
        })
        .await
    }

    /// The messages of a conversation before a place; the newest if `None`.
    ///
    /// # Errors
    /// If the store cannot be read, or this device has no such conversation.
    pub async fn page(
        &self,
        conversation: ConversationId,
        before: Option<Place>,
        count: usize,
    ) -> Result<Page, Failed> {
        let page = move |view: &View<'_>| {
            let visible = view.visible(&conversation).ok_or(Unable::NotIn)?;
            Ok(view.store.page(&conversation, before, count, &visible)?)
        };
        self.read(page).await?
    }

    /// Makes a group.
    ///
    /// # Errors
    /// See [`Sync::create`].
    pub async fn create_group(&self, name: DisplayName) -> Result<ConversationId, Failed> {
        let salt = rand::random();
        self.write(move |sync, now| sync.create(salt, name, now))
            .await
    }

    /// Begins the direct conversation with a person, or finds it.
    ///
    /// # Errors
    /// See [`Sync::direct`].
    pub async fn direct(&self, person: PersonKey) -> Result<ConversationId, Failed> {
        self.write(move |sync, now| sync.direct(person, now)).await
    }

    /// Accepts a request to be in a conversation.
    ///
    /// # Errors
    /// See [`Sync::accept`].
    pub async fn accept(&self, conversation: ConversationId) -> Result<(), Failed> {
        self.write(move |sync, now| Ok(((), sync.accept(conversation, now)?)))
            .await
    }

    /// Declines a request to be in a conversation.
    ///
    /// # Errors
    /// [`Failed::Stopped`]
    pub async fn decline(&self, conversation: ConversationId) -> Result<(), Failed> {
        self.write(move |sync, now| Ok(((), sync.decline(conversation, now))))
            .await
    }

    /// Invites, removes, leaves and so on.
    ///
    /// # Errors
    /// See [`Sync::act`].
    pub async fn act(&self, conversation: ConversationId, deed: Deed) -> Result<(), Failed> {
        self.write(move |sync, now| Ok(((), sync.act(conversation, &deed, now)?)))
            .await
    }

    /// Says something. The first entry after a start waits for up to five seconds until those who
    /// are connected have told what they hold of this device's log.
    ///
    /// # Errors
    /// If this person is not in, or the text is too long.
    pub async fn say(&self, conversation: ConversationId, talk: Talk) -> Result<EntryId, Failed> {
        Ok(self.say_by(conversation, talk, None).await?.entry)
    }

    /// The same for a call of a front end, which is stored with the entry. If the call has led to
    /// one already, it is that one, and nothing is said.
    ///
    /// # Errors
    /// If this person is not in, the text is too long, or the call with this id was another one.
    pub async fn say_by(
        &self,
        conversation: ConversationId,
        talk: Talk,
        said_by: Option<SaidBy>,
    ) -> Result<Said, Failed> {
        if talk.to_body([0; SALT]).is_err() {
            return Err(Failed::Text);
        }
        let say = |reply| {
            Command::Say(Say {
                conversation,
                talk,
                said_by,
                reply,
            })
        };
        self.ask(say).await?
    }

    /// Keeps what the user has done with a conversation.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn mark(&self, conversation: ConversationId, mark: Mark) -> Result<(), Failed> {
        self.mark_all([(conversation, mark)]).await
    }

    /// Keeps several such marks, all or none.
    ///
    /// # Errors
    /// If they cannot be stored.
    pub async fn mark_all(
        &self,
        marks: impl IntoIterator<Item = (ConversationId, Mark)>,
    ) -> Result<(), Failed> {
        let marks = marks.into_iter();
        let marks = marks.map(|(conversation, mark)| Change::Mark(conversation, mark));
        let marks = marks.collect();
        Ok(self.ask(|reply| Command::Mark((marks, reply))).await??)
    }

    /// Tells the members who are connected what nobody stores.
    ///
    /// # Errors
    /// [`Failed::Stopped`]
    pub async fn tell(&self, conversation: ConversationId, what: Ephemeral) -> Result<(), Failed> {
        self.send(Command::Tell(conversation, what)).await
    }

    /// Tells a person alone, if they are connected, what nobody stores of several conversations.
    ///
    /// # Errors
    /// [`Failed::Stopped`]
    pub async fn tell_person(
        &self,
        person: PersonKey,
        what: Vec<(ConversationId, Ephemeral)>,
    ) -> Result<(), Failed> {
        self.send(Command::TellPerson(person, what)).await
    }

    /// Sets the time by the registry, in milliseconds since 1970, or none.
    ///
    /// # Errors
    /// [`Failed::Stopped`]
    pub async fn set_registry_time(&self, time: Option<u64>) -> Result<(), Failed> {
        self.send(Command::RegistryTime(time)).await
    }

    /// Sets for how long what was written is kept; without it, for as long as there is room. What
    /// is older goes within an hour, once the registry has told the time: a wrong clock deletes
    /// nothing.
    ///
    /// # Errors
    /// [`Failed::Stopped`]
    pub async fn set_keep(&self, keep: Option<Duration>) -> Result<(), Failed> {
        self.send(Command::Keep(keep)).await
    }

    /// Makes a session with a device, unless there is one.
    ///
    /// # Errors
    /// If the device does not answer there, or another does.
    pub async fn dial(
        &self,
        address: SocketAddr,
        device: DeviceKey,
    ) -> Result<Result<(), SessionError>, Failed> {
        self.ask(|reply| Command::Dial {
            address,
            device,
            reply,
        })
        .await
    }

    async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut Sync<Keys>, Now) -> Result<(T, Vec<Effect>), Unable> + Send + 'static,
    ) -> Result<T, Failed> {
        let command = |reply: Reply<_>| {
            let write: Write = Box::new(move |sync, now| {
                let (result, effects) = match write(sync, now) {
                    Ok((value, effects)) => (Ok(value), effects),
                    Err(error) => (Err(error), Vec::new()),
                };
                let answer: Answer = Box::new(move || {
                    let _ = reply.send(result);
                });
                (effects, answer)
            });
            Command::Write(write)
        };
        Ok(self.ask(command).await??)
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Failed> {
        let (reply, answer) = oneshot::channel();
        self.send(command(reply)).await?;
        answer.await.map_err(|_| Failed::Stopped)
    }

    async fn send(&self, command: Command) -> Result<(), Failed> {
        let sent = self.commands.send(command).await;
        sent.map_err(|_| Failed::Stopped)
    }
}
