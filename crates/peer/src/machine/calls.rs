//! The last calls of the front ends, and what they were answered: a call that is repeated,
//! because its answer was lost, is not carried out twice.

use std::collections::{BTreeMap, VecDeque};

use p2pchat_model::{CallId, Command, Event, FrontEndId, MessageId};
use sha2::{Digest, Sha256};

use super::io::{SaidBy, Usage};

/// How many calls are remembered: those of some minutes, where scripts are busy.
const MAX_CALLS: usize = 4096;

type Key = (FrontEndId, CallId);

/// The calls that are remembered.
#[derive(Debug, Default)]
pub(super) struct Calls {
    by_id: BTreeMap<Key, Known>,
    /// Their ids, the oldest first.
    order: VecDeque<Key>,
}

#[derive(Debug)]
struct Known {
    fingerprint: u64,
    /// `None` while it is carried out.
    answer: Option<Answer>,
}

/// How a call was closed.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// It is done.
    Done,
    /// It led to this message.
    Said(MessageId),
    /// It was answered with this before it was done.
    With(Box<Event>),
}

/// What is known of a call that has come.
#[derive(Debug)]
pub(super) enum Earlier {
    /// It is new.
    None,
    /// It is being carried out.
    Pending,
    /// It was closed by this answer.
    Answered(Answer),
    /// The front end has used its id for another command.
    OtherCommand,
}

impl Calls {
    /// Records a call, unless it is known, or does no harm if it is carried out again.
    pub(super) fn begin(&mut self, key: &Key, command: &Command) -> Earlier {
        let fingerprint = fingerprint(command);
        match self.by_id.get(key) {
            None => {
                if !command.is_repeatable() {
                    self.add(key.clone(), fingerprint, None);
                }
                Earlier::None
            }
            Some(known) if known.fingerprint != fingerprint => Earlier::OtherCommand,
            Some(Known { answer: None, .. }) => Earlier::Pending,
            Some(Known {
                answer: Some(answer),
                ..
            }) => Earlier::Answered(answer.clone()),
        }
    }

    /// Records how a call is closed; the first answer stays.
    pub(super) fn close(&mut self, key: &Key, answer: Answer) {
        if let Some(known) = self.by_id.get_mut(key) {
            known.answer.get_or_insert(answer);
        }
    }

    /// Forgets a call that failed: it has changed nothing, and may be tried again.
    pub(super) fn forget(&mut self, key: &Key) {
        if self.by_id.remove(key).is_some() {
            self.order.retain(|known| known != key);
        }
    }

    /// Restores a call that led to a message in an earlier session.
    pub(super) fn restore(&mut self, by: SaidBy, message: MessageId) {
        let answer = Some(Answer::Said(message));
        self.add((by.front_end, by.id), by.fingerprint, answer);
    }

    /// The fingerprint of a call that is remembered.
    pub(super) fn fingerprint(&self, key: &Key) -> Option<u64> {
        Some(self.by_id.get(key)?.fingerprint)
    }

    pub(super) fn usage(&self) -> Usage {
        Usage::new("calls of front ends", self.order.len(), MAX_CALLS)
    }

    fn add(&mut self, key: Key, fingerprint: u64, answer: Option<Answer>) {
        let known = Known {
            fingerprint,
            answer,
        };
        if self.by_id.insert(key.clone(), known).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > MAX_CALLS
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
    }
}

/// A hash of a command, by which another one with the same id is noticed.
fn fingerprint(command: &Command) -> u64 {
    let json = serde_json::to_vec(command).unwrap_or_default();
    let hash = Sha256::digest(&json);
    let first = hash.first_chunk().copied();
    u64::from_be_bytes(first.unwrap_or_default())
}
