//! What the command `undo` takes back.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::View;
use crate::conversation::ConversationId;
use crate::event::{BlockChange, Event, Problem};
use crate::target::Target;
use crate::time::Timestamp;

/// A leave or a block that can still be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Undo {
    /// What it is.
    pub what: Undoable,
    /// From when on it is too late.
    pub until: Timestamp,
}

impl Undo {
    /// How long there is an undo.
    pub const LIMIT: Duration = Duration::from_secs(10);

    fn new(what: Undoable, at: Timestamp) -> Self {
        let until = at.after(Self::LIMIT);
        Self { what, until }
    }
}

/// What a user can take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Undoable {
    /// They left this conversation.
    Left(ConversationId),
    /// They blocked this user or address.
    Blocked(Target),
}

impl View {
    /// Offers the undo of a leave or block, and withdraws it once it is done or has no meaning
    /// any more.
    pub(super) fn offer_undo(&mut self, event: &Event) {
        let undo = self.undo.map(|undo| undo.what);
        match (event, undo) {
            (Event::ChatLeft { conversation, at }, _) => {
                self.undo = Some(Undo::new(Undoable::Left(*conversation), *at));
            }
            (
                Event::Blocks {
                    at,
                    change: Some(BlockChange::Blocked(who)),
                    ..
                },
                _,
            ) if !self.blocked.contains(who) => {
                self.undo = Some(Undo::new(Undoable::Blocked(*who), *at));
            }
            (Event::Blocks { list, .. }, Some(Undoable::Blocked(who))) if !list.contains(&who) => {
                self.undo = None;
            }
            (Event::MemberJoined { .. } | Event::MemberLeft { .. }, Some(Undoable::Left(left)))
                if event.conversation() == Some(left) =>
            {
                self.undo = None;
            }
            (Event::LoggedOut { .. }, _) => self.undo = None,
            (Event::Failed(failure), _) if failure.code == Problem::NothingToUndo => {
                self.undo = None;
            }
            _ => {}
        }
    }
}
