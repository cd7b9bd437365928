//! Any bytes as HTTP.

use super::{PAGE_MARK, SECRET, exchange};
use crate::pieces::Pieces;

/// What the JSON of a view holds and nothing else does.
const VIEW_MARK: &str = "\"more_history\":";

/// The bridge answers HTTP or nothing, shows the page to no request for another host, and
/// says nothing of the chat before the secret was shown.
pub fn http(data: &[u8]) {
    let input = Pieces::new(data);
    let answer = exchange(input.iter().map(|(piece, _)| piece));
    let asked = String::from_utf8_lossy(input.stream).to_ascii_lowercase();
    let answer = String::from_utf8_lossy(&answer);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1."),
        "no HTTP: {answer}"
    );
    // Our own address can be written as IPv6 in many ways.
    let names_us = ["127.", "localhost", "["];
    if !asked.contains("7878") || !names_us.iter().any(|name| asked.contains(name)) {
        assert!(!answer.contains(PAGE_MARK), "shown to another host");
        assert!(!answer.contains(" 101 "), "a WebSocket for another host");
    }
    if !asked.contains("origin") && !asked.contains(SECRET) {
        assert!(!answer.contains(" 101 "), "a WebSocket for anybody");
    }
    // A secret within a frame is masked.
    if !asked.contains(SECRET) && !asked.contains("upgrade") {
        assert!(!answer.contains(VIEW_MARK), "the view without the secret");
    }
}
