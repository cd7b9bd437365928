//! What the driver keeps track of between one thing that happens and the next.

use std::collections::HashMap;

use p2pchat_protocol::ChatAnswer;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::super::inbound::Report;
use super::super::link::Link;
use crate::machine::{ConnId, Input};

/// How many chat requests and texts may wait for the machine's word before those whose
/// connections are gone are looked for.
const SWEEP_AT: usize = 512;

/// What the driver keeps track of.
#[derive(Debug, Default)]
pub(in super::super) struct State {
    pub(super) link: Option<Link>,
    /// The last link was given up, which the machine does not know yet.
    pub(super) stuck: bool,
    pub(super) links: JoinSet<()>,
    pub(super) sends: JoinSet<()>,
    /// Chat requests that wait for an answer.
    pub(super) requests: HashMap<ConnId, oneshot::Sender<ChatAnswer>>,
    /// Texts that wait to be taken.
    pub(super) texts: HashMap<ConnId, oneshot::Sender<()>>,
    /// Texts and notifies on their way.
    pub(super) sending: usize,
    pub(super) logged_in: bool,
    /// The journal is gone: nothing makes sense any more.
    pub(super) failed: bool,
}

impl State {
    /// Takes note of who waits for an answer.
    pub(super) fn accept(&mut self, report: Report) -> Input {
        match report {
            Report::Input(input) => {
                match &input {
                    Input::TextDone { .. } | Input::NotifyDone { .. } => {
                        self.sending = self.sending.saturating_sub(1);
                    }
                    Input::ContactLost { conn } => drop(self.requests.remove(conn)),
                    _ => {}
                }
                input
            }
            Report::Request {
                conn,
                from,
                contact,
                answer,
            } => {
                if self.requests.len() >= SWEEP_AT {
                    self.requests.retain(|_, waiting| !waiting.is_closed());
                }
                self.requests.insert(conn, answer);
                Input::Contact {
                    conn,
                    from,
                    contact,
                }
            }
            Report::Text {
                conn,
                from,
                message,
                taken,
            } => {
                if self.texts.len() >= SWEEP_AT {
                    self.texts.retain(|_, waiting| !waiting.is_closed());
                }
                self.texts.insert(conn, taken);
                Input::Text {
                    conn,
                    from,
                    message,
                }
            }
        }
    }

    /// Forgets tasks that have ended.
    pub(super) fn reap(&mut self) {
        for tasks in [&mut self.links, &mut self.sends] {
            while let Some(ended) = tasks.try_join_next() {
                if let Err(error) = ended {
                    tracing::error!(%error, "a task failed");
                }
            }
        }
    }
}
