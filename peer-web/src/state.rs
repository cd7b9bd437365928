//! The state of the page: the view, and what only the page knows. A pure reducer.

mod conversation;
mod notes;
mod page;
mod view;

use std::rc::Rc;

use p2pchat_model::{Command, ConversationId, Event, MessageId, PeerAddr, Update, Username, View};
use yew::Reducible;

use crate::bridge::{Connection, Loss};
use crate::logic::chats;
use crate::logic::clock::Zone;
use crate::logic::reading::Reading;

use conversation::is_about_conversation;
pub use conversation::{Asked, Conversation};
pub use notes::Note;
pub use page::{About, Draft, Found, KnownCode, Page, Sheet};
pub use view::{SharedView, ViewHandle};

/// The state, in two parts: a message changes the conversation alone, so only the components
/// that show it are rendered again.
#[derive(Clone)]
pub struct State {
    /// The part that changes rarely.
    pub page: Rc<Page>,
    /// The conversation that is shown. It changes with nearly every message.
    pub conversation: Rc<Conversation>,
    zone: Zone,
}

/// What changes a [`State`].
pub enum Action {
    /// The connection to the bridge changed.
    Connection(Connection),
    /// The bridge sent something.
    Update(Update),
    /// A command is sent, with this id, to be answered.
    Command(u64, Command),
    /// Show this conversation.
    Show(ConversationId),
    /// Show the conversation that was shown when the page was here last, unless the user chooses
    /// another one before it is there.
    Resume(ConversationId),
    /// Show the list of them, where there is room for only one pane.
    List,
    /// The message that is being written replies to another one, or takes its place.
    About(Option<About>),
    /// Whether the user sees the end of the conversation.
    Look(bool),
    /// Scroll to this message.
    Jump(MessageId),
    /// The jump is done, or impossible.
    Jumped,
    /// The message that the user was led to looks like the others again.
    Unlit,
    /// Show the end of the conversation.
    Latest,
    /// The unsent text is in the message field again.
    Restored,
    /// The user has seen what became of the requests to or from this address.
    Dismissed(PeerAddr),
    /// The user does not agree to have someone in the open chat.
    NotOpen,
    /// The user types another name: the answers to earlier ones say nothing of it.
    SearchChanged,
    /// Something is opened over the page, or closed.
    Open(Option<Sheet>),
    /// The bridge has another build of the page by now.
    Outdated,
    /// The user signs out to sign in again, here in place of another computer.
    MoveHere,
}

/// The view is changed in place (see [`SharedView`]); the rest is small and copied.
impl Reducible for State {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut next = (*self).clone();
        match action {
            Action::Connection(connection) => next.on_connection(connection),
            Action::Update(update) => next.on_update(&update),
            Action::Command(id, command) => next.on_command(id, command),
            Action::Show(id) => next.choose(id),
            Action::Resume(id) => {
                next.page().awaited = Some(id);
                next.settle();
            }
            Action::List => next.page().lists = true,
            Action::About(about) => next.page().about = about,
            Action::Look(looking) => {
                let reading = self.conversation.look(looking);
                if reading == self.conversation.reading {
                    return self;
                }
                next.conversation().reading = reading;
            }
            Action::Jump(id) => next.conversation().lead_to(id),
            Action::Jumped => next.conversation().arrive(),
            Action::Unlit => next.conversation().lit = None,
            Action::Latest => {
                if !next.conversation().show_end() {
                    return self;
                }
            }
            Action::Restored => {
                next.page().unsent = None;
                next.conversation().failed.clear();
            }
            Action::Dismissed(address) => notes::forget(&mut next.page().notes, address),
            Action::NotOpen => next.page().forget_open_question(),
            Action::SearchChanged => {
                if !self.page.has_search_answer() {
                    return self;
                }
                next.page().forget_search();
            }
            Action::Open(sheet) => next.page().open(sheet),
            Action::Outdated => next.page().outdated = true,
            Action::MoveHere => next.page().moves_here = true,
        }
        Rc::new(next)
    }
}

