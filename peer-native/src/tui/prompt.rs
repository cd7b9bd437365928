//! The box with the pending chat request.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{IncomingRequest, Timestamp, Username};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::{Block, BorderType, Padding, Paragraph};

use super::answer::Answer;
use super::theme::Theme;
use crate::wrap::{one_line, rows};

/// Maximum width of the box.
pub(super) const WIDEST: u16 = 76;

/// The keys that answer now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// A single `y`, `n` or `b`.
    Letters,
    /// One of them was pressed, and answers unless more is typed.
    Pressed(Answer),
    /// Only with Ctrl: a message is being typed.
    Control,
}

/// The rows inside the box.
pub(super) fn content(
    request: &IncomingRequest,
    lookalike: Option<Username>,
    columns: usize,
    keys: Keys,
    theme: Theme,
) -> Vec<Row<'static>> {
    let from = &request.from;
    let mut out = vec![Row::from(vec![
        Span::styled(one_line(from.name.as_str()), theme.strong()),
        Span::raw(wording::wants_to_chat("")),
        Span::styled(format!("  {}", from.address), theme.dim()),
    ])];
    let company = wording::company(request).into_iter();
    let company = company.flat_map(|text| rows(&text, columns));
    out.extend(company.map(Row::from));
    let unconfirmed = from.check.warning().map(str::to_owned);
    let warnings = unconfirmed
        .into_iter()
        .chain(lookalike.map(wording::looks_like));
    for row in warnings.flat_map(|warning| rows(&warning, columns)) {
        out.push(Row::from(Span::styled(row, theme.warning())));
    }
    out.push(buttons(keys, theme));
    out
}

fn buttons(keys: Keys, theme: Theme) -> Row<'static> {
    let key = |text: &'static str, pressed: bool| {
        let style = if pressed {
            theme.badge()
        } else {
            theme.title()
        };
        Span::styled(text, style)
    };
    let [yes, no, block] = match keys {
        Keys::Letters => ["y", "n", "b"].map(|letter| key(letter, false)),
        Keys::Pressed(answer) => [
            key("y", answer == Answer::Accept),
            key("n", answer == Answer::Reject),
            key("b", answer == Answer::Block),
        ],
        Keys::Control => ["Ctrl-Y", "Ctrl-N", "Ctrl-B"].map(|keys| key(keys, false)),
    };
    Row::from(vec![
        yes,
        Span::raw(format!(" {}   ", label::ACCEPT)),
        no,
        Span::raw(format!(" {}   ", label::DECLINE)),
        block,
        Span::raw(format!(" {}", label::BLOCK)),
    ])
}

/// Draws the box.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    content: Vec<Row<'static>>,
    left: u64,
    theme: Theme,
) {
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(theme.accent())
        .padding(Padding::horizontal(1))
        .title(Span::styled(" Chat request ", theme.badge()))
        .title(Row::from(Span::styled(format!(" {left} s "), theme.title())).right_aligned());
    frame.render_widget(Paragraph::new(content).block(block), area);
}

/// Seconds until the request expires.
pub(super) fn seconds_left(request: &IncomingRequest, now: Timestamp) -> u64 {
    now.seconds_until(request.expires)
}
