//! Each run, small: that it does its harm, and that what has to hold holds.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[path = "lab/chat.rs"]
mod chat;
#[path = "lab/cluster.rs"]
mod cluster;
#[path = "lab/crash.rs"]
mod crash;
#[path = "lab/floods.rs"]
mod floods;
#[path = "lab/guessing.rs"]
mod guessing;
#[path = "lab/network.rs"]
mod network;
#[path = "lab/smoke.rs"]
mod smoke;
