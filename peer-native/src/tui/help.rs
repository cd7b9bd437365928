//! The help: commands, keys and marks.

use p2pchat_model::wording::chat;
use p2pchat_model::{DeliveryState, LeaveReason, Trust};
use ratatui::text::Line as Row;

use super::conversation::mark;
use super::overlay::{Content, RenderContext};
use super::posts;
use super::rail;
use crate::commands::COMMANDS;
use crate::wrap::rows;

/// Keys and what they do, for the help.
const KEYS: &[(&str, &str)] = &[
    ("Enter", "send"),
    ("Alt-Enter", "new line (Ctrl-J too)"),
    ("Up, Down", "earlier input"),
    ("Tab", "complete a command or a name"),
    ("PageUp, PageDown", "scroll; Esc goes back to the end"),
    ("F1", "this help"),
    (
        "F2",
        "go to a chat or a user; the password, where the registry needs it again",
    ),
    ("F3", "chat requests, and their answers"),
    ("F4", "everyone who is online"),
    ("F5", "hide or show the list of chats"),
    (
        "F6",
        "invite a colleague: copy the text, and show a QR code",
    ),
    ("Alt-1 to Alt-9", "the chat with this number"),
    ("Alt-Up, Alt-Down", "the chat above or below"),
    ("Alt-A", "the next chat with something unread"),
    (
        "Ctrl-Up",
        "choose a message: reply, edit, delete, react, copy, info, open its link",
    ),
    ("Ctrl-Q, Ctrl-C", "quit, after a question"),
];

/// The same for the sign-in form.
const SIGN_IN_KEYS: &[(&str, &str)] = &[
    ("Tab, Up, Down", "next or previous field"),
    ("Enter", "next field, or do what the button says"),
    ("F1", "this help"),
    ("F2", "go to another registry"),
    ("Ctrl-Q, Ctrl-C", "quit, after a question"),
];

/// The same for the choice of a registry.
const CHOICE_KEYS: &[(&str, &str)] = &[
    ("Enter", "go to the registry in the field"),
    (
        "F3",
        "start a registry on this computer, for everyone on its network",
    ),
    ("Tab, Up, Down", "next or previous field"),
    ("Esc", "back to the sign-in form, where there is a registry"),
    ("Ctrl-Q, Ctrl-C", "quit, after a question"),
];

impl RenderContext<'_> {
    pub(super) fn help(&self, columns: usize) -> Content {
        let mut content = Content::new(" Help ");
        let out = &mut content.rows;
        if self.view().account.is_none() {
            out.push(self.heading("Keys of this form"));
            let keys = if self.view().registry.is_empty() {
                CHOICE_KEYS
            } else {
                SIGN_IN_KEYS
            };
            for (key, does) in keys {
                out.extend(self.pair(key, does, columns));
            }
            return content;
        }
        let lead = "Type a message to send it to everyone in the chat.";
        out.extend(rows(lead, columns).iter().map(|row| self.heading(row)));
        for entry in COMMANDS
            .iter()
            .filter(|entry| entry.is_possible(self.view()))
        {
            out.extend(self.pair(&entry.usage(), entry.help, columns));
        }
        out.extend([Row::default(), self.heading("Keys")]);
        for (key, does) in KEYS {
            out.extend(self.pair(key, does, columns));
        }
        out.extend([Row::default(), self.heading("Marks beside your messages")]);
        for state in [
            DeliveryState::Sending,
            DeliveryState::Sent,
            DeliveryState::Unconfirmed,
            DeliveryState::Failed(LeaveReason::Unreachable),
        ] {
            out.extend(self.pair(mark(state), state.words_for_all(), columns));
        }
        out.extend(self.pair(posts::READ, "read by everyone", columns));
        out.extend([Row::default(), self.heading("Marks behind names")]);
        for trust in [Trust::Verified, Trust::Changed, Trust::ChangedAfterVerified] {
            out.extend(self.pair(trust.mark(), trust.words(), columns));
        }
        out.extend(self.pair("…", chat::ASKED, columns));
        out.extend(self.pair("m", "muted: see /mute", columns));
        out.extend(self.pair(rail::DRAFT, "something is typed and not sent", columns));
        content
    }
}
