//! The structs of this module against `docs/protocol-2.proto`. That the derive makes of them what
//! others make of that file is held by the golden vectors (`tests/vectors_2.rs`).

use std::collections::BTreeSet;

/// A field as it is declared: message, label, type, name, tag.
type Field = (String, String, String, String, String);

/// The fields of a `.proto` file.
fn of_proto(text: &str) -> BTreeSet<Field> {
    let mut fields = BTreeSet::new();
    let mut message = "";
    for line in text.lines().map(str::trim) {
        if let Some(begin) = line.strip_prefix("message ") {
            message = begin.split([' ', '{']).next().unwrap();
        } else if let Some((declared, tag)) = line.split_once(" = ")
            && !line.starts_with("syntax")
        {
            let mut words = declared.split(' ').rev();
            let (name, kind) = (words.next().unwrap(), words.next().unwrap());
            let label = words.next().unwrap_or("");
            let tag = tag.trim_end_matches(';');
            let field = [message, label, kind, name, tag].map(str::to_owned);
            fields.insert(field.into());
        }
    }
    fields
}

/// The fields of the structs of prost.
fn of_rust(text: &str) -> BTreeSet<Field> {
    let mut fields = BTreeSet::new();
    let (mut message, mut attribute) = ("", "");
    for line in text.lines().map(str::trim) {
        let line = line.trim_start_matches("pub(super) ");
        if let Some(begin) = line.strip_prefix("struct ") {
            message = begin.split([' ', '{']).next().unwrap();
        } else if let Some(begin) = line.strip_prefix("#[prost(") {
            attribute = begin.trim_end_matches(")]");
        } else if !attribute.is_empty() {
            let (name, declared) = line.trim_end_matches(',').split_once(": ").unwrap();
            fields.insert(field(message, attribute, name, declared));
            attribute = "";
        }
    }
    fields
}

fn field(message: &str, attribute: &str, name: &str, declared: &str) -> Field {
    let parts: Vec<&str> = attribute.split(", ").collect();
    let (first, tag) = (parts[0], parts[parts.len() - 1]);
    let kind = match first {
        "message" => declared
            .trim_start_matches("Vec<")
            .trim_start_matches("Option<")
            .trim_end_matches('>'),
        _ => first.split(' ').next().unwrap(),
    };
    let label = if parts.len() == 3 { parts[1] } else { "" };
    let tag = tag.trim_start_matches("tag = ").trim_matches('"');
    [message, label, kind, name, tag].map(str::to_owned).into()
}

#[test]
fn the_structs_are_those_of_the_document() {
    let proto = of_proto(include_str!("../../../../../docs/protocol-2.proto"));
    let rust = of_rust(include_str!("../wire.rs"));
    assert!(proto.len() > 20, "{proto:?}");
    assert_eq!(rust, proto);
}
