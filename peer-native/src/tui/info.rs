//! Who has a message, and what else is known about it.

use p2pchat_model::wording::chat;
use p2pchat_model::{Chat, Line, Message, MessageId, Post};
use ratatui::text::Line as Row;

use super::overlay::{Content, RenderContext};
use crate::wrap::one_line;

impl RenderContext<'_> {
    /// The box about a message of the conversation that is shown.
    pub(super) fn info(&self, id: MessageId, columns: usize) -> Content {
        let mut content = Content::new(&format!(" {} ", chat::INFO));
        let conversation = self.shown.conversation();
        let mut lines = conversation.lines.iter();
        let line = lines.find(|line| line.message_id() == Some(id));
        let rows = match (line, &conversation.chat) {
            (Some(Line::Post(post)), Some(chat)) => self.post_info(post, chat, columns),
            (Some(Line::Message(message)), _) => self.message_info(message, columns),
            _ => vec![self.remark("this message is gone")],
        };
        content.rows = rows;
        content
    }

    fn post_info(&self, post: &Post, chat: &Chat, columns: usize) -> Vec<Row<'static>> {
        let mut out = Vec::new();
        let at = |at| self.clock.date_and_time(at);
        let pair = |first: &str, second: &str| self.pair(first, second, columns);
        out.extend(pair("from", &one_line(&post.from.to_string())));
        out.extend(pair("written", &at(post.at)));
        if let Some(came) = post.came {
            out.extend(pair("came", &at(came)));
        }
        if let Some(edited) = post.edited {
            out.extend(pair(chat::EDITED, &at(edited)));
        }
        for reaction in &post.reactions {
            let by = chat::names(reaction.by.iter().copied());
            out.extend(pair(&one_line(&reaction.emoji), &one_line(&by)));
        }
        for (who, state) in chat::reached(post, chat) {
            out.extend(pair(&one_line(&who.to_string()), state));
        }
        out
    }

    fn message_info(&self, message: &Message, columns: usize) -> Vec<Row<'static>> {
        let mut out = Vec::new();
        let from = one_line(&message.from.to_string());
        out.extend(self.pair("from", &from, columns));
        let at = self.clock.date_and_time(message.at);
        out.extend(self.pair("written", &at, columns));
        for delivery in message.deliveries.iter().flatten() {
            let to = one_line(&delivery.to.to_string());
            out.extend(self.pair(&to, delivery.state.words(), columns));
        }
        out
    }
}
