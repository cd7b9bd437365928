//! A frame as a command, and what is answered to one that is none.

use std::time::{SystemTime, UNIX_EPOCH};

use p2pchat_model::{Command, Event, Failure, Problem, Timestamp};
use p2pchat_settings::command::complaint;

/// Reads a command.
///
/// # Errors
/// The event that says what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Command, Box<Event>> {
    serde_json::from_str(text).map_err(|error| {
        Box::new(Event::Failed {
            at: now(),
            failure: Failure {
                command: "?".to_owned(),
                problem: Problem::BadCommand,
                message: format!("this is no command: {}", complaint(&error)),
            },
        })
    })
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map_or(0, |since| since.as_millis());
    Timestamp(u64::try_from(millis).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_is_no_command_is_answered_as_such() {
        let Event::Failed { failure, .. } = *parse("{").unwrap_err() else {
            panic!("not a failure");
        };
        assert_eq!(failure.problem, Problem::BadCommand);
        let start = "this is no command: EOF";
        assert!(failure.message.starts_with(start), "{}", failure.message);
    }
}
