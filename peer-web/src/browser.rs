//! The browser behind plain functions. None of them fails: where a browser denies
//! something (storage in a private window, notifications), the page goes on without.

pub mod attention;
pub mod broken;
pub mod element;
pub mod hooks;
pub mod letters;
pub mod page;
pub mod settings;
pub mod sound;
pub mod storage;
