//! Words about encrypted conversations.

use std::fmt::{self, Display};

use p2pchat_protocol::Username;

use crate::chat::{Alerts, Chat, ChatChange, ChatKind, Member, Named, Standing};
use crate::conversation::Conversation;
use crate::identity::Trust;
use crate::line::Line;
use crate::post::{Post, PostState};
use crate::view::View;
use crate::wording::{self, label};

/// Heading: the conversations.
pub const CHATS: &str = "Chats";
/// Button: begin a conversation.
pub const NEW: &str = "New";
/// What that opens: a conversation is begun, with one person or several.
pub const NEW_CHAT: &str = "New chat";
/// Button: begin one with a person.
pub const START: &str = "Start chat";
/// Button: begin one with several.
pub const CREATE_GROUP: &str = "Create group";
/// Field: who is to be in it.
pub const TO: &str = "To";
/// Field: the name of a group.
pub const GROUP_NAME: &str = "Name of the group (optional)";
/// In place of the list, where there are none.
pub const NO_CHATS: &str = "No chats yet. Pick someone on the left to start one.";
/// The name of the open chat in the list.
pub const OPEN_CHAT: &str = "Open chat";
/// What the open chat is for.
pub const OPEN_CHAT_MEANS: &str = "for people with an older p2pchat";
/// State: a conversation is encrypted.
pub const ENCRYPTED: &str = "Encrypted";
/// State: it is, and the codes of the two were compared.
pub const VERIFIED: &str = "Encrypted · verified";
/// What [`ENCRYPTED`] means, of a group.
pub const ENCRYPTED_MEANS: &str = "Only the members can read this.";
/// Heading: the requests that wait for an answer.
pub const REQUESTS: &str = "Requests";
/// Mark: the user is not alerted of all that is written.
pub const MUTED: &str = "Muted";
/// Heading: what else there is to a conversation.
pub const DETAILS: &str = "Details";
/// Heading: who is in a conversation.
pub const MEMBERS: &str = "Members";
/// Button: ask more people to be in a group.
pub const ADD: &str = "Add people";
/// Button: give a group another name.
pub const RENAME: &str = "Rename";
/// Button: leave a group.
pub const LEAVE_GROUP: &str = "Leave group…";
/// The question before leaving a group.
#[must_use]
pub fn leave_question(chat: &Chat) -> &'static str {
    if chat.owner && chat.members.iter().all(|member| !member.owner) {
        "Leave the group without an owner? Nobody can rename it or remove people then."
    } else {
        "Leave the group? The others are told, and you do not get what is written from now on."
    }
}
/// Button: remove a person from a group.
pub const REMOVE_ASK: &str = "Remove…";
/// Button: make a person an owner of a group.
pub const MAKE_OWNER: &str = "Make owner";
/// Button: no longer be an owner.
pub const RESIGN: &str = "Step down as owner";
/// Mark: who may rename a group and remove people.
pub const OWNER: &str = "owner";
/// Mark: who was asked and has not answered.
pub const ASKED: &str = "has not answered yet";
/// Switch: whether those who are added see what was written before.
pub const SEES_ALL: &str = "They see what was written before";
/// Menu item: answer a message.
pub const REPLY: &str = "Reply";
/// Menu item: react to a message.
pub const REACT: &str = "React";
/// Menu item: copy the text of a message.
pub const COPY: &str = "Copy text";
/// Button: copy what is beside it.
pub const COPY_SHORT: &str = "Copy";
/// What that button says once it has.
pub const COPIED: &str = "Copied";
/// Button at a block of code.
pub const COPY_CODE: &str = "Copy code";
/// Menu item: change a message.
pub const EDIT: &str = "Edit";
/// Menu item: delete a message everywhere.
pub const DELETE_ASK: &str = "Delete for everyone…";
/// The same while nobody has it.
pub const CALL_BACK: &str = "Call back";
/// The question before a message is deleted.
pub const DELETE_QUESTION: &str =
    "Delete for everyone? Programs that have shown it may keep a copy.";
/// Menu item: who has a message.
pub const INFO: &str = "Info";
/// State of a message that someone has not got yet.
pub const WAITING: &str = "Waiting";
/// Mark of a message whose text was changed.
pub const EDITED: &str = "edited";
/// In place of a message that its writer has deleted.
pub const DELETED: &str = "Message deleted";
/// In place of a message that is beyond what is kept.
pub const NOT_KEPT: &str = "This message is no longer kept here";
/// In place of a message of an unknown kind.
pub const NEEDS_NEWER: &str = "A newer p2pchat is needed to read this";
/// In place of a message of someone that the user has blocked, in a group.
pub const FOLDED: &str = "Message from someone you blocked";
/// Button: show it.
pub const SHOW: &str = "Show";

