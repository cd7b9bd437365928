//! Parts of a conversation that are further back than its end.

use p2pchat_model::{Chat, ChatKind, Named, Post, PostState, Target};

use super::*;

const PAGE: u64 = 100;

fn id() -> ConversationId {
    ConversationId::encrypted(&[7; 32])
}

fn post(nth: u64) -> Post {
    let key = "b".repeat(64).parse().unwrap();
    Post {
        conversation: id(),
        id: MessageId::of_entry(nth, 1, 1),
        at: Timestamp(nth * 1000),
        came: None,
        from: Named {
            key,
            name: "bob".parse().ok(),
            you: false,
        },
        state: PostState::Shown,
        text: format!("number {nth}"),
        edited: None,
        reply: None,
        reactions: Vec::new(),
        receipts: None,
    }
}

fn nth(nth: u64) -> MessageId {
    post(nth).id
}

/// A conversation whose newest message has this number, and is shown.
fn long(newest: u64) -> Rc<State> {
    let mut view = view_of("me");
    view.conversations.push(p2pchat_model::Conversation {
        lines: vec![post(newest).into()],
        more_history: true,
        read: Some(nth(newest)),
        chat: Some(Chat::new(ChatKind::Group)),
        ..p2pchat_model::Conversation::new(id())
    });
    after([shown(view), Action::Show(id())])
}

fn page(posts: std::ops::Range<u64>, more: bool) -> Event {
    Event::Posts {
        conversation: id(),
        before: Some(nth(posts.end)),
        posts: posts.map(post).collect(),
        changes: Vec::new(),
        more,
    }
}

fn page_from(from: u64, posts: std::ops::Range<u64>, more: bool) -> Event {
    Event::PostsFrom {
        conversation: id(),
        from: nth(from),
        posts: posts.map(post).collect(),
        changes: Vec::new(),
        more,
    }
}

/// The first and the last message that is shown, and whether there is something behind.
fn seen(state: &State) -> (Option<MessageId>, Option<MessageId>, bool) {
    let view = state.conversation.view.as_ref().unwrap();
    let chat = view.shown();
    let rows = rows(&chat.lines, state.conversation.reading.mark());
    assert_eq!(view.rows().len(), rows.len(), "the rows follow");
    (
        chat.oldest_message(),
        chat.newest_message(),
        view.has_later(),
    )
}

#[test]
fn a_jump_far_back_shows_a_part_and_the_end_is_kept() {
    let state = long(90_000).reduce(Action::Jump(nth(40)));
    let state = state.reduce(frame(page_from(40, 40..140, true)));
    assert_eq!(seen(&state), (Some(nth(40)), Some(nth(139)), true));
    let state = state.reduce(frame(page(20..40, false)));
    let state = state.reduce(frame(page_from(139, 139..150, true)));
    assert_eq!(seen(&state), (Some(nth(20)), Some(nth(149)), true));
    assert!(
        !state
            .conversation
            .view
            .as_ref()
            .unwrap()
            .shown()
            .more_history
    );

    let state = state.reduce(frame(Event::Post(Box::new(post(90_001)))));
    assert_eq!(seen(&state).1, Some(nth(149)), "it is not what follows");
    assert_eq!(state.conversation.reading.unread(), 1);
    let mut edited = post(41);
    edited.text = "changed".to_owned();
    let state = state.reduce(frame(Event::PostChanged(Box::new(edited))));
    let view = state.conversation.view.clone().unwrap();
    let is_changed = |line: &Line| matches!(line, Line::Post(post) if post.text == "changed");
    assert!(view.shown().lines.iter().any(is_changed));

    let state = state.reduce(Action::Latest);
    assert_eq!(seen(&state), (Some(nth(90_000)), Some(nth(90_001)), false));
}

#[test]
fn of_more_unread_messages_than_are_loaded_the_first_is_gone_to_and_none_counts_as_seen() {
    let mut chat = Chat::new(ChatKind::Group);
    chat.unread = 280;
    let mut view = view_of("me");
    view.conversations.push(p2pchat_model::Conversation {
        lines: (201..301).map(|nth| post(nth).into()).collect(),
        more_history: true,
        read: Some(nth(20)),
        chat: Some(chat),
        ..p2pchat_model::Conversation::new(id())
    });
    let state = after([shown(view), Action::Show(OPEN), Action::Show(id())]);
    let reading = |state: &State| state.conversation.reading.clone();
    assert_eq!(reading(&state).unread(), 280);
    assert_eq!(state.conversation.jump, Some(nth(20)));
    let end = state.clone().reduce(Action::Latest);
    let end = end.reduce(frame(page_from(20, 20..120, true)));
    assert_eq!(seen(&end).1, Some(nth(300)), "the user went on to the end");

    let state = state.reduce(frame(page_from(20, 20..120, true)));
    assert_eq!(seen(&state), (Some(nth(20)), Some(nth(119)), true));
    let first = Some(nth(21));
    assert_eq!(
        (state.conversation.jump, reading(&state).mark()),
        (first, first)
    );
    assert_eq!(reading(&state).unread(), 280);
    let state = state.reduce(Action::Jumped).reduce(Action::Jump(nth(250)));
    let state = state.reduce(frame(page_from(250, 250..301, false)));
    assert_eq!(reading(&state).mark(), first, "a search moves no mark");
}

