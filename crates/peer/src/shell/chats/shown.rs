//! Conversations and messages as front ends have them.

use p2pchat_conversation::message::{Place, Text};
use p2pchat_conversation::replica::{Kind, Replica, Role};
use p2pchat_model::{
    Chat, ChatKind, ConversationId, Member, Named, Post, PostState, Quote, Reaction, Receipt,
    Standing, Timestamp, Username,
};
use p2pchat_protocol::v2::conversation::roster::Act;
use p2pchat_protocol::v2::conversation::talk::TalkEntry;
use p2pchat_protocol::v2::conversation::{Clock, ConversationId as Id, EntryId};
use p2pchat_protocol::v2::{DisplayName, PersonKey};

use crate::conversations::{self as store, Entry, Reader, StoreError, View, Visible};

/// How much later than its time a message has to come for that to be told, in milliseconds.
const MUCH_LATER: u64 = 5 * 60 * 1000;

/// One conversation at one moment.
pub(super) struct Shown<'a> {
    view: &'a View<'a>,
    pub(super) replica: &'a Replica,
    pub(super) visible: Visible,
}

impl<'a> Shown<'a> {
    /// `None` if there is no such conversation.
    pub(super) fn new(view: &'a View<'a>, id: &Id) -> Option<Self> {
        Some(Self {
            view,
            replica: view.sync.get(id)?,
            visible: view.visible(id)?,
        })
    }

    pub(super) fn id(&self) -> Id {
        self.replica.id()
    }

    /// A person, whose name only the machine knows.
    pub(super) fn named(&self, key: PersonKey) -> Named {
        Named {
            key,
            name: None,
            you: key == self.replica.person(),
        }
    }

    /// All of it, but for who is writing and how far others have read.
    pub(super) fn chat(&self, account: Option<Username>) -> Result<Chat, StoreError> {
        let (replica, me) = (self.replica, self.replica.person());
        let settings = self.view.store.settings(&self.id())?.unwrap_or_default();
        let reader = Reader {
            person: me,
            account,
            read: settings.read,
        };
        let unread = self.view.store.unread(&self.id(), &reader, &self.visible)?;
        let membership = replica.membership();
        Ok(Chat {
            kind: match replica.kind() {
                Kind::Direct(_) => ChatKind::Direct,
                Kind::Group => ChatKind::Group,
            },
            name: membership.name.unwrap_or_else(no_name),
            standing: self.standing(),
            owner: membership.owners.contains(&me),
            members: self.members(),
            since: self.since(),
            unread: unread.messages,
            mentions: unread.mentions,
            alerts: settings.alerts,
            pinned: settings.pinned,
            archived: settings.archived,
        })
    }

    fn standing(&self) -> Standing {
        match (self.replica.own_role(), self.replica.inviter()) {
            (Role::Member(_), _) => Standing::In,
            (Role::Invited(_), Some(by)) => Standing::Asked(self.named(by)),
            (Role::Invited(_), None) | (Role::Stranger, _) => Standing::Out,
        }
    }

    fn members(&self) -> Vec<Member> {
        let membership = self.replica.membership();
        let direct = match self.replica.kind() {
            Kind::Direct(people) => people.to_vec(),
            Kind::Group => Vec::new(),
        };
        let in_or_asked = membership.members.keys().chain(membership.invited.keys());
        let mut people: Vec<_> = in_or_asked.copied().chain(direct).collect();
        people.sort_unstable();
        people.dedup();
        people.retain(|person| *person != self.replica.person());
        let member = |person: PersonKey| {
            let role = self.replica.role(&person);
            // The other one of a direct conversation is named whatever they are.
            if role == Role::Stranger && self.replica.kind() == Kind::Group {
                return None;
            }
            let declined = self.replica.has_declined(&person);
            Some(Member {
                who: self.named(person),
                asked: !declined && !matches!(role, Role::Member(_)),
                declined,
                owner: membership.owners.contains(&person),
                trust: None,
                typing: false,
                read: None,
            })
        };
        people.into_iter().filter_map(member).collect()
    }

    fn since(&self) -> Option<Timestamp> {
        let from = match self.replica.own_role() {
            Role::Member(from) => from,
            Role::Invited(add) => {
                // They join by the add that lets them see most, which may be an earlier one.
                let adds = &self.replica.membership().adds;
                let best = adds.get(&self.replica.person()).unwrap_or(&add);
                match self.replica.roster().get(best)?.act {
                    Act::Add { from, .. } => from,
                    _ => return None,
                }
            }
            Role::Stranger => return None,
        };
        (from > Clock::ZERO).then(|| time(from))
    }

