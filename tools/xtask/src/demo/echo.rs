//! The friendly peer: accepts every request and answers every message.

use std::collections::BTreeSet;

use anyhow::Result;
use p2pchat_model::{Command, Event, Message, PeerAddr};

use super::client::Client;

/// How many characters of a text are repeated: an answer should fit into one packet.
const REPEATED: usize = 40;

/// The friendly peer.
#[derive(Debug)]
pub struct Echo {
    client: Client,
    greeted: BTreeSet<PeerAddr>,
}

impl Echo {
    /// Takes over a peer.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            greeted: BTreeSet::new(),
        }
    }

    /// Lives until its program ends, which is an error, or the future is dropped.
    ///
    /// # Errors
    /// When its program has ended.
    pub async fn live(&mut self) -> Result<()> {
        loop {
            let event = self.client.next().await?;
            if let Some(command) = self.answer(event) {
                self.client.send(&command).await?;
            }
        }
    }

    fn answer(&mut self, event: Event) -> Option<Command> {
        match event {
            Event::RequestReceived(request) => Some(Command::Accept {
                conversation: request.conversation,
                from: request.from.address,
            }),
            Event::Message(message) if !message.is_own() => {
                let text = self.reply(&message);
                let conversation = message.conversation;
                Some(Command::Say {
                    conversation,
                    text,
                    reply_to: None,
                })
            }
            _ => None,
        }
    }

    fn reply(&mut self, message: &Message) -> String {
        let name = message.from.title();
        if self.greeted.insert(message.from.address) {
            return format!("Hello {name}! I am echo, and I repeat what you write. Try me.");
        }
        let mut text: String = message.text.chars().take(REPEATED).collect();
        if text.len() < message.text.len() {
            text.push('…');
        }
        format!("{name} wrote: {text}")
    }
}
