//! The column on the left: requests, chats, and others who are online.

use std::collections::HashSet;

use p2pchat_model::wording::{chat, label, security};
use p2pchat_model::{
    Alerts, Chat, ChatKind, Conversation, ConversationId, PeerAddr, Standing, Status, Timestamp,
    Trust, User, Username,
};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::{Block, Borders, Paragraph};

use super::theme::Theme;
use super::waiting;
use crate::chats;
use crate::shown::Shown;
use crate::wrap::{fit, one_line, width};

/// Narrower screens have no such column.
pub(super) const SCREEN_WITH_RAIL: u16 = 60;
/// From this many columns on, it is wider.
const SCREEN_WITH_WIDE_RAIL: u16 = 150;
/// From this width on, there is room beside the names for those that users have chosen.
const WITH_NAMES: usize = 28;

/// The mark of a chat in which something is typed and not sent.
pub(super) const DRAFT: &str = "✎";

/// Width of the column on a screen of this many columns; 0 for none.
pub(super) fn columns(screen: u16) -> u16 {
    match screen {
        ..SCREEN_WITH_RAIL => 0,
        SCREEN_WITH_WIDE_RAIL.. => 30,
        _ => 20,
    }
}

/// What a click on a row of the column leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Nothing.
    None,
    /// The list of requests.
    Requests,
    Chat(ConversationId),
    Person(Username),
    /// The list of all chats, or of everyone who is online.
    MoreChats,
    MorePeople,
}

type Targeted = (Row<'static>, Target);

/// Draws the column; returns what each of its rows leads to.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    shown: Shown<'_>,
    theme: Theme,
    now: Timestamp,
) -> Vec<Target> {
    let block = Block::new()
        .borders(Borders::RIGHT)
        .border_style(theme.dim());
    let inner = block.inner(area);
    let rail = Rail {
        shown,
        theme,
        columns: usize::from(inner.width),
    };
    let rows = rail.rows(now, usize::from(inner.height));
    let (rows, targets): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    frame.render_widget(block, area);
    frame.render_widget(Paragraph::new(rows), inner);
    targets
}

struct Rail<'a> {
    shown: Shown<'a>,
    theme: Theme,
    columns: usize,
}

