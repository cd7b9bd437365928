//! JSON as a call: what a page sends to its bridge and a script to `p2pchat --json`.

use p2pchat_model::Call;
use serde_json::Value;

/// A call that is understood is understood again as it is written here; and what is said of
/// one that is not tells nothing of a password in it.
pub fn commands(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match Call::from_json(text) {
        Ok(call) => {
            let json = serde_json::to_string(&call).unwrap();
            assert_eq!(Call::from_json(&json).unwrap(), call);
            let name = call.command.name();
            assert!(json.contains(name), "it has the name of its JSON");
        }
        Err(bad) => {
            // Whatever it is about, there are words for it.
            assert!(!bad.reason.is_empty());
            hides_the_password(text);
        }
    }
}

/// The complaint is the same whatever the password is.
fn hides_the_password(text: &str) {
    let Ok(mut value) = serde_json::from_str::<Value>(text) else {
        return;
    };
    let Some(with) = complaint_about(&value) else {
        return;
    };
    let Some(password) = value.get_mut("password") else {
        return;
    };
    let Value::String(secret) = password.take() else {
        return;
    };
    // The same length, on the wire and as JSON, so that nothing but the letters differs.
    let plain = |c: char| c.is_ascii_alphanumeric();
    if !secret.chars().all(plain) {
        return;
    }
    *password = Value::String("~".repeat(secret.len()));
    if let Some(without) = complaint_about(&value) {
        assert_eq!(with, without, "a complaint that depends on the password");
    }
}

fn complaint_about(value: &Value) -> Option<String> {
    let bad = Call::from_json(&value.to_string()).err()?;
    Some(bad.reason)
}
