//! The subcommands, and what can be said on their command lines.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use p2pchat_model::{BadMessageId, Fingerprint, MessageId, Target, Username};
use p2pchat_protocol::v2::BadText;

use crate::exit;

/// What a subcommand does.
#[derive(Debug, Clone, Subcommand)]
pub enum Task {
    /// Send a text, and wait until it is on its way or has arrived
    ///
    /// To the encrypted conversation with the user of --to, who need not be online. One who has
    /// an older program, which cannot encrypt, is asked into the open chat first. With
    /// --conversation instead, the text goes to all who are in it.
    #[command(after_help = exit::HELP)]
    Send(Send),

    /// Show who is online, and who is in the chat
    #[command(after_help = exit::HELP)]
    Who(Who),

    /// List the conversations, each with its newest message
    #[command(after_help = exit::HELP)]
    Chats(Chats),

    /// Show messages of a conversation, oldest first
    #[command(after_help = exit::HELP)]
    History(History),

    /// Write all messages of a conversation to a file
    #[command(after_help = exit::HELP)]
    Export(Export),

    /// Show what happens from now on, until it is stopped
    #[command(after_help = exit::HELP)]
    Watch(Watch),

    /// Show the code of a user, to be compared with them; yours without a name
    #[command(after_help = exit::HELP)]
    Code(Code),

    /// Mark the key of a user as verified, if it has the code that you have compared
    #[command(after_help = exit::HELP)]
    Verify(Verify),

    /// Show, export or import the keys of this profile
    #[command(subcommand, after_help = exit::HELP)]
    Identity(Identity),

    /// Show the registries that are known by their key, or change that
    #[command(after_help = exit::HELP)]
    Registries(Registries),

    /// Print the JSON Schema of the commands and events of --json
    Schema,
}

impl Task {
    /// Lets it print JSON, if it can.
    pub(crate) fn print_json(&mut self) {
        match self {
            Self::Send(_) | Self::Schema | Self::Verify(_) | Self::Identity(_) => {}
            Self::Export(Export { format, .. }) => *format = Format::Json,
            Self::Who(Who { json })
            | Self::Chats(Chats { json })
            | Self::Code(Code { json, .. })
            | Self::Registries(Registries { json, .. })
            | Self::History(History { json, .. })
            | Self::Watch(Watch { json }) => *json = true,
        }
    }
}

/// What `send` sends, to which users, and for what it waits.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("receivers").required(true).multiple(true))]
pub struct Send {
    /// The user to send it to, by name or by address: in the encrypted conversation with them.
    /// One with an older program is reached in the open chat; if others are there too, nothing is
    /// sent unless --conversation open says that all may read it
    #[arg(long, value_name = "USER", value_parser = Target::new, group = "receivers")]
    pub to: Option<Target>,

    /// Send it to all members of this conversation, by its name or its id. The open chat, which is
    /// not encrypted, is `open`
    #[arg(long, value_name = "NAME|ID", group = "receivers")]
    pub conversation: Option<String>,

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
    /// It was sent to all, even if not all of their programs confirm it; in an encrypted
    /// conversation the same as stored, since it reaches all by itself from then on
    Sent,
    /// A program of each of them has confirmed it
    Delivered,
}

/// How `who` shows it.
#[derive(Debug, Clone, Args)]
pub struct Who {
    /// Print the event `online` as a line of JSON
    #[arg(long)]
    pub json: bool,
}

/// How `chats` shows it.
#[derive(Debug, Clone, Args)]
pub struct Chats {
    /// Print each as the event `chat`, and its newest message as the event `post`, or `message` in
    /// the open chat: lines of JSON
    #[arg(long)]
    pub json: bool,
}

/// What `export` writes, and where.
#[derive(Debug, Clone, Args)]
pub struct Export {
    /// The conversation, by its name or its id
    #[arg(value_name = "CONVERSATION")]
    pub conversation: String,

    /// The file to write, which must not exist; standard output without one
    pub file: Option<PathBuf>,

    /// The form of it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: as `history` shows it
    Text,
    /// For programs: each message as the event `post`, or `message` in the open chat, a line of JSON
    Json,
}

/// What `history` shows.
#[derive(Debug, Clone, Args)]
pub struct History {
    /// Print each message as the event `post`, or `message` in the open chat, a line of JSON
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

    /// Of which conversation, by its name or its id
    #[arg(long, value_name = "NAME|ID", default_value = "open")]
    pub conversation: String,
}

/// How `watch` shows it.
#[derive(Debug, Clone, Args)]
pub struct Watch {
    /// Print each event as a line of JSON; the first is the view
    #[arg(long)]
    pub json: bool,
}

/// Whose code is shown.
#[derive(Debug, Clone, Args)]
pub struct Code {
    /// The user; you without one
    pub name: Option<Username>,

    /// Print the event `code` or `identity` as a line of JSON
    #[arg(long)]
    pub json: bool,
}

/// Who is verified.
#[derive(Debug, Clone, Args)]
pub struct Verify {
    /// The user
    pub name: Username,

