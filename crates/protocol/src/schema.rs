//! The JSON Schema of the types that have a JSON form. A schema counts characters, the types
//! count bytes: it allows some texts that are too long, and refuses none that is valid.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::v2::{Code, DisplayName, Fingerprint, Passphrase, PersonKey};
use crate::{Password, PeerAddr, Username};

impl JsonSchema for Username {
    fn schema_name() -> Cow<'static, str> {
        "Username".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The name of an account: 1 to 10 bytes of UTF-8 without control characters.",
            "type": "string",
            "minLength": 1,
            "maxLength": Username::MAX,
            "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        })
    }
}

impl JsonSchema for Password {
    fn schema_name() -> Cow<'static, str> {
        "Password".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A password: 1 to 15 bytes of UTF-8 without NUL.",
            "type": "string",
            "minLength": 1,
            "maxLength": Password::MAX,
            "pattern": "^[^\\u0000]*$",
        })
    }
}

impl JsonSchema for Passphrase {
    fn schema_name() -> Cow<'static, str> {
        "Passphrase".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A password: 1 to 256 bytes of UTF-8 without NUL. Version 1 of the protocol can use 15.",
            "type": "string",
            "minLength": 1,
            "maxLength": Passphrase::MAX,
            "pattern": "^[^\\u0000]*$",
        })
    }
}

impl JsonSchema for DisplayName {
    fn schema_name() -> Cow<'static, str> {
        "DisplayName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The name of a person beside that of the account: 0 to 64 bytes of UTF-8 without control characters, with no white space at its ends.",
            "type": "string",
            "maxLength": DisplayName::MAX,
            "pattern": "^([^\\s\\u0000-\\u001f\\u007f-\\u009f]([^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f])?)?$",
        })
    }
}

impl JsonSchema for Fingerprint {
    fn schema_name() -> Cow<'static, str> {
        "Fingerprint".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The fingerprint of a key: 26 letters and digits, with or without dashes.",
            "type": "string",
            "pattern": "^([- ]*[A-Za-z2-7]){26}[- ]*$",
        })
    }
}

impl JsonSchema for PersonKey {
    fn schema_name() -> Cow<'static, str> {
        "PersonKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The key of a person.",
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
        })
    }
}

impl JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The code that two people compare: 20 digits, with or without spaces.",
            "type": "string",
            "pattern": "^([- ]*[0-9]){20}[- ]*$",
        })
    }
}

impl JsonSchema for PeerAddr {
    fn schema_name() -> Cow<'static, str> {
        "PeerAddr".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let first = "[1-9]|[1-9][0-9]|1[0-9][0-9]|2[01][0-9]|22[0-3]";
        let other = "[0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5]";
        json_schema!({
            "description": "The address of a peer: an IPv4 address that one machine can have.",
            "type": "string",
            "pattern": format!("^({first})(\\.({other})){{3}}$"),
        })
    }
}
