//! The browser behind plain functions. None of them fails: where a browser denies something
//! (storage in a private window, notifications), the page goes on without it.

pub mod attention;
pub mod crash;
pub mod dates;
pub mod effect;
pub mod element;
pub mod file;
pub mod hooks;
pub mod keys;
pub mod page;
pub mod settings;
pub mod sound;
pub mod storage;
pub mod update;
