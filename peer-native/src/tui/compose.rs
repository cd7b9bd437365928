//! What the text in the field is: a message, a reply, or another text of a message; and the
//! questions before what cannot be taken back.

use p2pchat_model::wording::{self, chat};
use p2pchat_model::{
    ChatKind, Command, ConversationId, Failure, Line, MessageId, PersonKey, Post, Standing,
    Timestamp, Trust, Username,
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
    /// The new key of the other person, without comparing codes again.
    AcceptKey(ConversationId),
    /// The open chat with people whose p2pchat is encrypted: [`App::opening`].
    AllowOpen,
}

/// A request for the open chat, or the answer to one.
#[derive(Debug)]
pub(super) struct Opening {
    command: Command,
    /// Those who have an encrypted p2pchat, in words.
    words: String,
    names: Vec<Username>,
    /// When the question about it came.
    asked: Timestamp,
}

/// For how long a question is not answered that came without a key: the key was meant for what was
/// there before.
const UNSEEN_MS: u64 = 500;

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
            Command::AcceptKey {
                conversation,
                although_verified: false,
            } => {
                let chat = app.view.conversation(conversation)?.chat.as_ref()?;
                let trust = chat.members.first()?.trust;
                let was_verified = trust == Some(Trust::ChangedAfterVerified);
                was_verified.then_some(Self::AcceptKey(conversation))
            }
            Command::Delete {
                conversation,
                message,
            } => Some(Self::Delete(conversation, message)),
            _ => None,
        }
    }

    /// The commands that are carried out.
    fn commands(self, app: &mut App) -> Vec<Command> {
        vec![match self {
            Self::Delete(conversation, message) => Command::Delete {
                conversation,
                message,
            },
            Self::Leave(conversation) => Command::Leave { conversation },
            Self::Remove(conversation, who) => Command::Remove { conversation, who },
            Self::AcceptKey(conversation) => Command::AcceptKey {
                conversation,
                although_verified: true,
            },
            Self::AllowOpen => {
                let Some(Opening { command, names, .. }) = app.opening.take() else {
                    return Vec::new();
                };
                return vec![Command::AllowOpen { names }, command];
            }
        }]
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
            Self::AcceptKey(_) => {
                let chat = app.conversation().chat.as_ref();
                let other = chat.and_then(|chat| chat.members.first());
                let words = other.map(|member| chat::accept_key_question(member.who));
                (words.unwrap_or_default(), chat::ACCEPT_KEY)
            }
            Self::AllowOpen => {
                let opening = app.opening.as_ref();
                let words = opening.map_or_else(String::new, |opening| opening.words.clone());
                (words, chat::ALLOW_OPEN)
            }
            Self::Leave(_) => {
                let group = app.conversation().chat.as_ref();
                let words = group.map_or("", chat::leave_question);
                (words.to_owned(), wording::label::LEAVE)
            }
            Self::Remove(_, who) => {
                let mut members = app
                    .conversation()
                    .chat
                    .iter()
                    .flat_map(|chat| &chat.members);
                let member = members.find(|member| member.who.key == who);
                let words = member.map_or_else(String::new, chat::remove_question);
                (words, "Remove")
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
        if !yes {
            self.opening = None;
            return None;
        }
        let commands = question.commands(self);
        Some(self.send_all(commands))
    }

    /// Keeps what leads into the open chat, in case that it needs consent.
    pub(super) fn note_opening(&mut self, command: &Command) {
        if matches!(command, Command::Request { .. } | Command::Accept { .. }) {
            self.opening = Some(Opening {
                command: command.clone(),
                words: String::new(),
                names: Vec::new(),
                asked: Timestamp(0),
            });
        }
    }

    /// Asks the user for that consent.
    pub(super) fn ask_about_open(&mut self, failure: &Failure, now: Timestamp) {
        if let Some(opening) = &mut self.opening {
            opening.words.clone_from(&failure.message);
            opening.names.clone_from(&failure.names);
            opening.asked = now;
            self.question = Some(Question::AllowOpen);
            // It says the same.
            self.hint = None;
        }
    }

    /// Whether the question came so recently, without a key, that no key can be meant for it.
    pub(super) fn is_question_unseen(&self, now: Timestamp) -> bool {
        let opening = self
            .opening
            .as_ref()
            .filter(|_| self.question == Some(Question::AllowOpen));
        opening.is_some_and(|opening| now.0.saturating_sub(opening.asked.0) < UNSEEN_MS)
    }

    /// Why nothing can be written in the conversation that is shown.
    pub(super) fn cannot_write(&self) -> Option<String> {
        let chat = self.conversation().chat.as_ref()?;
        if let Some(other) = chat.partner() {
            match other.trust {
                // Where it is, is said above.
                Some(Trust::Former) => return Some("this chat goes on in the new one".to_owned()),
                Some(Trust::ChangedAfterVerified) => return chat::key_changed(other, chat),
                _ => {}
            }
        }
        match chat.standing {
            Standing::In => None,
            Standing::Asked(_) => Some("answer first: /join or /decline".to_owned()),
            Standing::Out => Some(chat::OUT.to_owned()),
        }
    }
}