/// Mark of a message that has reached everyone.
pub const DELIVERED: &str = "Delivered";
/// Mark of a message that everyone has read.
pub const READ: &str = "Read";
/// Menu item: a conversation stands before others.
pub const PIN: &str = "Pin";
/// Menu item: it does not any more.
pub const UNPIN: &str = "Unpin";
/// Menu item: put a conversation away.
pub const ARCHIVE: &str = "Archive";
/// Menu item: bring it back.
pub const UNARCHIVE: &str = "Unarchive";
/// Heading: the conversations that were put away.
pub const ARCHIVED: &str = "Archived";
/// Menu item: what of a conversation the user is alerted of.
pub const ALERTS: &str = "Notifications";
/// Menu item: all is read.
pub const MARK_READ: &str = "Mark as read";
/// Button: open the chat in which the user goes on with someone who has a new key.
pub const NEW_CHAT_OPENS: &str = "Open the new chat";
/// Above the first message of a chat, where the user had one with the same person under an earlier key.
pub const EARLIER_CHAT: &str = "Earlier messages are in another chat";
/// In place of the field for a message, where the user is not in the conversation any more.
pub const OUT: &str = "You are no longer in this chat.";

/// The name, `you` for the user, and for a person without a name the beginning of their key.
impl Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.you, &self.name) {
            (true, _) => f.pad(label::YOU),
            (false, Some(name)) => f.pad(name.as_str()),
            (false, None) => f.pad(&unknown(self)),
        }
    }
}

fn unknown(who: &Named) -> String {
    let key = who.key.to_string();
    format!("{} ({}…)", label::UNKNOWN_PERSON, &key[..8])
}

/// The name of a conversation, of a group without a name those of its members.
#[must_use]
pub fn title(conversation: &Conversation) -> String {
    match &conversation.chat {
        None => OPEN_CHAT.to_owned(),
        Some(chat) => chat_title(chat),
    }
}

/// The same of an encrypted one.
#[must_use]
pub fn chat_title(chat: &Chat) -> String {
    if !chat.name.as_str().is_empty() {
        return chat.name.as_str().to_owned();
    }
    if chat.members.is_empty() {
        return match chat.standing {
            Standing::Asked(by) => by.to_string(),
            _ => "Only you".to_owned(),
        };
    }
    names(chat.members.iter().map(|member| member.who))
}

/// How the key of the other person in a direct conversation is known, or whether a group is
/// encrypted: the second line of its head.
#[must_use]
pub fn encryption(chat: &Chat) -> String {
    let of = |member: &Member| match member.trust {
        Some(Trust::Verified) => VERIFIED.to_owned(),
        Some(Trust::Changed | Trust::ChangedAfterVerified) => {
            format!("{}'s code changed", member.who)
        }
        Some(Trust::Former) => format!("{}'s earlier code", member.who),
        Some(Trust::New) | None => ENCRYPTED.to_owned(),
    };
    match (chat.kind, chat.members.first()) {
        (ChatKind::Direct, Some(member)) => of(member),
        _ => ENCRYPTED.to_owned(),
    }
}

/// Several names in a sentence.
#[must_use]
pub fn names(all: impl ExactSizeIterator<Item = Named>) -> String {
    let count = all.len();
    wording::listed(all.map(|who| who.to_string()), count)
}

/// A request to be in a conversation.
#[must_use]
pub fn asks(by: Named, chat: &Chat) -> String {
    let others: Vec<Named> = chat
        .members
        .iter()
        .map(|member| member.who)
        .filter(|who| who.key != by.key)
        .collect();
    let name = chat.name.as_str();
    match (chat.kind, name.is_empty(), others.is_empty()) {
        (ChatKind::Direct, ..) => wording::wants_to_chat(by),
        (ChatKind::Group, true, true) => format!("{by} invites you to a group"),
        (ChatKind::Group, false, true) => format!("{by} invites you to “{name}”"),
        (ChatKind::Group, true, false) => {
            format!(
                "{by} invites you to a group with {}",
                names(others.into_iter())
            )
        }
        (ChatKind::Group, false, false) => {
            format!(
                "{by} invites you to “{name}” with {}",
                names(others.into_iter())
            )
        }
    }
}

