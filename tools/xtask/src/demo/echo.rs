//! The friendly peer: accepts every request and answers every message.

use std::collections::BTreeSet;
use std::iter;

use anyhow::Result;
use p2pchat_model::{Command, Event, Problem, Standing};

use super::client::Client;

/// How many characters of a text are repeated: an answer should fit into one packet.
const REPEATED: usize = 40;

/// The friendly peer.
#[derive(Debug)]
pub struct Echo {
    client: Client,
    greeted: BTreeSet<String>,
    /// The acceptance of the last request.
    accepts: Option<Command>,
}

impl Echo {
    /// Takes over a peer.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            greeted: BTreeSet::new(),
            accepts: None,
        }
    }

    /// Lives until its program ends, which is an error, or the future is dropped.
    ///
    /// # Errors
    /// When its program has ended.
    pub async fn live(&mut self) -> Result<()> {
        loop {
            let event = self.client.next().await?;
            for command in self.answer(event) {
                self.client.send(&command).await?;
            }
        }
    }

    fn answer(&mut self, event: Event) -> Vec<Command> {
        match event {
            Event::RequestReceived(request) => {
                let accept = Command::Accept {
                    conversation: request.conversation,
                    from: request.from.address,
                };
                self.accepts = Some(accept.clone());
                vec![accept]
            }
            // Its open chat is open to those with an encrypted p2pchat too.
            Event::Failed(failure) if failure.code == Problem::HasEncrypted => {
                let names = failure.names;
                let accept = self.accepts.take();
                iter::once(Command::AllowOpen { names })
                    .chain(accept)
                    .collect()
            }
            event => self.reply_to(event).into_iter().collect(),
        }
    }

    fn reply_to(&mut self, event: Event) -> Option<Command> {
        match event {
            Event::Chat { conversation, chat } if matches!(chat.standing, Standing::Asked(_)) => {
                Some(Command::Join { conversation })
            }
            Event::Message(message) if !message.is_own() => {
                let text = self.reply(message.from.title(), &message.text);
                Some(Command::say(message.conversation, text))
            }
            Event::Post(post) if !post.is_own() => {
                let text = self.reply(&post.from.to_string(), &post.text);
                Some(Command::say(post.conversation, text))
            }
            _ => None,
        }
    }

    fn reply(&mut self, name: &str, text: &str) -> String {
        if self.greeted.insert(name.to_owned()) {
            return format!("Hello {name}! I am echo, and I repeat what you write. Try me.");
        }
        let mut repeated: String = text.chars().take(REPEATED).collect();
        if repeated.len() < text.len() {
            repeated.push('…');
        }
        format!("{name} wrote: {repeated}")
    }
}
