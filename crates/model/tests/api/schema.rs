//! The JSON Schema, against the examples of the document and the code.

use std::fs;

use boon::{Compiler, SchemaIndex, Schemas};
use p2pchat_model::{Call, CallId, Update};
use serde_json::{Value, json};

/// The schema of a line of input and of a line of output.
struct Schema {
    all: Schemas,
    call: SchemaIndex,
    update: SchemaIndex,
}

impl Schema {
    fn compile() -> Self {
        let url = "https://p2pchat.invalid/schema.json";
        let mut compiler = Compiler::new();
        compiler.add_resource(url, p2pchat_model::schema()).unwrap();
        let mut all = Schemas::new();
        let mut of = |name| {
            let at = format!("{url}#/$defs/{name}");
            compiler.compile(&at, &mut all).unwrap()
        };
        let (call, update) = (of("Call"), of("Update"));
        Self { all, call, update }
    }

    fn accepts(&self, line: &str) -> bool {
        let value: Value = serde_json::from_str(line).unwrap();
        self.all.validate(&value, self.call).is_ok()
    }

    #[track_caller]
    fn check(&self, line: &str, is_call: bool) {
        let value: Value = serde_json::from_str(line).unwrap();
        let of = if is_call { self.call } else { self.update };
        if let Err(error) = self.all.validate(&value, of) {
            panic!("{line}\n{error:#}");
        }
    }
}

#[test]
fn every_example_is_valid() {
    let schema = Schema::compile();
    for line in crate::calls() {
        schema.check(&line, true);
        let mut call = Call::from_json(&line).unwrap();
        for id in [7.into(), "reminder-2026-11-28".parse().unwrap()] {
            call.id = Some(id);
            schema.check(&serde_json::to_string(&call).unwrap(), true);
        }
    }
    for line in crate::updates() {
        schema.check(&line, false);
        let mut update = Update::from_json(&line).unwrap();
        update.re = Some(CallId::Number(7));
        schema.check(&serde_json::to_string(&update).unwrap(), false);
    }
    for view in crate::events::other_views() {
        let line = json!({ "event": "view", "version": 2, "missed": 0, "view": view });
        schema.check(&line.to_string(), false);
    }
}

#[test]
fn every_line_of_the_document_is_valid() {
    let schema = Schema::compile();
    let text = fs::read_to_string(crate::document()).unwrap();
    for line in crate::json_lines(&text) {
        let is_call = Call::from_json(line).is_ok();
        schema.check(line, is_call);
    }
}