    /// Their code, with or without spaces
    #[arg(required = true, num_args = 1..)]
    pub code: Vec<String>,
}

/// What is done with the keys of the profile.
#[derive(Debug, Clone, Subcommand)]
pub enum Identity {
    /// Show your code, the fingerprints of your keys, and the line to the registry
    #[command(after_help = exit::HELP)]
    Show {
        /// Print the event `identity` as a line of JSON
        #[arg(long)]
        json: bool,
    },

    /// Write your key, encrypted by a password, so that another computer can be yours too
    ///
    /// The password is asked for twice, or is the first line of --password-file.
    #[command(after_help = exit::HELP)]
    Export {
        /// The file to write, which must not exist; standard output without one
        file: Option<PathBuf>,
    },

    /// Make this profile a further device of the person whose key was exported
    ///
    /// The password is asked for, or is the first line of --password-file. Possible as long as
    /// no account is bound to the key of this profile.
    #[command(after_help = exit::HELP)]
    Import {
        /// The file that was exported
        file: PathBuf,
    },
}

/// What is done with the known registries.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Registries {
    /// What to do; without one, list them
    #[command(subcommand)]
    pub task: Option<RegistriesTask>,

    /// Print the event `registries` as a line of JSON
    #[arg(long)]
    pub json: bool,
}

/// A change of the known registries.
#[derive(Debug, Clone, Subcommand)]
pub enum RegistriesTask {
    /// Show them
    List {
        /// Print the event `registries` as a line of JSON
        #[arg(long)]
        json: bool,
    },

    /// Accept that a registry has another key than before
    Trust {
        /// The registry, and the fingerprint of the key that it has now
        #[arg(value_name = "REGISTRY#FINGERPRINT", value_parser = trusted)]
        trusted: Trusted,
    },

    /// Forget the key of a registry: the next contact with it is the first one again
    Forget {
        /// The registry, as the list has it
        #[arg(value_name = "REGISTRY")]
        name: String,
    },
}

/// A registry, and the key that it is trusted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// Its name.
    pub name: String,
    /// The fingerprint of the key.
    pub fingerprint: Fingerprint,
}

fn trusted(text: &str) -> Result<Trusted, String> {
    let Some((name, fingerprint)) = text.split_once('#') else {
        return Err("write it as REGISTRY#FINGERPRINT".to_owned());
    };
    let name = name.trim().to_owned();
    if name.is_empty() {
        return Err("the name of the registry is needed before #".to_owned());
    }
    let fingerprint = fingerprint.parse();
    let fingerprint = fingerprint.map_err(|error: BadText| error.to_string())?;
    Ok(Trusted { name, fingerprint })
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

fn message_id(text: &str) -> Result<MessageId, BadMessageId> {
    text.parse()
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
        assert_eq!(given.conversation.as_deref(), Some("open"));
        assert_eq!(given.text.as_deref(), Some("-"));
        assert!(send(&["--to", "bob", "--conversation", "open", "hi"]).is_ok());
        assert!(send(&["hi"]).unwrap_err().contains("--to"));
    }

    #[test]
    fn what_cannot_be_is_a_usage_error() {
        for line in [
            ["--to", "much-too-long"],
            ["--to", "255.255.255.255"],
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

    #[test]
    fn a_registry_is_trusted_by_name_and_fingerprint() {
        let trust = |which: &str| {
            let line = ["p2pchat", "registries", "trust", which];
            match Line::try_parse_from(line)
                .map_err(|error| error.to_string())?
                .task
            {
                Task::Registries(Registries {
                    task: Some(RegistriesTask::Trust { trusted }),
                    ..
                }) => Ok(trusted),
                other => panic!("{other:?}"),
            }
        };
        let fingerprint = "ALGW-5BBC-YQD7-W3IJ-Q2IP-CEYL-PU";
        let trusted = trust(&format!("chat.example:3131#{fingerprint}")).unwrap();
        assert_eq!(trusted.name, "chat.example:3131");
        assert_eq!(trusted.fingerprint.to_string(), fingerprint);
        let wrong: Result<_, String> = trust("chat.example");
        assert!(wrong.unwrap_err().contains("REGISTRY#FINGERPRINT"));
        assert!(
            trust("chat.example#ABCD")
                .unwrap_err()
                .contains("26 letters")
        );
        assert!(trust(&format!("#{fingerprint}")).is_err());
    }

    #[test]
    fn keys_and_registries_are_shown_without_a_further_word() {
        let task = |line: &[&str]| {
            Line::try_parse_from([&["p2pchat"], line].concat())
                .unwrap()
                .task
        };
        let listed = task(&["registries", "--json"]);
        assert!(matches!(
            listed,
            Task::Registries(Registries {
                task: None,
                json: true
            })
        ));
        let verify = task(&["verify", "bob", "1244", "0915", "3048", "5415", "5287"]);
        assert!(matches!(verify, Task::Verify(Verify { code, .. }) if code.len() == 5));
        assert!(Line::try_parse_from(["p2pchat", "verify", "bob"]).is_err());
        assert!(Line::try_parse_from(["p2pchat", "identity", "import"]).is_err());
    }
}
