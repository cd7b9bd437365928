//! Compares `docs/api.md`, the code and the JSON Schema: every variant has an example in the
//! document, every line of JSON there is one of the contract, and the schema accepts what the
//! code accepts.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::PathBuf;
use std::{env, fs};

use p2pchat_model::{Call, Command, Event, Passphrase, Problem, Update, Username, View};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

#[macro_use]
#[path = "api/every.rs"]
mod every;
#[path = "api/chats.rs"]
mod chats;
#[path = "api/commands.rs"]
mod commands;
#[path = "api/events.rs"]
mod events;
#[path = "api/parts.rs"]
mod parts;
#[path = "api/schema.rs"]
mod schema;

/// Set to anything, it makes the test rewrite the document.
const REFRESH: &str = "P2PCHAT_REFRESH_API";

/// A call without an id for each example of a command; each parses back to it.
fn calls() -> Vec<String> {
    let line = |command| {
        let call = Call::new(command);
        let json = serde_json::to_string(&call).unwrap();
        assert_eq!(Call::from_json(&json).unwrap(), call, "{json}");
        json
    };
    commands::all().into_iter().map(line).collect()
}

/// An update that answers no call for each example of an event; each parses back to it.
fn updates() -> Vec<String> {
    let line = |event| {
        let update = Update::from(event);
        let json = serde_json::to_string(&update).unwrap();
        assert_eq!(Update::from_json(&json).unwrap(), update, "{json}");
        json
    };
    events::all().into_iter().map(line).collect()
}

/// Whether a line of the document is one of the contract, as the code writes it.
fn is_of_the_contract(line: &str) -> bool {
    let value: Value = serde_json::from_str(line).unwrap_or_default();
    let again = if value.get("command").is_some() && value.get("event").is_none() {
        let call = Call::from_json(line).ok();
        call.and_then(|call| serde_json::to_value(call).ok())
    } else {
        let update = Update::from_json(line).ok();
        update.and_then(|update| serde_json::to_value(update).ok())
    };
    again == Some(value)
}

fn document() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/api.md")
}

/// The lines within ```` ```json ```` blocks.
fn json_lines(text: &str) -> Vec<&str> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```json";
        } else if inside && !line.is_empty() {
            lines.push(line);
        }
    }
    lines
}

fn common_prefix(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

/// Replaces each stray line by the missing example that has the longest common prefix.
fn refreshed(text: &str, stray: &[&str], mut missing: Vec<&str>) -> String {
    let mut text = text.to_owned();
    for line in stray {
        let Some(best) = missing
            .iter()
            .enumerate()
            .max_by_key(|(_, example)| common_prefix(example, line))
            .map(|(index, _)| index)
        else {
            break;
        };
        let example = missing.remove(best);
        text = text.replace(&format!("\n{line}\n"), &format!("\n{example}\n"));
    }
    text
}

#[test]
fn the_document_shows_every_example_and_nothing_that_is_not_of_the_contract() {
    let examples: Vec<String> = calls().into_iter().chain(updates()).collect();
    let known: BTreeSet<&str> = examples.iter().map(String::as_str).collect();
    let text = fs::read_to_string(document()).unwrap();
    let shown: BTreeSet<&str> = json_lines(&text).into_iter().collect();
    assert!(known.len() > 60, "most examples are missing");

    let missing: Vec<&str> = known.difference(&shown).copied().collect();
    let others = shown.difference(&known).copied();
    let stray: Vec<&str> = others.filter(|line| !is_of_the_contract(line)).collect();
    if missing.is_empty() && stray.is_empty() {
        return;
    }
    if env::var_os(REFRESH).is_some() {
        fs::write(document(), refreshed(&text, &stray, missing.clone())).unwrap();
    }
    panic!(
        "docs/api.md and the code differ. This JSON is a contract: if the change is intended, run\n\
         \n    {REFRESH}=1 cargo test -p p2pchat-model --test api\n\n\
         (twice: the second run shows what is left), which replaces each stray line by the missing\n\
         line most like it; write what is then still missing by hand, with a sentence on it.\n\
         \nMissing in the document:\n{}\n\nStray in the document:\n{}\n",
        missing.join("\n"),
        stray.join("\n"),
    );
}

#[test]
fn the_document_explains_every_failure() {
    let text = fs::read_to_string(document()).unwrap();
    for problem in parts::problems() {
        let code = serde_json::to_value(problem).unwrap();
        let start = format!("| `{}` | ", code.as_str().unwrap());
        let end = format!(" | {} | {} |", problem.words(), problem.advice());
        let mut rows = text.lines();
        let is_there = rows.any(|row| row.starts_with(&start) && row.ends_with(&end));
        assert!(is_there, "docs/api.md has no row {start}…{end}");
    }
}

#[test]
fn the_name_of_a_command_is_its_name_in_json() {
    for command in commands::all() {
        let json = serde_json::to_value(&command).unwrap();
        assert_eq!(json["command"], command.name());
        let conversation = command.conversation().map(|id| id.to_string());
        let named = json.get("conversation").and_then(Value::as_str);
        assert_eq!(named, conversation.as_deref(), "{json}");
    }
}

#[test]
fn an_event_says_its_conversation() {
    for event in events::all() {
        let json = serde_json::to_value(&event).unwrap();
        let conversation = event.conversation().map(|id| id.to_string());
        let named = json.get("conversation").and_then(Value::as_str);
        assert_eq!(named, conversation.as_deref(), "{json}");
    }
}

#[test]
fn a_view_survives_its_json() {
    for view in events::other_views() {
        let json = serde_json::to_string(&view).unwrap();
        assert_eq!(serde_json::from_str::<View>(&json).unwrap(), view, "{json}");
    }
}

#[test]
fn refreshing_replaces_a_line_by_the_most_similar_one() {
    let text = "a\n```json\n{\"busy\":{\"in\":1}}\n{\"say\":1}\n```\n";
    let new = refreshed(
        text,
        &["{\"busy\":{\"in\":1}}"],
        vec!["{\"leave\":1}", "{\"busy\":{\"on\":true}}"],
    );
    assert_eq!(
        new,
        "a\n```json\n{\"busy\":{\"on\":true}}\n{\"say\":1}\n```\n"
    );
}

