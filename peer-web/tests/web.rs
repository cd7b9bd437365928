//! The hook and the components in a real browser, with a WebSocket that the test plays.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[path = "web/support.rs"]
mod support;

#[path = "web/bridge.rs"]
mod bridge;
#[path = "web/chats.rs"]
mod chats;
#[path = "web/components.rs"]
mod components;
#[path = "web/dates.rs"]
mod dates;
#[path = "web/json.rs"]
mod json;
#[path = "web/keys.rs"]
mod keys;
#[path = "web/letters.rs"]
mod letters;
#[path = "web/page.rs"]
mod page;
#[path = "web/split.rs"]
mod split;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