/// What someone who accepts will see.
#[must_use]
pub fn sees(chat: &Chat) -> &'static str {
    match (chat.kind, chat.since) {
        (ChatKind::Direct, _) | (ChatKind::Group, None) => "You see what was written before.",
        (ChatKind::Group, Some(_)) => "You see what is written from now on.",
    }
}

/// Those that one of the user's messages waits for and who are offline or not in the conversation yet:
/// to others it is on its way.
#[must_use]
pub fn absent(post: &Post, chat: &Chat, view: &View) -> Vec<Named> {
    let is_in = |who: Named| {
        let mut members = chat.members.iter();
        let member = members.find(|member| member.who.key == who.key);
        member.is_none_or(|member| !member.asked && !member.declined && !member.is_former())
    };
    let is_online = |who: Named| who.name.is_some_and(|name| view.user(name).is_some());
    let is_shown = post.state == PostState::Shown;
    let waits_for = post.waits_for().filter(|_| is_shown);
    let absent = waits_for.filter(|who| !is_in(*who) || !is_online(*who));
    absent.collect()
}

/// That a message in this conversation waits for these people: in one of two, where nobody else
/// carries it, the other may have yet to accept. `None` if it waits for nobody.
#[must_use]
pub fn waiting_for(some: impl ExactSizeIterator<Item = Named>, chat: &Chat) -> Option<String> {
    let mut some = some.peekable();
    let first = *some.peek()?;
    let is_direct = chat.kind == ChatKind::Direct;
    let other = chat.members.first().filter(|_| is_direct);
    Some(match other {
        Some(other) if other.is_former() => {
            format!("Not delivered under {first}'s earlier code")
        }
        Some(other) if other.asked => format!("Waiting for {first} to accept"),
        Some(other) if other.declined => format!("{first} declined"),
        Some(_) => format!("Will be delivered when you and {first} are both here"),
        None => format!("Waiting for {}", names(some)),
    })
}

/// What it means for what the user writes that the other one has declined.
#[must_use]
pub fn has_declined(who: Named) -> String {
    format!("{who} declined. They get what is written here if they write to you.")
}

/// Why a message of the user is held back: the person that it is for has another key now, which the
/// user has not accepted. `None` if it is not.
#[must_use]
pub fn not_sent(post: &Post, chat: &Chat) -> Option<String> {
    let member = chat.members.first()?;
    let is_changed = matches!(member.trust?, Trust::Changed | Trust::ChangedAfterVerified);
    let is_held = chat.kind == ChatKind::Direct
        && is_changed
        && post.waits_for().any(|who| who.key == member.who.key);
    is_held.then(|| format!("Not sent: {}'s key changed", member.who))
}

/// How many of the user's messages are held back, among some lines. `None` if none is.
#[must_use]
pub fn held_back(lines: &[Line], chat: &Chat) -> Option<String> {
    let is_held = |line: &&Line| match line {
        Line::Post(post) => not_sent(post, chat).is_some(),
        Line::Message(_) | Line::Notice { .. } => false,
    };
    match lines.iter().filter(is_held).count() {
        0 => None,
        1 => Some("Your waiting message has not been sent.".to_owned()),
        count => Some(format!("Your {count} waiting messages have not been sent.")),
    }
}

/// Button: go on with someone whose key has changed.
pub const SEND_ANYWAY: &str = "Send anyway";
/// The same where codes had been compared with them.
pub const ACCEPT_KEY: &str = "Accept new code";
/// Button that asks before it.
pub const ACCEPT_KEY_ASKS: &str = "Accept new code…";

/// The question before that.
#[must_use]
pub fn accept_key_question(who: Named) -> String {
    format!(
        "Accept {who}'s new code without comparing it? Someone may pose as {who}: what you write \
         goes to the one who has this code."
    )
}

/// The delivery of one of the user's messages, in a word or two. `None` for others' messages, and
/// where nobody is to get it.
#[must_use]
pub fn delivery(post: &Post, chat: &Chat) -> Option<String> {
    let receipts = post
        .receipts
        .as_ref()
        .filter(|receipts| post.state == PostState::Shown && !receipts.is_empty())?;
    let waits_for: Vec<Named> = post.waits_for().collect();
    let waiting = || waiting_for(waits_for.into_iter(), chat);
    if let Some(held) = not_sent(post, chat).or_else(waiting) {
        return Some(held);
    }
    // What those have read who have left since is not known.
    let is_here = |member: &&Member| receipts.iter().any(|of| of.to.key == member.who.key);
    let mut here = chat.members.iter().filter(is_here).peekable();
    let all_read = here.peek().is_some() && here.all(|member| member.read >= Some(post.id));
    Some(if all_read { READ } else { DELIVERED }.to_owned())
}

