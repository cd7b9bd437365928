//! The orders of the machine, carried out with the handle of the node.

use p2pchat_conversation::message::Text;
use p2pchat_conversation::replica::{Deed, Kind, Replica, Role, Unable};
use p2pchat_model::{CallId, FrontEndId, MessageId, Problem};
use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::talk::Talk;
use p2pchat_protocol::v2::conversation::{ConversationId as Id, EntryId};
use p2pchat_protocol::v2::peer::Ephemeral;

use super::batch::About;
use super::shown::{Shown, conversation_id};
use crate::conversations::{Entry, Failed, Handle, Mark, Store, StoreError, View};
use crate::machine::{Order, Ordered, Part, SaidBy};

/// The result of an order, as the machine gets it.
pub(super) type Result<T = Ordered> = std::result::Result<T, (Problem, String)>;

/// Why an order is not carried out.
#[derive(Debug)]
pub(super) struct Refused {
    problem: Problem,
    words: String,
}

impl Refused {
    pub(super) fn of(problem: Problem) -> Self {
        let words = problem.words().to_owned();
        Self { problem, words }
    }
}

impl From<Refused> for (Problem, String) {
    fn from(Refused { problem, words }: Refused) -> Self {
        (problem, words)
    }
}

impl From<Failed> for Refused {
    fn from(error: Failed) -> Self {
        let problem = match error {
            Failed::Unable(Unable::NotOwner) => Problem::NotOwner,
            Failed::Unable(_) => Problem::NotPossible,
            Failed::Text => Problem::BadText,
            Failed::IdUsed => Problem::IdUsed,
            Failed::Store(error) => return error.into(),
            Failed::Stopped => Problem::NoChats,
        };
        let words = error.to_string();
        Self { problem, words }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unknown => Self::of(Problem::NoSuchConversation),
            error => Self {
                problem: Problem::NoChats,
                words: error.to_string(),
            },
        }
    }
}

/// What an order is answered.
#[derive(Debug)]
pub(super) enum Answer {
    /// This.
    Ready(Result),
    /// A page, read when the events before it are told.
    Page(Id, Part),
    /// Messages, read likewise.
    Find {
        conversation: Option<Id>,
        text: String,
    },
}

/// An order that was carried out.
#[derive(Debug)]
pub(super) struct Carried {
    pub(super) answer: Answer,
    /// What is to be looked at, where the node tells nothing of it.
    pub(super) look_at: Option<(Id, About)>,
}

type Done<T = ()> = std::result::Result<T, Refused>;

/// The conversation whose orders an order waits for.
pub(super) fn queue_of(order: &Order) -> Option<Id> {
    let id = match order {
        Order::Direct(_) | Order::MoveOn { .. } | Order::Group { .. } => return None,
        Order::Find { conversation, .. } => (*conversation)?,
        Order::Add { conversation, .. }
        | Order::Say { conversation, .. }
        | Order::Edit { conversation, .. }
        | Order::Delete { conversation, .. }
        | Order::React { conversation, .. }
        | Order::Page(conversation, _)
        | Order::Join(conversation)
        | Order::Decline(conversation)
        | Order::Remove(conversation, _)
        | Order::MakeOwner(conversation, _)
        | Order::Resign(conversation)
        | Order::Leave(conversation)
        | Order::Rename(conversation, _)
        | Order::Read(conversation, _)
        | Order::Draft(conversation, _)
        | Order::Alert(conversation, _)
        | Order::Pin(conversation, _)
        | Order::Archive(conversation, _) => *conversation,
    };
    id.to_encrypted().map(Id)
}

/// Carries out an order. `me` is the user.
pub(super) async fn carry_out(handle: Handle, me: PersonKey, order: Order) -> Carried {
    let id = queue_of(&order);
    let orders = Orders { handle, me };
    let (answer, look_at) = match (order, id) {
        (Order::Direct(person), _) => (ready(orders.direct(person).await), None),
        (Order::MoveOn { from, to }, _) => match orders.move_on(from, to).await {
            Ok(None) => (Answer::Ready(Ok(Ordered::Done)), None),
            Ok(Some((left, opened))) => {
                let opened = Ordered::Opened(conversation_id(&opened));
                (Answer::Ready(Ok(opened)), Some((left, About::chat())))
            }
            Err(refused) => (ready(Err(refused)), None),
        },
        (Order::Group { name, people }, _) => (ready(orders.group(name, people).await), None),
        (
            Order::Find {
                conversation: None,
                text,
            },
            _,
        ) => {
            let conversation = None;
            (Answer::Find { conversation, text }, None)
        }
        (_, None) => {
            let refused = Refused::of(Problem::NoSuchConversation);
            (ready(Err(refused)), None)
        }
        (Order::Find { text, .. }, conversation) => (Answer::Find { conversation, text }, None),
        (Order::Page(_, part), Some(conversation)) => (Answer::Page(conversation, part), None),
        (
            Order::Say {
                text,
                reply_to,
                said_by,
                ..
            },
            Some(id),
        ) => (ready(orders.say(id, text, reply_to, said_by).await), None),
        (order, Some(id)) => {
            let done = orders.within(id, order).await;
            match done {
                Ok(look_at) => (
                    Answer::Ready(Ok(Ordered::Done)),
                    look_at.map(|about| (id, about)),
                ),
                Err(refused) => (ready(Err(refused)), None),
            }
        }
    };
    Carried { answer, look_at }
}

