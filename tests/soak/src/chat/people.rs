//! What is known of each user: whether they can take orders now, and what they see.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use p2pchat_model::{Command, ConversationId, Event, PeerAddr, Target, Username, View};
use tokio::sync::mpsc;

use super::driver::Kind;
use super::driver::{News, Order, What};
use super::ledger::User;

/// How long after a request, sent or received, a user may have the next one.
const ASK_PAUSE: Duration = Duration::from_secs(2);

/// All users.
#[derive(Debug)]
pub(super) struct People(pub(super) Vec<Person>);

/// One user.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) name: Username,
    pub(super) address: PeerAddr,
    pub(super) kind: Kind,
    pub(super) orders: mpsc::Sender<Order>,
    /// The process, while it runs.
    pub(super) pid: Option<u32>,
    /// How often it was started.
    pub(super) lives: usize,
    /// Stopped, or without a page, or about to be killed.
    pub(super) away: bool,
    /// When the user last asked or was asked.
    asked_at: Option<Instant>,
    /// What the user sees, without the lines of the conversation.
    pub(super) view: View,
    /// How many texts the user was told to send.
    pub(super) said: u32,
    /// How many lines the program has shown, notices included.
    pub(super) lines: usize,
}

impl Person {
    pub(super) fn new(
        name: Username,
        address: Ipv4Addr,
        kind: Kind,
        orders: mpsc::Sender<Order>,
    ) -> Self {
        Self {
            name,
            address: PeerAddr::new(address).expect("all of 127/8 are addresses of peers"),
            kind,
            orders,
            pid: None,
            lives: 0,
            away: true,
            asked_at: None,
            view: View::default(),
            said: 0,
            lines: 0,
        }
    }

    /// Whether the user is logged in and can take orders.
    pub(super) fn is_able(&self) -> bool {
        !self.away && self.view.account.is_some()
    }

    /// `false` if the user has too many orders waiting.
    pub(super) fn order(&self, order: Order) -> bool {
        self.orders.try_send(order).is_ok()
    }

    pub(super) fn ask(&self, command: Command) -> bool {
        self.order(Order::Ask(command))
    }

    /// Applies news of the user.
    pub(super) fn take(&mut self, news: &News) {
        match &news.what {
            What::Started(pid) => {
                self.pid = Some(*pid);
                self.lives += 1;
                self.away = false;
                self.view = View::default();
            }
            What::View(view) => {
                self.view = View::clone(view);
                self.drop_lines();
            }
            What::Event(event) => self.see(event),
            What::Back => self.away = false,
            What::Ended(_) => {
                self.pid = None;
                self.away = true;
            }
        }
    }

    fn see(&mut self, event: &Event) {
        self.view.apply(event);
        self.lines += self.drop_lines();
    }

    /// Drops the lines of the conversations, and says how many they were: the ledger has what
    /// was said, and those of hundreds of users would fill the memory.
    fn drop_lines(&mut self) -> usize {
        let conversations = self.view.conversations.iter_mut();
        conversations
            .map(|known| known.lines.drain(..).count())
            .sum()
    }
}

impl People {
    pub(super) fn is_able(&self, user: User) -> bool {
        self.0[user].is_able()
    }

    pub(super) fn able<'a>(&'a self, users: &'a [User]) -> impl Iterator<Item = User> + 'a {
        users.iter().copied().filter(|user| self.is_able(*user))
    }

    /// Whether all users are logged in and see each other online.
    pub(super) fn all_see_each_other(&self) -> bool {
        let sees =
            |one: &Person, other: &Person| one.view.name_of(other.address) == Some(other.name);
        self.0
            .iter()
            .all(|one| one.is_able() && self.0.iter().all(|other| sees(one, other)))
    }

    /// Whether one has the other in the chat.
    pub(super) fn knows(&self, one: User, other: User) -> bool {
        self.0[one].view.is_member(self.0[other].address)
    }

    /// The members of a user's chat.
    pub(super) fn chats_with(&self, user: User) -> impl Iterator<Item = User> {
        let members = self.0[user].view.open().members.iter();
        members.filter_map(|member| {
            self.0
                .iter()
                .position(|other| other.address == member.address)
        })
    }

    /// Whether one may ask the other now: no request is open between either and anyone, nor
    /// was a moment ago.
    pub(super) fn may_ask(&self, asker: User, asked: User, now: Instant) -> bool {
        let Person {
            address,
            view,
            asked_at,
            ..
        } = &self.0[asked];
        let mut outgoing = self.0[asker].view.outgoing.iter();
        asked_at.is_none_or(|at| at + ASK_PAUSE <= now)
            && view.incoming.is_none()
            && outgoing.all(|request| request.to.address != *address)
    }

    /// Makes one ask the other.
    pub(super) fn request(&mut self, asker: User, asked: User, now: Instant) {
        let to = Target::Name(self.0[asked].name);
        let conversation = ConversationId::OPEN;
        self.0[asker].ask(Command::Request { conversation, to });
        for user in [asker, asked] {
            self.0[user].asked_at = Some(now);
        }
    }

    /// Whether a user has no request open, in either direction.
    pub(super) fn is_unasked(&self, user: User) -> bool {
        let Person { view, asked_at, .. } = &self.0[user];
        let rests = asked_at.is_none_or(|at| at.elapsed() > ASK_PAUSE);
        rests && view.outgoing.is_empty() && view.incoming.is_none()
    }
}
