//! Each run, small: that it does its harm, and that what has to hold holds.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[path = "soak/chat.rs"]
mod chat;
#[path = "soak/cluster.rs"]
mod cluster;
#[path = "soak/crash.rs"]
mod crash;
#[path = "soak/floods.rs"]
mod floods;
#[path = "soak/guessing.rs"]
mod guessing;
#[path = "soak/hostile.rs"]
mod hostile;
#[path = "soak/network.rs"]
mod network;
#[path = "soak/presence.rs"]
mod presence;
#[path = "soak/smoke.rs"]
mod smoke;
