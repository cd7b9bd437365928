//! What a user was shown, to be compared with what their history holds.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use p2pchat_model::{Command, ConversationId, Event, Message, MessageId};
use p2pchat_testkit::Peer;

use crate::Report;

/// What one user was shown, in all lives of their program.
#[derive(Debug, Default)]
pub(super) struct ShownTexts {
    shown: BTreeMap<MessageId, String>,
    /// What others were told that this program took.
    sent: BTreeSet<String>,
    /// The first that was shown in the last life.
    last_life: Option<MessageId>,
    own: usize,
    lives: usize,
}

impl ShownTexts {
    /// The program was killed after it had shown these.
    pub(super) fn was_shown(&mut self, messages: Vec<Message>) -> Result<()> {
        self.lives += 1;
        self.last_life = messages.iter().map(|message| message.id).min();
        for message in messages {
            self.own += usize::from(message.is_own());
            let id = message.id;
            let other = self.shown.insert(id, message.text);
            ensure!(other.is_none(), "two texts were shown as {id:?}");
        }
        Ok(())
    }

    /// A speaker was told that the program took this text.
    pub(super) fn was_sent(&mut self, text: String) {
        self.sent.insert(text);
    }

    /// Reads what was shown in the last life again, in a new one.
    pub(super) async fn check_last_life(&self, peer: &mut Peer) -> Result<()> {
        let Some(first) = self.last_life else {
            return Ok(());
        };
        let kept = recall(peer, first).await?;
        let kept: BTreeMap<_, _> = kept.into_iter().map(|kept| (kept.id, kept.text)).collect();
        for (id, text) in self.shown.range(first..) {
            ensure!(
                kept.get(id) == Some(text),
                "{text:?} was shown as {id:?}, and the history has {:?} there",
                kept.get(id)
            );
        }
        Ok(())
    }

    /// Compares everything, and reports.
    pub(super) async fn settle(
        &self,
        who: usize,
        peer: &mut Peer,
        report: &mut Report,
    ) -> Result<()> {
        let kept = recall(peer, MessageId::new(0)).await?;
        let texts: BTreeSet<&str> = kept.iter().map(|kept| kept.text.as_str()).collect();
        let by_id: BTreeMap<_, _> = kept.iter().map(|kept| (kept.id, &kept.text)).collect();
        let lost = self
            .shown
            .iter()
            .find(|(id, text)| by_id.get(id) != Some(text));
        let untrue = self.sent.iter().find(|text| !texts.contains(text.as_str()));
        let mut part = Report::new(format!("user{who}"));
        part.figure("lives", self.lives);
        part.figure("texts shown", self.shown.len());
        part.figure("of them their own", self.own);
        part.figure("texts reported as sent to them", self.sent.len());
        part.figure("texts in the history", kept.len());
        part.check(
            self.shown.len() > self.lives && self.own > 0,
            "hardly anything was shown",
        );
        part.none("shown and not kept", &lost);
        part.zero("texts kept twice", kept.len() - texts.len());
        part.none("reported as sent and not kept", &untrue);
        part.none("shown and not found by search", &self.unfound(peer).await?);
        report.include(part);
        Ok(())
    }

    /// One of the first and last that were shown which a search does not find.
    async fn unfound(&self, peer: &mut Peer) -> Result<Option<&str>> {
        let ends = [self.shown.first_key_value(), self.shown.last_key_value()];
        for (id, text) in ends.into_iter().flatten() {
            let find = Command::Find {
                conversation: None,
                text: text.clone(),
            };
            let answers = peer.call(&find).await?.unwrap_or_default();
            let is_found = answers.iter().any(|update| match &*update.event {
                Event::Findings { messages, .. } => {
                    messages.iter().any(|message| message.id == *id)
                }
                _ => false,
            });
            if !is_found {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }
}

/// Everything in a history from a message on.
pub(crate) async fn recall(peer: &mut Peer, first: MessageId) -> Result<Vec<Message>> {
    let mut all = Vec::new();
    let mut before = None;
    loop {
        let conversation = ConversationId::OPEN;
        let history = Command::History {
            conversation,
            before,
        };
        let answers = peer.call(&history).await?.unwrap_or_default();
        let mut pages = answers.iter().filter_map(|update| match &*update.event {
            Event::History { messages, more, .. } => Some((messages.clone(), *more)),
            _ => None,
        });
        let (messages, more) = pages.next().context("the history cannot be read")?;
        before = messages.first().map(|oldest| oldest.id);
        all.extend(messages);
        if !more || before.is_none_or(|oldest| oldest < first) {
            return Ok(all);
        }
    }
}
