//! Whether a text can be sent, and why not.

use std::borrow::Cow;
use std::fmt;

use p2pchat_model::wording::label;
use p2pchat_model::{Command, action, packets};

/// The longest frame that the bridge takes, in bytes. It closes the connection for a longer
/// one, and the text would be lost.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;

/// Why a text cannot be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CannotSend {
    /// There is no text.
    Empty,
    /// It holds a NUL character.
    Nul,
    /// The page has no connection to its bridge.
    Offline,
    /// Nobody is in the chat.
    Alone,
    /// It makes a frame that is this many bytes too long for the bridge.
    TooLong(usize),
}

/// The text that is sent for what is in the message field. `/me waves` is an action, as in
/// the terminal, and blank without one; everything else is sent as it is.
#[must_use]
pub fn text(typed: &str) -> Cow<'_, str> {
    let (name, what) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
    match what.trim() {
        _ if !name.eq_ignore_ascii_case("/me") => Cow::Borrowed(typed),
        "" => Cow::Borrowed(""),
        what => Cow::Owned(action(what)),
    }
}

/// The command that sends what is typed; `live` is whether the page is connected to its bridge,
/// `alone` whether nobody is in the chat.
///
/// # Errors
/// If it cannot be sent now.
pub fn command(typed: &str, live: bool, alone: bool) -> Result<Command, CannotSend> {
    let text = text(typed);
    if text.contains('\0') {
        return Err(CannotSend::Nul);
    }
    if packets(&text) == 0 {
        return Err(CannotSend::Empty);
    }
    let command = Command::Say {
        text: text.into_owned(),
    };
    // A text always has a JSON form.
    let frame = serde_json::to_string(&command).map_or(usize::MAX, |frame| frame.len());
    if frame > MAX_FRAME_BYTES {
        Err(CannotSend::TooLong(frame - MAX_FRAME_BYTES))
    } else if !live {
        Err(CannotSend::Offline)
    } else if alone {
        Err(CannotSend::Alone)
    } else {
        Ok(command)
    }
}

/// The reason in words for the user. Nothing has to be said of an empty text.
impl fmt::Display for CannotSend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => Ok(()),
            Self::Nul => f.write_str("A NUL character cannot be sent."),
            Self::Offline => {
                f.write_str("Not connected to your bridge: the message will stay here until it is.")
            }
            Self::Alone => write!(f, "{}.", label::NO_CHAT),
            Self::TooLong(bytes) => write!(f, "This message is too long by {bytes} bytes."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_sent_to_members_over_a_connection() {
        let sent = command("hello", true, false);
        assert!(matches!(sent, Ok(Command::Say { text }) if text == "hello"));
        assert_eq!(command("hello", false, false), Err(CannotSend::Offline));
        assert_eq!(command("hello", true, true), Err(CannotSend::Alone));
    }

    #[test]
    fn no_text_is_not_sent() {
        for text in ["", " ", "\n"] {
            assert_eq!(command(text, true, false), Err(CannotSend::Empty));
        }
        assert_eq!(command("a\0b", true, false), Err(CannotSend::Nul));
    }

    #[test]
    fn an_action_is_sent_as_a_message() {
        for typed in ["/me waves", "/ME\n waves "] {
            let sent = command(typed, true, false);
            let is_action = matches!(&sent, Ok(Command::Say { text }) if text == "* waves");
            assert!(is_action, "{typed}: {sent:?}");
        }
        for typed in ["/me", "/me "] {
            assert_eq!(command(typed, true, false), Err(CannotSend::Empty));
        }
        for typed in ["/men", "//me waves", "ask /me"] {
            assert_eq!(text(typed), typed);
        }
    }

    #[test]
    fn a_frame_is_counted_as_it_is_sent() {
        let around = r#"{"say":{"text":""}}"#.len();
        let longest = "x".repeat(MAX_FRAME_BYTES - around);
        assert!(command(&longest, true, false).is_ok());
        let too_long = Err(CannotSend::TooLong(1));
        assert_eq!(command(&format!("{longest}x"), true, false), too_long);
        // A line break is two bytes of JSON.
        let lines = format!("{}\nx", &longest[2..]);
        assert_eq!(command(&lines, false, true), too_long);
    }
}