/// Those who are to get one of the user's messages, each with how far it has come, in a word.
pub fn reached<'a>(
    post: &'a Post,
    chat: &'a Chat,
) -> impl Iterator<Item = (Named, &'static str)> + 'a {
    post.receipts.iter().flatten().map(|receipt| {
        let mut members = chat.members.iter();
        let member = members.find(|member| member.who.key == receipt.to.key);
        let has_read = member.is_some_and(|member| member.read >= Some(post.id));
        let state = match (receipt.delivered, has_read) {
            (false, _) => WAITING,
            (true, false) => DELIVERED,
            (true, true) => READ,
        };
        (receipt.to, state)
    })
}

/// The text of a message, or what stands in its place.
#[must_use]
pub fn text(post: &Post) -> &str {
    match post.state {
        PostState::Shown => &post.text,
        PostState::Deleted => DELETED,
        PostState::NotKept => NOT_KEPT,
        PostState::NeedsNewer => NEEDS_NEWER,
    }
}

/// Who is writing. `None` if nobody is.
#[must_use]
pub fn typing(chat: &Chat) -> Option<String> {
    let writing: Vec<Named> = chat
        .members
        .iter()
        .filter(|member| member.typing)
        .map(|member| member.who)
        .collect();
    match writing.len() {
        0 => None,
        1 => Some(format!("{} is typing…", writing[0])),
        _ => Some(format!("{} are typing…", names(writing.into_iter()))),
    }
}

impl Alerts {
    /// It in a word or two.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::All => "All messages",
            Self::Mentions => "Mentions",
            Self::Nothing => "Nothing",
        }
    }
}

/// The question before a person is removed.
#[must_use]
pub fn remove_question(member: &Member) -> String {
    let who = member.who;
    let code = if member.is_former() {
        format!(" ({})", Trust::Former.words())
    } else {
        String::new()
    };
    format!(
        "Remove {who}{code} from the group? They are told, and do not get what is written from now on."
    )
}

/// A change of the membership in a sentence.
pub(crate) fn change(change: ChatChange) -> String {
    let begins = |who: Named, you: &str, others: &str| {
        if who.you {
            format!("you {you}")
        } else {
            format!("{who} {others}")
        }
    };
    match change {
        ChatChange::Asked { who, by: Some(by) } => format!("{by} invited {who}"),
        ChatChange::AskedMore { count, by } => {
            let people = if count == 1 { "person" } else { "people" };
            match by {
                Some(by) => format!("{by} invited {count} more {people}"),
                None => format!("{count} more {people} were invited"),
            }
        }
        ChatChange::Asked { who, by: None } => begins(who, "were invited", "was invited"),
        ChatChange::Joined(who) => begins(who, "joined", "joined"),
        ChatChange::Declined(who) => begins(who, "declined", "declined"),
        ChatChange::Left(who) => begins(who, "left", "left"),
        ChatChange::Removed { who, by: Some(by) } => format!("{by} removed {who}"),
        ChatChange::Removed { who, by: None } => begins(who, "were removed", "was removed"),
        ChatChange::Renamed(name) if name.as_str().is_empty() => {
            "the group no longer has a name".to_owned()
        }
        ChatChange::Renamed(name) => format!("the group is now called “{name}”"),
        ChatChange::Owner(who) => begins(who, "are now an owner", "is now an owner"),
        ChatChange::Resigned(who) => begins(who, "are no longer an owner", "is no longer an owner"),
        ChatChange::LogEnded(who) => {
            format!("what {who} sent breaks the rules: some of it is not shown")
        }
    }
}

/// A member has another key than before: in a conversation of two nothing is sent to them if it was
/// verified, and a group they have to be added to again. `None` if they have not.
#[must_use]
pub fn key_changed(member: &Member, chat: &Chat) -> Option<String> {
    let who = member.who;
    let (stopped, is_direct) = match chat.kind {
        ChatKind::Direct => ("Sending stopped: ", true),
        ChatKind::Group => ("", false),
    };
    let mut others = chat.members.iter().filter(|other| other.who != who);
    match member.trust? {
        Trust::Former if is_direct => Some(format!(
            "{who} has another code now, and you have a new chat."
        )),
        Trust::Former if !others.any(|other| other.who.name == who.name) => Some(format!(
            "{who} has another code now. Add {who} to this group again."
        )),
        Trust::Former | Trust::New | Trust::Verified => None,
        Trust::Changed => Some(format!(
            "{who} has a new code. Usually this is a new computer."
        )),
        Trust::ChangedAfterVerified => Some(format!(
            "{stopped}{who}'s code is not the one you verified. Ask {who}, in person or by phone."
        )),
    }
}

