//! Linux, macOS and their relatives.

pub mod clock;
pub mod files;
pub mod local;
pub mod lock;
pub mod net;
pub mod process;
pub mod signals;
pub mod streams;
pub mod terminal;
