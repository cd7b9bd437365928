//! What a front end shows.

use p2pchat_model::{Conversation, ConversationId, Event, View};

/// A view, and the conversation of it that is shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The view.
    pub view: &'a View,
    /// The conversation.
    pub id: ConversationId,
}

impl<'a> Shown<'a> {
    /// The conversation; the open chat if the view has it no more.
    #[must_use]
    pub fn conversation(self) -> &'a Conversation {
        let conversation = self.view.conversation(self.id);
        conversation.unwrap_or_else(|| self.view.open())
    }

    /// Whether an event is a message that the view has: after a takeover, the answer to a call
    /// comes again.
    #[must_use]
    pub fn has(self, event: &Event) -> bool {
        match event {
            Event::Message(message) => {
                let conversation = self.view.conversation(message.conversation);
                let newest = conversation.and_then(Conversation::newest_message);
                newest >= Some(message.id)
            }
            Event::Post(post) => {
                let conversation = self.view.conversation(post.conversation);
                let mut lines = conversation.iter().flat_map(|one| one.lines.iter().rev());
                lines.any(|line| line.message_id() == Some(post.id))
            }
            _ => false,
        }
    }
}