/// Before what the user has written and not sent, in a list.
const DRAFT: &str = "Draft";

/// The last line of a conversation in a list: what the user has not sent, who is writing, or what
/// came last, which is folded away as in the conversation. Empty if there is nothing.
#[must_use]
pub fn last_line(conversation: &Conversation, view: &View) -> String {
    if let Some(chat) = &conversation.chat
        && let Standing::Asked(by) = chat.standing
    {
        return asks(by, chat);
    }
    if !conversation.draft.is_empty() {
        return format!("{DRAFT}: {}", conversation.draft);
    }
    if let Some(words) = conversation.chat.as_ref().and_then(typing) {
        return words;
    }
    let by_you = |text: &str| format!("You: {text}");
    match conversation.last_line() {
        None => String::new(),
        Some(Line::Notice { text: words, .. }) => words.clone(),
        Some(Line::Message(message)) if message.is_own() => by_you(&message.text),
        Some(Line::Message(message)) => format!("{}: {}", message.from.title(), message.text),
        Some(Line::Post(post)) if post.is_own() => by_you(text(post)),
        Some(Line::Post(post)) if view.has_blocked(&post.from) => FOLDED.to_owned(),
        Some(Line::Post(post)) => match conversation.chat.as_ref().map(|chat| chat.kind) {
            Some(ChatKind::Group) => format!("{}: {}", post.from, text(post)),
            _ => text(post).to_owned(),
        },
    }
}

/// Who of a conversation is online: the other one, with the name that they have chosen to be shown,
/// or how many members of a group, the user among them. Those who were asked do not count before
/// they are in it. `None` of a group that the user is not in any more.
#[must_use]
pub fn presence(chat: &Chat, view: &View) -> Option<String> {
    if let Some(other) = chat.partner() {
        let Some(user) = view.online_as(other) else {
            return Some(label::OFFLINE.to_owned());
        };
        let status = wording::status(user.status);
        return Some(match user.display_name.as_str() {
            "" => status.to_owned(),
            // Quoted: they choose it themselves.
            shown => format!("“{shown}” · {status}"),
        });
    }
    let here = joined(chat).filter(|member| view.online_as(member).is_some());
    let here = here.count() + usize::from(chat.standing == Standing::In);
    let words = match joined(chat).count() {
        0 => "only you are in it".to_owned(),
        _ => format!("{here} of {} online", members(chat)),
    };
    Some(words).filter(|_| chat.standing != Standing::Out)
}

/// How many are in a conversation, the user among them. Those who were asked do not count before
/// they are in it.
#[must_use]
pub fn members(chat: &Chat) -> usize {
    joined(chat).count() + usize::from(chat.standing == Standing::In)
}

/// The others who are in it.
fn joined(chat: &Chat) -> impl Iterator<Item = &Member> {
    let is_in = |member: &&Member| !member.asked && !member.declined;
    chat.members.iter().filter(is_in)
}

/// How many requests wait for an answer.
#[must_use]
pub fn requests(count: usize) -> String {
    match count {
        1 => "1 request".to_owned(),
        count => format!("{count} requests"),
    }
}

/// Why there is no encrypted conversation with a person.
#[must_use]
pub fn has_older_program(who: impl Display) -> String {
    format!("{who} has an older p2pchat: only in the open chat")
}

/// Before people are asked into the open chat, or accepted there, whose p2pchat is encrypted.
#[must_use]
pub fn has_encrypted(names: &[Username]) -> String {
    let (have, them) = match names {
        [_] => ("has", "them"),
        _ => ("have", "any of them"),
    };
    let who = wording::listed(names.iter().map(ToString::to_string), names.len());
    format!(
        "{who} {have} an encrypted p2pchat. The open chat is not encrypted: anyone on the network \
         can read what is said there. A chat with {them} alone is encrypted."
    )
}

/// Button: have them in the open chat all the same.
pub const ALLOW_OPEN: &str = "Use the open chat, not encrypted";
/// Button: ask a person into the open chat.
pub const ASK_INTO_OPEN_CHAT: &str = "Ask into the open chat";
/// Button: all people, not only those without a chat.
pub const SHOW_ALL: &str = "Show all";
/// Above the field while a message is changed.
pub const EDITING: &str = "Editing";

#[cfg(test)]
mod tests;