fn error_of<T: DeserializeOwned + Debug>(json: &str) -> String {
    serde_json::from_str::<T>(json).unwrap_err().to_string()
}

fn reason(json: &str) -> String {
    Call::from_json(json).unwrap_err().reason
}

#[test]
fn the_error_for_an_unknown_command_lists_all_commands() {
    let message = reason(r#"{"command":"shout","text":"hi"}"#);
    assert!(message.contains("unknown command `shout`"), "{message}");
    for command in commands::all() {
        let name = format!("`{}`", command.name());
        assert!(message.contains(&name), "{name} is not in: {message}");
    }
}

#[test]
fn the_error_for_an_unknown_or_missing_field_names_it() {
    for (json, expected) in [
        (
            r#"{"command":"busy","on":true,"to":"bob"}"#,
            "unknown field `to`, expected `on`",
        ),
        (
            r#"{"command":"login","name":"bob","pass":"x"}"#,
            "unknown field `pass`, expected `name` or `password`",
        ),
        (
            r#"{"command":"register","name":"bob"}"#,
            "missing field `password`",
        ),
        (r#"{"command":"busy"}"#, "missing field `on`"),
        (
            r#"{"command":"say","text":"hi"}"#,
            "missing field `conversation`",
        ),
        (
            r#"{"command":"request","conversation":"open","to":{"nam":"bob"}}"#,
            "unknown value `nam`, expected `name` or `address`",
        ),
    ] {
        let message = reason(json);
        assert!(message.contains(expected), "{json}: {message}");
    }
}

#[test]
fn the_error_for_an_invalid_value_says_what_is_valid() {
    let name = Username::new("elevenbytes").unwrap_err().to_string();
    let secret = "a secret of twenty bytes".repeat(12);
    let password = Passphrase::new(&secret).unwrap_err().to_string();
    let login = json!({ "command": "login", "name": "bob", "password": secret }).to_string();
    for (json, expected) in [
        (
            r#"{"command":"search","name":"elevenbytes"}"#,
            name.as_str(),
        ),
        (
            r#"{"command":"request","conversation":"open","to":{"address":"255.255.255.255"}}"#,
            "not the address of one machine",
        ),
        (login.as_str(), password.as_str()),
        (
            r#"{"command":"trust_registry","fingerprint":"ABCD"}"#,
            "a fingerprint has 26 letters and digits",
        ),
        (
            r#"{"command":"trust","name":"bob","code":"1244","verified":true}"#,
            "a code has 20 digits",
        ),
        (
            r#"{"command":"display_name","display_name":" bob"}"#,
            "no white space at the ends",
        ),
        (
            r#"{"command":"accept","conversation":"open","from":"bob"}"#,
            "IPv4 address",
        ),
        (
            r#"{"command":"leave","conversation":"Open!"}"#,
            "a-z, 0-9 and -",
        ),
    ] {
        let message = reason(json);
        assert!(message.contains(expected), "{json}: {message}");
        assert!(!message.contains("secret"), "a password in: {message}");
    }
}

#[test]
fn the_error_for_an_invalid_password_does_not_show_it() {
    let message = reason(r#"{"command":"login","name":"bob","password":{"hunter2":1}}"#);
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn an_unknown_problem_or_event_is_refused() {
    assert!(error_of::<Problem>(r#""bad_hair""#).contains("unknown variant"));
    assert!(error_of::<Event>(r#"{"event":"rain"}"#).contains("unknown variant"));
    assert!(error_of::<View>("{}").contains("missing field"));
    assert!(error_of::<Command>("{}").contains("missing field"));
}

#[test]
fn an_update_may_have_fields_of_a_later_version() {
    let update = Update::from_json(r#"{"event":"busy","on":true,"since":5,"re":"a"}"#).unwrap();
    assert_eq!(*update.event, Event::Busy { on: true });
}