fn ready(result: Done<Ordered>) -> Answer {
    Answer::Ready(result.map_err(Into::into))
}

/// The conversation with a person, and the texts that have not reached them, the oldest first.
type Waiting = Option<(Id, Vec<(MessageId, String)>)>;

fn waiting(view: &View<'_>, person: PersonKey) -> std::result::Result<Waiting, StoreError> {
    let is_it = |replica: &&Replica| match replica.kind() {
        Kind::Direct(people) => people.contains(&person),
        Kind::Group => false,
    };
    let replica = view.sync.conversations().find(is_it);
    let shown = replica.and_then(|replica| Shown::new(view, &replica.id()));
    let Some(shown) = shown else {
        return Ok(None);
    };
    let (id, me) = (shown.id(), shown.replica.person());
    let mut own = Vec::new();
    view.store
        .walk_back(&id, None, None, &shown.visible, |entry| {
            let got = shown
                .replica
                .has_got(&person, &entry.join, entry.place.position);
            own.extend((entry.author == me && !got).then_some(entry));
            true
        })?;
    let mut texts = Vec::new();
    for entry in own.into_iter().rev() {
        let post = view.store.with_naming(&id, entry, &shown.visible)?;
        if let Some(Text::Shown(text)) = post.message().map(|message| message.text) {
            texts.push((post.entry.message_id(), text.to_owned()));
        }
    }
    Ok(Some((id, texts)))
}

/// In place of the call of a front end: a message is said to a new key once.
fn moved_on(message: MessageId) -> SaidBy {
    SaidBy {
        front_end: FrontEndId::new("moved-on").expect("it is short and of letters"),
        id: CallId::Text(message.to_string().into()),
        fingerprint: 0,
    }
}

struct Orders {
    handle: Handle,
    me: PersonKey,
}

impl Orders {
    async fn direct(&self, person: PersonKey) -> Done<Ordered> {
        if person == self.me {
            return Err(Refused::of(Problem::Oneself));
        }
        let id = self.handle.direct(person).await?;
        Ok(Ordered::Opened(conversation_id(&id)))
    }

    /// Says what has not reached a person under the key before to the one that they have now. The
    /// conversations, if there is the one with the key before.
    async fn move_on(&self, from: PersonKey, to: PersonKey) -> Done<Option<(Id, Id)>> {
        let waiting = self.handle.read(move |view: &View<'_>| waiting(view, from));
        let Some((left, waiting)) = waiting.await?? else {
            return Ok(None);
        };
        let opened = self.handle.direct(to).await?;
        for (message, text) in waiting {
            let said_by = moved_on(message);
            let talk = Talk::Message { text };
            self.handle.say_by(opened, talk, Some(said_by)).await?;
        }
        self.handle.mark(left, Mark::Archived(true)).await?;
        self.handle.mark(opened, Mark::Archived(false)).await?;
        Ok(Some((left, opened)))
    }

    async fn group(
        &self,
        name: p2pchat_protocol::v2::DisplayName,
        people: Vec<PersonKey>,
    ) -> Done<Ordered> {
        let id = self.handle.create_group(name).await?;
        self.add(id, people, true).await?;
        Ok(Ordered::Opened(conversation_id(&id)))
    }

    /// Tells what is to be looked at.
    async fn within(&self, id: Id, order: Order) -> Done<Option<About>> {
        self.is_there(id).await?;
        match order {
            Order::Add {
                people, sees_all, ..
            } => self.add(id, people, sees_all).await?,
            Order::Join(_) => self.join(id).await?,
            Order::Decline(_) => self.handle.decline(id).await?,
            Order::Remove(_, person) => self.act(id, Deed::Remove(person)).await?,
            Order::MakeOwner(_, person) => self.act(id, Deed::Owner(person)).await?,
            Order::Resign(_) => self.act(id, Deed::Resign).await?,
            Order::Leave(_) => self.act(id, Deed::Leave).await?,
            Order::Rename(_, name) => self.act(id, Deed::Rename(name)).await?,
            Order::Edit { message, text, .. } => {
                let of = self.own(id, message).await?;
                self.handle.say(id, Talk::Edit { of, text }).await?;
            }
            Order::Delete { message, .. } => {
                let of = self.own(id, message).await?;
                self.handle.say(id, Talk::Erase { of }).await?;
            }
            Order::React { message, emoji, .. } => {
                let to = self.find(id, message).await?.id;
                self.handle.say(id, Talk::Reaction { to, emoji }).await?;
            }
            order => return self.mark(id, order).await.map(Some),
        }
        Ok(None)
    }

    async fn is_there(&self, id: Id) -> Done {
        let is_there = move |view: &View<'_>| view.sync.get(&id).is_some();
        let is_there = self.handle.read(is_there).await?;
        is_there
            .then_some(())
            .ok_or_else(|| Refused::of(Problem::NoSuchConversation))
    }

    async fn act(&self, id: Id, deed: Deed) -> Done {
        Ok(self.handle.act(id, deed).await?)
    }

    /// Asks those who are neither in nor asked. Of some people one has to be.
    async fn add(&self, id: Id, people: Vec<PersonKey>, sees_all: bool) -> Done {
        if people.is_empty() {
            return Ok(());
        }
        let me = self.me;
        let new = move |view: &View<'_>| {
            let replica = view.sync.get(&id);
            let role = |person: &PersonKey| replica.map(|replica| replica.role(person));
            let is_new = |person: &PersonKey| *person != me && role(person) == Some(Role::Stranger);
            let is_asked = |person| matches!(role(person), Some(Role::Invited(_)));
            let problem = if people.iter().any(is_asked) {
                Problem::AlreadyAsked
            } else {
                Problem::AlreadyMember
            };
            let new: Vec<PersonKey> = people.into_iter().filter(is_new).collect();
            if new.is_empty() {
                Err(problem)
            } else {
                Ok(new)
            }
        };
        let new = self.handle.read(new).await?.map_err(Refused::of)?;
        for person in new {
            self.act(id, Deed::Add { person, sees_all }).await?;
        }
        Ok(())
    }

