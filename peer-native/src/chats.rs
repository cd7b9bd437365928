//! The conversations of a view in the order of a list, and who is online in them.

use std::cmp::Reverse;
use std::collections::HashSet;

use p2pchat_model::{
    Chat, Command, Conversation, ConversationId, Member, Named, Standing, Status, User, Username,
    View,
};

use crate::shown::Shown;

/// The conversation that a command leads into: it is shown, and written to, from then on.
#[must_use]
pub(crate) fn led_into(command: &Command) -> Option<ConversationId> {
    match command {
        Command::Join { conversation }
        | Command::Accept { conversation, .. }
        | Command::Request { conversation, .. } => Some(*conversation),
        _ => None,
    }
}

/// The conversations of the list: pinned ones first, then by their newest message. Those that
/// are put away and have nothing new of which the user is alerted, and those that the user was asked to, are not in it unless they are shown.
#[must_use]
pub(crate) fn listed(shown: Shown<'_>) -> Vec<&Conversation> {
    let all = shown.view.conversations.iter();
    let mut listed: Vec<&Conversation> = all
        .filter(|one| one.id == shown.id || is_listed(one))
        .collect();
    let open = shown.view.open();
    if listed.is_empty() {
        listed.push(open);
    }
    listed.sort_by_key(|one| Reverse(one.rank()));
    listed
}

fn is_listed(conversation: &Conversation) -> bool {
    match &conversation.chat {
        None => !is_bare(conversation),
        Some(chat) if chat.archived && chat.alerting() == 0 => false,
        Some(chat) => match chat.standing {
            Standing::In => true,
            Standing::Asked(_) => false,
            // As long as there is something to read.
            Standing::Out => conversation.newest_message().is_some(),
        },
    }
}

/// Whether a conversation has neither members nor messages.
#[must_use]
pub(crate) fn is_bare(conversation: &Conversation) -> bool {
    conversation.is_alone() && conversation.newest_message().is_none()
}

/// Whether there is no chat at all, nor a request for one.
#[must_use]
pub(crate) fn is_empty(shown: Shown<'_>) -> bool {
    let mut all = shown.view.conversations.iter();
    shown.id == ConversationId::OPEN && all.all(|one| one.chat.is_none() && is_bare(one))
}

/// The conversations that the user was asked to, and has not answered.
pub(crate) fn asked(view: &View) -> impl Iterator<Item = (ConversationId, Named)> + '_ {
    view.conversations
        .iter()
        .filter_map(|one| match one.chat.as_ref()?.standing {
            Standing::Asked(by) => Some((one.id, by)),
            Standing::In | Standing::Out => None,
        })
}

/// How many chat requests wait for the user's answer.
#[must_use]
pub(crate) fn requests(view: &View) -> usize {
    asked(view).count() + usize::from(view.incoming.is_some())
}

/// The encrypted conversation with one person.
#[must_use]
pub(crate) fn with(name: Username, view: &View) -> Option<&Conversation> {
    let theirs = view.conversations.iter().filter(|one| {
        let chat = one.chat.as_ref();
        chat.is_some_and(|chat| {
            let other = chat.partner().and_then(|member| member.who.name);
            other == Some(name) && chat.standing != Standing::Out
        })
    });
    theirs.min_by_key(|one| is_over(one))
}

/// Whether it is a conversation of two that goes on in another one, as the other one has a new key.
pub(crate) fn is_over(conversation: &Conversation) -> bool {
    let chat = conversation.chat.as_ref();
    chat.and_then(Chat::partner).is_some_and(Member::is_former)
}

/// Those who are online and have no chat with the user: neither one of two, nor the open one.
#[must_use]
pub(crate) fn strangers(view: &View) -> Vec<&User> {
    let known: HashSet<Username> = view
        .conversations
        .iter()
        .filter_map(|one| one.chat.as_ref())
        .filter(|chat| chat.standing != Standing::Out)
        .filter_map(|chat| chat.partner()?.who.name)
        .collect();
    let in_open: HashSet<_> = view.open().members.iter().map(|one| one.address).collect();
    let others = view.others();
    others
        .filter(|user| !known.contains(&user.name) && !in_open.contains(&user.address))
        .collect()
}

/// The status of a member; `None` while they are offline.
#[must_use]
pub(crate) fn status(who: Named, view: &View) -> Option<Status> {
    view.user(who.name?).map(|user| user.status)
}

/// How many are in the open chat, and how many of them are online; both with the user.
#[must_use]
pub(crate) fn open_counts(open: &Conversation) -> (usize, usize) {
    let online = open.members.len() + 1;
    (online + open.out_of_reach.len(), online)
}
