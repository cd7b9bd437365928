//! The rows at the top and the bottom: account and address, the state of the registry, the
//! length of the message, the most important keys.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{IncomingRequest, Link, PeerAddr, Security, Status, Timestamp, View};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::Paragraph;

use super::theme::Theme;
use crate::app::password_needed;
use crate::wrap::{fit, one_line, rows, width};

/// The most important keys, for the bottom row.
pub(super) const KEYS: [&str; 6] = [
    "F1 help",
    "F2 chats",
    "F3 requests",
    "F4 people",
    "Alt-A unread",
    "Ctrl-Up select",
];

/// The same while a message is chosen.
pub(super) const SELECT_KEYS: [&str; 8] = [
    "Esc back",
    "r reply",
    "e edit",
    "d delete",
    "+ react",
    "y copy",
    "i info",
    "Enter link",
];

/// The same for the form that asks for the password again.
pub(super) const RENEWAL_KEYS: [&str; 4] = [
    "F1 help",
    "Enter confirms",
    "Esc back to the chat",
    "Ctrl-Q quits",
];

/// The same where there is nothing to do here but to read.
pub(super) const STOP_KEYS: [&str; 2] = ["F1 help", "Ctrl-Q quits"];

/// The same for the choice of a registry.
pub(super) const CHOICE_KEYS: [&str; 4] = [
    "F1 help",
    "Tab next field",
    "Enter connects",
    "Ctrl-Q quits",
];

/// The same for the sign-in form.
pub(super) const SIGN_IN_KEYS: [&str; 5] = [
    "F1 help",
    "Tab next field",
    "Enter confirms",
    "F2 other registry",
    "Ctrl-Q quits",
];

/// The open chat while the line to the registry is encrypted.
const CHAT_NOT_ENCRYPTED: &str = "chat not encrypted";

/// The top row: program, account, address, status; on the right, what is not encrypted, and the
/// state of the line to the registry. What matters less goes first where the row is too short.
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
    match view.status() {
        Some(Status::Busy) => {
            row.push_span(Span::styled(format!(" {} ", label::BUSY), theme.alarm()));
        }
        Some(Status::Away) => row.push_span(Span::styled(label::AWAY, theme.warning())),
        // The state of the line says the rest.
        None if view.account.is_some() && view.is_stopped() => {
            row.push_span(Span::styled(wording::own_status(view), theme.error()));
        }
        Some(Status::Available) | None => {}
    }
    row
}

/// The connection to the registry: a mark, and what is wrong with it.
pub(super) fn link(view: &View, theme: Theme) -> (Span<'static>, Option<&'static str>) {
    let is_fine = view.link == Link::Up && elsewhere(view).is_none();
    let mark = match view.link {
        Link::Up if is_fine => Span::styled("●", theme.good()),
        Link::Connecting => Span::styled("◌", theme.warning()),
        _ => Span::styled("○", theme.error()),
    };
    (mark, (!is_fine).then(|| link_words(view)))
}

fn title_right(view: &View, dropped: usize, theme: Theme) -> Row<'static> {
    let (mark, _) = link(view, theme);
    let (chat, registry) = match view.security {
        // Nothing is said to anyone yet.
        Security::Unknown if view.link == Link::NoRegistry => (None, None),
        Security::Unknown => {
            let words = Span::styled(label::NOT_ENCRYPTED, theme.warning());
            (Some(words), None)
        }
        // As loud as can be, all the time.
        Security::NotEncrypted => {
            let words = format!(" {} ", label::NOT_ENCRYPTED);
            (Some(Span::styled(words, theme.alarm())), None)
        }
        Security::Encrypted { .. } => {
            let registry = Span::styled(view.security.words(), theme.good());
            let chat = Span::styled(CHAT_NOT_ENCRYPTED, theme.warning());
            (Some(chat), Some(registry))
        }
    };
    let mut row = Row::default();
    row.extend(chat.into_iter().flat_map(|chat| [chat, Span::raw("  ")]));
    row.extend([mark, Span::raw(" ")]);
    let is_up = view.link == Link::Up && elsewhere(view).is_none();
    match registry {
        Some(registry) if is_up && dropped < 3 => row.extend([registry, Span::raw(" ")]),
        _ if dropped < 2 => row.push_span(Span::raw(format!("{} ", link_words(view)))),
        _ => {}
    }
    row
}

/// The connection to the registry in a word or two.
fn link_words(view: &View) -> &'static str {
    match elsewhere(view) {
        Some(_) => "signed in elsewhere",
        None => view.link.words(),
    }
}

/// The address where others reach the account, if that is not here: there was a login there.
fn elsewhere(view: &View) -> Option<PeerAddr> {
    let name = view.account?;
    let listed = view.online.iter().find(|user| user.name == name)?;
    (Some(listed.address) != view.address).then_some(listed.address)
}

/// Why others may not reach the user, and what follows: the registry cannot be reached, and
/// when the next attempt is due, or it has another key than before, or the account is signed in
/// elsewhere, and how to change that.
pub(super) fn banner(view: &View, now: Timestamp) -> Option<Vec<String>> {
    if let Some(stop) = wording::security::registry_stop(&view.registry, &view.link) {
        return Some(stop.map(|text| one_line(&text)).to_vec());
    }
    if let Link::Down { reason, retry_at } = &view.link {
        return Some(vec![
            one_line(&wording::registry_is_down(&view.registry, reason)),
            wording::next_try(now.seconds_until(*retry_at)),
        ]);
    }
    if view.link == Link::PasswordNeeded {
        let (what, why) = password_needed();
        return Some(vec![format!("F2: {what}"), why]);
    }
    elsewhere(view)?;
    let how = "/logout and sign in again to be reached here";
    Some(vec![
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

/// The banner in one row, or in one for each sentence where there is no room for all; a stop in
/// as many as it takes.
pub(super) fn banner_rows(banner: &[String], columns: u16, theme: Theme) -> Vec<Row<'static>> {
    let room = usize::from(columns).saturating_sub(2);
    let whole = banner.join("; ");
    let all = if width(&whole) <= room {
        vec![whole]
    } else if banner.len() > 2 {
        banner.iter().flat_map(|text| rows(text, room)).collect()
    } else {
        banner.iter().map(|text| fit(text, room)).collect()
    };
    let row = |text| Row::from(vec![Span::raw(" "), Span::styled(text, theme.warning())]);
    all.into_iter().map(row).collect()
}

/// The rule above the input: how many messages are below, and the length of the message that
/// is being written.
pub(super) fn rule(
    frame: &mut Frame<'_>,
    area: Rect,
    below: Option<usize>,
    length: &Span<'static>,
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
    let size = match &*length.content {
        "" => String::new(),
        words => format!(" {words} "),
    };
    let used = row.width() + width(&size) + 1;
    let rest = usize::from(area.width).saturating_sub(used);
    row.push_span(Span::styled("─".repeat(rest), theme.dim()));
    row.push_span(Span::styled(size, length.style));
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
