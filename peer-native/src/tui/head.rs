//! The top row of the chat: the user, and the conversation that is shown.

use p2pchat_model::wording::{self, chat, label};
use p2pchat_model::{ChatKind, Conversation, Security, Status, Trust, View};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::Paragraph;

use super::bars;
use super::theme::Theme;
use crate::chats;
use crate::shown::Shown;
use crate::wrap::{fit, one_line, width};

/// Between the parts of the row.
const BETWEEN: &str = " · ";
/// The line to the registry is not encrypted, while an encrypted conversation is shown.
const REGISTRY_NOT_ENCRYPTED: &str = "registry not encrypted";
/// A title is not cut to fewer columns: it is left out.
const SHORTEST_TITLE: usize = 4;

/// Draws the row. The conversation begins at the column `from`, where there is room. What
/// matters less goes first where the row is too short.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, from: u16, shown: Shown<'_>, theme: Theme) {
    let columns = usize::from(area.width);
    let mut row = Row::default();
    for dropped in 0..=3 {
        row = user(shown.view, dropped, theme);
        let gap = usize::from(from).max(row.width() + 2) - row.width();
        row.push_span(" ".repeat(gap));
        let room = columns.saturating_sub(row.width());
        let about = about(shown, room, dropped, theme);
        let fits = about.width() <= room;
        row.extend(about);
        if fits {
            break;
        }
    }
    frame.render_widget(Paragraph::new(row), area);
}

/// The user: name, connection, status.
fn user(view: &View, dropped: usize, theme: Theme) -> Row<'static> {
    let mut row = Row::from(" ");
    if let Some(account) = view.account.filter(|_| dropped < 3) {
        row.push_span(Span::styled(one_line(account.as_str()), theme.strong()));
        row.push_span(" ");
    }
    let (mark, words) = bars::link(view, theme);
    row.push_span(mark);
    if dropped > 1 {
        return row;
    }
    if let Some(words) = words {
        row.push_span(Span::raw(format!(" {words}")));
    } else {
        let status = view.status().unwrap_or(Status::Available);
        let words = wording::status(status);
        let style = match status {
            Status::Available => theme.dim(),
            Status::Away => theme.warning(),
            Status::Busy => theme.alarm(),
        };
        row.push_span(" ");
        row.push_span(Span::styled(words, style));
    }
    row
}

/// The conversation: title, who is online, whether it is encrypted.
fn about(shown: Shown<'_>, room: usize, dropped: usize, theme: Theme) -> Row<'static> {
    let conversation = shown.conversation();
    let presence = presence(conversation, shown.view).filter(|_| dropped < 1);
    let (security, style) = security(conversation, shown.view, theme);
    let mut behind = Row::default();
    if let Some(presence) = presence {
        behind.push_span(Span::styled(format!("{BETWEEN}{presence}"), theme.dim()));
    }
    behind.push_span(Span::styled(BETWEEN, theme.dim()));
    behind.push_span(Span::styled(security.clone(), style));
    let left = room.saturating_sub(behind.width());
    let title = one_line(&chat::title(conversation));
    if dropped >= 3 && left < SHORTEST_TITLE.min(width(&title)) {
        return Row::from(Span::styled(fit(security.trim(), room), style));
    }
    // Only the last resort cuts the title of the conversation.
    let title = if dropped >= 2 {
        fit(&title, left)
    } else {
        title
    };
    let mut row = Row::from(Span::styled(title, theme.strong()));
    row.extend(behind);
    row
}

/// Who is online: the other one, or how many of all.
fn presence(conversation: &Conversation, view: &View) -> Option<String> {
    let Some(chat) = &conversation.chat else {
        let (members, online) = chats::open_counts(conversation);
        return (members > 1).then(|| format!("{online} of {members} online"));
    };
    chat::presence(chat, view).map(|words| one_line(&words))
}

/// Whether the conversation is encrypted, and to keys that are known.
fn security(conversation: &Conversation, view: &View, theme: Theme) -> (String, Style) {
    let is_registry_plain = view.security == Security::NotEncrypted;
    let Some(chat) = &conversation.chat else {
        if is_registry_plain {
            // As loud as can be, all the time.
            return (format!(" {} ", label::NOT_ENCRYPTED), theme.alarm());
        }
        return (label::NOT_ENCRYPTED.to_owned(), theme.warning());
    };
    if is_registry_plain {
        return (format!(" {REGISTRY_NOT_ENCRYPTED} "), theme.alarm());
    }
    let has_changed = chat.members.iter().any(|member| {
        matches!(
            member.trust,
            Some(Trust::Changed | Trust::ChangedAfterVerified)
        )
    });
    let words = chat::encryption(chat);
    let style = if has_changed && chat.kind == ChatKind::Direct {
        theme.alarm()
    } else {
        theme.good()
    };
    (one_line(&words), style)
}