#[test]
fn the_schema_refuses_what_the_code_refuses() {
    let schema = Schema::compile();
    let say = |rest: &str| format!(r#"{{"command":"say","conversation":"open",{rest}}}"#);
    let with_id = |id: &str| say(&format!(r#""text":"hi","id":{id}"#));
    let login =
        |name: &str| json!({ "command": "login", "name": name, "password": "x" }).to_string();
    let accept = |from: &str| {
        json!({ "command": "accept", "conversation": "open", "from": from }).to_string()
    };
    let read_to =
        |id: &str| json!({ "command": "read", "conversation": "open", "message": id }).to_string();
    let valid = [
        read_to(&"a".repeat(48)),
        say(r#""text":"""#),
        with_id("null"),
        with_id("0"),
        with_id("9007199254740991"),
        with_id(&format!("{:?}", "x".repeat(64))),
        login("a"),
        login("ten bytes!"),
        accept("1.0.0.0"),
        accept("223.255.249.199"),
        r#"{"command":"history","conversation":"a-0"}"#.to_owned(),
        r#"{"command":"history","conversation":"open","before":null}"#.to_owned(),
        r#"{"command":"find","text":"tea"}"#.to_owned(),
        r#"{"command":"find","conversation":null,"text":"tea"}"#.to_owned(),
        r#"{"command":"undo"}"#.to_owned(),
        json!({ "command": "login", "name": "a", "password": "x".repeat(256) }).to_string(),
        r#"{"command":"login","name":"a","password":null}"#.to_owned(),
        r#"{"command":"login","name":"a"}"#.to_owned(),
        r#"{"command":"display_name","display_name":""}"#.to_owned(),
        r#"{"command":"trust_registry","fingerprint":"blgw5bbcyqd7w3ijq2ipceylpu"}"#.to_owned(),
        r#"{"command":"trust","name":"a","code":"12440915304854155287","verified":true}"#
            .to_owned(),
    ];
    let invalid = [
        "7".to_owned(),
        r#""leave""#.to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        r#"{"id":7}"#.to_owned(),
        r#"{"command":7}"#.to_owned(),
        r#"{"command":"shout"}"#.to_owned(),
        // The form of version 1.
        r#"{"say":{"text":"hi"}}"#.to_owned(),
        say(r#""text":7"#),
        say(r#""text":null"#),
        say(r#""words":"hi""#),
        say(r#""text":"hi","to":"bob""#),
        r#"{"command":"say","text":"hi"}"#.to_owned(),
        r#"{"command":"say","conversation":"Open","text":"hi"}"#.to_owned(),
        r#"{"command":"say","conversation":"","text":"hi"}"#.to_owned(),
        json!({ "command": "leave", "conversation": "x".repeat(65) }).to_string(),
        with_id("-1"),
        with_id("1.5"),
        with_id("9007199254740992"),
        with_id("true"),
        with_id("[]"),
        with_id(r#""""#),
        with_id(&format!("{:?}", "x".repeat(65))),
        login(""),
        login("elevenbytes"),
        login("a\u{1b}b"),
        login("a\u{85}b"),
        r#"{"command":"login","name":"a","password":""}"#.to_owned(),
        json!({ "command": "login", "name": "a", "password": "x".repeat(257) }).to_string(),
        r#"{"command":"register","name":"a","password":null}"#.to_owned(),
        r#"{"command":"display_name","display_name":" "}"#.to_owned(),
        json!({ "command": "display_name", "display_name": "x".repeat(65) }).to_string(),
        r#"{"command":"trust_registry","fingerprint":"1LGW-5BBC-YQD7-W3IJ-Q2IP-CEYL-PU"}"#
            .to_owned(),
        r#"{"command":"trust","name":"a","code":"1244","verified":true}"#.to_owned(),
        r#"{"command":"login","name":"a","password":"\u0000"}"#.to_owned(),
        accept("bob"),
        accept("0.0.0.1"),
        accept("224.0.0.1"),
        accept("1.2.3.256"),
        accept("01.2.3.4"),
        accept("1.2.3.4.5"),
        accept("1.2.3.4 "),
        r#"{"command":"logout","now":true}"#.to_owned(),
        r#"{"command":"undo","re":7}"#.to_owned(),
        r#"{"command":"busy","on":1}"#.to_owned(),
        r#"{"command":"block","who":"bob"}"#.to_owned(),
        r#"{"command":"block","who":{}}"#.to_owned(),
        r#"{"command":"block","who":{"name":"bob","address":"10.0.0.1"}}"#.to_owned(),
        r#"{"command":"read","conversation":"open","message":-1}"#.to_owned(),
        r#"{"command":"read","conversation":"open"}"#.to_owned(),
        read_to(&"0".repeat(47)),
        read_to(&"A".repeat(48)),
        read_to(&format!("+{}", "0".repeat(47))),
        read_to("42"),
        r#"{"event":"done"}"#.to_owned(),
    ];
    for line in valid {
        assert!(Call::from_json(&line).is_ok(), "the code refuses {line}");
        schema.check(&line, true);
    }
    for line in invalid {
        assert!(Call::from_json(&line).is_err(), "the code accepts {line}");
        assert!(!schema.accepts(&line), "the schema accepts {line}");
    }
}

/// All that a value becomes by one small change: a field is missing, is new, or has another
/// value, at any depth.
fn changed(value: &Value) -> Vec<Value> {
    let mut all: Vec<Value> = ["x", "open", "", "10.0.0.1"].map(Value::from).into();
    all.extend([7, -1].map(Value::from));
    all.extend([json!(null), json!(1.5), json!(true), json!([]), json!({})]);
    if let Value::Object(fields) = value {
        let mut more = fields.clone();
        more.insert("extra".to_owned(), json!(1));
        all.push(more.into());
        for (name, value) in fields {
            let mut fewer = fields.clone();
            fewer.remove(name);
            all.push(fewer.into());
            for value in changed(value) {
                let mut other = fields.clone();
                other.insert(name.clone(), value);
                all.push(other.into());
            }
        }
    }
    all
}

#[test]
fn the_schema_and_the_code_agree_on_every_small_change() {
    let schema = Schema::compile();
    let mut valid = 0;
    let mut all = 0;
    for example in crate::calls() {
        let mut example: Value = serde_json::from_str(&example).unwrap();
        example["id"] = 7.into();
        for value in changed(&example) {
            let line = value.to_string();
            let is_call = Call::from_json(&line).is_ok();
            assert_eq!(schema.accepts(&line), is_call, "{line}");
            valid += usize::from(is_call);
            all += 1;
        }
    }
    assert!(all > 1000 && valid > 100, "{valid} of {all} are valid");
}

#[test]
fn the_schema_lets_updates_grow() {
    let schema = Schema::compile();
    schema.check(r#"{"event":"busy","on":true,"since":5}"#, false);
    let refused = r#"{"event":"busy"}"#;
    assert!(Update::from_json(refused).is_err());
    let value: Value = serde_json::from_str(refused).unwrap();
    assert!(schema.all.validate(&value, schema.update).is_err());
}

/// All descriptions in a schema, with where they stand.
fn descriptions(at: &str, value: &Value, all: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "description" => {
                        all.push((at.to_owned(), text.clone()));
                    }
                    _ => descriptions(&format!("{at}/{name}"), value, all),
                }
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                descriptions(&format!("{at}/{index}"), value, all);
            }
        }
        _ => {}
    }
}

#[test]
fn the_descriptions_are_for_people_who_do_not_know_the_code() {
    let mut all = Vec::new();
    descriptions("", &p2pchat_model::schema(), &mut all);
    assert!(all.len() > 200, "{} descriptions", all.len());
    for (at, text) in all {
        for part in ["::", "[`", "`None`", "`Some", "\u{0}"] {
            assert!(!text.contains(part), "{at}: {text}");
        }
    }
}

#[test]
fn every_type_and_field_is_described() {
    let schema = p2pchat_model::schema();
    for (name, of) in schema["$defs"].as_object().unwrap() {
        assert!(of["description"].is_string(), "{name}");
        for (field, of) in of["properties"].as_object().into_iter().flatten() {
            assert!(of["description"].is_string(), "{name}.{field}");
        }
        for variant in of["oneOf"].as_array().into_iter().flatten() {
            assert!(variant["description"].is_string(), "{name}: {variant}");
        }
    }
}
