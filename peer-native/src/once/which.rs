//! Which conversation a subcommand is about.

use p2pchat_model::wording::chat::title;
use p2pchat_model::{
    Call, Command, ConversationId, Problem, Security, Target, Update, Username, View,
};

use super::job::{End, Ids, Job, Pending, Step, code};
use crate::exit::Exit;

/// Finds the conversation that is named, or the one with a user.
///
/// What is for one user goes to the encrypted conversation with them. To the open chat it goes
/// where their program is an older one, and nothing of an encrypted conversation with them is
/// known: else only if the open chat is named.
#[derive(Debug)]
pub(super) struct Which {
    wanted: Wanted,
    /// Whether the peer has just started, and not all conversations may be told.
    is_new: bool,
    ids: Ids,
    pending: Pending,
    stage: Stage,
    /// The conversation, once it is found.
    pub(super) found: Option<ConversationId>,
}

/// What is said of the conversation.
#[derive(Debug)]
pub(super) enum Wanted {
    /// Its id or its name.
    Named(String),
    /// That with a user.
    With(Target),
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// That all conversations are told: a peer that has just started tells them one by one.
    Telling,
    /// The conversation with a user.
    Opening(Username),
    /// That their request is accepted.
    Joining,
}

impl Which {
    pub(super) fn new(wanted: Wanted, is_new: bool, ids: Ids) -> Self {
        Self {
            wanted,
            is_new,
            ids,
            pending: Pending::default(),
            stage: Stage::Telling,
            found: None,
        }
    }

    fn found(&mut self, conversation: ConversationId) -> Step {
        self.found = Some(conversation);
        Step::End(End::DONE)
    }

    fn call(&mut self, stage: Stage, command: Command) -> Step {
        self.stage = stage;
        let call = self.ids.call(command);
        self.pending.begin(call)
    }

    /// The conversation with a user.
    fn with(&mut self, to: Target, view: &View) -> Step {
        let name = match to {
            Target::Name(name) => Some(name),
            Target::Address(address) => view.name_of(address),
        };
        match name {
            Some(with) if view.security != Security::NotEncrypted => {
                self.call(Stage::Opening(with), Command::Chat { with })
            }
            Some(name) if is_known(name, view) => Step::End(End::new(
                Exit::Refused,
                format!(
                    "{}: nothing was sent, since the line to the registry is not encrypted; to send it \
                     to the open chat, add --conversation {}",
                    code(&Problem::NotEncrypted),
                    ConversationId::OPEN
                ),
            )),
            _ => self.found(ConversationId::OPEN),
        }
    }
}

/// Whether there is an encrypted conversation with a user.
fn is_known(name: Username, view: &View) -> bool {
    let chats = view
        .conversations
        .iter()
        .filter_map(|one| one.chat.as_ref());
    let mut direct = chats.filter(|chat| chat.kind == p2pchat_model::ChatKind::Direct);
    direct.any(|chat| {
        let mut members = chat.members.iter();
        members.any(|member| member.who.name == Some(name))
    })
}

/// The conversation with this id or name.
fn named(text: &str, view: &View) -> Result<ConversationId, End> {
    let conversations = view.conversations.iter();
    let fitting = conversations.filter(|one| one.id.as_str() == text || title(one) == text);
    let fitting: Vec<ConversationId> = fitting.map(|one| one.id).collect();
    match fitting.as_slice() {
        [only] => Ok(*only),
        [] => {
            let code = code(&Problem::NoSuchConversation);
            let words = format!("{code}: no conversation has this id or name; see p2pchat chats");
            Err(End::new(Exit::Refused, words))
        }
        several => {
            let ids: Vec<&str> = several.iter().map(ConversationId::as_str).collect();
            let words = format!(
                "several_conversations: more than one has this name; give the id: {}",
                ids.join(" or ")
            );
            Err(End::new(Exit::Refused, words))
        }
    }
}

/// A question whose answer comes after all conversations were told: those tell it themselves.
pub(super) fn after_all_are_told() -> Command {
    Command::Find {
        conversation: None,
        text: "p2pchat".to_owned(),
    }
}

impl Job for Which {
    fn start(&mut self, view: &View) -> Step {
        match &self.wanted {
            Wanted::With(to) => self.with(*to, view),
            Wanted::Named(text) => match named(text, view) {
                Ok(conversation) if !self.is_new => self.found(conversation),
                _ => self.call(Stage::Telling, after_all_are_told()),
            },
        }
    }

    fn on_update(&mut self, update: &Update, view: &View) -> Step {
        if let p2pchat_model::Event::Opened { conversation } = *update.event
            && self.pending.is_answered_by(update)
        {
            self.found = Some(conversation);
        }
        let Some(closed) = self.pending.closed_by(update) else {
            return Step::Wait;
        };
        match (self.stage, closed, &self.wanted) {
            // Without a history it fails, which is an answer too.
            (Stage::Telling, _, Wanted::Named(text)) => match named(text, view) {
                Ok(conversation) => self.found(conversation),
                Err(end) => Step::End(end),
            },
            (Stage::Opening(name), Err(failure), _)
                if failure.code == Problem::OlderProgram && !is_known(name, view) =>
            {
                self.found(ConversationId::OPEN)
            }
            (_, Err(failure), _) => Step::End(End::failed(failure, view)),
            (Stage::Opening(_), Ok(()), _) => match self.found {
                Some(conversation) if is_asked(conversation, view) => {
                    self.call(Stage::Joining, Command::Join { conversation })
                }
                _ => Step::End(End::DONE),
            },
            _ => Step::End(End::DONE),
        }
    }

    fn out_of_time(&mut self, _: &View) -> (Option<Call>, End) {
        let words = "nothing was sent: the peer did not answer in time";
        (None, End::new(Exit::Undelivered, words))
    }
}

/// Whether the user was asked to be in a conversation.
fn is_asked(conversation: ConversationId, view: &View) -> bool {
    let chat = view
        .conversation(conversation)
        .and_then(|known| known.chat.as_ref());
    chat.is_some_and(|chat| matches!(chat.standing, p2pchat_model::Standing::Asked(_)))
}

#[cfg(test)]
mod tests;