    async fn join(&self, id: Id) -> Done {
        let is_in = move |view: &View<'_>| {
            let role = view.sync.get(&id).map(Replica::own_role);
            matches!(role, Some(Role::Member(_)))
        };
        if self.handle.read(is_in).await? {
            return Ok(());
        }
        Ok(self.handle.accept(id).await?)
    }

    async fn say(
        &self,
        id: Id,
        text: String,
        reply_to: Option<MessageId>,
        said_by: Option<SaidBy>,
    ) -> Done<Ordered> {
        self.is_there(id).await?;
        let talk = match reply_to {
            None => Talk::Message { text },
            Some(message) => {
                let to = self.find(id, message).await?.id;
                Talk::Reply { to, text }
            }
        };
        let said = self.handle.say_by(id, talk, said_by).await?;
        Ok(Ordered::Said {
            conversation: conversation_id(&id),
            message: Store::id_of(&said.place),
        })
    }

    /// A message that is shown.
    async fn find(&self, id: Id, message: MessageId) -> Done<Entry> {
        let find = move |view: &View<'_>| -> std::result::Result<_, StoreError> {
            let entry = view.store.entry_of(&id, message)?;
            let Some((entry, visible)) = entry.zip(view.visible(&id)) else {
                return Ok(None);
            };
            view.store.post(&id, &entry, &visible)
        };
        let found = self.handle.read(find).await??;
        let entry = found.map(|post| post.entry);
        entry.ok_or_else(|| Refused::of(Problem::NoSuchMessage))
    }

    /// A message of the user.
    async fn own(&self, id: Id, message: MessageId) -> Done<EntryId> {
        let entry = self.find(id, message).await?;
        if entry.author == self.me {
            Ok(entry.id)
        } else {
            Err(Refused {
                problem: Problem::NotPossible,
                words: "only who wrote a message can change or delete it".to_owned(),
            })
        }
    }

    /// What the user does with a conversation on this device.
    async fn mark(&self, id: Id, order: Order) -> Done<About> {
        let mut look_at = About::chat();
        let mark = match order {
            Order::Read(_, message) => return self.read(id, message).await,
            Order::Draft(_, text) => {
                look_at = About {
                    draft: true,
                    ..About::default()
                };
                Mark::Draft(text)
            }
            Order::Alert(_, alerts) => Mark::Alerts(alerts),
            Order::Pin(_, is_pinned) => Mark::Pinned(is_pinned),
            Order::Archive(_, is_archived) => Mark::Archived(is_archived),
            _ => return Ok(look_at),
        };
        self.handle.mark(id, mark).await?;
        Ok(look_at)
    }

    /// Keeps how far the user has read, and tells the members who are connected.
    async fn read(&self, id: Id, message: MessageId) -> Done<About> {
        let place = self.find(id, message).await?.place;
        self.handle.mark(id, Mark::Read(place)).await?;
        self.handle.tell(id, Ephemeral::Read(place)).await?;
        Ok(About {
            chat: true,
            read: true,
            ..About::default()
        })
    }
}
