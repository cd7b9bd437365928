//! The registry from outside: real sockets, the real program, real stores.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod balancer;
mod bindings;
mod cluster;
mod cluster_bindings;
mod cluster_devices;
mod cluster_foreign;
mod cluster_lost;
mod connections;
mod files;
mod flood;
mod guessing;
mod hellos;
mod metrics;
mod mongo_legacy;
mod mongo_outage;
mod mongo_retry;
mod mongo_srv;
mod operator;
mod ops;
mod secure_accounts;
mod secure_key;
mod secure_limits;
mod secure_presence;
mod secure_wire;
mod service;
mod sessions;
mod slow;
mod start_and_stop;
mod store_suite;
mod streams;
mod support;
mod wire;
