//! The conversations in the order of their list.

use p2pchat_model::wording::chat::title;
use p2pchat_model::{
    Chat, ChatKind, Conversation, ConversationId, Standing, Timestamp, Username, View, lowercase,
};

use super::said::said;

/// Which part of the list a conversation stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Those that the user was asked to be in.
    Asked,
    /// Those that the user is in.
    Chats,
    /// Those that were put away.
    Archived,
}

/// The part of the list that a conversation stands in, if it does. The open chat does while it
/// is of use, and one that the user is not in any more as long as there is something to read.
#[must_use]
pub fn part(conversation: &Conversation) -> Option<Part> {
    let has_messages = || conversation.lines.iter().any(|line| said(line).is_some());
    let Some(chat) = &conversation.chat else {
        let is_of_use = !conversation.is_alone() || has_messages();
        return is_of_use.then_some(Part::Chats);
    };
    match chat.standing {
        Standing::Asked(_) => Some(Part::Asked),
        Standing::Out if !has_messages() => None,
        _ if chat.archived => Some(Part::Archived),
        _ => Some(Part::Chats),
    }
}

/// The conversations of a part that are meant by what was typed to find one, in order: those that
/// are pinned, then the one with the newest message. The one that is shown belongs to one in any
/// case.
#[must_use]
pub fn listed(view: &View, part: Part, shown: ConversationId, typed: &str) -> Vec<ConversationId> {
    let wanted = lowercase(typed);
    let is_in = |one: &&Conversation| {
        let own = self::part(one);
        let is_here =
            own == Some(part) || (own.is_none() && one.id == shown && part == Part::Chats);
        is_here && (wanted.is_empty() || is_meant(one, &wanted))
    };
    let mut listed: Vec<((bool, Timestamp), ConversationId)> = Vec::new();
    for one in view.conversations.iter().filter(is_in) {
        let rank = one.rank();
        let at = listed.partition_point(|(before, _)| *before >= rank);
        listed.insert(at, (rank, one.id));
    }
    listed.into_iter().map(|(_, id)| id).collect()
}

/// Whether a conversation is meant by what was typed, in small letters: a part of its title, or of
/// the name of the other person.
fn is_meant(one: &Conversation, wanted: &str) -> bool {
    let name = one.chat.as_ref().and_then(direct_with);
    lowercase(&title(one)).contains(wanted)
        || name.is_some_and(|name| lowercase(name.as_str()).contains(wanted))
}

/// The conversations that are meant by what was typed, those of each part after those of the one
/// before it; none while nothing is typed.
#[must_use]
pub fn meant(view: &View, typed: &str) -> Vec<ConversationId> {
    if typed.is_empty() {
        return Vec::new();
    }
    let parts = [Part::Chats, Part::Asked, Part::Archived];
    let parts = parts.map(|part| listed(view, part, ConversationId::OPEN, typed));
    parts.concat()
}

/// The conversation above or below one in the list; of those with something new, if only they are
/// `wanted`. After the last one comes the first.
#[must_use]
pub fn beside(
    view: &View,
    shown: ConversationId,
    goes_down: bool,
    only_new: bool,
) -> Option<ConversationId> {
    let mut listed = listed(view, Part::Chats, shown, "");
    if !goes_down {
        listed.reverse();
    }
    let at = listed.iter().position(|id| *id == shown).unwrap_or(0);
    listed.rotate_left(at);
    let is_wanted = |id: &&ConversationId| {
        let one = view.conversation(**id);
        **id != shown && (!only_new || one.is_some_and(|one| one.unread() > 0))
    };
    listed.iter().find(is_wanted).copied()
}

/// The conversation that is shown at first: the newest.
#[must_use]
pub fn first(view: &View) -> ConversationId {
    let mut listed = listed(view, Part::Chats, ConversationId::OPEN, "");
    // That one only if it is of use.
    if part(view.open()).is_none() && listed.len() > 1 {
        listed.retain(|id| *id != ConversationId::OPEN);
    }
    listed.first().copied().unwrap_or(ConversationId::OPEN)
}

/// Whether there is a conversation with one other person, and it is this one.
#[must_use]
pub fn direct_with(chat: &Chat) -> Option<Username> {
    let is_direct = chat.kind == ChatKind::Direct;
    let other = chat.members.first().filter(|_| is_direct)?;
    other.who.name
}

