//! The rows at the top and the bottom: account and address, the state of the registry, the
//! length of the message, the most important keys.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{IncomingRequest, Link, PeerAddr, Timestamp, View};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::Paragraph;

use super::theme::Theme;
use crate::app::password_needed;
use crate::wrap::{fit, one_line, width};

/// The most important keys, for the bottom row.
pub(super) const KEYS: [&str; 5] = [
    "F1 help",
    "Tab completes",
    "PageUp earlier",
    "Alt-Enter new line",
    "Ctrl-Q quits",
];

/// The same for the form that asks for the password again.
pub(super) const RENEWAL_KEYS: [&str; 4] = [
    "F1 help",
    "Enter confirms",
    "Esc back to the chat",
    "Ctrl-Q quits",
];

/// The same for the sign-in form.
pub(super) const SIGN_IN_KEYS: [&str; 4] = [
    "F1 help",
    "Tab next field",
    "Enter confirms",
    "Ctrl-Q quits",
];

/// The top row: program, account, address, busy; on the right, that nothing is encrypted, and
/// the state of the registry. What matters less goes first where the row is too short.
pub(super) fn title(frame: &mut Frame<'_>, area: Rect, view: &View, theme: Theme) {
    let columns = usize::from(area.width);
    let (mut left, mut right) = (Row::default(), Row::default());
    for dropped in 0..=3 {
        (left, right) = (
            title_left(view, dropped, theme),
            title_right(view, dropped, theme),
        );
        if left.width() + right.width() < columns {
            break;
        }
    }
    frame.render_widget(Paragraph::new(left), area);
    frame.render_widget(Paragraph::new(right.right_aligned()), area);
}

fn title_left(view: &View, dropped: usize, theme: Theme) -> Row<'static> {
    let mut row = Row::from(" ");
    if dropped < 3 || view.account.is_none() {
        row.push_span(Span::styled("p2pchat  ", theme.title()));
    }
    if let Some(account) = view.account {
        let name = one_line(account.as_str());
        row.push_span(Span::styled(format!("{name}  "), theme.strong()));
    }
    if let (Some(address), 0) = (view.address, dropped) {
        row.push_span(Span::styled(format!("{address}  "), theme.dim()));
    }
    if view.busy {
        row.push_span(Span::styled(format!(" {} ", label::BUSY), theme.alarm()));
    }
    row
}

fn title_right(view: &View, dropped: usize, theme: Theme) -> Row<'static> {
    let mark = match view.link {
        Link::Up if elsewhere(view).is_none() => Span::styled("●", theme.good()),
        Link::Connecting => Span::styled("◌", theme.warning()),
        _ => Span::styled("○", theme.error()),
    };
    let mut row = Row::from(vec![
        Span::styled(label::NOT_ENCRYPTED, theme.warning()),
        Span::raw("  "),
        mark,
        Span::raw(" "),
    ]);
    if dropped < 2 {
        let words = match elsewhere(view) {
            Some(_) => "signed in elsewhere",
            None => view.link.words(),
        };
        row.push_span(Span::raw(format!("{words} ")));
    }
    row
}

/// The address where others reach the account, if that is not here: there was a login there.
fn elsewhere(view: &View) -> Option<PeerAddr> {
    let name = view.account?;
    let listed = view.online.iter().find(|user| user.name == name)?;
    (Some(listed.address) != view.address).then_some(listed.address)
}

/// Why others may not reach the user, and what follows: the registry cannot be reached, and
/// when the next attempt is due, or the account is signed in elsewhere, and how to change that.
pub(super) fn banner(view: &View, now: Timestamp) -> Option<[String; 2]> {
    if let Link::Down { reason, retry_at } = &view.link {
        return Some([
            one_line(&wording::registry_is_down(&view.registry, reason)),
            wording::next_try(now.seconds_until(*retry_at)),
        ]);
    }
    if view.link == Link::PasswordNeeded {
        let (what, why) = password_needed();
        return Some([format!("F2: {what}"), why]);
    }
    elsewhere(view)?;
    let how = "/logout and sign in again to be reached here";
    Some([
        label::ELSEWHERE.trim_end_matches('.').to_owned(),
        how.to_owned(),
    ])
}

/// The row that tells of a chat request, and of the key for the list in which it is answered.
pub(super) fn request(
    request: &IncomingRequest,
    view: &View,
    columns: u16,
    now: Timestamp,
    theme: Theme,
) -> Row<'static> {
    let key = ": F3";
    let seconds = format!("  {} s", now.seconds_until(request.expires));
    let room = usize::from(columns).saturating_sub(4 + width(key) + width(&seconds));
    let words = one_line(&wording::asks(request.from.title(), request, view));
    Row::from(vec![
        Span::raw(" "),
        Span::styled("!", theme.alarm()),
        Span::raw(" "),
        Span::styled(fit(&words, room), theme.strong()),
        Span::styled(key, theme.title()),
        Span::styled(seconds, theme.dim()),
    ])
}

/// The banner in one row, or in two where there is no room for both sentences.
pub(super) fn banner_rows(banner: &[String; 2], columns: u16, theme: Theme) -> Vec<Row<'static>> {
    let room = usize::from(columns).saturating_sub(2);
    let whole = banner.join("; ");
    let rows = if width(&whole) <= room {
        vec![whole]
    } else {
        banner.iter().map(|text| fit(text, room)).collect()
    };
    let row = |text| Row::from(vec![Span::raw(" "), Span::styled(text, theme.warning())]);
    rows.into_iter().map(row).collect()
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

/// What can be taken back, how, and for how long.
pub(super) fn undo(view: &View, now: Timestamp) -> Option<String> {
    let undo = view.undo.filter(|undo| now < undo.until)?;
    let seconds = now.seconds_until(undo.until);
    let what = wording::can_be_undone(undo.what);
    Some(format!("{what}: /undo takes it back ({seconds} s)"))
}

/// The bottom row: a message about the last key, or the most important keys.
pub(super) fn hint(
    frame: &mut Frame<'_>,
    area: Rect,
    hint: Option<&str>,
    keys: &[&str],
    theme: Theme,
) {
    let columns = usize::from(area.width).saturating_sub(2);
    let row = match hint {
        Some(hint) => Span::styled(fit(&one_line(hint), columns), theme.warning()),
        None => {
            let mut text = keys.join(" · ");
            for shown in (1..keys.len()).rev() {
                if width(&text) > columns {
                    text = keys[..shown].join(" · ");
                }
            }
            Span::styled(text, theme.dim())
        }
    };
    frame.render_widget(Paragraph::new(Row::from(vec![Span::raw(" "), row])), area);
}
