//! The conversations of version 2 on disk: what [`p2pchat_conversation`] has verified and wants
//! stored, in one SQLite file a profile.
//!
//! | module | what it has |
//! |---|---|
//! | `schema` | the tables, and how values become columns |
//! | `keys` | the keys of this device, signing and verifying |
//! | `session` | one encrypted connection to a device |
//! | `places` | which sessions stay |
//! | `node` | the thread that owns the store and what syncs, and its sessions |
//! | `store` | the file, and the transaction that stores what has changed |
//! | `facts` | each fact as statements |
//! | `calls` | the calls of front ends that led to entries |
//! | `restore` | the facts again, at the start |
//! | `read` | entries to serve, and messages to show |
//! | `lookup` | messages by their ids, and by the entries that change them |
//! | `unread` | how much the user has not read |
//! | `search` | the full-text index |
//! | `retention` | what is beyond what is kept |
//!
//! A commit survives a power cut, so what follows from it may be sent.
//!
//! **Invariant:** nothing here verifies or decides. What counts, and from when on it is seen, is
//! passed in ([`Visible`]).

mod calls;
mod facts;
mod keys;
mod lookup;
mod node;
mod places;
mod read;
mod restore;
mod retention;
mod schema;
mod search;
mod session;
mod store;
mod unread;

pub use calls::Said;
pub use keys::Keys;
pub use node::{Event, Failed, Handle, Incoming, Node, Options, View};
pub use read::{Entry, Page, Post, Visible};
pub use restore::{Restored, Settings, Stored};
pub use retention::{MAX_BODIES, MAX_BYTES};
pub use session::SessionError;
pub use store::{Change, Mark, Store, StoreError};
pub use unread::{MAX_UNREAD, MAX_UNREAD_BYTES, Reader, Unread};

#[cfg(test)]
mod tests;
