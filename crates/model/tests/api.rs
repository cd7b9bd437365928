//! Compares `docs/api.md` with the code: every example there is generated here, every variant
//! has an example, and every example is parsed back to the value that it came from.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::PathBuf;
use std::{env, fs};

use p2pchat_model::{Command, Event, Password, Problem, Username, View};
use serde::Serialize;
use serde::de::DeserializeOwned;

#[macro_use]
#[path = "api/every.rs"]
mod every;
#[path = "api/commands.rs"]
mod commands;
#[path = "api/events.rs"]
mod events;
#[path = "api/parts.rs"]
mod parts;

/// Set to anything, it makes the test rewrite the document.
const REFRESH: &str = "P2PCHAT_REFRESH_API";

/// The JSON of a value on one line; parses back to the value.
fn line<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> String {
    let json = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value, "{json}");
    assert!(!json.contains('\n'), "{json}");
    json
}

/// Every line of the document, in the order in which it should show new ones.
fn examples() -> Vec<String> {
    let mut lines: Vec<String> = commands::all().iter().map(line).collect();
    lines.extend(events::all().iter().map(line));
    lines.push(line(&events::view()));
    lines
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
fn the_document_shows_every_example_and_nothing_else() {
    let examples = examples();
    let known: BTreeSet<&str> = examples.iter().map(String::as_str).collect();
    let text = fs::read_to_string(document()).unwrap();
    let shown: BTreeSet<&str> = json_lines(&text).into_iter().collect();
    assert!(known.len() > 60, "most examples are missing");

    let missing: Vec<&str> = known.difference(&shown).copied().collect();
    let stray: Vec<&str> = shown.difference(&known).copied().collect();
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
fn the_document_explains_every_problem() {
    let text = fs::read_to_string(document()).unwrap();
    for problem in parts::problems() {
        let tag = serde_json::to_string(&problem).unwrap();
        let row = format!("| `{}` |", tag.trim_matches('"'));
        assert!(
            text.contains(&row),
            "docs/api.md has no row for this problem: {row}"
        );
    }
}

#[test]
fn the_name_of_a_command_is_its_name_in_json() {
    for command in commands::all() {
        let json = serde_json::to_value(&command).unwrap();
        let tag = match &json {
            serde_json::Value::String(tag) => tag,
            other => other.as_object().unwrap().keys().next().unwrap(),
        };
        assert_eq!(command.name(), tag);
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

#[test]
fn the_error_for_an_unknown_command_lists_all_commands() {
    let message = error_of::<Command>(r#"{"shout":{"text":"hi"}}"#);
    assert!(message.contains("unknown variant `shout`"), "{message}");
    for command in commands::all() {
        let name = format!("`{}`", command.name());
        assert!(message.contains(&name), "{name} is not in: {message}");
    }
}

#[test]
fn the_error_for_an_unknown_or_missing_field_names_it() {
    for (json, expected) in [
        (
            r#"{"say":{"text":"hi","to":"bob"}}"#,
            "unknown field `to`, expected `text`",
        ),
        (
            r#"{"login":{"name":"bob","pass":"x"}}"#,
            "unknown field `pass`, expected `name` or `password`",
        ),
        (r#"{"login":{"name":"bob"}}"#, "missing field `password`"),
        (r#"{"busy":{}}"#, "missing field `on`"),
    ] {
        let message = error_of::<Command>(json);
        assert!(message.contains(expected), "{json}: {message}");
    }
}

#[test]
fn the_error_for_an_invalid_value_says_what_is_valid() {
    let name = Username::new("elevenbytes").unwrap_err().to_string();
    let password = Password::new("sixteen bytes!!!").unwrap_err().to_string();
    for (json, expected) in [
        (r#"{"search":{"name":"elevenbytes"}}"#, name.as_str()),
        (
            r#"{"request":{"to":{"address":"255.255.255.255"}}}"#,
            "not the address of one machine",
        ),
        (
            r#"{"login":{"name":"bob","password":"sixteen bytes!!!"}}"#,
            password.as_str(),
        ),
        (r#"{"accept":{"from":"bob"}}"#, "IPv4 address"),
    ] {
        let message = error_of::<Command>(json);
        assert!(message.contains(expected), "{json}: {message}");
        assert!(!message.contains("sixteen"), "a password in: {message}");
    }
}

#[test]
fn the_error_for_an_invalid_password_does_not_show_it() {
    let message = error_of::<Command>(r#"{"login":{"name":"bob","password":{"hunter2":1}}}"#);
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn an_unknown_problem_or_event_is_refused() {
    assert!(error_of::<Problem>(r#""bad_hair""#).contains("unknown variant"));
    assert!(error_of::<Event>(r#"{"rain":{}}"#).contains("unknown variant"));
    assert!(error_of::<View>("{}").contains("missing field"));
}
