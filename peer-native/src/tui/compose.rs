//! What the text in the field is: a message, a reply, or another text of a message; and the
//! questions before what cannot be taken back.

use p2pchat_model::wording::{self, chat};
use p2pchat_model::{
    ChatKind, Command, ConversationId, Line, MessageId, PersonKey, Post, Standing,
};

use super::app::{Act, App};
use super::draft::Draft;

/// What the text in the field is.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) enum Composing {
    /// A message.
    #[default]
    Message,
    /// A reply to this message.
    Reply(MessageId),
    /// Another text of this message of the user; `before` was in the field.
    Edit { message: MessageId, before: String },
}

/// What is typed in a conversation that is not shown.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) text: String,
    pub(super) draft: Draft,
    pub(super) composing: Composing,
}

/// A question that Enter answers with yes, and any other key with no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Delete(ConversationId, MessageId),
    Leave(ConversationId),
    Remove(ConversationId, PersonKey),
}

impl Question {
    /// What has to be asked before a command.
    pub(super) fn before(command: &Command, app: &App) -> Option<Self> {
        match *command {
            Command::Leave { conversation } => {
                let chat = app.view.conversation(conversation)?.chat.as_ref()?;
                let is_group = chat.kind == ChatKind::Group && chat.standing == Standing::In;
                is_group.then_some(Self::Leave(conversation))
            }
            Command::Remove { conversation, who } => Some(Self::Remove(conversation, who)),
            Command::Delete {
                conversation,
                message,
            } => Some(Self::Delete(conversation, message)),
            _ => None,
        }
    }

    /// The command that is carried out.
    pub(super) fn command(self) -> Command {
        match self {
            Self::Delete(conversation, message) => Command::Delete {
                conversation,
                message,
            },
            Self::Leave(conversation) => Command::Leave { conversation },
            Self::Remove(conversation, who) => Command::Remove { conversation, who },
        }
    }

    /// The question in words, and what Enter does.
    pub(super) fn words(self, app: &App) -> (String, &'static str) {
        match self {
            Self::Delete(_, message) => match app.post(message) {
                Some(post) if !post.is_delivered_to_any() => {
                    ("Nobody has it yet.".to_owned(), chat::CALL_BACK)
                }
                _ => (chat::DELETE_QUESTION.to_owned(), "Delete"),
            },
            Self::Leave(_) => (chat::LEAVE_QUESTION.to_owned(), wording::label::LEAVE),
            Self::Remove(_, who) => {
                let members = app
                    .conversation()
                    .chat
                    .iter()
                    .flat_map(|chat| &chat.members);
                let mut named = members.map(|member| member.who);
                let named = named.find(|named| named.key == who);
                (
                    named.map_or_else(String::new, chat::remove_question),
                    "Remove",
                )
            }
        }
    }
}

impl App {
    /// A message of the encrypted conversation that is shown.
    pub(super) fn post(&self, id: MessageId) -> Option<&Post> {
        let mut lines = self.conversation().lines.iter().rev();
        lines.find_map(|line| match line {
            Line::Post(post) if post.id == id => Some(&**post),
            _ => None,
        })
    }

    /// The text that is a draft: not that of an edit.
    pub(super) fn drafted(&self) -> &str {
        match &self.composing {
            Composing::Edit { before, .. } => before,
            Composing::Message | Composing::Reply(_) => self.input.editor.text(),
        }
    }

    /// Begins a reply.
    pub(super) fn reply(&mut self, message: MessageId) {
        self.stop_composing();
        self.composing = Composing::Reply(message);
    }

    /// Puts the text of a message into the field.
    pub(super) fn edit(&mut self, message: MessageId) {
        self.stop_composing();
        let Some(text) = self.post(message).map(|post| post.text.clone()) else {
            return;
        };
        let before = self.input.editor.take();
        self.input.editor.set(&text);
        self.composing = Composing::Edit { message, before };
    }

    /// Makes the text in the field a message again; whether it was something else.
    pub(super) fn stop_composing(&mut self) -> bool {
        match std::mem::take(&mut self.composing) {
            Composing::Message => false,
            Composing::Reply(_) => true,
            Composing::Edit { before, .. } => {
                self.input.editor.set(&before);
                true
            }
        }
    }

    /// What Enter sends for a message that was typed: a reply, or another text of a message.
    pub(super) fn composed(&self, said: Command) -> Command {
        match (said, &self.composing) {
            (
                Command::Say {
                    conversation,
                    text,
                    reply_to: None,
                },
                Composing::Reply(message),
            ) => Command::Say {
                conversation,
                text,
                reply_to: Some(*message),
            },
            (
                Command::Say {
                    conversation, text, ..
                },
                Composing::Edit { message, .. },
            ) => Command::Edit {
                conversation,
                message: *message,
                text,
            },
            (said, _) => said,
        }
    }

    /// Answers the question: Enter with yes.
    pub(super) fn answer_question(&mut self, yes: bool) -> Option<Act> {
        let question = self.question.take()?;
        yes.then(|| self.send(question.command()))
    }

    /// Why nothing can be written in the conversation that is shown.
    pub(super) fn cannot_write(&self) -> Option<String> {
        let chat = self.conversation().chat.as_ref()?;
        match chat.standing {
            Standing::In => None,
            Standing::Asked(_) => Some("answer first: /join or /decline".to_owned()),
            Standing::Out => Some(chat::OUT.to_owned()),
        }
    }
}
