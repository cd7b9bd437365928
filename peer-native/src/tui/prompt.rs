//! The chat request that waits for the user's answer.

use p2pchat_model::{IncomingRequest, NameCheck, Timestamp, Username};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::{Block, BorderType, Padding, Paragraph};

use super::keys::Answer;
use super::theme::Theme;
use crate::plain::lines::company;
use crate::wrap::{one_line, rows};

/// How long a request is on the screen before a lone `y` or `n` answers it: what was
/// meant for the conversation must not.
pub(super) const LETTERS_AFTER_MS: u64 = 1000;

/// The widest that the box becomes.
pub(super) const WIDEST: u16 = 76;

/// Which keys answer now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// A lone `y`, `n` or `b`.
    Letters,
    /// One of them is pressed, and answers unless more is typed.
    Pressed(Answer),
    /// Only those with Ctrl: a text is being typed.
    Control,
}

/// The rows inside the box.
pub(super) fn content(
    request: &IncomingRequest,
    looks_like: Option<Username>,
    columns: usize,
    keys: Keys,
    theme: Theme,
) -> Vec<Row<'static>> {
    let from = &request.from;
    let mut out = vec![Row::from(vec![
        Span::styled(one_line(from.name.as_str()), theme.strong()),
        Span::raw(" asks for a chat"),
        Span::styled(format!("  from {}", from.address), theme.dim()),
    ])];
    let with = company(&request.members);
    if !with.is_empty() {
        let text = format!("{}; you would chat with all of them", with.trim_start());
        out.extend(rows(&text, columns).into_iter().map(Row::from));
    }
    let doubt = match from.check {
        NameCheck::Confirmed => None,
        NameCheck::Unknown => Some("the registry does not say who is at this address"),
        NameCheck::Differs => Some("the registry knows another name at this address"),
    };
    let like = looks_like.map(|other| format!("the name looks like {other} and is not"));
    let doubts = doubt.map(str::to_owned).into_iter().chain(like);
    for row in doubts.flat_map(|doubt| rows(&doubt, columns)) {
        out.push(Row::from(Span::styled(row, theme.warning())));
    }
    let key = |text: &'static str, pressed: bool| match pressed {
        true => Span::styled(text, theme.badge()),
        false => Span::styled(text, theme.title()),
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
    out.push(Row::from(vec![
        yes,
        Span::raw(" accept   "),
        no,
        Span::raw(" reject   "),
        block,
        Span::raw(" block"),
    ]));
    out
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
        .title(Span::styled(" chat request ", theme.badge()))
        .title(Row::from(Span::styled(format!(" {left} s "), theme.title())).right_aligned());
    frame.render_widget(Paragraph::new(content).block(block), area);
}

/// Seconds until it counts as rejected.
pub(super) fn seconds_left(request: &IncomingRequest, now: Timestamp) -> u64 {
    now.seconds_until(request.expires)
}
