//! The rows at the top and at the bottom: who and where I am, how the registry is, what
//! is being typed, which keys help.

use p2pchat_model::{Link, Timestamp, View, packets};
use p2pchat_protocol::ChatText;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::Paragraph;

use super::theme::Theme;
use crate::wrap::{fit, one_line, rows, width};

/// From this many bytes on, the size of a text is shown.
const COUNTED: usize = 60;

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
        left.push(Span::styled(" BUSY ", theme.warning().reversed()));
    }
    let (mark, words) = match view.link {
        Link::Up => (Span::styled("●", theme.good()), "registry"),
        Link::Connecting => (Span::styled("◌", theme.warning()), "connecting"),
        Link::Down { .. } => (Span::styled("○", theme.error()), "no registry"),
    };
    let right = Row::from(vec![mark, Span::raw(format!(" {words} "))]);
    let left = Row::from(left);
    let room = usize::from(area.width).saturating_sub(left.width() + 1);
    frame.render_widget(Paragraph::new(left), area);
    if right.width() <= room {
        frame.render_widget(Paragraph::new(right.right_aligned()), area);
    }
}

/// Why the registry is not there and when it is tried again; `None` where it is there.
pub(super) fn banner(view: &View, now: Timestamp) -> Option<String> {
    let Link::Down { reason, retry_at } = &view.link else {
        return None;
    };
    let next = match now.seconds_until(*retry_at) {
        0 => "trying again now".to_owned(),
        seconds => format!("next try in {seconds} s"),
    };
    Some(format!(
        "no connection to the registry {}: {}; {next}",
        one_line(&view.registry),
        one_line(reason)
    ))
}

/// The banner in rows: two at the most, the last of which says when it is tried again.
pub(super) fn banner_rows(text: &str, columns: u16, theme: Theme) -> Vec<Row<'static>> {
    let rows = rows(text, usize::from(columns).saturating_sub(2));
    let last = rows.len() - 1;
    let shown = rows.into_iter().enumerate();
    let shown = shown.filter(|(at, _)| *at == 0 || *at == last);
    shown
        .map(|(_, row)| Row::from(vec![Span::raw(" "), Span::styled(row, theme.warning())]))
        .collect()
}

/// The rule above the input: what came in below, and how long the text is.
pub(super) fn rule(
    frame: &mut Frame<'_>,
    area: Rect,
    below: Option<usize>,
    text: &str,
    theme: Theme,
) {
    let mut row = Row::from(Span::styled("─", theme.dim()));
    if let Some(count) = below {
        let words = match count {
            0 => " earlier · Esc goes to the end ".to_owned(),
            1 => " ↓ 1 new message below · Esc ".to_owned(),
            _ => format!(" ↓ {count} new messages below · Esc "),
        };
        let style = if count > 0 {
            theme.badge()
        } else {
            theme.dim()
        };
        row.push_span(Span::styled(words, style));
    }
    let size = size_words(text);
    let used = row.width() + width(&size) + 1;
    let rest = usize::from(area.width).saturating_sub(used);
    row.push_span(Span::styled("─".repeat(rest), theme.dim()));
    row.push_span(Span::styled(size, theme.dim()));
    row.push_span(Span::styled("─", theme.dim()));
    frame.render_widget(Paragraph::new(row), area);
}

fn size_words(text: &str) -> String {
    let bytes = text.len();
    if bytes < COUNTED || text.starts_with('/') {
        return String::new();
    }
    match packets(text) {
        0 | 1 => format!(" {bytes} of {} bytes ", ChatText::MAX_SENT),
        count => format!(" {bytes} bytes, {count} messages "),
    }
}

/// The bottom row: an answer to the last key, or which keys help.
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
