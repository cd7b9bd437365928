//! The subcommands, and what can be said on their command lines.

use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use p2pchat_model::{ConversationId, MessageId, Target};

use crate::exit;

/// What a subcommand does.
#[derive(Debug, Clone, Subcommand)]
pub enum Task {
    /// Send a text, and wait until it is on its way or has arrived
    ///
    /// Asks the user of --to for a chat first if they are not in it, and waits until they
    /// accept. With --conversation instead, the text goes to all who are in it.
    #[command(after_help = exit::HELP)]
    Send(Send),

    /// Show who is online, and who is in the chat
    #[command(after_help = exit::HELP)]
    Who(Who),

    /// Show messages of the history, oldest first
    #[command(after_help = exit::HELP)]
    History(History),

    /// Show what happens from now on, until it is stopped
    #[command(after_help = exit::HELP)]
    Watch(Watch),

    /// Print the JSON Schema of the commands and events of --json
    Schema,
}

impl Task {
    /// Lets it print JSON, if it can.
    pub(crate) fn print_json(&mut self) {
        match self {
            Self::Send(_) | Self::Schema => {}
            Self::Who(Who { json })
            | Self::History(History { json, .. })
            | Self::Watch(Watch { json }) => *json = true,
        }
    }
}

/// What `send` sends, to which users, and for what it waits.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("receivers").required(true).multiple(true))]
pub struct Send {
    /// The user to send it to, by name or by address. If others are in the chat too, nothing
    /// is sent unless --conversation says that all may read it
    #[arg(long, value_name = "USER", value_parser = Target::new, group = "receivers")]
    pub to: Option<Target>,

    /// Send it to all members of this conversation: today there is only `open`, the open chat
    #[arg(long, value_name = "ID", group = "receivers")]
    pub conversation: Option<ConversationId>,

    /// What to wait for
    #[arg(long, value_name = "STATE", default_value = "sent")]
    pub wait: Wait,

    /// How long to wait at most, for all of it: 10s, 500ms, 2m, or a number of seconds
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "10s")]
    pub timeout: Duration,

    /// The id of this text: given again, nothing is sent a second time, and the result is
    /// that of the first. 1 to 59 letters, digits and -
    #[arg(long, value_name = "ID", value_parser = send_id)]
    pub id: Option<String>,

    /// The text; from standard input without it, or if it is -
    pub text: Option<String>,
}

/// A state of a text that is worth waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Wait {
    /// It is in the history, and on its way
    Stored,
    /// It was sent to all, even if not all of their programs confirm it
    Sent,
    /// The programs of all have confirmed it
    Delivered,
}

/// How `who` shows it.
#[derive(Debug, Clone, Args)]
pub struct Who {
    /// Print the event `online` as a line of JSON
    #[arg(long)]
    pub json: bool,
}

/// What `history` shows.
#[derive(Debug, Clone, Args)]
pub struct History {
    /// Print each message as the event `message`, a line of JSON
    #[arg(long)]
    pub json: bool,

    /// How many messages, the newest ones
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub limit: usize,

    /// Only messages before the one with this id
    #[arg(long, value_name = "ID", value_parser = message_id)]
    pub before: Option<MessageId>,

    /// Only messages with all of these words; the newest of them
    #[arg(long, value_name = "WORDS", conflicts_with = "before")]
    pub find: Option<String>,

    /// Of which conversation
    #[arg(long, value_name = "ID", default_value_t = ConversationId::OPEN)]
    pub conversation: ConversationId,
}

/// How `watch` shows it.
#[derive(Debug, Clone, Args)]
pub struct Watch {
    /// Print each event as a line of JSON; the first is the view
    #[arg(long)]
    pub json: bool,
}

/// The longest time to wait.
const MAX_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Parses `10s`, `500ms`, `2m`, `1h`, or a number of seconds.
fn time(text: &str) -> Result<Duration, &'static str> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let millis = match unit {
        "ms" => 1,
        "" | "s" => 1000,
        "m" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        _ => return Err("write it as 10s, 500ms, 2m or 1h"),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "write it as 10s, 500ms, 2m or 1h")?;
    let time = Duration::from_millis(number.saturating_mul(millis));
    if time.is_zero() || time > MAX_TIME {
        return Err("from 1ms to 24h are possible");
    }
    Ok(time)
}

/// A front end is named after it, so it is as those are.
fn send_id(text: &str) -> Result<String, &'static str> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if (1..=59).contains(&text.len()) && text.bytes().all(is_allowed) {
        Ok(text.to_owned())
    } else {
        Err("1 to 59 of the characters 0-9, A-Z, a-z and - are possible")
    }
}

fn message_id(text: &str) -> Result<MessageId, std::num::ParseIntError> {
    text.parse().map(MessageId)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(subcommand)]
        task: Task,
    }

    fn send(line: &[&str]) -> Result<Send, String> {
        let line = [&["p2pchat", "send"], line].concat();
        match Line::try_parse_from(line) {
            Ok(Line {
                task: Task::Send(send),
            }) => Ok(send),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_time_has_a_unit_or_is_in_seconds() {
        for (text, millis) in [
            ("10s", 10_000),
            ("500ms", 500),
            ("2m", 120_000),
            ("24h", 86_400_000),
            ("7", 7000),
        ] {
            assert_eq!(time(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "1.5s", "-1", "10 s", "10S", "0", "0ms", "25h"] {
            assert!(time(text).is_err(), "{text}");
        }
        assert!(time("99999999999999999999").is_err());
        assert!(time("18446744073709551615h").is_err());
    }

    #[test]
    fn a_text_has_a_receiver_who_is_a_name_or_an_address() {
        let given = send(&["--to", "bob", "hi"]).unwrap();
        assert_eq!(given.to, Some(Target::Name("bob".parse().unwrap())));
        assert_eq!(given.wait, Wait::Sent);
        assert_eq!(given.text.as_deref(), Some("hi"));
        let given = send(&["--to", "192.168.1.21"]).unwrap();
        let address = "192.168.1.21".parse().unwrap();
        assert_eq!(given.to, Some(Target::Address(address)));
        let given = send(&["--conversation", "open", "--wait", "stored", "-"]).unwrap();
        assert_eq!(given.conversation, Some(ConversationId::OPEN));
        assert_eq!(given.text.as_deref(), Some("-"));
        assert!(send(&["--to", "bob", "--conversation", "open", "hi"]).is_ok());
        assert!(send(&["hi"]).unwrap_err().contains("--to"));
    }

    #[test]
    fn what_cannot_be_is_a_usage_error() {
        for line in [
            ["--to", "much-too-long"],
            ["--to", "255.255.255.255"],
            ["--conversation", "Open"],
            ["--wait", "read"],
            ["--timeout", "soon"],
            ["--id", "a b"],
        ] {
            assert!(
                send(&[&["--to", "bob"], &line[..]].concat()).is_err(),
                "{line:?}"
            );
        }
        let both = ["p2pchat", "history", "--find", "a", "--before", "7"];
        assert!(Line::try_parse_from(both).is_err());
    }
}