    /// A message as it is now.
    pub(super) fn post(&self, post: &store::Post) -> Result<Post, StoreError> {
        let entry = &post.entry;
        let message = post.message();
        let is_own = entry.author == self.replica.person();
        let (state, text) = match message.as_ref().map(|message| message.text) {
            _ if is_of_unknown_kind(entry) => (PostState::NeedsNewer, ""),
            Some(Text::Shown(text)) => (PostState::Shown, text),
            Some(Text::Erased) => (PostState::Deleted, ""),
            Some(Text::Missing) | None => (PostState::NotKept, ""),
        };
        let answers = message.as_ref().and_then(|message| message.answers);
        let reply = match answers.filter(|_| state == PostState::Shown) {
            Some(answers) => self.quote(&answers)?,
            None => None,
        };
        let reactions = message.iter().flat_map(|message| &message.reactions);
        let reactions = reactions.map(|(emoji, by)| Reaction {
            emoji: (*emoji).to_owned(),
            by: by.iter().map(|person| self.named(*person)).collect(),
        });
        let at = time(entry.place.clock);
        let is_late = entry.came > at.0.saturating_add(MUCH_LATER);
        Ok(Post {
            conversation: conversation_id(&self.id()),
            id: entry.message_id(),
            at,
            came: (is_late && !is_own).then_some(Timestamp(entry.came)),
            from: self.named(entry.author),
            state,
            text: text.to_owned(),
            edited: message
                .as_ref()
                .and_then(|message| message.edited)
                .map(time),
            reply,
            reactions: reactions.collect(),
            receipts: is_own.then(|| self.receipts(entry)),
        })
    }

    /// A message that was stored and does not count any more.
    pub(super) fn lost(&self, entry: &TalkEntry) -> Option<store::Post> {
        let header = entry.header;
        let log = self.replica.membership().logs.get(&header.join)?;
        let place = Place {
            clock: header.clock,
            device: log.device,
            position: header.position,
        };
        let entry = Entry {
            id: entry.id,
            join: header.join,
            place,
            author: log.person,
            kind: header.kind,
            talk: None,
            came: 0,
        };
        let naming = Vec::new();
        Some(store::Post { entry, naming })
    }

    /// What a reply answers. `None` if that cannot be seen.
    fn quote(&self, answers: &EntryId) -> Result<Option<Quote>, StoreError> {
        let post = self.view.store.post(&self.id(), answers, &self.visible)?;
        Ok(post.map(|post| {
            let text = match post.message().map(|message| message.text) {
                Some(Text::Shown(text)) => &text[..text.floor_char_boundary(Quote::MAX)],
                _ => "",
            };
            Quote {
                id: post.entry.message_id(),
                from: self.named(post.entry.author),
                text: text.to_owned(),
            }
        }))
    }

    /// Whether nobody else is in.
    pub(super) fn is_alone(&self) -> bool {
        let me = self.replica.person();
        let mut members = self.replica.membership().members.keys();
        members.all(|person| *person == me)
    }

    /// Who is to get an own message: those who are in and see it. While nobody else is in, those who
    /// were asked.
    fn receipts(&self, entry: &Entry) -> Vec<Receipt> {
        let (replica, me) = (self.replica, self.replica.person());
        let members = &replica.membership().members;
        let sees = |person: &PersonKey| match replica.role(person) {
            Role::Member(from) => *person != me && entry.place.clock > from,
            Role::Invited(_) | Role::Stranger => false,
        };
        let receipt = |person: PersonKey| Receipt {
            to: self.named(person),
            delivered: replica.has_got(&person, &entry.join, entry.place.position),
        };
        let awaited = members.keys().copied().filter(sees).map(receipt);
        if !self.is_alone() {
            return awaited.collect();
        }
        match replica.kind() {
            Kind::Direct(people) => {
                let other = people.into_iter().find(|person| *person != me);
                other.map(receipt).into_iter().collect()
            }
            Kind::Group => {
                let will_see = |person: &PersonKey| {
                    let Role::Invited(add) = replica.role(person) else {
                        return false;
                    };
                    let add = replica.roster().get(&add).map(|add| &add.act);
                    matches!(add, Some(Act::Add { from, .. }) if entry.place.clock > *from)
                };
                let invited = replica.membership().invited.keys().copied();
                invited.filter(will_see).map(receipt).collect()
            }
        }
    }
}

/// Whether a newer program may know what it is.
fn is_of_unknown_kind(entry: &Entry) -> bool {
    !matches!(entry.kind, 1..=5)
}

fn no_name() -> DisplayName {
    "".parse().expect("a name may be empty")
}

pub(super) fn time(clock: Clock) -> Timestamp {
    let millis = clock.since_1970().as_millis();
    Timestamp(u64::try_from(millis).unwrap_or(u64::MAX))
}

/// The id of a conversation as front ends have it.
pub(super) fn conversation_id(id: &Id) -> ConversationId {
    ConversationId::encrypted(&id.0)
}
