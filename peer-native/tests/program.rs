//! The built program, as users run it: with a command line, pipes and a terminal, a registry
//! in this process, and real sockets.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[path = "program/attached.rs"]
mod attached;
#[path = "program/blocks.rs"]
mod blocks;
#[path = "program/chats.rs"]
mod chats;
#[path = "program/command_line.rs"]
mod command_line;
#[path = "program/encrypted.rs"]
mod encrypted;
#[path = "program/examples.rs"]
mod examples;
#[path = "program/first.rs"]
mod first;
#[path = "program/json.rs"]
mod json;
#[path = "program/once.rs"]
mod once;
#[path = "program/plain.rs"]
mod plain;
#[path = "program/pty.rs"]
mod pty;
#[path = "program/streams.rs"]
mod streams;
#[path = "program/support.rs"]
mod support;
#[path = "program/terminals.rs"]
mod terminals;
#[path = "program/three_peers.rs"]
mod three_peers;
#[path = "program/tui_tmux.rs"]
mod tui_tmux;
