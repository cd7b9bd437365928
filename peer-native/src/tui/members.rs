//! The column on the right of a wide screen: who is in the conversation.

use p2pchat_model::wording::{chat, label, security};
use p2pchat_model::{Chat, Conversation, Member, Person, Status, Trust, View};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::{Block, Borders, Paragraph};

use super::theme::Theme;
use crate::chats;
use crate::shown::Shown;
use crate::wrap::{fit, one_line, width};

/// Narrower screens have no such column.
const SCREEN_WITH_MEMBERS: u16 = 120;

/// Width of the column on a screen of this many columns; 0 for none.
pub(super) fn columns(screen: u16, shown: Shown<'_>) -> u16 {
    let conversation = shown.conversation();
    let is_open_and_alone = conversation.chat.is_none() && conversation.is_alone();
    if screen < SCREEN_WITH_MEMBERS || is_open_and_alone {
        0
    } else {
        22
    }
}

/// Draws the column.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, shown: Shown<'_>, theme: Theme) {
    let block = Block::new()
        .borders(Borders::LEFT)
        .border_style(theme.dim());
    let inner = block.inner(area);
    let list = List {
        view: shown.view,
        theme,
        columns: usize::from(inner.width),
    };
    let rows = list.rows(shown.conversation(), usize::from(inner.height));
    frame.render_widget(block, area);
    frame.render_widget(Paragraph::new(rows), inner);
}

struct List<'a> {
    view: &'a View,
    theme: Theme,
    columns: usize,
}

impl List<'_> {
    fn rows(&self, conversation: &Conversation, height: usize) -> Vec<Row<'static>> {
        let (mut rows, count) = match &conversation.chat {
            Some(chat) => (self.members(chat), chat::members(chat)),
            None => {
                let (count, _) = chats::open_counts(conversation);
                (self.open_members(conversation), count)
            }
        };
        let room = height.saturating_sub(1);
        if rows.len() > room {
            let more = rows.len() + 1 - room.max(1);
            rows.truncate(room.saturating_sub(1));
            let words = format!("   {more} more: /who");
            rows.push(Row::from(Span::styled(words, self.theme.dim())));
        }
        let heading = Row::from(vec![
            Span::styled(format!(" {}", chat::MEMBERS), self.theme.strong()),
            Span::styled(format!(" {count}"), self.theme.dim()),
        ]);
        std::iter::once(heading).chain(rows).collect()
    }

    fn members(&self, chat: &Chat) -> Vec<Row<'static>> {
        let members = chat.members.iter().map(|member| self.member(member));
        let mark = Span::styled("●", self.theme.good());
        let owner = if chat.owner { chat::OWNER } else { "" };
        let you = self.entry(mark, label::YOU, (owner, self.theme.dim()));
        members.chain([you]).collect()
    }

    fn member(&self, member: &Member) -> Row<'static> {
        let theme = self.theme;
        let status = self.view.online_as(member).map(|user| user.status);
        let mark = match status {
            Some(Status::Available) => Span::styled("●", theme.good()),
            Some(Status::Away | Status::Busy) => Span::styled("●", theme.dim()),
            None => Span::styled("○", theme.dim()),
        };
        let trust = member.trust.map_or("", Trust::mark);
        let name = format!("{} {trust}", member.who);
        let has_changed = matches!(
            member.trust,
            Some(Trust::Changed | Trust::ChangedAfterVerified)
        );
        let beside = match status {
            _ if member.is_former() => (Trust::Former.words(), theme.warning()),
            _ if has_changed => ("new code", theme.warning()),
            _ if member.asked => (label::ASKED, theme.dim()),
            _ if member.declined => (label::DECLINED, theme.dim()),
            _ if member.owner => (chat::OWNER, theme.dim()),
            Some(Status::Away) => ("away", theme.dim()),
            Some(Status::Busy) => ("busy", theme.dim()),
            Some(Status::Available) | None => ("", theme.dim()),
        };
        self.entry(mark, name.trim_end(), beside)
    }

    fn open_members(&self, conversation: &Conversation) -> Vec<Row<'static>> {
        let theme = self.theme;
        let members = conversation.members.iter().map(|member| {
            let like = member.name.and_then(|name| self.view.lookalike_of(name));
            let mark = match like {
                Some(_) => Span::styled("≈", theme.warning()),
                None => Span::styled("●", theme.good()),
            };
            let (name, beside) = self.listed(member);
            self.entry(mark, &name, (&beside, theme.dim()))
        });
        let away = conversation.out_of_reach.iter().map(|person| {
            let mark = Span::styled("✗", theme.dim());
            self.entry(mark, &person.to_string(), (label::OFFLINE, theme.dim()))
        });
        members.chain(away).collect()
    }

    /// A member of the open chat, with what the registry tells of them.
    fn listed(&self, member: &Person) -> (String, String) {
        let user = member.name.and_then(|name| self.view.user(name));
        let Some(user) = user.filter(|user| user.address == member.address) else {
            return (member.title().to_owned(), String::new());
        };
        let trust = user.trust.map_or("", Trust::mark);
        let beside = match user.status {
            Status::Busy => "busy",
            Status::Away => "away",
            Status::Available if security::is_legacy(user, self.view) => "older",
            Status::Available => user.display_name.as_str(),
        };
        (format!("{} {trust}", user.title()), beside.to_owned())
    }

    /// A mark, a name, and a note on the right where there is room for it.
    fn entry(
        &self,
        mark: Span<'static>,
        name: &str,
        (beside, style): (&str, Style),
    ) -> Row<'static> {
        let room = self.columns.saturating_sub(4);
        let name = fit(&one_line(name.trim_end()), room);
        let beside = fit(&one_line(beside), room.saturating_sub(width(&name) + 1));
        let gap = room.saturating_sub(width(&name) + width(&beside));
        Row::from(vec![
            Span::raw(" "),
            mark,
            Span::raw(" "),
            Span::raw(name),
            Span::raw(" ".repeat(gap)),
            Span::styled(beside, style),
        ])
    }
}
