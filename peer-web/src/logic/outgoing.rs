//! Whether a text can be sent, and why not.

use std::borrow::Cow;
use std::fmt;

use p2pchat_model::wording::{self, label};
use p2pchat_model::{Command, ConversationId, MAX_MESSAGE, action, packets};

use super::sentence::sentence;

/// Why a text cannot be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CannotSend {
    /// There is no text.
    Empty,
    /// It holds a NUL character.
    Nul,
    /// It looks like a command that the page does not have.
    UnknownCommand,
    /// White space stands before what looks like a command.
    SpaceBeforeCommand,
    /// What looks like a command goes on after a line break, as pasted text does.
    SeveralLines,
    /// It is a file.
    File,
    /// The page has no connection to its bridge.
    Offline,
    /// Nobody is in the chat.
    Alone,
    /// It is too long, by this many letters at its end.
    TooLong(usize),
}

/// The text that is sent for what is in the message field, by the rules of the terminal: a line
/// is a command if it begins with a slash and its first word has no other one, so a path is a
/// text. `/me waves` is an action; the page has buttons in place of the other commands. `//` at
/// the beginning sends a text with one slash.
///
/// # Errors
/// If it looks like a command and is none: it would be neither what was meant nor fit for the
/// eyes of others.
pub fn text(typed: &str) -> Result<Cow<'_, str>, CannotSend> {
    if let Some(rest) = typed.strip_prefix("//") {
        return Ok(Cow::Owned(format!("/{rest}")));
    }
    let trimmed = typed.trim();
    let (name, what) = trimmed
        .split_once(char::is_whitespace)
        .unwrap_or((trimmed, ""));
    if !name.starts_with('/') || name[1..].contains('/') {
        Ok(Cow::Borrowed(typed))
    } else if !typed.starts_with('/') {
        Err(CannotSend::SpaceBeforeCommand)
    } else if trimmed.contains('\n') {
        Err(CannotSend::SeveralLines)
    } else if !name.eq_ignore_ascii_case("/me") {
        Err(CannotSend::UnknownCommand)
    } else if what.is_empty() {
        Err(CannotSend::Empty)
    } else {
        Ok(Cow::Owned(action(what.trim_start())))
    }
}

/// The longest message of an encrypted conversation, in bytes.
pub const MAX_POST: usize = 32 * 1024;

/// The command that sends what is typed in a conversation; `live` is whether the page is connected
/// to its bridge, `alone` whether nobody is in the chat.
///
/// # Errors
/// If it cannot be sent now.
pub fn command(
    conversation: ConversationId,
    typed: &str,
    live: bool,
    alone: bool,
) -> Result<Command, CannotSend> {
    let text = text(typed)?;
    if text.contains('\0') {
        return Err(CannotSend::Nul);
    }
    if packets(&text) == 0 {
        return Err(CannotSend::Empty);
    }
    let most = match conversation {
        ConversationId::OPEN => MAX_MESSAGE,
        _ => MAX_POST,
    };
    let ends = text
        .char_indices()
        .map(|(at, letter)| at + letter.len_utf8());
    let letters = ends.filter(|end| *end > most).count();
    if letters > 0 {
        Err(CannotSend::TooLong(letters))
    } else if !live {
        Err(CannotSend::Offline)
    } else if alone {
        Err(CannotSend::Alone)
    } else {
        Ok(Command::Say {
            conversation,
            text: text.into_owned(),
            reply_to: None,
        })
    }
}

/// The reason in words for the user. Nothing has to be said of an empty text.
impl fmt::Display for CannotSend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => Ok(()),
            Self::Nul => f.write_str("A NUL character cannot be sent."),
            Self::File => f.write_str("Files cannot be sent."),
            Self::UnknownCommand => {
                f.write_str("Unknown command. To send it as text, begin with //.")
            }
            Self::SpaceBeforeCommand => f.write_str(
                "Remove the space before the command. To send it as text, begin with //.",
            ),
            Self::SeveralLines => {
                f.write_str("A command is one line. To send all lines as text, begin with //.")
            }
            Self::Offline => {
                f.write_str("Not connected to your bridge: the message will stay here until it is.")
            }
            Self::Alone => write!(f, "{}. {}.", label::NO_CHAT, label::NO_CHAT_HINT),
            Self::TooLong(letters) => {
                f.write_str(&sentence(&wording::problem::message_too_long(*letters)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_model::MAX_MESSAGE;

    use super::*;

    fn command(typed: &str, live: bool, alone: bool) -> Result<Command, CannotSend> {
        super::command(ConversationId::OPEN, typed, live, alone)
    }

    #[test]
    fn a_text_is_sent_to_members_over_a_connection() {
        let sent = command("hello", true, false);
        assert!(matches!(sent, Ok(Command::Say { text, .. }) if text == "hello"));
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
        for typed in ["/me waves", "/ME  waves "] {
            assert_eq!(text(typed).as_deref(), Ok("* waves"), "{typed}");
        }
        for typed in ["/me", "/me "] {
            assert_eq!(command(typed, true, false), Err(CannotSend::Empty));
        }
    }

    #[test]
    fn what_looks_like_a_command_is_neither_sent_nor_run() {
        use CannotSend::{SeveralLines, SpaceBeforeCommand, UnknownCommand};
        for (typed, problem) in [
            ("/block rita", UnknownCommand),
            ("/men", UnknownCommand),
            ("/", UnknownCommand),
            ("/ waves", UnknownCommand),
            (" /block rita", SpaceBeforeCommand),
            ("\n\t/me waves", SpaceBeforeCommand),
            ("\u{3000}/block rita", SpaceBeforeCommand),
            ("/leave\n/block rita", SeveralLines),
            ("/me waves\nand goes", SeveralLines),
        ] {
            assert_eq!(text(typed), Err(problem), "{typed}");
            // Said before everything else: the text would never be sent as it is.
            assert_eq!(command(typed, false, true), Err(problem), "{typed}");
        }
    }

    #[test]
    fn a_path_is_a_text_and_so_is_what_two_slashes_begin() {
        for (typed, sent) in [
            ("/home/sam/x is here", "/home/sam/x is here"),
            (" /home/sam", " /home/sam"),
            ("ask /me", "ask /me"),
            ("one\n/two", "one\n/two"),
            ("//block rita", "/block rita"),
            ("///", "//"),
            ("//etc\n/usr", "/etc\n/usr"),
            ("  // a comment", "  // a comment"),
        ] {
            assert_eq!(text(typed).as_deref(), Ok(sent), "{typed}");
        }
    }

    #[test]
    fn a_message_that_no_peer_takes_is_not_sent() {
        let longest = "x".repeat(MAX_MESSAGE);
        assert!(command(&longest, true, false).is_ok());
        let too_long = Err(CannotSend::TooLong(1));
        assert_eq!(command(&format!("{longest}x"), false, true), too_long);
        assert_eq!(
            CannotSend::TooLong(1).to_string(),
            "This message is too long by 1 letter."
        );
        // Each has three bytes.
        let letters = format!("{}字字字字", &longest[3..]);
        assert_eq!(command(&letters, true, false), Err(CannotSend::TooLong(3)));
    }

    #[test]
    fn an_encrypted_conversation_takes_longer_messages() {
        let id = ConversationId::encrypted(&[7; 32]);
        let longest = "x".repeat(MAX_POST);
        assert!(super::command(id, &longest, true, false).is_ok());
        let longer = super::command(id, &(longest + "x"), true, false);
        assert_eq!(longer, Err(CannotSend::TooLong(1)));
    }
}
