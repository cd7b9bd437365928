//! The part of the state that changes rarely.

use std::rc::Rc;

use p2pchat_model::{
    CallId, Code, Command, ConversationId, Event, Failure, Findings, KnownRegistry, Link,
    MessageId, PeerAddr, Problem, Trust, Username,
};

use crate::bridge::Connection;

use super::conversation::is_about_conversation;
use super::notes::{self, Note};
use super::view::ViewHandle;

/// The commands whose answers stand below the field that finds people.
const SEARCHES: [&str; 4] = ["request", "search", "refresh", "chat"];

/// The commands that lead to another conversation.
const OPENS: [&str; 3] = ["chat", "group", "accept_key"];

/// The part of the state that changes rarely.
#[derive(Clone, Default)]
pub struct Page {
    /// The view. A new message or a new delivery status is not a new revision here.
    pub view: Option<ViewHandle>,
    /// The connection to the bridge.
    pub connection: Connection,
    /// Whether the bridge has another build of the page by now.
    pub outdated: bool,
    /// How many times the view came: calls before the last one may have lost their answer.
    pub views: u32,
    /// The calls that have no answer yet, but for those about the conversation: their ids and
    /// commands.
    asked: Vec<(u64, &'static str)>,
    /// The last command of this page to have someone in the open chat.
    asked_open: Option<Command>,
    /// The last failure of each command of this page that was not sent again since.
    pub failures: Vec<Failure>,
    /// The answer to the last search for a user.
    pub found: Option<Found>,
    /// The result of the last search through the history.
    pub findings: Option<Findings>,
    /// What is open over the page.
    pub sheet: Option<Sheet>,
    /// The last command of an open sheet that was carried out, until it is sent again.
    pub done: Option<&'static str>,
    /// The code of the user that is compared, once it has come.
    pub code: Option<KnownCode>,
    /// The exported key of the user, while the sheet is open in which it was asked for.
    pub exported: Option<Rc<str>>,
    /// The registries that are pinned, once they have come.
    pub registries: Vec<KnownRegistry>,
    /// The registry that runs on this computer, if that was found out.
    pub found_registry: String,
    /// The draft of another front end.
    pub draft: Draft,
    /// What became of requests, the newest last.
    pub notes: Vec<Note>,
    /// The account that was signed in last in this page, unless the user signed out.
    pub last_account: Option<Username>,
    /// Why the registry ended the session, if it did.
    pub ended: Option<Problem>,
    /// Whether the user signs out only to sign in again, here in place of another computer.
    pub moves_here: bool,
    /// Whether texts without an answer wait for the next session, in which they are sent again.
    pub says_again: bool,
    /// A text that was not sent and belongs back into the message field.
    pub unsent: Option<Rc<str>>,
    /// The same of conversations that are not shown.
    unsent_elsewhere: Vec<(ConversationId, Rc<str>)>,
    /// The conversation that is shown once it is there.
    pub awaited: Option<ConversationId>,
    /// Whether the user has chosen the one that is shown, or has done something in it.
    pub has_chosen: bool,
    /// Whether the list of conversations is shown, where there is room for only one pane.
    pub lists: bool,
    /// The message that the one in the field replies to, or takes the place of.
    pub about: Option<About>,
}

/// What a message that is being written is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// It replies to this message.
    Reply(MessageId),
    /// It takes the place of this message.
    Edit(MessageId),
}

/// What can be open over the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheet {
    /// The account and its keys.
    Account,
    /// To bring the key of the user from another computer.
    Import,
    /// To compare codes with this user.
    Codes(Username),
    /// To begin a conversation.
    New,
    /// The keys that do something everywhere.
    Keys,
    /// To ask more people into this group.
    Add(ConversationId),
}

/// The code of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownCode {
    /// The user.
    pub name: Username,
    /// The code of the key that the registry has for them.
    pub code: Code,
    /// How well that key is known.
    pub trust: Trust,
}

/// The answer to a search for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The user's name.
    pub name: Username,
    /// Their address, if they are online.
    pub address: Option<PeerAddr>,
}

/// What another front end of this profile has in its message field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// Counts the drafts that came.
    pub nth: u32,
    /// The text; empty for none.
    pub text: Rc<str>,
}

