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
//! In the page, serde's way to read an enum by a tag among its fields would be a tenth of the
//! program: it keeps a copy of the fields, and reads each type from that too. So in
//! `wasm32` the enums have no `tag` and no `flatten`, and the reader of the page
//! (`peer-web/src/bridge/json.rs`) finds the tags; the JSON is the same.
//!
//! **Invariant:** no I/O, no clock, nothing about framing, terminals or the DOM. Builds
//! for `wasm32-unknown-unknown`.

mod call;
mod chat;
mod command;
mod conversation;
mod dropped;
mod event;
mod hits;
mod identity;
mod letters;
mod line;
pub mod links;
mod lookalike;
mod mentions;
mod message;
mod person;
mod post;
#[cfg(feature = "schema")]
mod schema;
mod target;
mod text;
mod time;
mod view;
pub mod wording;

pub use call::{BadCall, BadFrontEndId, BadId, CONTRACT_VERSION, Call, CallId, FrontEndId, Update};
pub use chat::{Alerts, Chat, ChatChange, ChatKind, DatedChange, Member, Named, Standing};
pub use command::Command;
pub use conversation::{BadConversationId, Conversation, ConversationId};
pub use dropped::{DropKind, DropReason, Dropped};
pub use event::{
    BlockChange, Event, Failure, IncomingRequest, JoinedBy, Link, Notice, Outcome, OutgoingRequest,
    Problem, RequestFailure, Snapshot,
};
pub use hits::hits;
pub use identity::{Identity, KnownRegistry, Security, Trust};
pub use letters::{lowercase, uppercase};
pub use line::{Level, Line};
pub use lookalike::OnlineLooks;
pub use mentions::mentions;
pub use message::{BadMessageId, Delivery, DeliveryState, LeaveReason, Message, MessageId};
pub use p2pchat_protocol::v2::{
    Code, DisplayName, DisplayNameError, Fingerprint, Passphrase, PassphraseError, PersonKey,
    Status,
};
pub use p2pchat_protocol::{OnlineUser, Password, PeerAddr, Username};
pub use person::{NameCheck, Person, User};
pub use post::{Post, PostState, Quote, Reaction, Receipt};
#[cfg(feature = "schema")]
pub use schema::schema;
pub use target::{Target, TargetError};
pub use text::{
    MAX_DRAFT, MAX_MESSAGE, action, letters_beyond, letters_too_many, packets, printable,
};
pub use time::Timestamp;
pub use view::{Findings, Undo, Undoable, View};
