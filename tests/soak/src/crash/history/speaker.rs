//! A peer that sends texts as fast as they are taken.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use anyhow::{Context, Result, bail};
use p2pchat_model::{Command, ConversationId, DeliveryState, Event, MessageId, PeerAddr};
use p2pchat_testkit::{Peer, own_address};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Scene, log_in};

/// How many texts are under way at a time.
const WINDOW: usize = 32;

/// A program that has logged in.
#[derive(Debug)]
pub(super) struct Speaker {
    peer: Peer,
    round: usize,
    said: usize,
    /// Sent and not yet delivered to all: to how many not, and the text.
    open: HashMap<MessageId, (usize, String)>,
    /// How many texts were asked for and have no id yet.
    asked: usize,
    /// Who took what.
    sent: Vec<(Ipv4Addr, String)>,
}

/// A speaker at work, until it is stopped.
#[derive(Debug)]
pub(super) struct Speaking {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<Vec<(Ipv4Addr, String)>>>,
}

impl Speaker {
    /// A new one for each round, so that nothing is left of the last.
    pub(super) async fn start(scene: &Scene<'_>, round: usize) -> Result<Self> {
        let mut peer =
            scene.program(&format!("speaker{round}"), own_address(), &["--no-history"])?;
        // An account is bound to its profile.
        log_in(&mut peer, &format!("speak{round}")).await?;
        Ok(Self {
            peer,
            round,
            said: 0,
            open: HashMap::new(),
            asked: 0,
            sent: Vec::new(),
        })
    }

    /// Brings the listeners into a chat with it.
    pub(super) async fn gather(&mut self, addresses: &[Ipv4Addr]) -> Result<()> {
        for address in addresses {
            self.peer.request(PeerAddr::new(*address)?).await?;
        }
        Ok(())
    }

    /// Speaks from now on.
    pub(super) fn speak(self) -> Speaking {
        let (stop, stopped) = oneshot::channel();
        Speaking {
            stop,
            task: tokio::spawn(self.speak_until(stopped)),
        }
    }

    async fn speak_until(
        mut self,
        mut stopped: oneshot::Receiver<()>,
    ) -> Result<Vec<(Ipv4Addr, String)>> {
        loop {
            while self.asked + self.open.len() < WINDOW {
                self.said += 1;
                self.asked += 1;
                // With an end, so that a search, which takes beginnings too, finds but one.
                let text = format!("r{}n{}end", self.round, self.said);
                let conversation = ConversationId::OPEN;
                self.peer
                    .ask(&Command::Say {
                        conversation,
                        text,
                        reply_to: None,
                    })
                    .await?;
            }
            tokio::select! {
                event = self.peer.event() => match event? {
                    // With no one left in the chat there is nothing more to say.
                    Some(Event::Failed { .. }) => break,
                    Some(event) => self.heard(event),
                    None => bail!("the speaker's p2pchat has ended by itself"),
                },
                _ = &mut stopped => break,
            }
        }
        self.peer.kill().await?;
        Ok(self.sent)
    }

    fn heard(&mut self, event: Event) {
        match event {
            Event::Message(message) => {
                if let Some(deliveries) = message.deliveries {
                    self.asked -= 1;
                    if !deliveries.is_empty() {
                        self.open
                            .insert(message.id, (deliveries.len(), message.text));
                    }
                }
            }
            Event::Delivered {
                message, delivery, ..
            } => {
                let Some((missing, text)) = self.open.get_mut(&message) else {
                    return;
                };
                if delivery.state == DeliveryState::Sent {
                    self.sent.push((delivery.to.address.ip(), text.clone()));
                }
                *missing -= 1;
                if *missing == 0 {
                    self.open.remove(&message);
                }
            }
            _ => {}
        }
    }
}

impl Speaking {
    /// Stops it, and returns who took what.
    pub(super) async fn stop(self) -> Result<Vec<(Ipv4Addr, String)>> {
        // It may have stopped by itself; then its task says why.
        let _ = self.stop.send(());
        self.task.await?.context("the speaker")
    }
}