#[test]
fn a_part_tells_how_the_members_have_changed() {
    let state = long(90_000).reduce(Action::Jump(nth(40)));
    let Event::PostsFrom {
        conversation,
        from,
        posts,
        more,
        ..
    } = page_from(40, 40..42, true)
    else {
        unreachable!()
    };
    let carol = post(1).from;
    let changes = [40_500, 42_000].map(|at| p2pchat_model::DatedChange {
        at: Timestamp(at),
        change: p2pchat_model::ChatChange::Joined(carol),
    });
    let state = state.reduce(frame(Event::PostsFrom {
        conversation,
        from,
        posts,
        changes: changes.into(),
        more,
    }));
    let view = state.conversation.view.as_ref().unwrap();
    let times: Vec<u64> = view.shown().lines.iter().map(|line| line.at().0).collect();
    assert_eq!(times, [40_000, 40_500, 41_000, 42_000]);
    assert_eq!(seen(&state), (Some(nth(40)), Some(nth(41)), true));
}

#[test]
fn a_part_that_reaches_the_end_goes_on_with_new_messages() {
    let state = long(200).reduce(Action::Jump(nth(150)));
    let state = state.reduce(frame(page_from(150, 150..201, false)));
    let state = state.reduce(frame(Event::Post(Box::new(post(201)))));
    assert_eq!(seen(&state), (Some(nth(150)), Some(nth(201)), false));
}

#[test]
fn a_page_that_nobody_waits_for_shows_nothing_else() {
    let state = long(200).reduce(frame(page_from(1, 1..101, true)));
    assert_eq!(seen(&state), (Some(nth(200)), Some(nth(200)), false));
}

#[test]
fn who_reads_back_and_forth_through_all_of_it_has_a_part_of_it() {
    let (newest, most) = (5_000, 2_500);
    let mut state = long(newest);
    let mut oldest = newest;
    while oldest > 0 {
        let from = oldest - PAGE;
        state = state.reduce(frame(page(from..oldest, from > 0)));
        oldest = from;
        assert_eq!(seen(&state).0, Some(nth(oldest)));
        let view = state.conversation.view.as_ref().unwrap();
        assert!(view.shown().lines.len() < most && view.chat().lines.len() < most);
    }
    loop {
        let (_, last, has_later) = seen(&state);
        let (last, ..) = last.unwrap().parts();
        if !has_later {
            assert_eq!(last, newest);
            break;
        }
        let end = (last + PAGE).min(newest + 1);
        state = state.reduce(frame(page_from(last, last..end, end <= newest)));
        let view = state.conversation.view.as_ref().unwrap();
        assert!(view.shown().lines.len() < most);
    }
    let view = state.conversation.view.as_ref().unwrap();
    assert!(view.shown().more_history, "the oldest were let go of");
}

#[test]
fn a_part_is_still_shown_after_the_connection_was_lost() {
    let state = long(90_000).reduce(Action::Jump(nth(40)));
    let state = state.reduce(frame(page_from(40, 40..140, true)));
    let view = state.conversation.view.as_ref().unwrap().get().clone();
    let state = state.reduce(lost()).reduce(shown(view));
    assert_eq!(seen(&state), (Some(nth(40)), Some(nth(139)), true));
}

#[test]
fn what_people_say_who_are_blocked_is_not_read_aloud() {
    let state = long(1);
    let blocked = Event::Blocks {
        at: Timestamp(1),
        list: vec![Target::Name("bob".parse().unwrap())],
        change: None,
    };
    let state = state.reduce(frame(blocked));
    let state = state.reduce(frame(Event::Post(Box::new(post(2)))));
    assert_eq!(state.conversation.spoken, None);
}

fn told(of: u8, newest: u64) -> [Action; 2] {
    let conversation = ConversationId::encrypted(&[of; 32]);
    let chat = Box::new(Chat::new(ChatKind::Group));
    let posts = vec![Post {
        conversation,
        ..post(newest)
    }];
    [
        frame(Event::Chat { conversation, chat }),
        frame(Event::Posts {
            conversation,
            before: None,
            posts,
            changes: Vec::new(),
            more: true,
        }),
    ]
}

fn shown_id(state: &State) -> ConversationId {
    state.conversation.view.as_ref().unwrap().id()
}

#[test]
fn of_conversations_that_come_one_after_the_other_the_first_is_shown() {
    let of = |of: u8| ConversationId::encrypted(&[of; 32]);
    let come = || {
        [told(3, 90), told(1, 50), told(2, 10)]
            .into_iter()
            .flatten()
    };
    assert_eq!(shown_id(&after(come())), of(3));

    let resumed = [Action::Resume(of(1))].into_iter().chain(come());
    let state = after(resumed);
    assert_eq!(shown_id(&state), of(1), "the one of the last time");
    let state = told(4, 99).into_iter().fold(state, State::reduce);
    assert_eq!(shown_id(&state), of(1));

    let hidden = frame(Event::ChatHidden {
        conversation: of(1),
    });
    let state = state.reduce(hidden);
    assert_eq!(
        shown_id(&state),
        of(4),
        "the newest, as the one of before is gone"
    );

    let chosen = [Action::Resume(of(2)), Action::Show(OPEN)];
    let state = after(chosen.into_iter().chain(come()));
    assert_eq!(shown_id(&state), OPEN, "the user has chosen another one");
}
