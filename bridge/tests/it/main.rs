//! The bridge over real sockets: what a page sees, and what an attacker does not.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod calls;
mod chat;
mod entry;
mod limits;
mod pages;
mod process;
mod shared;
mod streams;
mod support;
