//! What happened in a run, in words: printed, kept to be shown, or only summed up.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use p2pchat_model::Event;
use p2pchat_peer::machine::{Input, Output};

/// How much of the trace is wanted. Words cost more time than the run itself, so that
/// runs have none, and one that fails is run again with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Nothing.
    None,
    /// The last lines, and the hash of all.
    Tail,
    /// All of it, on standard output.
    Print,
}

/// What goes on all the time, and is left out of the last lines.
const ROUTINE: &[&str] = &[
    "< Timer",
    "> Hello(",
    "> Ask(AllOnline",
    "< Response(Online",
];

/// The trace of a run.
pub(crate) struct Trace {
    detail: Detail,
    lines: VecDeque<String>,
    hasher: DefaultHasher,
    count: usize,
}

impl Trace {
    /// How many lines a failure shows.
    const TAIL: usize = 120;

    pub(crate) fn new(detail: Detail) -> Self {
        Self {
            detail,
            lines: VecDeque::new(),
            hasher: DefaultHasher::new(),
            count: 0,
        }
    }

    /// Adds a line.
    pub(crate) fn note(&mut self, now: Duration, words: impl FnOnce() -> String) {
        if self.detail == Detail::None {
            return;
        }
        let line = format!("{:>9.3} {}", now.as_secs_f64(), words());
        line.hash(&mut self.hasher);
        self.count += 1;
        if self.detail == Detail::Print {
            println!("{line}");
        }
        if ROUTINE.iter().any(|words| line.contains(words)) {
            return;
        }
        if self.lines.len() == Self::TAIL {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// How many lines there were, and the hash of all of them.
    pub(crate) fn sum(&self) -> (usize, u64) {
        (self.count, self.hasher.finish())
    }

    /// The last lines.
    pub(crate) fn tail(&self) -> String {
        self.lines.iter().fold(String::new(), |mut all, line| {
            let _ = writeln!(all, "{line}");
            all
        })
    }
}

/// An input in words. Texts are shown: nobody's secrets are in a simulation.
pub(crate) fn input_words(input: &Input) -> String {
    match input {
        Input::Text {
            conn,
            from,
            message,
        } => {
            format!("Text {} from {from}: {:?}", conn.0, message.text.as_str())
        }
        Input::Contact {
            conn,
            from,
            contact,
        } => {
            format!("Contact {} from {from}: {contact:?}", conn.0)
        }
        other => format!("{other:?}"),
    }
}

/// An output in words.
pub(crate) fn output_words(output: &Output) -> String {
    match output {
        Output::Event {
            event: Event::Message(message),
            ..
        } => format!(
            "Event Message {} from {} ({}): {:?} {:?}",
            message.id.number(),
            message.from.title(),
            message.from.address,
            message.text,
            message.deliveries
        ),
        Output::Text {
            id, to, message, ..
        } => {
            format!("Text {} to {to}: {:?}", id.0, message.text.as_str())
        }
        other => format!("{other:?}"),
    }
}

/// An input is handed over, and looked at afterwards.
pub(crate) fn copy_of(input: &Input) -> Input {
    match input {
        Input::Command(command) => Input::Command(command.clone()),
        Input::Timer => Input::Timer,
        Input::RegistryUp => Input::RegistryUp,
        Input::Welcome { fingerprint, time } => Input::Welcome {
            fingerprint: *fingerprint,
            time: *time,
        },
        Input::OtherKey { seen } => Input::OtherKey { seen: *seen },
        Input::Frame(frame) => Input::Frame(frame.clone()),
        Input::WorkDone { id, result } => Input::WorkDone {
            id: *id,
            result: result.clone(),
        },
        Input::RegistryDown { reason } => Input::RegistryDown {
            reason: reason.clone(),
        },
        Input::Chats(_) => unreachable!("it has no keys"),
        Input::Moved { .. } => unreachable!("its address stays"),
        Input::RegistryChosen(_) => unreachable!("its registry stays"),
        Input::Response(response) => Input::Response(response.clone()),
        Input::ListContinued(users) => Input::ListContinued(users.clone()),
        Input::Contact {
            conn,
            from,
            contact,
        } => Input::Contact {
            conn: *conn,
            from: *from,
            contact: contact.clone(),
        },
        Input::ContactLost { conn } => Input::ContactLost { conn: *conn },
        Input::Text {
            conn,
            from,
            message,
        } => Input::Text {
            conn: *conn,
            from: *from,
            message: *message,
        },
        Input::RequestDone { id, result } => Input::RequestDone {
            id: *id,
            result: *result,
        },
        Input::NotifyDone { id, result } => Input::NotifyDone {
            id: *id,
            result: *result,
        },
        Input::TextDone { id, result } => Input::TextDone {
            id: *id,
            result: *result,
        },
        Input::Dropped {
            from,
            tried,
            why,
            count,
        } => Input::Dropped {
            from: *from,
            tried: *tried,
            why: *why,
            count: *count,
        },
    }
}
