//! Held against serde_json, with every example of the contract.

use std::fmt::Debug;
use std::path::Path;

use p2pchat_model::{Command, Event, View};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{read, write};

/// The lines of the examples in `docs/api.md`, which has every command and event.
fn examples() -> Vec<String> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/api.md");
    let document = std::fs::read_to_string(document).unwrap();
    let json = document
        .lines()
        .filter(|line| line.starts_with('{') || line.starts_with('"'));
    json.map(str::to_owned).collect()
}

/// Reads a line as both do, and writes what was read. Says whether it is one of these.
fn is_read_alike<T: Serialize + DeserializeOwned + PartialEq + Debug>(line: &str) -> bool {
    let expected: Option<T> = serde_json::from_str(line).ok();
    let value = read::<T>(line);
    assert_eq!(value, expected, "{line}");
    if let Some(value) = &value {
        // There are several ways to write a character.
        let written = write(value).unwrap();
        assert_eq!(
            serde_json::from_str(&written).ok().as_ref(),
            Some(value),
            "{line}"
        );
    }
    value.is_some()
}

#[test]
fn every_example_is_read_and_written_as_serde_json_does() {
    let examples = examples();
    let count = |of: fn(&str) -> bool| examples.iter().filter(|line| of(line)).count();
    assert!(count(is_read_alike::<Command>) >= 15);
    assert!(count(is_read_alike::<Event>) >= 23);
    assert!(count(is_read_alike::<View>) >= 1);
}

#[test]
fn what_is_cut_off_or_has_more_behind_it_is_refused() {
    for line in examples() {
        for at in (0..line.len()).filter(|&at| line.is_char_boundary(at)) {
            assert_eq!(read::<Event>(&line[..at]), None, "{}", &line[..at]);
        }
        assert_eq!(read::<Event>(&format!("{line}x")), None);
        assert_eq!(read::<Event>(&format!("{line},")), None);
    }
}

#[test]
fn a_field_of_a_later_version_is_passed_over() {
    let line = r#"{"busy":{"on":true,"later":[{"a":"}\"","b":[1.5e-3,null,[]]},{},"]"]}}"#;
    assert_eq!(read(line), Some(Event::Busy { on: true }));
    let deep = format!(
        r#"{{"busy":{{"on":true,"later":{}}}}}"#,
        "[".repeat(100_000)
    );
    assert_eq!(read::<Event>(&deep), None);
}

#[test]
fn escapes_are_characters() {
    let line = r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00 \u0000""#;
    let expected = "\"\\/\u{8}\u{c}\n\r\té😀 \0";
    assert_eq!(read::<String>(line).as_deref(), Some(expected));
    for bad in [
        r#""\ud83d""#,
        r#""\ude00""#,
        r#""\ud83d\u0041""#,
        r#""\u12""#,
        r#""\u+123""#,
        r#""\x""#,
        "\"\n\"",
        "\"",
    ] {
        assert_eq!(read::<String>(bad), None, "{bad}");
    }
}

#[test]
fn numbers_are_whole_and_fit() {
    assert_eq!(read::<u64>("18446744073709551615"), Some(u64::MAX));
    assert_eq!(read::<u16>("65535"), Some(u16::MAX));
    for bad in ["18446744073709551616", "-1", "01", "1.0", "1e3", ""] {
        assert_eq!(read::<u64>(bad), None, "{bad}");
    }
    assert_eq!(read::<u16>("65536"), None);
}

proptest! {
    #[test]
    fn any_text_comes_back_as_it_was(text: String) {
        prop_assert_eq!(read::<String>(&write(&text).unwrap()), Some(text.clone()));
        let json = serde_json::to_string(&text).unwrap();
        prop_assert_eq!(read::<String>(&json), Some(text.clone()));
        prop_assert_eq!(serde_json::from_str::<String>(&write(&text).unwrap()).ok(), Some(text));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text: String) {
        let _ = read::<Event>(&text);
        let _ = read::<View>(&text);
    }

    #[test]
    fn an_example_with_other_bytes_is_read_as_serde_json_does(
        example: prop::sample::Index,
        at: prop::sample::Index,
        byte in prop::sample::select(br#"{}[]",:\u0159 tfnxe"#.to_vec()),
    ) {
        let examples = examples();
        let mut line = example.get(&examples).clone().into_bytes();
        let at = at.index(line.len());
        line[at] = byte;
        let Ok(line) = String::from_utf8(line) else { return Ok(()) };
        is_read_alike::<Command>(&line);
        // Of an event serde_json also looks at what it passes over.
        if let Ok(expected) = serde_json::from_str::<Event>(&line) {
            prop_assert_eq!(read(&line), Some(expected));
        }
    }
}
