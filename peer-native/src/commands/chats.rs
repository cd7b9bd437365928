//! The arguments of commands about conversations.

use p2pchat_model::wording::chat::title;
use p2pchat_model::{
    Alerts, Chat, Command, Conversation, ConversationId, DisplayName, Line, MessageId, PersonKey,
    PostState, Security, Target, Username, View,
};

use super::arguments::{needed, pending, target};
use super::{CommandError, Typed};
use crate::chats;
use crate::shown::Shown;

/// Begins a chat with a person, or goes to it.
pub(super) fn begin(with: &str, view: &View) -> Result<Typed, CommandError> {
    Ok(begin_with(target(with, "/chat bob")?, view))
}

/// What leads to a chat with a person: an encrypted one if their program can, else the open chat.
#[must_use]
pub fn begin_with(with: Target, view: &View) -> Typed {
    let conversation = ConversationId::OPEN;
    match with {
        // The peer finds the one that there is; with a new key it is another one.
        Target::Name(with) if !is_reached_openly(with, view) => {
            Typed::Command(Command::Chat { with })
        }
        Target::Name(name) if let Some(known) = chats::with(name, view) => Typed::Go(known.id),
        to => Typed::Command(Command::Request { conversation, to }),
    }
}

/// Whether a person can only be reached in the open chat: their program is an older one, or the
/// registry tells no keys.
#[must_use]
pub fn is_reached_openly(name: Username, view: &View) -> bool {
    let has_keys = matches!(view.security, Security::Encrypted { .. });
    !has_keys || view.user(name).is_some_and(|user| user.legacy)
}

/// Begins a group. A name in quotes may be any, also that of a user.
pub(super) fn group(argument: &str, shown: Shown<'_>) -> Result<Typed, CommandError> {
    let words = words(argument);
    let first = words.first().filter(|word| argument.starts_with(*word));
    if let Some(name) = first.and_then(|word| Username::new(word).ok())
        && (shown.view.user(name).is_some() || chats::with(name, shown.view).is_some())
    {
        return Err(CommandError::NoGroupName(name));
    }
    match words.split_first() {
        Some((name, members)) if !members.is_empty() => Ok(Typed::Command(Command::Group {
            name: DisplayName::new(name)?,
            members: usernames(members)?,
        })),
        _ => Err(CommandError::Missing("/group \"Release team\" bob carol")),
    }
}

/// Asks people to be in the group.
pub(super) fn add(argument: &str, shown: Shown<'_>) -> Result<Typed, CommandError> {
    let (conversation, _) = chat(shown)?;
    let (options, names): (Vec<_>, Vec<_>) = words(argument)
        .into_iter()
        .partition(|word| word == "--all");
    if names.is_empty() {
        return Err(CommandError::Missing("/add dave erin"));
    }
    Ok(Typed::Command(Command::Add {
        conversation,
        members: usernames(&names)?,
        sees_all: !options.is_empty(),
    }))
}

/// Words between spaces; several in quotes are one.
fn words(argument: &str) -> Vec<String> {
    let is_quote = |letter| matches!(letter, '"' | '“' | '”');
    let mut words = Vec::new();
    let mut rest = argument.trim_start();
    while let Some(first) = rest.chars().next() {
        let begins = if is_quote(first) { first.len_utf8() } else { 0 };
        rest = &rest[begins..];
        let ends = |letter: char| {
            if begins > 0 {
                is_quote(letter)
            } else {
                letter.is_whitespace()
            }
        };
        let (word, behind) = rest.split_once(ends).unwrap_or((rest, ""));
        words.push(word.to_owned());
        rest = behind.trim_start();
    }
    words
}

fn usernames(names: &[String]) -> Result<Vec<Username>, CommandError> {
    let names = names.iter().map(|name| Username::new(name));
    Ok(names.collect::<Result<_, _>>()?)
}

/// The encrypted conversation that is shown.
pub(super) fn chat(shown: Shown<'_>) -> Result<(ConversationId, &Chat), CommandError> {
    let conversation = shown.conversation();
    let chat = conversation.chat.as_ref();
    let chat = chat.ok_or(CommandError::OpenChat)?;
    Ok((conversation.id, chat))
}

/// The key of a member of the conversation that is shown: of two with one name that of the one under
/// an earlier key, or of the other.
pub(super) fn member(
    name: &str,
    former: bool,
    example: &'static str,
    shown: Shown<'_>,
) -> Result<(ConversationId, PersonKey), CommandError> {
    let (conversation, chat) = chat(shown)?;
    let name = Username::new(needed(name, example)?)?;
    let members = chat.members.iter();
    let mut members = members.filter(|member| member.who.name == Some(name));
    let first = members.clone().next();
    let member = members
        .find(|member| member.is_former() == former)
        .or(first);
    let member = member.ok_or(CommandError::NotAMember(name))?;
    Ok((conversation, member.who.key))
}

