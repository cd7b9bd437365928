//! The list of chats and people to go to, filtered by what is typed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use p2pchat_model::wording::{chat, label, security};
use p2pchat_model::{Conversation, ConversationId, Standing, Target, User, Username, View};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line as Row, Span};

use super::editor::Editor;
use super::input_line;
use super::overlay::Content;
use super::theme::Theme;
use crate::chats;
use crate::commands::{self, Typed};
use crate::shown::Shown;
use crate::wrap::{fit, one_line, width};

/// The longest filter, in bytes.
const LONGEST: usize = 64;
/// How many entries are shown: of more, a part of the name finds one sooner.
const MOST: usize = 200;
/// How many entries PageUp and PageDown skip.
const PAGE: usize = 8;

/// The list, while it is open.
#[derive(Debug, Default)]
pub(super) struct Switcher {
    filter: Editor,
    /// Whether it has everyone who is online, and no chats.
    is_of_people: bool,
    selected: usize,
    first_row: usize,
}

/// An entry of the list.
enum Entry<'a> {
    Chat(&'a Conversation),
    Person(&'a User),
    /// Someone who is not in the list: the registry is asked for the exact name.
    Name(Username),
}

/// What a key did in the list.
pub(super) enum Pressed {
    Stay,
    Close,
    Go(Typed),
}

impl Switcher {
    pub(super) fn chats() -> Self {
        Self::default()
    }

    pub(super) fn people() -> Self {
        Self {
            is_of_people: true,
            ..Self::default()
        }
    }

    /// Handles a key.
    pub(super) fn key(&mut self, key: KeyEvent, shown: Shown<'_>) -> Pressed {
        let count = self.entries(shown).len();
        let last = count.saturating_sub(1);
        match key.code {
            KeyCode::Esc | KeyCode::F(2 | 4) => return Pressed::Close,
            KeyCode::Enter => {
                let entries = self.entries(shown);
                let entry = entries.get(self.selected.min(last));
                return entry.map_or(Pressed::Stay, |entry| Pressed::Go(entry.go(shown.view)));
            }
            KeyCode::Up => self.selected = self.selected.min(last).saturating_sub(1),
            KeyCode::Down => self.selected = (self.selected + 1).min(last),
            KeyCode::PageUp => self.selected = self.selected.saturating_sub(PAGE),
            KeyCode::PageDown => self.selected = (self.selected + PAGE).min(last),
            _ if key.modifiers.contains(KeyModifiers::ALT) => {}
            _ => {
                input_line::edit(&mut self.filter, key, LONGEST);
                self.selected = 0;
            }
        }
        Pressed::Stay
    }

    /// Inserts pasted text into the filter.
    pub(super) fn paste(&mut self, text: &str) {
        let line = one_line(text);
        if self.filter.text().len() + line.len() <= LONGEST {
            self.filter.insert(line.trim());
            self.selected = 0;
        }
    }

    /// Those that have what is typed in their name, the ones that begin with it first.
    fn entries<'a>(&self, shown: Shown<'a>) -> Vec<Entry<'a>> {
        let view = shown.view;
        let mut all: Vec<Entry<'a>> = if self.is_of_people {
            view.others().map(Entry::Person).collect()
        } else {
            let listed = chats::listed(shown);
            let is_other = |one: &&Conversation| !listed.iter().any(|known| known.id == one.id);
            let others = view.conversations.iter().filter(is_other);
            let others = others.filter(|one| one.chat.is_some());
            let chats = listed.iter().copied().chain(others).map(Entry::Chat);
            let people = chats::strangers(view).into_iter().map(Entry::Person);
            chats.chain(people).collect()
        };
        let filter = self.filter.text().trim().to_lowercase();
        if filter.is_empty() {
            all.truncate(MOST);
            return all;
        }
        all.retain(|entry| entry.text().to_lowercase().contains(&filter));
        all.sort_by_key(|entry| !entry.text().to_lowercase().starts_with(&filter));
        all.truncate(MOST);
        let is_known = |name: Username| view.user(name).is_some() || view.account == Some(name);
        match Username::new(self.filter.text().trim()) {
            Ok(name) if !is_known(name) && chats::with(name, view).is_none() => {
                all.push(Entry::Name(name));
            }
            _ => {}
        }
        all
    }

    pub(super) fn draw(
        &mut self,
        frame: &mut Frame<'_>,
        over: Rect,
        shown: Shown<'_>,
        theme: Theme,
    ) {
        let columns = Content::columns(over);
        let title = if self.is_of_people {
            " People "
        } else {
            " Chats and people "
        };
        let mut content = Content::new(title);
        content.rows.push(Row::from(vec![
            Span::styled("› ", theme.title()),
            Span::raw(one_line(self.filter.text())),
            Span::styled("▏", theme.accent()),
        ]));
        let entries = self.entries(shown);
        for entry in &entries {
            let start = content.rows.len();
            content.rows.push(entry.row(shown, columns, theme));
            content.items.push(start..start + 1);
        }
        if entries.is_empty() {
            let words = Span::styled(label::NO_ONE_ONLINE, theme.dim());
            content.rows.push(Row::from(words));
        }
        let selected = self.selected.min(entries.len().saturating_sub(1));
        let keys = " ↑↓ Enter opens · Esc closes ";
        content.draw(
            frame,
            over,
            (Some(selected), &mut self.first_row),
            keys,
            theme,
        );
    }
}