impl State {
    /// The state before the bridge has sent anything.
    #[must_use]
    pub fn new(zone: Zone) -> Self {
        Self {
            page: Rc::default(),
            conversation: Rc::default(),
            zone,
        }
    }

    /// The account that is signed in.
    #[must_use]
    pub fn account(&self) -> Option<Username> {
        self.page.view.as_ref()?.get().account
    }

    fn page(&mut self) -> &mut Page {
        Rc::make_mut(&mut self.page)
    }

    fn conversation(&mut self) -> &mut Conversation {
        Rc::make_mut(&mut self.conversation)
    }

    /// A text without an answer waits for the next connection, in which it is sent again; but for
    /// one that the bridge would refuse again, for what it is.
    fn on_connection(&mut self, connection: Connection) {
        let page = self.page();
        page.connection = connection;
        if let Connection::Waiting {
            why: Loss::TooBig | Loss::Misunderstood,
            ..
        } = connection
        {
            for (id, text) in self.conversation().refuse_all() {
                self.page().return_text(id, &text);
            }
        }
    }

    /// Forgets the texts of another session: the message field of their account takes them from
    /// the storage of the tab.
    fn forget_texts(&mut self) {
        self.conversation().forget_texts();
        let page = self.page();
        (page.unsent, page.says_again) = (None, false);
    }

    fn on_view(&mut self, view: &View) {
        let mut view = view.clone();
        let conversation = self.conversation();
        let is_known = conversation.join(&mut view);
        let before = conversation.view.as_ref().map(|view| view.id());
        let is_there = |id: &ConversationId| view.conversation(*id).is_some();
        let known = before.filter(|_| is_known);
        // A bridge that has just started tells them one after the other.
        let awaited = known.filter(|id| !is_there(id));
        let id = known
            .filter(is_there)
            .unwrap_or_else(|| chats::first(&view));
        let chat = view.conversation(id).unwrap_or(view.open());
        let read = (before == Some(id) && is_known).then(|| conversation.reading.read());
        let looking = conversation.reading.looking();
        let mut reading = Reading::begin(&chat.lines, read.max(read_of(chat)), looking);
        if read.is_none() {
            reading = reading.of(chat.unread());
        }
        let draft = chat.draft.as_str().into();
        let (account, is_alone) = (view.account, view.open().is_alone());
        if self.is_another(account) {
            self.forget_texts();
        }
        let view = ViewHandle::new(view, id, reading.mark(), self.zone.clone());
        if let Some(known) = self.conversation.view.as_ref().filter(|_| read.is_some()) {
            view.take_part(known, reading.mark());
        }
        self.conversation().begin(view.clone(), reading);
        self.page().says_again = !self.conversation.unsaid().is_empty();
        let page = self.page();
        if !is_known {
            page.lists = is_alone;
        }
        page.awaited = page.awaited.or(awaited);
        page.has_chosen &= is_known && awaited.is_none();
        page.begin(view, account, draft);
        self.settle();
    }

    /// Shows the conversation that the user has chosen, once it is there.
    fn choose(&mut self, id: ConversationId) {
        let page = self.page();
        page.lists = false;
        page.awaited = Some(id);
        page.forget_search();
        self.settle();
    }

    /// Shows the conversation that is awaited, if it is there. The first of the list takes the place
    /// of one that is gone, and, before the user has chosen one, of an open chat that has nothing to
    /// show.
    fn settle(&mut self) {
        let Some(view) = self.page.view.clone() else {
            return;
        };
        let view = view.get();
        let is_there = |id: &ConversationId| view.conversation(*id).is_some();
        let awaited = self.page.awaited.filter(is_there);
        let is_bare =
            self.page.shown() == ConversationId::OPEN && chats::part(view.open()).is_none();
        let is_gone = !is_there(&self.page.shown());
        let is_first = is_gone || is_bare && !self.page.has_chosen;
        let id = awaited.or_else(|| is_first.then(|| chats::first(&view)));
        drop(view);
        if awaited.is_some() {
            let page = self.page();
            (page.awaited, page.has_chosen) = (None, true);
        }
        if let Some(id) = id {
            self.show(id);
        }
    }

