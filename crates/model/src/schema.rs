//! The JSON Schema of the contract, made from the types.

use std::borrow::Cow;

use schemars::generate::{Contract, SchemaSettings};
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::call::{MAX_ID, MAX_NUMBER};
use crate::{CONTRACT_VERSION, Call, CallId, Command, ConversationId, MessageId, Update};

/// The JSON Schema of the contract: `#/$defs/Call` is a line of input, `#/$defs/Update` a line
/// of output.
#[must_use]
pub fn schema() -> Value {
    // A call may leave out what has a default, and has no other fields; an update has all its
    // fields, and later versions add some.
    let mut defs = definitions::<Call>(Contract::Deserialize);
    defs.extend(definitions::<Update>(Contract::Serialize));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("The JSON contract of p2pchat, version {CONTRACT_VERSION}"),
        "description": "A line of input is a Call, a line of output is an Update.",
        "anyOf": [{ "$ref": "#/$defs/Call" }, { "$ref": "#/$defs/Update" }],
        "$defs": defs,
    })
}

/// A type and all that it is made of, by name.
fn definitions<T: JsonSchema>(contract: Contract) -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.contract = contract);
    let mut generator = settings.into_generator();
    generator.subschema_for::<T>();
    let mut definitions = generator.take_definitions(true);
    for schema in definitions.values_mut() {
        if let Ok(schema) = schema.try_into() {
            unwrap_descriptions(schema);
        }
    }
    definitions
}

/// Takes the line breaks of the source out of the descriptions.
fn unwrap_descriptions(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text
            .replace("\n\n", "\u{0}")
            .replace('\n', " ")
            .replace('\u{0}', "\n\n");
    }
    transform_subschemas(&mut unwrap_descriptions, schema);
}

/// A command with the id among its own fields: it allows no others.
impl JsonSchema for Call {
    fn schema_name() -> Cow<'static, str> {
        "Call".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Command::json_schema(generator);
        let id = generator.subschema_for::<Option<CallId>>();
        let commands = schema.get_mut("oneOf").and_then(Value::as_array_mut);
        for command in commands.into_iter().flatten() {
            command["properties"]["id"] = id.clone().into();
        }
        schema
    }
}

impl JsonSchema for CallId {
    fn schema_name() -> Cow<'static, str> {
        "CallId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": format!(
                "The id of a call: a string of 1 to {MAX_ID} bytes, or a whole number below 2^53."
            ),
            "anyOf": [
                { "type": "integer", "minimum": 0, "maximum": MAX_NUMBER },
                { "type": "string", "minLength": 1, "maxLength": MAX_ID },
            ],
        })
    }
}

impl JsonSchema for MessageId {
    fn schema_name() -> Cow<'static, str> {
        "MessageId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The id of a message: of the open chat a whole number below 2^53, of \
                            another conversation a string. Later messages of a conversation have \
                            greater ones.",
            "anyOf": [
                { "type": "integer", "minimum": 0, "maximum": MAX_NUMBER },
                { "type": "string", "pattern": "^[0-9a-f]{48}$" },
            ],
        })
    }
}

impl JsonSchema for ConversationId {
    fn schema_name() -> Cow<'static, str> {
        "ConversationId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The id of a conversation. The open chat is \"open\".",
            "type": "string",
            "pattern": format!("^[a-z0-9-]{{1,{}}}$", Self::MAX),
        })
    }
}
