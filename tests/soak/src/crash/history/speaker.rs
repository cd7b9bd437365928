//! One who says things as fast as they are taken.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use anyhow::{Context, Result, bail};
use p2pchat_model::{Command, DeliveryState, Event, MessageId, PeerAddr};
use p2pchat_testkit::{Peer, own_address};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Scene, log_in};

/// How many texts are on their way at a time.
const WINDOW: usize = 32;

/// A program that has logged in.
#[derive(Debug)]
pub(super) struct Speaker {
    chatter: Peer,
    round: usize,
    said: usize,
    /// Said and not yet delivered to everybody: to how many not, and what it was.
    open: HashMap<MessageId, (usize, String)>,
    /// Asked for and not yet heard of.
    asked: usize,
    /// Who took what.
    sent: Vec<(Ipv4Addr, String)>,
}

/// One who speaks until he is stopped.
#[derive(Debug)]
pub(super) struct Speaking {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<Vec<(Ipv4Addr, String)>>>,
}

impl Speaker {
    /// A new one for each round, so that nothing is left of the last.
    pub(super) async fn start(scene: &Scene<'_>, round: usize) -> Result<Self> {
        let mut chatter = scene.program(own_address(), &["--no-history"])?;
        log_in(&mut chatter, "speaker").await?;
        Ok(Self {
            chatter,
            round,
            said: 0,
            open: HashMap::new(),
            asked: 0,
            sent: Vec::new(),
        })
    }

    /// Brings these together with himself in a chat.
    pub(super) async fn gather(&mut self, addresses: &[Ipv4Addr]) -> Result<()> {
        for address in addresses {
            self.chatter.request(PeerAddr::new(*address)?).await?;
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
                self.chatter.ask(&Command::Say { text }).await?;
            }
            tokio::select! {
                event = self.chatter.event() => match event? {
                    // With nobody left in the chat there is nothing more to say.
                    Some(Event::Failed { .. }) => break,
                    Some(event) => self.heard(event),
                    None => bail!("the speaker's p2pchat has ended by itself"),
                },
                _ = &mut stopped => break,
            }
        }
        self.chatter.kill().await?;
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
            Event::Delivered { id, delivery } => {
                let Some((missing, text)) = self.open.get_mut(&id) else {
                    return;
                };
                if delivery.state == DeliveryState::Sent {
                    self.sent.push((delivery.to.address.ip(), text.clone()));
                }
                *missing -= 1;
                if *missing == 0 {
                    self.open.remove(&id);
                }
            }
            _ => {}
        }
    }
}

impl Speaking {
    /// Stops him, and returns who took what.
    pub(super) async fn stop(self) -> Result<Vec<(Ipv4Addr, String)>> {
        // He may have stopped by himself; then his task says why.
        let _ = self.stop.send(());
        self.task.await?.context("the speaker")
    }
}
