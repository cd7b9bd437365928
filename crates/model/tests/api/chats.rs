//! Examples of encrypted conversations: one with bob, and the group "Release team" of alice, bob
//! and carol.

use p2pchat_model::{
    Alerts, Chat, ChatChange, ChatKind, Conversation, ConversationId, Event, Member, MessageId,
    Named, PersonKey, Post, PostState, Quote, Reaction, Receipt, Standing, Trust,
};

use crate::parts::{at, name};

pub(crate) const TEAM: &str = "Release team";

/// The id of the group.
pub(crate) fn team() -> ConversationId {
    ConversationId::encrypted(&[0x7e; 32])
}

/// The id of the conversation with bob.
pub(crate) fn with_bob() -> ConversationId {
    ConversationId::encrypted(&[0xb0; 32])
}

/// The message that stands at this place.
pub(crate) fn post_id(clock: u64) -> MessageId {
    MessageId::of_entry(clock, 0xd17a_5e1c_b0b0_77aa, clock)
}

pub(crate) fn key(digit: u8) -> PersonKey {
    char::from(digit).to_string().repeat(64).parse().unwrap()
}

fn named(who: &str, digit: u8) -> Named {
    Named {
        key: key(digit),
        name: Some(name(who)),
        you: false,
    }
}

pub(crate) fn alice() -> Named {
    Named {
        you: true,
        ..named("alice", b'a')
    }
}

pub(crate) fn bob() -> Named {
    named("bob", b'b')
}

pub(crate) fn carol() -> Named {
    named("carol", b'c')
}

/// Someone whose name is not known yet.
fn nameless() -> Named {
    Named {
        name: None,
        ..named("dave", b'd')
    }
}

fn member(who: Named) -> Member {
    Member {
        who,
        asked: false,
        declined: false,
        owner: false,
        trust: Some(Trust::New),
        typing: false,
        read: None,
    }
}

/// The group.
fn chat() -> Chat {
    let bob = Member {
        owner: true,
        trust: Some(Trust::Verified),
        read: Some(post_id(8)),
        ..member(bob())
    };
    let carol = Member {
        asked: true,
        declined: false,
        trust: None,
        ..member(carol())
    };
    Chat {
        kind: ChatKind::Group,
        name: TEAM.parse().unwrap(),
        standing: Standing::In,
        owner: false,
        members: vec![bob, carol],
        since: None,
        unread: 2,
        mentions: 1,
        alerts: Alerts::All,
        pinned: true,
        archived: false,
    }
}

/// That with bob.
fn direct() -> Chat {
    Chat {
        kind: ChatKind::Direct,
        name: "".parse().unwrap(),
        members: vec![member(bob())],
        unread: 0,
        mentions: 0,
        pinned: false,
        ..chat()
    }
}

/// Both kinds; for each standing and each setting of alerts one that has it.
pub(crate) fn chats() -> Vec<Event> {
    let of_kind = |kind| match kind {
        ChatKind::Direct => Event::Chat {
            conversation: with_bob(),
            chat: Box::new(direct()),
        },
        ChatKind::Group => Event::Chat {
            conversation: team(),
            chat: Box::new(chat()),
        },
    };
    let standings = standings().into_iter().zip(alerts());
    let standings = standings.map(|(standing, alerts)| Event::Chat {
        conversation: team(),
        chat: Box::new(Chat {
            standing,
            alerts,
            since: Some(at(0)),
            ..chat()
        }),
    });
    kinds().into_iter().map(of_kind).chain(standings).collect()
}

every! {
    kinds: ChatKind {
        ChatKind::Direct => [ChatKind::Direct],
        ChatKind::Group => [ChatKind::Group],
    }
}

every! {
    standings: Standing {
        Standing::In => [Standing::In],
        Standing::Asked(_) => [Standing::Asked(bob())],
        Standing::Out => [Standing::Out],
    }
}

every! {
    alerts: Alerts {
        Alerts::All => [Alerts::All],
        Alerts::Mentions => [Alerts::Mentions],
        Alerts::Nothing => [Alerts::Nothing],
    }
}

