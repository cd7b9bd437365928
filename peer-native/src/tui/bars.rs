//! The rows at the top and the bottom: account and address, the state of the registry, the
//! length of the message, the most important keys.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{Link, Timestamp, View};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::Paragraph;

use super::theme::Theme;
use crate::wrap::{fit, one_line, rows, width};

/// The top row: program, account, address, busy; on the right the registry.
pub(super) fn title(frame: &mut Frame<'_>, area: Rect, view: &View, theme: Theme) {
    let mut left = vec![Span::styled(" p2pchat", theme.title())];
    if let Some(account) = view.account {
        left.push(Span::raw("  "));
        left.push(Span::styled(one_line(account.as_str()), theme.strong()));
    }
    if let Some(address) = view.address {
        left.push(Span::styled(format!("  {address}"), theme.dim()));
    }
    if view.busy {
        left.push(Span::raw("  "));
        left.push(Span::styled(
            format!(" {} ", label::BUSY),
            theme.warning().reversed(),
        ));
    }
    let mark = match view.link {
        Link::Up => Span::styled("●", theme.good()),
        Link::Connecting => Span::styled("◌", theme.warning()),
        Link::Down { .. } => Span::styled("○", theme.error()),
    };
    let right = Row::from(vec![mark, Span::raw(format!(" {} ", view.link.words()))]);
    let left = Row::from(left);
    let room = usize::from(area.width).saturating_sub(left.width() + 1);
    frame.render_widget(Paragraph::new(left), area);
    if right.width() <= room {
        frame.render_widget(Paragraph::new(right.right_aligned()), area);
    }
}

/// Why the registry cannot be reached and when the next attempt is due; `None` where it is
/// connected.
pub(super) fn banner(view: &View, now: Timestamp) -> Option<String> {
    let Link::Down { reason, retry_at } = &view.link else {
        return None;
    };
    Some(format!(
        "{}; {}",
        one_line(&wording::registry_is_down(&view.registry, reason)),
        wording::next_try(now.seconds_until(*retry_at))
    ))
}

/// The banner in at most two rows, the last of which says when the next attempt is due.
pub(super) fn banner_rows(text: &str, columns: u16, theme: Theme) -> Vec<Row<'static>> {
    let rows = rows(text, usize::from(columns).saturating_sub(2));
    let last = rows.len() - 1;
    let shown = rows.into_iter().enumerate();
    let shown = shown.filter(|(at, _)| *at == 0 || *at == last);
    shown
        .map(|(_, row)| Row::from(vec![Span::raw(" "), Span::styled(row, theme.warning())]))
        .collect()
}

/// The rule above the input: how many messages are below, and the length of the message that
/// is being written.
pub(super) fn rule(
    frame: &mut Frame<'_>,
    area: Rect,
    below: Option<usize>,
    message: &str,
    theme: Theme,
) {
    let mut row = Row::from(Span::styled("─", theme.dim()));
    if let Some(count) = below {
        let words = match count {
            0 => " earlier · Esc goes to the end ".to_owned(),
            _ => format!(" ↓ {} below · Esc ", wording::new_messages(count)),
        };
        let style = if count > 0 {
            theme.badge()
        } else {
            theme.dim()
        };
        row.push_span(Span::styled(words, style));
    }
    let size = wording::length(message)
        .map(|size| format!(" {size} "))
        .unwrap_or_default();
    let used = row.width() + width(&size) + 1;
    let rest = usize::from(area.width).saturating_sub(used);
    row.push_span(Span::styled("─".repeat(rest), theme.dim()));
    row.push_span(Span::styled(size, theme.dim()));
    row.push_span(Span::styled("─", theme.dim()));
    frame.render_widget(Paragraph::new(row), area);
}

/// The bottom row: a message about the last key, or the most important keys.
pub(super) fn hint(frame: &mut Frame<'_>, area: Rect, hint: Option<&str>, theme: Theme) {
    const KEYS: [&str; 5] = [
        "F1 help",
        "Tab completes",
        "PageUp earlier",
        "Alt-Enter new line",
        "Ctrl-Q quits",
    ];
    let columns = usize::from(area.width).saturating_sub(2);
    let row = match hint {
        Some(hint) => Span::styled(fit(&one_line(hint), columns), theme.warning()),
        None => {
            let mut text = KEYS.join(" · ");
            for shown in (1..KEYS.len()).rev() {
                if width(&text) > columns {
                    text = KEYS[..shown].join(" · ");
                }
            }
            Span::styled(text, theme.dim())
        }
    };
    frame.render_widget(Paragraph::new(Row::from(vec![Span::raw(" "), row])), area);
}
