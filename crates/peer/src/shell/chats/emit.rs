//! What was found goes out as events.

use p2pchat_model::{Chat, DatedChange, Event};
use p2pchat_protocol::v2::conversation::ConversationId as Id;
use tokio::time::Instant;

use super::look::{Findings, Found};
use super::shown::conversation_id;
use super::task::{LOOK_AGAIN, MAX_AHEAD, Task};
use crate::machine::FromChats;

impl Task {
    /// Tells what was found, and then answers.
    pub(super) async fn emit(&mut self, findings: Findings) {
        for found in findings.found {
            self.emit_found(found).await;
        }
        for (id, result) in findings.answers {
            self.send(FromChats::Done { id, result }).await;
        }
    }

    /// A conversation that is new, or whose members are different, comes before its messages, and
    /// what is unread behind them.
    async fn emit_found(&mut self, found: Found) {
        let Found {
            id,
            chat,
            counted,
            is_whole,
            changes,
            events,
            ahead,
            read_by,
        } = found;
        self.live.had_read(id, read_by);
        if !ahead.is_empty() {
            let known = self.ahead.entry(id).or_default();
            let room = MAX_AHEAD.saturating_sub(known.len());
            known.extend(ahead.into_iter().take(room));
            self.look_again.get_or_insert(Instant::now() + LOOK_AGAIN);
        }
        let old = self.told.get(&id);
        let mut chat = chat.filter(|chat| is_whole || old != Some(chat));
        let comes_first =
            |new: &mut Chat| is_whole || old.is_none_or(|old| differ_beyond_counts(old, new));
        if let Some(chat) = chat.take_if(comes_first) {
            self.emit_chat(id, chat).await;
        }
        if let Some(counted) = counted {
            self.counted.insert(id, counted);
        }
        for change in self.invited.gather(id, changes, Instant::now()) {
            self.changed(id, change).await;
        }
        for event in events {
            if let Event::Post(post) = &event
                && self.live.stops(id, post.from.key)
            {
                self.tell_typing(id, post.from.key, false).await;
            }
            self.event(event).await;
        }
        if let Some(chat) = chat {
            self.event(Event::Unread {
                conversation: conversation_id(&id),
                messages: chat.unread,
                mentions: chat.mentions,
            })
            .await;
            self.told.insert(id, chat);
        }
    }

    /// Tells how the membership has changed.
    pub(super) async fn changed(&self, id: Id, changed: DatedChange) {
        let DatedChange { at, change } = changed;
        self.event(Event::ChatChanged {
            conversation: conversation_id(&id),
            at,
            change,
        })
        .await;
    }

    async fn emit_chat(&mut self, id: Id, chat: Chat) {
        self.told.insert(id, chat.clone());
        let mut chat = chat;
        self.live.fill(id, &mut chat);
        let conversation = conversation_id(&id);
        let chat = Box::new(chat);
        self.event(Event::Chat { conversation, chat }).await;
    }
}

/// Whether more is different than what is unread.
fn differ_beyond_counts(old: &Chat, new: &Chat) -> bool {
    let counted = Chat {
        unread: new.unread,
        mentions: new.mentions,
        ..old.clone()
    };
    counted != *new
}
