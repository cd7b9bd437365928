//! What the browser reads of the contract is what other programs read.

use std::sync::Arc;

use p2pchat_model::{CallId, Event, Update};
use p2pchat_web::bridge::json;
use serde::Deserialize;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{SIGNED_OUT, VIEW, js, quoted};

/// Makes of the JSON of the contract what serde reads where enums have no tag among their
/// fields: `{"state":"down","reason":""}` is `{"down":{"reason":""}}`, and `"up"` alone a text.
const WITHOUT_TAGS: &str = "
    const variant = (object, tag, content) => {
        const { [tag]: name, ...rest } = object;
        const value = content ? object[content] : rest;
        return value === undefined || Object.keys(value).length === 0 ? name : { [name]: value };
    };
    const delivery = (one) => ({ to: one.to, $: variant({ state: one.state, reason: one.reason }, 'state', 'reason') });
    const message = (one) => ({ ...one, deliveries: one.deliveries?.map(delivery) ?? null });
    const line = ({ kind, ...one }) => ({ [kind]: kind === 'message' ? message(one) : one });
    const chat = (one) => ({ ...one, lines: one.lines.map(line) });
    const fields = {
        view: ({ view, ...rest }) => ({ ...rest, view: {
            ...view,
            link: variant(view.link, 'state'),
            security: variant(view.security, 'state'),
            conversations: view.conversations.map(chat),
        } }),
        link: (one) => variant(one, 'state'),
        security: (one) => variant(one, 'state'),
        message,
        history: (one) => ({ ...one, messages: one.messages.map(message) }),
        findings: (one) => ({ ...one, messages: one.messages.map(message) }),
        delivered: (one) => ({ ...one, delivery: delivery(one.delivery) }),
        notice: ({ at, ...rest }) => ({ at, $: variant(rest, 'what') }),
        member_joined: ({ by, who, ...rest }) => ({ ...rest, $: variant({ by, who }, 'by', 'who') }),
    };
    const { event, re, ...rest } = JSON.parse(line_of_the_contract);
    JSON.stringify(event === 'done' ? event : { [event]: (fields[event] ?? ((one) => one))(rest) });";

/// What `serde_json` reads.
fn as_others_read_it(line: &str) -> Update {
    #[derive(Deserialize)]
    struct Envelope {
        re: Option<CallId>,
    }
    let Envelope { re } = serde_json::from_str(line).unwrap();
    let code = format!(
        "{{ const line_of_the_contract = {}; {WITHOUT_TAGS} }}",
        quoted(line)
    );
    let event: Event = serde_json::from_str(&js(&code).as_string().unwrap()).unwrap();
    let event = Arc::new(event);
    Update { re, event }
}

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
        &crate::chats::view(),
        &crate::chats::post(7, false, "text"),
        &crate::chats::CHANGE.replace("ID", &crate::chats::direct()),
        r#"{"event":"notice","at":1,"what":"history_mended","lost":3}"#,
    ] {
        assert_eq!(json::read(line), Some(as_others_read_it(line)), "{line}");
    }
}

#[wasm_bindgen_test]
fn every_update_of_the_document_is_read_as_other_programs_read_it() {
    let lines = include_str!("../../../docs/api.md").lines();
    let updates = lines.filter(|line| line.starts_with('{') && line.contains(r#""event":"#));
    let mut count = 0;
    for line in updates {
        assert_eq!(json::read(line), Some(as_others_read_it(line)), "{line}");
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
        r#"{"event":7}"#,
        r#"{"event":"busy","on":true"#,
        r#"{"event":"link","state":"sideways"}"#,
        r#"{"event":"link","state":"down","reason":""}"#,
        r#"{"event":"notice","at":1,"what":"history_mended"}"#,
        r#"{"event":"busy","on":"yes"}"#,
        r#"{"event":"done","re":[]}"#,
    ] {
        assert_eq!(json::read(line), None, "{line}");
    }
}
