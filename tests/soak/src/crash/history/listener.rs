//! One who accepts every request, listens, and says something now and then.

use anyhow::{Context, Result, bail};
use p2pchat_model::{Command, Event, Message};
use p2pchat_testkit::Peer;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// After so many texts of others he says one himself.
const OWN_EACH: usize = 8;

/// Whose program runs in a task of its own.
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
    /// Has a program listen that has logged in. What it says begins with `own`.
    pub(super) fn start(chatter: Peer, own: String) -> Self {
        let (orders, ordered) = mpsc::channel(1);
        Self {
            orders,
            task: tokio::spawn(listen(chatter, own, ordered)),
        }
    }

    /// Has it leave the chat.
    pub(super) async fn leave(&self) -> Result<()> {
        let left = self.orders.send(Order::Leave).await;
        left.context("p2pchat has ended by itself")
    }

    /// Kills it, and returns what it has shown.
    pub(super) async fn kill(self) -> Result<Vec<Message>> {
        // If nobody takes the order, the task says why.
        let _ = self.orders.send(Order::Kill).await;
        self.task.await?
    }
}

async fn listen(
    mut chatter: Peer,
    own: String,
    mut orders: mpsc::Receiver<Order>,
) -> Result<Vec<Message>> {
    let mut shown = Vec::new();
    let mut said = 0;
    loop {
        let event = tokio::select! {
            event = chatter.event() => event?,
            order = orders.recv() => match order {
                Some(Order::Leave) => {
                    chatter.ask(&Command::Leave).await?;
                    continue;
                }
                Some(Order::Kill) | None => break,
            },
        };
        match event {
            Some(Event::Message(message)) => {
                let is_own = message.is_own();
                shown.push(message);
                if !is_own && shown.len() % OWN_EACH == 0 {
                    said += 1;
                    let text = format!("{own}n{said}end");
                    chatter.ask(&Command::Say { text }).await?;
                }
            }
            Some(Event::RequestReceived(request)) => {
                let from = request.from.address;
                chatter.ask(&Command::Accept { from }).await?;
            }
            Some(_) => {}
            None => bail!("p2pchat has ended by itself"),
        }
    }
    let rest = chatter.kill_and_read().await?;
    shown.extend(rest.into_iter().filter_map(|event| match event {
        Event::Message(message) => Some(message),
        _ => None,
    }));
    Ok(shown)
}
