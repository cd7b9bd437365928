//! What waits for the user: requests, and messages of chats that are not shown.

use p2pchat_model::wording::{self, chat};
use p2pchat_model::{Standing, View};
use ratatui::text::{Line as Row, Span};

use super::theme::Theme;
use crate::chats;
use crate::wrap::{fit, one_line, width};

/// The request that waits for an answer, or how many do, and the key for their list; in so many
/// columns. `None` if none does.
pub(super) fn requests(view: &View, columns: usize, theme: Theme) -> Option<Row<'static>> {
    let key = ": F3";
    let room = columns.saturating_sub(width(" ! ") + width(key));
    let words = match chats::requests(view) {
        0 => return None,
        1 => request(view, room),
        count => chat::requests(count),
    };
    Some(Row::from(vec![
        Span::raw(" "),
        Span::styled("!", theme.alarm()),
        Span::raw(" "),
        Span::styled(fit(&words, room), theme.strong()),
        Span::styled(key, theme.title()),
    ]))
}

/// Who asks, and for what if there is room.
fn request(view: &View, room: usize) -> String {
    let asked = view
        .conversations
        .iter()
        .filter_map(|one| one.chat.as_ref());
    let mut asked = asked.filter_map(|chat| match chat.standing {
        Standing::Asked(by) => Some((by.to_string(), chat::asks(by, chat))),
        Standing::In | Standing::Out => None,
    });
    let of_open = || {
        let request = view.incoming.as_ref()?;
        let from = request.from.title();
        Some((from.to_owned(), wording::asks(from, request, view)))
    };
    let (by, words) = asked.next().or_else(of_open).unwrap_or_default();
    let all = [words, wording::asks_in_short(&by), by];
    let mut all = all.map(|words| one_line(&words)).into_iter();
    let shortest = all.clone().next_back().unwrap_or_default();
    all.find(|words| width(words) <= room).unwrap_or(shortest)
}

/// What the list of chats tells, where there is no room for it: the requests, and how many messages
/// are unread elsewhere and mention the user. `None` if nothing waits.
pub(super) fn row(
    view: &View,
    (unread, mentions): (usize, u64),
    columns: u16,
    theme: Theme,
) -> Option<Row<'static>> {
    let mut row = Row::default();
    let words = match mentions {
        0 => format!(" {unread} unread  "),
        mentions => format!(" {unread} unread, @{mentions}  "),
    };
    let taken = match unread {
        0 => 0,
        _ => width(&words) + width("  Alt-A"),
    };
    let room = usize::from(columns).saturating_sub(taken);
    if let Some(requests) = requests(view, room, theme) {
        row.extend(requests.spans);
        row.push_span(Span::raw("  "));
    }
    if unread > 0 {
        row.push_span(Span::styled(words, theme.strong()));
        row.push_span(Span::styled("Alt-A", theme.title()));
    }
    (!row.spans.is_empty()).then_some(row)
}
