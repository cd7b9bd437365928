//! Error messages for JSON that is not a command.

/// What is wrong with the JSON, without the values in it: one of them may be a password.
#[must_use]
pub fn complaint(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split_once(", expected ") {
        Some((start, expected)) if start.starts_with("invalid") => format!("expected {expected}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_model::Command;

    use super::*;

    fn complaint_about(json: &str) -> String {
        complaint(&serde_json::from_str::<Command>(json).unwrap_err())
    }

    #[test]
    fn the_message_shows_no_values() {
        assert!(complaint_about("{").contains("EOF"));
        assert!(complaint_about(r#"{"shout":{}}"#).contains("unknown variant `shout`"));
        let text = complaint_about(r#"{"login":{"name":"a","password":31415926}}"#);
        assert!(text.contains("expected a string"), "{text}");
        assert!(!text.contains("31415926"), "{text}");
        let text = complaint_about(r#"{"login":{"name":"a","password":"much-too-long-a-secret"}}"#);
        assert!(!text.contains("secret"), "{text}");
    }
}
