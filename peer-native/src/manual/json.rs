//! The page on the JSON of `--json`, made from its schema: what the doc comments of the model say.

use p2pchat_model::CONTRACT_VERSION;
use p2pchat_settings::Page;
use p2pchat_settings::man::Text;
use serde_json::{Map, Value};

const NAME: &str = "p2pchat-json";

/// What the field that names a command or an event is called.
const TAGS: [&str; 2] = ["command", "event"];

/// The page `p2pchat-json.7`.
pub(super) fn page() -> Page {
    let schema = p2pchat_model::schema();
    let types = &schema["$defs"];
    let mut text = Text::new(NAME, 7, "the JSON that p2pchat reads and writes");
    text.heading("DESCRIPTION");
    for paragraph in introduction() {
        text.paragraph(&paragraph);
    }
    text.heading("COMMANDS");
    text.paragraph("A call is one of these, with the field `command`, and may have an `id`.");
    add_variants(&types["Call"], "id", &mut text);
    text.heading("EVENTS");
    text.paragraph("An update is one of these, with the field `event`, and may have `re`.");
    add_variants(&types["Update"], "re", &mut text);
    text.heading("TYPES");
    for (name, definition) in types.as_object().into_iter().flatten() {
        if name != "Call" && name != "Update" {
            text.subheading(name);
            add_type(definition, &mut text);
        }
    }
    text.heading("EXAMPLES");
    text.code(
        "echo '{\"command\":\"say\",\"id\":1,\"conversation\":\"open\",\"text\":\"hello\"}' | \
         p2pchat --json",
    );
    text.heading("SEE ALSO");
    text.pages(&["p2pchat(1)".to_owned(), "p2pchat-schema(1)".to_owned()]);
    Page {
        file: format!("{NAME}.7"),
        text: text.finish(),
    }
}

fn introduction() -> [String; 3] {
    [
        format!(
            "`p2pchat --json` reads calls from standard input and writes updates to standard \
             output, a line of JSON each, in UTF-8. This is version {CONTRACT_VERSION} of that \
             contract. Within a version there are additions only: a program has to ignore events, \
             fields and values that it does not know."
        ),
        "A call with an `id` has one end: an update with that id as its `re`, and the event `done` \
         or `failed`. A call that is repeated with its id gets its first answer, and does nothing \
         a second time. A line that is no call is answered by `failed`, and the next one is read."
            .to_owned(),
        "The first event is `view`: the whole state. Those that follow are changes of it."
            .to_owned(),
    ]
}

/// The commands or events, each with its fields; `common` is the field that all of them have.
fn add_variants(definition: &Value, common: &str, text: &mut Text) {
    for variant in definition["oneOf"].as_array().into_iter().flatten() {
        let properties = variant["properties"].as_object();
        let tag = TAGS.into_iter().find_map(|tag| properties?.get(tag));
        let name = tag.and_then(|tag| tag["const"].as_str());
        text.subheading(name.unwrap_or_default());
        text.paragraph(&description(variant));
        if let Some(of) = variant["$ref"].as_str() {
            text.paragraph(&format!("Its fields are those of `{}`.", type_name(of)));
        }
        let is_own = |name: &str| name != common && !TAGS.contains(&name);
        add_fields(variant, is_own, text);
    }
}

/// The values of a type, or its fields, or what a text of it looks like.
fn add_type(definition: &Value, text: &mut Text) {
    let about = description(definition);
    let variants = definition["oneOf"]
        .as_array()
        .or(definition["anyOf"].as_array());
    match variants {
        Some(variants) => {
            text.paragraph(&about);
            for variant in variants {
                text.entry(&kind(variant), &description(variant));
                add_fields(variant, |_| true, text);
            }
        }
        None if definition["properties"].is_object() => {
            text.paragraph(&about);
            add_fields(definition, |_| true, text);
        }
        None => text.paragraph(&format!("{about} JSON: {}.", kind(definition))),
    }
}

fn add_fields(definition: &Value, is_own: impl Fn(&str) -> bool, text: &mut Text) {
    let empty = Map::new();
    let fields = definition["properties"].as_object().unwrap_or(&empty);
    for (name, field) in fields.iter().filter(|(name, _)| is_own(name)) {
        let default = match field.get("default") {
            Some(value) => format!(" If it is left out: `{value}`."),
            None => String::new(),
        };
        text.entry_of(name, &kind(field), &(description(field) + &default));
    }
}

fn description(definition: &Value) -> String {
    definition["description"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// The name of a type, from a reference to it.
fn type_name(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or_default()
}

/// What a value is, in a few words.
fn kind(definition: &Value) -> String {
    if let Some(reference) = definition["$ref"].as_str() {
        return type_name(reference).to_owned();
    }
    if let Some(value) = definition.get("const") {
        return value.to_string();
    }
    let several = ["anyOf", "oneOf"].into_iter();
    if let Some(kinds) = several.filter_map(|key| definition[key].as_array()).next() {
        let kinds: Vec<String> = kinds.iter().map(kind).collect();
        return kinds.join(" or ");
    }
    match &definition["type"] {
        Value::Array(kinds) => {
            let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
            kinds.join(" or ")
        }
        Value::String(one) if one == "array" && definition["items"].is_object() => {
            format!("list of {}", kind(&definition["items"]))
        }
        Value::String(one) if one == "object" => object(definition),
        Value::String(one) => one.clone(),
        _ => "any value".to_owned(),
    }
}

/// An object by the names of its fields, as a type of several shapes has it.
fn object(definition: &Value) -> String {
    let fields = definition["properties"].as_object();
    let fields: Vec<&str> = fields
        .into_iter()
        .flatten()
        .map(|(name, _)| &**name)
        .collect();
    match fields.as_slice() {
        [] => "object".to_owned(),
        names => format!("object with {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_event_and_type_of_the_schema_is_in_the_page() {
        let page = page().text;
        let schema = p2pchat_model::schema();
        let heading = |name: &str| format!("\n.SS {name}\n");
        let mut seen = 0;
        for (name, definition) in schema["$defs"].as_object().unwrap() {
            let is_root = ["Call", "Update"].contains(&name.as_str());
            assert!(is_root || page.contains(&heading(name)), "{name}");
            for variant in definition["oneOf"].as_array().into_iter().flatten() {
                for tag in TAGS {
                    if let Some(name) = variant["properties"][tag]["const"].as_str() {
                        assert!(page.contains(&heading(name)), "{name}");
                        seen += 1;
                    }
                }
            }
        }
        assert!(seen > 60, "{seen}");
    }

    #[test]
    fn a_value_is_told_in_a_few_words() {
        let told = |json: &str| kind(&serde_json::from_str(json).unwrap());
        assert_eq!(told(r##"{"$ref":"#/$defs/User"}"##), "User");
        let list =
            r##"{"type":"array","items":{"anyOf":[{"$ref":"#/$defs/User"},{"type":"null"}]}}"##;
        assert_eq!(told(list), "list of User or null");
        assert_eq!(told(r#"{"type":["string","null"]}"#), "string or null");
        assert_eq!(told(r#"{"const":"open"}"#), "\"open\"");
    }
}
