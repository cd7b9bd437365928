//! The model that all p2pchat front ends share.
//!
//! A front end sends [`Command`]s (what a user can ask for), receives [`Event`]s (what can
//! happen) and draws a [`View`] (what there is to see), with the words of [`wording`]. Only
//! [`View::apply`] changes a view, so all who received the same events draw the same thing.
//! One who joins late gets a snapshot of the view first, then events. A command in a [`Call`]
//! may have an id, which its answers carry ([`Update`]).
//!
//! The JSON of all of them is a contract, with an example of each in `docs/api.md`; a test
//! compares the two.
//!
//! **Invariant:** no I/O, no clock, nothing about framing, terminals or the DOM. Builds
//! for `wasm32-unknown-unknown`.

mod call;
mod command;
mod conversation;
mod dropped;
mod event;
mod identity;
mod letters;
mod line;
mod lookalike;
mod message;
mod person;
#[cfg(feature = "schema")]
mod schema;
mod target;
mod text;
mod time;
mod view;
pub mod wording;

pub use call::{BadCall, BadFrontEndId, BadId, CONTRACT_VERSION, Call, CallId, FrontEndId, Update};
pub use command::Command;
pub use conversation::{BadConversationId, Conversation, ConversationId};
pub use dropped::{DropKind, DropReason, Dropped};
pub use event::{
    BlockChange, Event, Failure, IncomingRequest, JoinedBy, Link, Notice, Outcome, OutgoingRequest,
    Problem, RequestFailure, Snapshot,
};
pub use identity::{Identity, KnownRegistry, Security, Trust};
pub use letters::{lowercase, uppercase};
pub use line::{Level, Line};
pub use lookalike::OnlineLooks;
pub use message::{Delivery, DeliveryState, LeaveReason, Message, MessageId};
pub use p2pchat_protocol::v2::{
    Code, DisplayName, DisplayNameError, Fingerprint, Passphrase, PassphraseError, Status,
};
pub use p2pchat_protocol::{OnlineUser, Password, PeerAddr, Username};
pub use person::{NameCheck, Person, User};
#[cfg(feature = "schema")]
pub use schema::schema;
pub use target::{Target, TargetError};
pub use text::{MAX_MESSAGE, action, letters_too_many, packets, printable};
pub use time::Timestamp;
pub use view::{Findings, Undo, Undoable, View};
