//! A peer that accepts every request, listens, and sends a text now and then.

use anyhow::{Context, Result, bail};
use p2pchat_model::{Command, ConversationId, Event, Message};
use p2pchat_testkit::Peer;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// After so many texts of others it sends one itself.
const OWN_EACH: usize = 8;

/// A listener, whose program is read in a task of its own.
#[derive(Debug)]
pub(super) struct Listener {
    orders: mpsc::Sender<Order>,
    task: JoinHandle<Result<Vec<Message>>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Order {
    Leave,
    Kill,
}

impl Listener {
    /// Starts with a program that has logged in. Its own texts begin with `own`.
    pub(super) fn start(peer: Peer, own: String) -> Self {
        let (orders, ordered) = mpsc::channel(1);
        Self {
            orders,
            task: tokio::spawn(listen(peer, own, ordered)),
        }
    }

    /// Makes it leave the chat.
    pub(super) async fn leave(&self) -> Result<()> {
        let left = self.orders.send(Order::Leave).await;
        left.context("p2pchat has ended by itself")
    }

    /// Kills it, and returns what it has shown.
    pub(super) async fn kill(self) -> Result<Vec<Message>> {
        // If no one takes the order, the task says why.
        let _ = self.orders.send(Order::Kill).await;
        self.task.await?
    }
}

async fn listen(
    mut peer: Peer,
    own: String,
    mut orders: mpsc::Receiver<Order>,
) -> Result<Vec<Message>> {
    let mut shown = Vec::new();
    let mut said = 0;
    loop {
        let event = tokio::select! {
            event = peer.event() => event?,
            order = orders.recv() => match order {
                Some(Order::Leave) => {
                    let conversation = ConversationId::OPEN;
                    peer.ask(&Command::Leave { conversation }).await?;
                    continue;
                }
                Some(Order::Kill) | None => break,
            },
        };
        match event {
            Some(Event::Message(message)) => {
                let (is_own, conversation) = (message.is_own(), message.conversation);
                shown.push(message);
                if !is_own && shown.len() % OWN_EACH == 0 {
                    said += 1;
                    let text = format!("{own}n{said}end");
                    peer.ask(&Command::Say {
                        conversation,
                        text,
                        reply_to: None,
                    })
                    .await?;
                }
            }
            Some(Event::RequestReceived(request)) => {
                let from = request.from.address;
                let conversation = request.conversation;
                peer.ask(&Command::Accept { conversation, from }).await?;
            }
            Some(event) => peer.agree(&event).await?,
            None => bail!("p2pchat has ended by itself"),
        }
    }
    let rest = peer.kill_and_read().await?;
    shown.extend(rest.into_iter().filter_map(|update| match &*update.event {
        Event::Message(message) => Some(message.clone()),
        _ => None,
    }));
    Ok(shown)
}