impl Entry<'_> {
    /// What the filter looks at.
    fn text(&self) -> String {
        match self {
            Self::Chat(conversation) => chat::title(conversation),
            Self::Person(user) => format!("{} {}", user.name, user.display_name),
            Self::Name(name) => name.to_string(),
        }
    }

    fn go(&self, view: &View) -> Typed {
        match self {
            Self::Chat(conversation) => Typed::Go(conversation.id),
            Self::Person(User { name, .. }) => commands::begin_with(Target::Name(*name), view),
            Self::Name(name) => commands::begin_with(Target::Name(*name), view),
        }
    }

    fn row(&self, shown: Shown<'_>, columns: usize, theme: Theme) -> Row<'static> {
        let (name, note) = match self {
            Self::Chat(conversation) => {
                (chat::title(conversation), chat_note(conversation, shown.id))
            }
            Self::Person(user) => (user.name.to_string(), person_note(user, shown.view)),
            Self::Name(name) => (format!("“{name}”"), "look up the exact name".to_owned()),
        };
        let note = fit(&one_line(&note), columns / 2);
        let name = fit(&one_line(&name), columns.saturating_sub(width(&note) + 2));
        let gap = columns.saturating_sub(width(&name) + width(&note));
        Row::from(vec![
            Span::raw(name),
            Span::raw(" ".repeat(gap)),
            Span::styled(note, theme.dim()),
        ])
    }
}

fn chat_note(conversation: &Conversation, shown: ConversationId) -> String {
    let mut notes = Vec::new();
    if conversation.id == shown {
        notes.push("shown".to_owned());
    }
    match &conversation.chat {
        None => notes.push(chat::OPEN_CHAT_MEANS.to_owned()),
        Some(chat) => {
            if matches!(chat.standing, Standing::Asked(_)) {
                notes.push("asks for your answer".to_owned());
            }
            if chat.archived {
                notes.push(chat::ARCHIVED.to_lowercase());
            }
        }
    }
    match conversation.unread() {
        0 => {}
        count => notes.push(format!("{count} unread")),
    }
    notes.join(", ")
}

fn person_note(user: &User, view: &View) -> String {
    let mut notes = security::notes(user, view)
        .into_iter()
        .map(str::to_owned)
        .collect::<Vec<_>>();
    if !user.display_name.is_empty() {
        notes.push(format!("“{}”", user.display_name));
    }
    notes.join(", ")
}
