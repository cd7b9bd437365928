//! Answers to the pending chat request by a key.

use p2pchat_model::{Command, IncomingRequest, Timestamp};

/// How long a request is on the screen before a single letter answers it: what was typed
/// for the conversation must not.
const LETTERS_AFTER_MS: u64 = 1000;

/// How long a single `y`, `n` or `b` stands alone before it answers. One that begins a
/// message is followed by another letter sooner.
const ALONE_MS: u64 = 800;

/// An answer to a chat request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Accept,
    Reject,
    /// Rejects the request too.
    Block,
}

impl Answer {
    /// The answer that a letter stands for.
    pub(super) fn by(letter: char) -> Option<Self> {
        match letter {
            'y' => Some(Self::Accept),
            'n' => Some(Self::Reject),
            'b' => Some(Self::Block),
            _ => None,
        }
    }

    pub(super) fn command(self, request: &IncomingRequest) -> Command {
        let from = request.from.address;
        match self {
            Self::Accept => Command::Accept { from },
            Self::Reject => Command::Reject { from },
            Self::Block => Command::Block {
                who: request.from.to_block(),
            },
        }
    }
}

/// A single letter in the input that will answer the request, unless more is typed.
#[derive(Debug, Clone, Copy)]
pub(super) struct PendingAnswer {
    pub(super) answer: Answer,
    pub(super) typed_at: Timestamp,
}

impl PendingAnswer {
    /// Whether the letter has stood alone for long enough.
    pub(super) fn is_due(self, now: Timestamp) -> bool {
        now.0.saturating_sub(self.typed_at.0) >= ALONE_MS
    }
}

/// Whether single letters answer a request that is on the screen since `shown_at`.
pub(super) fn letters_answer(shown_at: Timestamp, now: Timestamp) -> bool {
    now.0.saturating_sub(shown_at.0) >= LETTERS_AFTER_MS
}
