//! The encrypted conversations beside the machine: a task in the thread of a [`Node`] that carries
//! out what the machine orders, and tells it what happens, as events of front ends.
//!
//! | module | what it has |
//! |---|---|
//! | `task` | what it is asked, and in which order it is done |
//! | `orders` | the orders, carried out with the handle of the node |
//! | `note` | the events of the node |
//! | `batch`, `look` | what is to be looked at, and what is found |
//! | `emit` | what was found goes out |
//! | `shown` | conversations and messages as front ends have them |
//! | `changes` | how the membership of a conversation has changed |
//! | `invited` | many invitations of one member, in one line |
//! | `live` | who is writing, and how far others have read |
//!
//! Events of the node say what has changed. What is told is read after that, in one place and one
//! after the other, with all that has come meanwhile. The answer to an order goes out behind
//! what was read after it.

mod batch;
mod changes;
mod emit;
mod invited;
mod live;
mod look;
mod note;
mod orders;
mod shown;
mod task;

use std::path::PathBuf;
use std::time::Duration;

use p2pchat_secure::Identity;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::conversations::{Incoming, Node, Options, StoreError};
use crate::machine::{FromChats, ToChats};
use task::Task;

/// What conversations begin with.
#[derive(Debug)]
pub struct ChatsOptions {
    /// The keys.
    pub identity: Identity,
    /// The file of the store. Without one it ends with the process.
    pub store: Option<PathBuf>,
    /// Whether the folder of the profile may be a copy, or was put back.
    pub is_copy: bool,
    /// For how long messages are kept; without it, for as long as there is room.
    pub keep: Option<Duration>,
}

/// The encrypted conversations. If they are dropped they end at once, as if the process was
/// killed.
#[derive(Debug)]
pub struct Chats {
    /// Not bounded: the machine bounds how many calls of front ends it works on, and tells a few
    /// things beside them.
    asked: mpsc::UnboundedSender<ToChats>,
    node: Node,
    task: AbortOnDropHandle<()>,
}

impl Chats {
    /// Opens the store and starts. There are no sessions before [`ToChats::Tell`]. What happens
    /// goes to `to`; where that is read slowly, what was missed is told as by a `Tell`.
    ///
    /// # Errors
    /// If the store cannot be opened or read.
    pub async fn start(
        options: ChatsOptions,
        to: mpsc::Sender<FromChats>,
    ) -> Result<Self, StoreError> {
        let me = options.identity.person();
        let is_copy = options.is_copy;
        let node = Node::start(Options {
            identity: options.identity,
            store: options.store,
            is_copy: options.is_copy,
            listener: None,
        })
        .await?;
        let handle = node.handle().clone();
        // It has just started; whatever it is asked later fails likewise.
        let _ = handle.set_open(false).await;
        let _ = handle.set_keep(options.keep).await;
        let (tell, asked) = mpsc::unbounded_channel();
        let events = handle.events();
        let task = Task::new(handle, me, is_copy, to);
        let task = node.spawn(task.run(asked, events));
        Ok(Self {
            asked: tell,
            node,
            task: AbortOnDropHandle::new(task),
        })
    }

    /// Tells them something. Never waits.
    pub fn tell(&self, what: ToChats) {
        if self.asked.send(what).is_err() {
            tracing::debug!("the conversations have stopped");
        }
    }

    /// Takes connections that others have begun and whose first byte is that of TLS.
    #[must_use]
    pub fn acceptor(&self) -> Incoming {
        self.node.handle().incoming()
    }

    /// Carries out what was told before, within a limit, says goodbye to all sessions and closes
    /// the store.
    pub async fn stop(self) {
        drop(self.asked);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the conversations have failed");
        }
        self.node.stop().await;
    }
}