    /// Shows a conversation, from where the user has read it.
    fn show(&mut self, id: ConversationId) {
        let Some(view) = self.page.view.clone().filter(|view| view.id() != id) else {
            return;
        };
        let (reading, draft) = match view.get().conversation(id) {
            Some(chat) => {
                let reading = Reading::begin(&chat.lines, read_of(chat), false);
                let reading = reading.of(chat.unread());
                (reading, chat.draft.as_str().into())
            }
            None => return,
        };
        let view = view.showing(id, reading.mark());
        self.conversation().show(view.clone(), reading);
        let says_again = !self.conversation.unsaid().is_empty();
        self.page().show(view, draft, says_again);
    }

    fn on_update(&mut self, update: &Update) {
        let event = &*update.event;
        if let Event::View(snapshot) = event {
            self.on_view(&snapshot.view);
            return;
        }
        if self.conversation.view.is_none() {
            return;
        }
        let begins = matches!(event, Event::LoggedIn { .. }) && self.account().is_none();
        let re = update.re.as_ref();
        let asked = self.conversation().answer(re, event);
        if let (Some(asked), Event::Failed(_)) = (&asked, event)
            && let (Some(text), Some(id)) = (asked.text(), asked.command.conversation())
        {
            self.page().return_text(id, text);
        }
        let is_end = match event {
            Event::LoggedOut { .. } => true,
            Event::LoggedIn { name, .. } => self.is_another(Some(*name)),
            _ => false,
        };
        if is_end {
            self.forget_texts();
        }
        self.conversation().on_event(event);
        let is_of_lines = match event {
            Event::Message(_)
            | Event::Delivered { .. }
            | Event::History { .. }
            | Event::Post(_)
            | Event::PostChanged(_)
            | Event::Posts { .. }
            | Event::PostsFrom { .. }
            | Event::Unread { .. }
            | Event::Typing { .. }
            | Event::ReadBy { .. }
            | Event::Read { .. } => true,
            Event::Done => asked.is_some() || !self.page.awaits(re),
            // This page's own comes back too.
            Event::Draft { .. } => re.is_some(),
            _ => false,
        };
        if !is_of_lines {
            self.page().on_update(re, event, asked.is_some());
        }
        if begins {
            self.page().lists = true;
        }
        if let Event::Chat { .. } | Event::ChatHidden { .. } = event {
            self.settle();
        }
        if let Event::Opened { conversation } = event {
            self.page().answer(re);
            self.page().open(None);
            self.choose(*conversation);
        }
    }

    /// Whether another account signs in than the one before, to which the texts belong.
    fn is_another(&self, account: Option<Username>) -> bool {
        account.is_some() && account != self.page.last_account
    }

    fn on_command(&mut self, id: u64, command: Command) {
        // What becomes of them changes nothing here.
        if let Command::Read { .. } | Command::Typing { .. } = command {
            return;
        }
        let stays = matches!(
            command,
            Command::Draft { .. } | Command::Say { .. } | Command::Request { .. }
        );
        let is_settled = self.page.awaited.is_none() && self.page.has_chosen;
        if stays && !is_settled {
            let page = self.page();
            (page.awaited, page.has_chosen) = (None, true);
        }
        let is_of_page = !is_about_conversation(&command);
        if is_of_page || self.page.failure(command.name()).is_some() {
            self.page().on_command(id, &command);
        }
        if !is_of_page {
            self.conversation().on_command(id, command);
        }
    }
}

/// How far a conversation was read.
fn read_of(chat: &p2pchat_model::Conversation) -> Option<MessageId> {
    let has_unread = chat.chat.as_ref().is_some_and(|chat| chat.unread > 0);
    chat.read.or(has_unread.then_some(MessageId::FIRST))
}

#[cfg(test)]
mod tests;