/// What the user is alerted of.
pub(super) fn alert(argument: &str, shown: Shown<'_>) -> Result<Typed, CommandError> {
    let (conversation, _) = chat(shown)?;
    let of = match argument {
        "all" => Alerts::All,
        "mentions" => Alerts::Mentions,
        "nothing" => Alerts::Nothing,
        _ => return Err(CommandError::NotAlerts),
    };
    Ok(Typed::Command(Command::Alert { conversation, of }))
}

/// What a command sets for a conversation, for those whose effect is not seen at once.
#[must_use]
pub fn what_is_set(command: &Command) -> Option<String> {
    let words = match *command {
        Command::Archive { on: true, .. } => "this chat is put away: /archive brings it back",
        Command::Archive { on: false, .. } => "this chat is back in the list",
        Command::Pin { on: true, .. } => "this chat stays at the top of the list",
        Command::Pin { on: false, .. } => "this chat is no longer at the top of the list",
        Command::Alert { of, .. } => {
            return Some(format!("you are alerted of: {}", of.words().to_lowercase()));
        }
        _ => return None,
    };
    Some(words.to_owned())
}

/// The conversation to show: by its number in the list, by its name, or that with a person.
pub(super) fn go(to: &str, shown: Shown<'_>) -> Result<Typed, CommandError> {
    let to = needed(to, "/go Release team")?;
    let listed = chats::listed(shown);
    let by_number = to.parse::<usize>().ok().and_then(|at| at.checked_sub(1));
    if let Some(one) = by_number.and_then(|at| listed.get(at)) {
        return Ok(Typed::Go(one.id));
    }
    if let Some(one) = by_title(to, &shown.view.conversations) {
        return Ok(Typed::Go(one.id));
    }
    match Username::new(to) {
        Ok(name) if shown.view.user(name).is_some() => {
            Ok(begin_with(Target::Name(name), shown.view))
        }
        _ => Err(CommandError::NoChat(to.to_owned())),
    }
}

/// The conversation with this title, else one whose title begins with it or has it.
fn by_title<'a>(text: &str, all: &'a [Conversation]) -> Option<&'a Conversation> {
    let text = text.to_lowercase();
    let find = |fits: &dyn Fn(&str) -> bool| {
        let fitting = all.iter().filter(|one| fits(&title(one).to_lowercase()));
        fitting.min_by_key(|one| chats::is_over(one))
    };
    find(&|title| title == text)
        .or_else(|| find(&|title| title.starts_with(&text)))
        .or_else(|| find(&|title| title.contains(&text)))
}

/// The conversation that the user was asked to: the one that is called so, else the only one by the
/// person who is; if none is named the one that is shown, else the only one.
fn asked(named: &str, shown: Shown<'_>) -> Result<ConversationId, CommandError> {
    let view = shown.view;
    let title_of = |id| view.conversation(id).map(title);
    let called = chats::asked(view).filter(|(id, _)| title_of(*id).as_deref() == Some(named));
    let mut meant: Vec<ConversationId> = called.map(|(id, _)| id).collect();
    if meant.is_empty() {
        let by = chats::asked(view).filter(|(_, by)| named.is_empty() || by.to_string() == named);
        meant = by.map(|(id, _)| id).collect();
    }
    match meant.as_slice() {
        all if all.contains(&shown.id) => Ok(shown.id),
        [] => Err(CommandError::NoRequest),
        [only] => Ok(*only),
        _ => Err(CommandError::SeveralRequests),
    }
}

/// Accepts to be in a conversation.
pub(super) fn join(named: &str, shown: Shown<'_>) -> Result<Typed, CommandError> {
    let conversation = asked(named, shown)?;
    Ok(Typed::Command(Command::Join { conversation }))
}

/// Declines to be in the conversation that is named; else in the one that is shown, else the request
/// for the open chat, else the only other one.
pub(super) fn decline(named: &str, shown: Shown<'_>) -> Result<Typed, CommandError> {
    let is_meant = !named.is_empty() || chats::asked(shown.view).any(|(id, _)| id == shown.id);
    Ok(Typed::Command(match pending(shown.view) {
        Ok(request) if !is_meant => Command::Reject {
            conversation: request.conversation,
            from: request.from.address,
        },
        _ => Command::Decline {
            conversation: asked(named, shown)?,
        },
    }))
}

/// The newest message of others in the conversation that is shown.
pub(super) fn newest_of_others(
    shown: Shown<'_>,
) -> Result<(ConversationId, MessageId), CommandError> {
    let (conversation, _) = chat(shown)?;
    let lines = shown.conversation().lines.iter().rev();
    let mut posts = lines.filter_map(|line| match line {
        Line::Post(post) if !post.is_own() && post.state == PostState::Shown => Some(post.id),
        _ => None,
    });
    let message = posts.next().ok_or(CommandError::NoMessage)?;
    Ok((conversation, message))
}