/// How many messages of a conversation the title counts: those that the user is alerted of, and a
/// request.
#[must_use]
pub fn counted(conversation: &Conversation, unread: usize) -> usize {
    let Some(chat) = &conversation.chat else {
        return unread;
    };
    if matches!(chat.standing, Standing::Asked(_)) {
        return 1;
    }
    // The page may know of fewer: they were read a moment ago.
    unread.min(usize::try_from(chat.alerting()).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use p2pchat_model::{Alerts, DisplayName, Line};

    use super::*;
    use crate::logic::rows::samples::{message, notice};

    fn id(nth: u8) -> ConversationId {
        ConversationId::encrypted(&[nth; 32])
    }

    fn chat(nth: u8, at: u64, change: impl FnOnce(&mut Chat)) -> Conversation {
        let mut chat = Chat {
            owner: true,
            members: Vec::new(),
            ..Chat::new(ChatKind::Group)
        };
        change(&mut chat);
        Conversation {
            lines: vec![notice(at)],
            chat: Some(chat),
            ..Conversation::new(id(nth))
        }
    }

    fn view(conversations: Vec<Conversation>) -> View {
        let open = Conversation::new(ConversationId::OPEN);
        View {
            conversations: [open].into_iter().chain(conversations).collect(),
            ..View::default()
        }
    }

    #[test]
    fn pinned_ones_stand_first_and_then_the_newest() {
        let view = view(vec![
            chat(1, 10, |_| {}),
            chat(2, 30, |_| {}),
            chat(3, 20, |chat| chat.pinned = true),
            chat(4, 40, |chat| chat.archived = true),
            chat(5, 50, |chat| chat.standing = Standing::Out),
        ]);
        let listed = |part| listed(&view, part, id(1), "");
        assert_eq!(listed(Part::Chats), [id(3), id(2), id(1)]);
        assert_eq!(listed(Part::Archived), [id(4)]);
        assert!(listed(Part::Asked).is_empty());
        assert_eq!(first(&view), id(3));
    }

    #[test]
    fn what_is_typed_finds_conversations_by_their_names() {
        let named = |nth, at, name: &str| {
            let named = |chat: &mut Chat| chat.name = DisplayName::new(name).unwrap();
            chat(nth, at, named)
        };
        let view = view(vec![
            named(1, 10, "Release team"),
            named(2, 20, "Lunch"),
            named(3, 30, "Old releases"),
        ]);
        assert_eq!(meant(&view, "RELEASE"), [id(3), id(1)]);
        assert_eq!(listed(&view, Part::Chats, id(2), "lu"), [id(2)]);
        assert!(meant(&view, "").is_empty());
    }

    #[test]
    fn keys_lead_from_each_to_the_next_and_around() {
        let mut view = view(vec![
            chat(1, 30, |_| {}),
            chat(2, 20, |_| {}),
            chat(3, 10, |chat| chat.unread = 1),
        ]);
        let next = |view: &View, from, goes_down| beside(view, id(from), goes_down, false);
        assert_eq!(next(&view, 1, true), Some(id(2)));
        assert_eq!(next(&view, 3, true), Some(id(1)));
        assert_eq!(next(&view, 1, false), Some(id(3)));
        assert_eq!(beside(&view, id(1), true, true), Some(id(3)));
        assert_eq!(beside(&view, id(3), true, true), None);
        view.conversations.truncate(2);
        assert_eq!(next(&view, 1, true), None);
    }

    #[test]
    fn the_open_chat_is_listed_while_it_is_of_use() {
        let open = ConversationId::OPEN;
        let mut view = view(vec![chat(1, 10, |_| {})]);
        assert_eq!(listed(&view, Part::Chats, id(1), ""), [id(1)]);
        assert_eq!(listed(&view, Part::Chats, open, "").len(), 2);
        view.conversations[0].lines = vec![Line::from(message(1, 99, "bob", false))];
        assert_eq!(listed(&view, Part::Chats, id(1), ""), [open, id(1)]);
        assert_eq!(first(&view), open);
    }

    #[test]
    fn what_the_user_is_not_alerted_of_is_not_counted() {
        for (alerts, counts) in [
            (Alerts::All, 5),
            (Alerts::Mentions, 2),
            (Alerts::Nothing, 0),
        ] {
            let one = chat(1, 10, |chat| {
                chat.alerts = alerts;
                (chat.unread, chat.mentions) = (5, 2);
            });
            assert_eq!(counted(&one, 5), counts, "{alerts:?}");
            assert_eq!(counted(&one, 1), counts.min(1), "of those not read yet");
        }
    }
}