impl Page {
    /// The failure of the last call of this command, unless it was sent again since.
    #[must_use]
    pub fn failure(&self, command: &str) -> Option<&Failure> {
        self.failures
            .iter()
            .find(|failure| failure.command == command)
    }

    /// The conversation that is shown.
    #[must_use]
    pub fn shown(&self) -> ConversationId {
        let view = self.view.as_ref();
        view.map_or(ConversationId::OPEN, |view| view.id())
    }

    /// Whether commands reach the bridge.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.connection == Connection::Live
    }

    /// The last failure of a search for people or of a chat request, but for one that the user
    /// can agree to.
    #[must_use]
    pub fn search_failure(&self) -> Option<&Failure> {
        let failure = SEARCHES.iter().find_map(|command| self.failure(command));
        failure.filter(|failure| failure.code != Problem::HasEncrypted)
    }

    /// What the user has to agree to before someone is in the open chat, and the command that
    /// failed for that.
    #[must_use]
    pub fn open_question(&self) -> Option<(&Failure, &Command)> {
        let mut failures = self.failures.iter();
        let question = failures.find(|failure| failure.code == Problem::HasEncrypted)?;
        Some((question, self.asked_open.as_ref()?))
    }

    /// Whether there is an answer to an earlier search.
    pub(super) fn has_search_answer(&self) -> bool {
        self.found.is_some() || self.search_failure().is_some()
    }

    /// Forgets the answers to earlier searches.
    pub(super) fn forget_search(&mut self) {
        self.found = None;
        self.failures
            .retain(|failure| !SEARCHES.contains(&failure.command.as_str()));
    }

    /// Whether the account is online at another address: others reach the user there.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        let Some(view) = self.view.as_ref().map(|view| view.get()) else {
            return false;
        };
        let own = view
            .online
            .iter()
            .find(|user| Some(user.name) == view.account);
        own.is_some_and(|user| Some(user.address) != view.address)
    }

    /// Whether one of these commands has no answer yet.
    #[must_use]
    pub fn waits_for(&self, commands: &[&str]) -> bool {
        self.asked.iter().any(|(_, asked)| commands.contains(asked))
    }

    /// Whether another conversation is about to be shown, at the user's wish.
    #[must_use]
    pub fn opens(&self) -> bool {
        self.is_live() && self.waits_for(&OPENS)
    }

    /// Begins again with a view, after which the answers to what was asked do not come any more.
    pub(super) fn begin(&mut self, view: ViewHandle, account: Option<Username>, draft: Rc<str>) {
        self.view = Some(view);
        self.views += 1;
        self.asked.clear();
        self.about = None;
        self.set_draft(draft);
        if account.is_some() {
            self.ended = None;
            self.last_account = account;
        }
    }

    fn set_draft(&mut self, text: Rc<str>) {
        let nth = self.draft.nth + 1;
        self.draft = Draft { nth, text };
    }

    /// Opens a sheet, or closes it. What an earlier one has led to is forgotten: a secret among
    /// it.
    pub(super) fn open(&mut self, sheet: Option<Sheet>) {
        self.sheet = sheet;
        (self.done, self.code, self.exported) = (None, None, None);
        self.failures.clear();
    }

    /// Records a command that is sent.
    pub(super) fn on_command(&mut self, id: u64, command: &Command) {
        let name = command.name();
        self.done = self.done.filter(|done| *done != name);
        self.failures.retain(|failure| failure.command != name);
        match command {
            Command::Search { .. } => self.found = None,
            Command::Request { .. } | Command::Accept { .. } => {
                self.asked_open = Some(command.clone());
            }
            _ => {}
        }
        if !is_about_conversation(command) {
            self.asked.push((id, name));
        }
    }

    /// Whether this answers a call that is about more than the conversation.
    pub(super) fn awaits(&self, re: Option<&CallId>) -> bool {
        let mut asked = self.asked.iter();
        asked.any(|(id, _)| re == Some(&CallId::Number(*id)))
    }

    /// Closes what was asked, if this event is the answer. Returns which command it was.
    pub(super) fn answer(&mut self, re: Option<&CallId>) -> Option<&'static str> {
        let is_it = |(id, _): &(u64, _)| re == Some(&CallId::Number(*id));
        let at = self.asked.iter().position(is_it)?;
        Some(self.asked.remove(at).1)
    }

    /// Records that a command was carried out.
    fn on_done(&mut self, re: Option<&CallId>) {
        self.done = self.answer(re).or(self.done);
        // That is seen in the list of people.
        if matches!(self.done, Some("trust" | "add")) {
            self.open(None);
        }
    }

    /// Applies an update that is not one of the conversation; `is_answer` is whether it answers
    /// a call about that.
    pub(super) fn on_update(&mut self, re: Option<&CallId>, event: &Event, is_answer: bool) {
        if let Some(view) = &mut self.view {
            view.touch();
        }
        notes::follow(&mut self.notes, event);
        self.forget_stale(event);
        match event {
            Event::LoggedIn { name, .. } => {
                self.ended = None;
                self.last_account = Some(*name);
            }
            Event::LoggedOut { problem, .. } => {
                self.ended = *problem;
                if problem.is_none() && !std::mem::take(&mut self.moves_here) {
                    self.last_account = None;
                }
                self.open(None);
                (self.awaited, self.has_chosen) = (None, false);
                self.found = None;
                self.findings = None;
                self.set_draft("".into());
            }
            Event::Found { name, address, .. } => {
                self.found = Some(Found {
                    name: *name,
                    address: *address,
                });
            }
            Event::Done => self.on_done(re),
            Event::Code { name, code, trust } => {
                let (name, code, trust) = (*name, *code, *trust);
                self.code = Some(KnownCode { name, code, trust });
            }
            Event::Exported { identity } => self.exported = Some(identity.as_str().into()),
            Event::Registries { list } => self.registries.clone_from(list),
            Event::RegistryFound { registry } => self.found_registry.clone_from(registry),
            Event::Failed(failure) if self.answer(re).is_some() || is_answer => {
                self.failures
                    .retain(|known| known.command != failure.command);
                self.failures.push(failure.clone());
            }
            Event::Findings {
                conversation,
                text,
                messages,
                posts,
            } => {
                self.findings = Some(Findings {
                    conversation: *conversation,
                    text: text.clone(),
                    messages: messages.clone(),
                    posts: posts.clone(),
                });
            }
            Event::Draft { conversation, text } if *conversation == self.shown() => {
                self.set_draft(text.as_str().into());
            }
            _ => {}
        }
    }

    /// Forgets answers that this event makes untrue.
    fn forget_stale(&mut self, event: &Event) {
        let mut forget = |problem| self.failures.retain(|failure| failure.code != problem);
        match event {
            Event::Link(Link::Up) => forget(Problem::RegistryUnreachable),
            Event::MemberJoined { .. } => forget(Problem::NobodyThere),
            Event::Online { .. } | Event::Presence { .. } => {
                if matches!(event, Event::Online { .. }) {
                    forget(Problem::NotOnline);
                }
                let view = self.view.as_ref().map(|view| view.get());
                if let (Some(found), Some(view)) = (&mut self.found, view) {
                    found.address = view.user(found.name).map(|user| user.address);
                }
            }
            _ => {}
        }
    }

    /// Forgets what the user was to agree to.
    pub(super) fn forget_open_question(&mut self) {
        self.failures
            .retain(|failure| failure.code != Problem::HasEncrypted);
    }

    /// Shows another conversation, with the draft of all front ends.
    pub(super) fn show(&mut self, view: ViewHandle, draft: Rc<str>, says_again: bool) {
        let id = view.id();
        self.view = Some(view);
        self.about = None;
        self.says_again = says_again;
        self.set_draft(draft);
        let is_here = |(of, _): &mut (ConversationId, _)| *of == id;
        let here: Vec<_> = self.unsent_elsewhere.extract_if(.., is_here).collect();
        for (id, text) in here {
            self.return_text(id, &text);
        }
    }

    /// Puts a text where the message field takes it from, behind what waits there already.
    pub(super) fn return_text(&mut self, id: ConversationId, text: &str) {
        if id != self.shown() {
            self.unsent_elsewhere.push((id, text.into()));
            return;
        }
        self.unsent = Some(match &self.unsent {
            Some(earlier) => format!("{earlier}\n{text}").into(),
            None => text.into(),
        });
    }
}