every! {
    changes: ChatChange {
        ChatChange::AskedMore { .. } => [1, 312].map(|count| {
            let by = (count > 1).then(bob);
            ChatChange::AskedMore { count, by }
        }),
        ChatChange::Asked { .. } => [Some(bob()), None].map(|by| ChatChange::Asked { who: carol(), by }),
        ChatChange::Joined(_) => [ChatChange::Joined(carol())],
        ChatChange::Declined(_) => [ChatChange::Declined(carol())],
        ChatChange::Left(_) => [ChatChange::Left(carol())],
        ChatChange::Removed { .. } => [
            ChatChange::Removed { who: carol(), by: Some(bob()) },
            ChatChange::Removed { who: nameless(), by: None },
        ],
        ChatChange::Renamed(_) => [TEAM, ""].map(|name| ChatChange::Renamed(name.parse().unwrap())),
        ChatChange::Owner(_) => [ChatChange::Owner(alice())],
        ChatChange::Resigned(_) => [ChatChange::Resigned(bob())],
        ChatChange::LogEnded(_) => [ChatChange::LogEnded(carol())],
    }
}

every! {
    states: PostState {
        PostState::Shown => [PostState::Shown],
        PostState::Deleted => [PostState::Deleted],
        PostState::NotKept => [PostState::NotKept],
        PostState::NeedsNewer => [PostState::NeedsNewer],
    }
}

/// A message of bob in the group, written as many seconds after noon.
pub(crate) fn post(clock: u64, text: &str) -> Post {
    Post {
        conversation: team(),
        id: post_id(clock),
        at: at(clock),
        came: None,
        from: bob(),
        state: PostState::Shown,
        text: text.to_owned(),
        edited: None,
        reply: None,
        reactions: Vec::new(),
        receipts: None,
    }
}

/// A message of alice in the group.
fn own(carol_has_it: bool) -> Post {
    let receipt = |to, delivered| Receipt { to, delivered };
    Post {
        from: alice(),
        receipts: Some(vec![receipt(bob(), true), receipt(carol(), carol_has_it)]),
        ..post(41, "lunch at noon?")
    }
}

/// A new one of the user that waits for carol, a reply, one that came late.
pub(crate) fn posts() -> Vec<Event> {
    let reply = Post {
        reply: Some(Quote {
            id: post_id(41),
            from: alice(),
            text: "lunch at noon?".to_owned(),
        }),
        ..post(42, "fine with me")
    };
    let late = Post {
        came: Some(at(900)),
        ..post(43, "written on the train")
    };
    [own(false), reply, late]
        .map(|post| Event::Post(Box::new(post)))
        .into()
}

/// One that has reached all and has reactions, one whose text was changed, and one of each state.
pub(crate) fn changed_posts() -> Vec<Event> {
    let reaction = |emoji: &str, by| Reaction {
        emoji: emoji.to_owned(),
        by,
    };
    let delivered = Post {
        reactions: vec![
            reaction("🎉", vec![carol()]),
            reaction("👍", vec![bob(), alice()]),
        ],
        ..own(true)
    };
    let edited = Post {
        edited: Some(at(60)),
        ..post(42, "fine with me, at one")
    };
    let of_state = |state| match state {
        PostState::Shown => edited.clone(),
        PostState::Deleted | PostState::NotKept | PostState::NeedsNewer => Post {
            state,
            ..post(42, "")
        },
    };
    let states = states().into_iter().map(of_state);
    [delivered]
        .into_iter()
        .chain(states)
        .map(|post| Event::PostChanged(Box::new(post)))
        .collect()
}

/// The group as the view has it: with its newest message only.
pub(crate) fn conversation() -> Conversation {
    Conversation {
        lines: vec![post(31, "hello").into()],
        more_history: true,
        read: Some(post_id(8)),
        draft: "see you at".to_owned(),
        chat: Some(chat()),
        ..Conversation::new(team())
    }
}
