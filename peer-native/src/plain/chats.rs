//! Which conversation is written to, and what of the others is on the terminal.

use std::collections::{BTreeMap, VecDeque};

use anyhow::Result;
use p2pchat_model::{Command, Conversation, ConversationId, Line, MessageId, Post, Security};

use super::console::{PROMPT, PROMPT_NOT_ENCRYPTED};
use super::{Front, lines, posts};
use crate::client::For;
use crate::shown::Shown;
use crate::wrap::fit;

/// How many texts are known to be typed here, if none of them becomes a message.
const MAX_TYPED: usize = 100;
/// How many columns the name of a conversation has in the prompt.
const LONGEST_IN_PROMPT: usize = 24;

impl Front {
    /// Prints who is signed in and the messages of the conversation, from a view that another
    /// front end has led to.
    pub(super) fn show_conversation(&mut self) {
        let lines = lines::conversation(self.shown(), None, &self.clock);
        self.print_of(self.current, lines);
    }

    /// Prints the messages of all conversations after these ones.
    pub(super) fn show_new(&mut self, newest: &BTreeMap<ConversationId, Option<MessageId>>) {
        let ids = self.client.view.conversations.iter().map(|known| known.id);
        for id in ids.collect::<Vec<_>>() {
            let after = newest.get(&id).copied().flatten();
            let view = &self.client.view;
            let shown = Shown { view, id };
            let lines = lines::conversation(shown, Some(after.unwrap_or_default()), &self.clock);
            self.print_of(id, lines);
        }
    }

    /// Prints messages of a conversation.
    pub(super) fn print_of(&mut self, conversation: ConversationId, lines: Vec<String>) {
        for line in lines {
            self.print(&line);
        }
        self.note_printed(conversation);
    }

    /// What is typed from now on goes to this conversation.
    pub(super) fn go(&mut self, conversation: ConversationId) {
        self.current = conversation;
        let lines = lines::gone_to(self.shown(), &self.clock);
        self.print_of(conversation, lines);
    }

    /// Notes what is typed for an encrypted conversation.
    pub(super) fn note_typed(&mut self, command: &Command) {
        if let Command::Say {
            conversation, text, ..
        } = command
            && *conversation != ConversationId::OPEN
            && self.console.shows_typed()
        {
            self.typed.truncate(MAX_TYPED - 1);
            self.typed.push_back((*conversation, text.clone()));
        }
    }

    /// Notes that the newest message of a conversation is on the terminal.
    pub(super) fn note_printed(&mut self, conversation: ConversationId) {
        if self.console.shows_typed() {
            self.printed.insert(conversation);
        }
    }

    /// Marks what was printed as read, if it is not.
    pub(super) async fn mark_read(&mut self) -> Result<()> {
        let printed = std::mem::take(&mut self.printed);
        if self.client.view.account.is_none() {
            return Ok(());
        }
        for conversation in printed {
            let known = self.client.view.conversation(conversation);
            if let Some(message) = known.and_then(newest_unread) {
                let command = Command::Read {
                    conversation,
                    message,
                };
                self.client.send(For::Itself, command).await?;
            }
        }
        Ok(())
    }
}

/// The newest message of a conversation, if the user has not read it or one before.
fn newest_unread(conversation: &Conversation) -> Option<MessageId> {
    let is_unread = |line: &Line| match line {
        Line::Message(message) => !message.is_own() && Some(message.id) > conversation.read,
        Line::Post(post) => !post.is_own() && Some(post.id) > conversation.read,
        Line::Notice { .. } => false,
    };
    let mut lines = conversation.lines.iter();
    lines
        .any(is_unread)
        .then(|| conversation.newest_message())?
}

/// Whether a message was typed here; then it is forgotten, with what was typed before and has
/// failed.
pub(super) fn take_typed(typed: &mut VecDeque<(ConversationId, String)>, post: &Post) -> bool {
    let is_it = |(conversation, text): &(ConversationId, String)| {
        *conversation == post.conversation && *text == post.text
    };
    let found = if post.is_own() {
        typed.iter().position(is_it)
    } else {
        None
    };
    found.is_some_and(|at| typed.drain(..=at).count() > 0)
}

/// What stands before a line that is typed: where it goes.
pub(super) fn prompt(shown: Shown<'_>) -> String {
    match shown.view.conversation(shown.id) {
        Some(Conversation { chat: None, .. }) => {
            let is_loud = shown.view.security == Security::NotEncrypted;
            if is_loud {
                PROMPT_NOT_ENCRYPTED.to_owned()
            } else {
                PROMPT.to_owned()
            }
        }
        Some(_) => {
            let title = posts::title_of(shown.id, shown.view);
            format!("{} {PROMPT}", fit(&title, LONGEST_IN_PROMPT))
        }
        // That of another account.
        None => format!("? {PROMPT}"),
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_model::View;

    use super::super::posts::tests::{alice, bob, post, said, team, view};
    use super::*;

    fn own(clock: u64, text: &str) -> Post {
        Post {
            receipts: Some(Vec::new()),
            ..post(clock, alice(), text)
        }
    }

    #[test]
    fn what_was_typed_here_is_known_once_and_what_failed_before_is_forgotten() {
        let mut typed: VecDeque<_> = ["failed", "hi", "hi"]
            .map(|text| (team(), text.to_owned()))
            .into();
        assert!(!take_typed(&mut typed, &post(1, bob(), "hi")), "of another");
        assert!(!take_typed(&mut typed, &own(2, "ho")));
        assert!(take_typed(&mut typed, &own(3, "hi")));
        assert_eq!(typed.len(), 1);
        assert!(take_typed(&mut typed, &own(4, "hi")));
        assert!(!take_typed(&mut typed, &own(5, "hi")));
    }

    #[test]
    fn what_is_on_the_terminal_is_read_once() {
        let newest = |view: &View| newest_unread(view.conversation(team()).unwrap());
        let mut view = view([said(own(1, "hi"))]);
        assert_eq!(newest(&view), None, "nothing of others");
        let heard = post(2, bob(), "ho");
        view.apply(&said(heard.clone()));
        assert_eq!(newest(&view), Some(heard.id));
        let (conversation, message) = (team(), heard.id);
        view.apply(&p2pchat_model::Event::Read {
            conversation,
            message,
        });
        assert_eq!(newest(&view), None);
    }

    #[test]
    fn the_prompt_says_where_a_line_goes() {
        let mut view = view([]);
        let of = |view: &View, id| prompt(Shown { view, id });
        assert_eq!(of(&view, team()), "Release team > ");
        assert_eq!(of(&view, ConversationId::OPEN), "> ");
        assert_eq!(of(&View::default(), team()), "? > ", "not the open chat");
        view.security = Security::NotEncrypted;
        assert_eq!(of(&view, team()), "Release team > ");
        assert_eq!(of(&view, ConversationId::OPEN), "not encrypted > ");
    }
}
