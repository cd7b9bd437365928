//! What a front end shows.

use p2pchat_model::{Conversation, ConversationId, View};

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
}
