//! What the browser reads of the contract is what other programs read.

use p2pchat_model::Update;
use p2pchat_web::bridge::json;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{SIGNED_OUT, VIEW};

#[wasm_bindgen_test]
fn an_update_is_read_as_other_programs_read_it() {
    for line in [
        VIEW,
        SIGNED_OUT,
        r#"{"event":"done","re":9007199254740991}"#,
        r#"{"event":"done","re":"a \"name\" 👋\u0000"}"#,
        r#"{"event":"link","state":"down","reason":"","retry_at":1795348800000}"#,
        r#"{"event":"busy","on":true,"an_addition":[1,{"x":null}]}"#,
        r#"{"event":"message","conversation":"open","id":9007199254740991,"at":1,"from":{"address":"10.0.0.2","name":null,"check":"unknown"},"text":"\ud83d\udc4b\n","deliveries":[{"to":{"address":"10.0.0.3","name":"bob","check":"confirmed"},"state":"failed","reason":"unreachable"}]}"#,
        r#"{"event":"member_joined","conversation":"open","at":1,"member":{"address":"10.0.0.2","name":"bob","check":"differs"},"by":"member","who":{"address":"10.0.0.3","name":null,"check":"unknown"}}"#,
        r#"{"event":"history","conversation":"open","before":null,"messages":[],"more":false}"#,
        r#"{"event":"notice","at":1,"what":"history_mended","lost":3}"#,
    ] {
        assert_eq!(json::read(line), Some(Update::from_json(line).unwrap()));
    }
}

#[wasm_bindgen_test]
fn every_update_of_the_document_is_read_as_other_programs_read_it() {
    let lines = include_str!("../../../docs/api.md").lines();
    let updates = lines.filter(|line| line.starts_with('{') && line.contains(r#""event":"#));
    let mut count = 0;
    for line in updates {
        assert_eq!(json::read(line), Some(Update::from_json(line).unwrap()));
        count += 1;
    }
    assert!(count > 50, "there are only {count}");
}

#[wasm_bindgen_test]
fn what_is_not_an_update_is_none() {
    for line in [
        "",
        "not even json",
        "1",
        "null",
        r#"{"event":"of_a_later_version"}"#,
        r#"{"event":"busy"}"#,
        r#"{"event":"busy","on":"yes"}"#,
        r#"{"event":"done","re":[]}"#,
    ] {
        assert_eq!(json::read(line), None, "{line}");
        assert!(Update::from_json(line).is_err(), "{line}");
    }
}
