//! A frame as a command, and what is answered to one that is none.

use std::time::{SystemTime, UNIX_EPOCH};

use p2pchat_model::{Command, Event, Failure, Problem, Timestamp};

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
                message: complaint(&error),
            },
        })
    })
}

/// What is wrong, without the values in the frame: one of them may be a password.
fn complaint(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = match text.split_once(", expected ") {
        Some((start, expected)) if start.starts_with("invalid") => format!("expected {expected}"),
        _ => text,
    };
    format!("this is no command: {text}")
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
    fn what_is_wrong_is_told_without_the_values() {
        let told = |text: &str| match *parse(text).unwrap_err() {
            Event::Failed { failure, .. } => failure.message,
            other => panic!("{other:?}"),
        };
        assert!(told("{").contains("EOF"));
        assert!(told(r#"{"shout":{}}"#).contains("unknown variant `shout`"));
        let text = told(r#"{"login":{"name":"a","password":31415926}}"#);
        assert!(text.contains("expected a string"), "{text}");
        assert!(!text.contains("31415926"), "{text}");
        let text = told(r#"{"login":{"name":"a","password":"much-too-long-a-secret"}}"#);
        assert!(!text.contains("secret"), "{text}");
    }
}