impl Rail<'_> {
    fn rows(&self, now: Timestamp, height: usize) -> Vec<Targeted> {
        let mut out = Vec::new();
        let requests = waiting::requests(self.shown.view, self.columns, self.theme);
        out.extend(requests.map(|row| (row, Target::Requests)));
        let (chats, at) = self.chats();
        let (people, count) = self.people(now, height);
        // Two rows are headings. People have a third at least while they need it.
        let room = height.saturating_sub(out.len() + 2).max(2);
        let for_people = people.len().min((room / 3).max(1));
        let for_chats = chats.len().min(room - for_people).max(1);
        out.push((self.heading(chat::CHATS, None), Target::MoreChats));
        out.extend(self.window(chats, at, for_chats));
        out.push((self.heading(label::ONLINE, Some(count)), Target::MorePeople));
        out.extend(self.cut(people, count, room - for_chats));
        out
    }

    /// The chats, and which of them is shown.
    fn chats(&self) -> (Vec<Targeted>, usize) {
        let listed = chats::listed(self.shown);
        let at = listed.iter().position(|one| one.id == self.shown.id);
        let rows = listed.iter().enumerate();
        let rows = rows.map(|(at, one)| (self.chat(at + 1, one), Target::Chat(one.id)));
        (rows.collect(), at.unwrap_or_default())
    }

    fn chat(&self, number: usize, conversation: &Conversation) -> Row<'static> {
        let theme = self.theme;
        let chat = conversation.chat.as_ref();
        let number = match number {
            1..=9 => number.to_string(),
            _ => " ".to_owned(),
        };
        let is_pinned = chat.is_some_and(|chat| chat.pinned);
        let before = format!(" {number}{}", if is_pinned { "*" } else { " " });
        let mark = self.mark(conversation);
        let (mut notes, badge) = chat.map_or_else(
            || (Vec::new(), badge(0, conversation.unread() as u64)),
            |chat| (notes(chat), badge(chat.mentions, chat.unread)),
        );
        if !conversation.draft.is_empty() && conversation.id != self.shown.id {
            notes.push(DRAFT);
        }
        let behind: String = notes.iter().map(|note| format!(" {note}")).collect();
        let gap_before_badge = usize::from(!badge.is_empty());
        let used = width(&before) + 2 + width(&behind) + gap_before_badge + width(&badge);
        let room = self.columns.saturating_sub(used);
        let title = fit(&one_line(&chat::title(conversation)), room);
        // The column of the border is not touched where there is room.
        let rest = room - width(&title);
        let end = rest.min(1);
        let gap = gap_before_badge + rest - end;
        let is_muted = chat.is_some_and(|chat| chat.alerts == Alerts::Nothing);
        let name = match (badge.is_empty(), is_muted) {
            (false, false) => theme.strong(),
            _ => ratatui::style::Style::new(),
        };
        let badge_style = if is_muted { theme.dim() } else { theme.title() };
        let row = Row::from(vec![
            Span::styled(before, theme.dim()),
            mark,
            Span::raw(" "),
            Span::styled(title, name),
            Span::styled(behind, theme.warning()),
            Span::raw(" ".repeat(gap)),
            Span::styled(badge, badge_style),
            Span::raw(" ".repeat(end)),
        ]);
        if conversation.id == self.shown.id {
            row.style(theme.chosen())
        } else {
            row
        }
    }

    /// Whether the other one is online; for the open chat, that it is not encrypted.
    fn mark(&self, conversation: &Conversation) -> Span<'static> {
        let theme = self.theme;
        let Some(chat) = &conversation.chat else {
            return Span::styled("!", theme.warning());
        };
        if chat.standing == Standing::Out {
            return Span::styled("✗", theme.dim());
        }
        let Some(other) = chat
            .members
            .first()
            .filter(|_| chat.kind == ChatKind::Direct)
        else {
            return Span::raw(" ");
        };
        self.status(chats::status(other.who, self.shown.view))
    }

    /// The mark of a person: with what others see of them, if they are online.
    fn status(&self, status: Option<Status>) -> Span<'static> {
        match status {
            Some(Status::Available) => Span::styled("●", self.theme.good()),
            Some(Status::Away | Status::Busy) => Span::styled("●", self.theme.dim()),
            None => Span::styled("○", self.theme.dim()),
        }
    }

    /// Users that were asked into the open chat, then those online who have no chat with the
    /// user, up to so many; and how many there are.
    fn people(&self, now: Timestamp, limit: usize) -> (Vec<Targeted>, usize) {
        let view = self.shown.view;
        let asked_people = view.outgoing.iter().map(|request| &request.to);
        let above: HashSet<PeerAddr> = asked_people.map(|person| person.address).collect();
        let mut online = chats::strangers(view);
        online.retain(|user| !above.contains(&user.address));
        let count = view.outgoing.len() + online.len();
        let asked = view.outgoing.iter().map(|request| {
            let mark = Span::styled("◌", self.theme.warning());
            let seconds = now.seconds_until(request.expires);
            let row = self.entry(mark, &request.to.to_string(), &format!("{seconds} s"));
            (row, Target::Requests)
        });
        let online = online.into_iter();
        let online = online.map(|user| (self.user(user), Target::Person(user.name)));
        let mut people: Vec<_> = asked.chain(online).take(limit).collect();
        if people.is_empty() {
            people.push((self.remark(label::NO_ONE_ONLINE), Target::None));
        }
        (people, count)
    }

    /// A user with what others see of them: the mark of their key behind the name; on the right
    /// their status, or else the name that they have chosen.
    fn user(&self, user: &User) -> Row<'static> {
        let view = self.shown.view;
        let mark = if view.lookalike_of(user.name).is_some() {
            Span::styled("≈", self.theme.warning())
        } else {
            self.status(Some(user.status))
        };
        let trust = user.trust.map_or("", Trust::mark);
        let name = format!("{} {trust}", user.title());
        let wide = self.columns >= WITH_NAMES;
        let beside = match user.status {
            Status::Available if security::is_legacy(user, view) && wide => security::OLDER_PROGRAM,
            Status::Available if security::is_legacy(user, view) => "older",
            Status::Available => user.display_name.as_str(),
            Status::Busy => "busy",
            Status::Away => "away",
        };
        let room = self.columns.saturating_sub(5 + width(name.trim_end()));
        self.entry(mark, name.trim_end(), &fit(&one_line(beside), room))
    }

    fn heading(&self, text: &str, count: Option<usize>) -> Row<'static> {
        let mut row = Row::from(Span::styled(format!(" {text}"), self.theme.strong()));
        if let Some(count) = count {
            row.push_span(Span::styled(format!(" {count}"), self.theme.dim()));
        }
        row
    }

    fn remark(&self, text: &str) -> Row<'static> {
        Row::from(Span::styled(format!("   {text}"), self.theme.dim()))
    }

    /// A mark, a name, and a note on the right where there is room for it.
    fn entry(&self, mark: Span<'static>, name: &str, beside: &str) -> Row<'static> {
        let room = self.columns.saturating_sub(4);
        let name = fit(&one_line(name), room);
        let gap = room.saturating_sub(width(&name) + width(beside));
        let mut row = Row::from(vec![
            Span::raw(" "),
            mark,
            Span::raw(" "),
            Span::raw(name.clone()),
        ]);
        if gap > 0 && beside != name {
            let beside = format!("{}{beside}", " ".repeat(gap));
            row.push_span(Span::styled(beside, self.theme.dim()));
        }
        row
    }

    /// As many rows as there is room for, with this one among them.
    fn window(&self, mut rows: Vec<Targeted>, at: usize, room: usize) -> Vec<Targeted> {
        if rows.len() <= room {
            return rows;
        }
        let shown = room.saturating_sub(1).max(1);
        let first = (at + 1).saturating_sub(shown);
        let more = rows.len() - shown;
        let mut out: Vec<_> = rows.drain(first..first + shown).collect();
        if out.len() < room {
            out.push((self.remark(&format!("{more} more: F2")), Target::MoreChats));
        }
        out
    }

    /// As many rows as there is room for, of so many.
    fn cut(&self, mut rows: Vec<Targeted>, count: usize, room: usize) -> Vec<Targeted> {
        if count > room {
            let shown = room.saturating_sub(1);
            rows.truncate(shown);
            let more = self.remark(&format!("{} more: F4", count - shown));
            rows.push((more, Target::MorePeople));
        }
        rows
    }
}

/// How many messages are unread, or how many mention the user.
fn badge(mentions: u64, unread: u64) -> String {
    let count = |count: u64| {
        if count > 99 {
            "99+".to_owned()
        } else {
            count.to_string()
        }
    };
    match (mentions, unread) {
        (0, 0) => String::new(),
        (0, unread) => count(unread),
        (mentions, _) => format!("@{}", count(mentions)),
    }
}

/// What stands behind the title: how the key of the other one is known, that they have not
/// answered, and that the user is not alerted of all messages.
fn notes(chat: &Chat) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if let (ChatKind::Direct, Some(other)) = (chat.kind, chat.members.first()) {
        notes.push(other.trust.map_or("", Trust::mark));
        notes.push(if other.asked { "…" } else { "" });
    }
    notes.push(match chat.alerts {
        Alerts::All => "",
        Alerts::Mentions | Alerts::Nothing => "m",
    });
    notes.retain(|note| !note.is_empty());
    notes
}
