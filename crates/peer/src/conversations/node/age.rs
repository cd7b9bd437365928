//! What goes because it is old, or too much.

use std::time::Duration;

use p2pchat_conversation::replica::Fact;
use p2pchat_protocol::v2::conversation::{Clock, ConversationId};

use super::super::StoreError;
use super::Core;
use super::turn::Turn;

/// How often it is looked for what is too old, in milliseconds.
const LOOK_EVERY: u64 = 60 * 60 * 1000;

/// For how long what was written is kept.
#[derive(Default)]
pub(super) struct Age {
    /// `None` for as long as there is room.
    pub(super) keep: Option<Duration>,
    /// When it is looked for next, in milliseconds since the start.
    next: u64,
}

impl Core {
    /// Forgets what was written too long ago, by the time of the registry.
    pub(super) fn forget_old(&mut self, turn: &mut Turn) {
        let now = self.now();
        let Some(keep) = self.age.keep else {
            return;
        };
        if self.registry.is_none() || now.millis < self.age.next {
            return;
        }
        self.age.next = now.millis.saturating_add(LOOK_EVERY);
        let oldest = now.clock.since_1970().saturating_sub(keep).as_millis();
        let oldest = Clock::from_millis(u64::try_from(oldest).unwrap_or_default());
        let old = self.store.older_than(oldest);
        self.forget(old, turn);
    }

    /// Forgets what is below floors.
    pub(super) fn forget(
        &mut self,
        floors: Result<Vec<(ConversationId, Vec<Fact>)>, StoreError>,
        turn: &mut Turn,
    ) {
        let floors = floors.unwrap_or_else(|error| {
            tracing::debug!(%error, "the store cannot be made smaller");
            Vec::new()
        });
        for (id, facts) in floors {
            for fact in facts {
                if let Fact::Floor { join, position } = fact {
                    let forgotten = self.sync.forget_below(id, join, position);
                    turn.effects.extend(forgotten);
                }
            }
        }
    }
}
