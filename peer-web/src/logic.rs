//! What the page decides without a browser: pure functions, tested natively.

pub mod chats;
pub mod clock;
pub use p2pchat_model::links;
pub mod outgoing;
pub mod reading;
pub mod roving;
pub mod rows;
pub mod said;
pub mod sentence;
pub mod window;
