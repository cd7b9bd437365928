//! Several front ends of one peer, and a peer that goes on where another has ended.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[path = "shell_support/front_ends.rs"]
mod front_ends;
#[path = "shell_support/net.rs"]
mod net;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use net::{FrontEnd, OPEN, Registry, User, name};
use p2pchat_model::{
    Call, Command, DeliveryState, Event, Line, Link, Message, MessageId, Passphrase, Problem,
    Target, Update, View,
};
use p2pchat_peer::{History, Options};

fn say(text: impl Into<String>) -> Command {
    Command::Say {
        conversation: OPEN,
        text: text.into(),
        reply_to: None,
    }
}

fn login(user: &str, password: &str) -> Command {
    Command::login(name(user), Passphrase::new(password).unwrap())
}

fn texts(view: &View) -> Vec<String> {
    let text = |line: &Line| match line {
        Line::Message(message) => Some(message.text.clone()),
        Line::Post(_) | Line::Notice { .. } => None,
    };
    view.open().lines.iter().filter_map(text).collect()
}

fn failure(answers: &[Arc<Event>]) -> Option<Problem> {
    match answers.last().map(|event| &**event) {
        Some(Event::Failed(failure)) => Some(failure.code),
        _ => None,
    }
}

/// Two users in a chat, and the options with which the first was started.
async fn chat(registry: &Registry) -> (User, User, Options) {
    let options = Options {
        history: Some(registry.history_of("ann")),
        blocks: Some(registry.folder.path().join("blocks.db")),
        ..registry.options()
    };
    let mut ann = User::start(options.clone()).await;
    let register = Command::register(name("ann"), Passphrase::new("secret").unwrap());
    assert_eq!(failure(&ann.call(1, register).await), None);
    let mut bob = registry.user("bob").await;
    let (from, to) = (ann.address(), Target::Address(bob.address()));
    let request = Command::Request {
        conversation: OPEN,
        to,
    };
    ann.call(2, request).await;
    bob.see("the request", |view| view.incoming.is_some()).await;
    let accept = Command::Accept {
        conversation: OPEN,
        from,
    };
    bob.call(1, accept).await;
    let at = bob.address();
    ann.see("the member", |view| view.is_member(at)).await;
    (ann, bob, options)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_front_ends_see_the_same_in_the_same_order_and_each_its_own_answers() {
    const SAID: u64 = 100;
    let registry = Registry::start().await;
    let (mut ann, bob, _) = chat(&registry).await;
    let mut others = Vec::new();
    for id in ["page", "terminal"] {
        others.push(ann.join(id).await);
    }
    let mut front_ends: Vec<&mut FrontEnd> = others.iter_mut().collect();
    front_ends.push(&mut *ann);
    for front_end in &front_ends {
        assert_eq!(front_end.view, front_ends[0].view);
    }
    for number in 1..=SAID {
        for (which, front_end) in front_ends.iter().enumerate() {
            let id = 1000 + number;
            let call = Call::with_id(id, say(format!("{which} {number}")));
            front_end.send(call).await;
        }
        bob.say(&format!("bob {number}")).await;
    }
    let mut seen: Vec<Vec<Message>> = Vec::new();
    for (which, front_end) in front_ends.into_iter().enumerate() {
        let (mut messages, mut done) = (Vec::new(), 0);
        while messages.len() < 4 * SAID as usize || done < SAID {
            let Update { re, event } = front_end.apply_next().await;
            match &*event {
                Event::Message(message) => {
                    let text = format!("{which} ");
                    let is_asked = message.is_own() && message.text.starts_with(&text);
                    let id = message.text.rsplit(' ').next().unwrap();
                    let id = id.parse::<u64>().unwrap() + 1000;
                    assert_eq!(re, is_asked.then(|| id.into()), "{message:?}");
                    messages.push(message.clone());
                }
                Event::Done => done += 1,
                // A list comes every few seconds.
                Event::Delivered { .. } | Event::Online { .. } => assert_eq!(re, None),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(done, SAID);
        seen.push(messages);
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
    ann.stop().await;
    bob.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_front_end_reads_or_gets_wrong_is_no_concern_of_another() {
    let registry = Registry::start().await;
    let (mut ann, bob, _) = chat(&registry).await;
    ann.call(3, say("tea is ready")).await;
    let mut other = ann.join("other").await;
    let find = Command::Find {
        conversation: None,
        text: "tea".to_owned(),
    };
    let history = Command::History {
        conversation: OPEN,
        before: None,
    };
    let search = Command::Search { name: name("bob") };
    for (id, command) in [find, history, search, say("")].into_iter().enumerate() {
        let answers = ann.call(10 + id as u64, command).await;
        let is_list = |event: &Arc<Event>| matches!(**event, Event::Online { .. });
        let private = answers.iter().filter(|event| !is_list(event)).count();
        assert_eq!(private, 1, "{answers:?}");
    }
    assert!(ann.view.findings.is_some());
    ann.call(20, Command::Busy { on: true }).await;
    let is_known = |event: &Event| {
        matches!(
            event,
            Event::Delivered { .. } | Event::Busy { .. } | Event::Online { .. }
        )
    };
    while !other.view.busy {
        let Update { re, event } = other.apply_next().await;
        assert!(re.is_none() && is_known(&event), "{event:?}");
    }
    ann.stop().await;
    bob.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_marks_and_drafts_are_shared_and_there_after_a_restart() {
    let registry = Registry::start().await;
    let (mut ann, bob, options) = chat(&registry).await;
    bob.say("one").await;
    ann.read().await;
    let message = ann.view.open().newest_message().unwrap();
    let mut other = ann.join("other").await;
    let read = Command::Read {
        conversation: OPEN,
        message,
    };
    let draft = |text: &str| Command::Draft {
        conversation: OPEN,
        text: text.to_owned(),
    };
    assert_eq!(ann.view.open().unread(), 1);
    ann.call(3, read).await;
    ann.call(4, draft("I was about to")).await;
    let is_there = |view: &View| {
        let chat = view.open();
        chat.read == Some(message) && chat.draft == "I was about to" && chat.unread() == 0
    };
    other.see("the mark and the draft", is_there).await;
    ann.stop().await;

    let mut again = User::start(options).await;
    assert!(!is_there(&again.view));
    again.call(1, login("ann", "secret")).await;
    again.see("the mark and the draft", is_there).await;
    again.call(2, draft("")).await;
    other = again.join("another").await;
    assert_eq!(other.view.open().draft, "");
    again.stop().await;
    bob.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_that_cannot_be_saved_is_closed_by_that_whenever_it_is_asked() {
    let registry = Registry::start().await;
    // Without a file for it.
    let mut ann = registry.user("ann").await;
    let who = Target::Name(name("mallory"));
    for _ in 0..2 {
        let answers = ann.call(1, Command::Block { who }).await;
        assert_eq!(failure(&answers), Some(Problem::NotKept));
        assert_eq!(ann.view.blocked, [who], "it is valid all the same");
    }
    ann.send(Command::Unblock { who }).await;
    let failed = ann.hear("the failure", |event| match event {
        Event::Failed(failure) => Some(failure.code),
        _ => None,
    });
    assert_eq!(failed.await, Problem::NotKept);
    assert_eq!(failure(&ann.call(2, Command::Refresh).await), None);
    ann.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_made_again_after_a_restart_says_nothing_twice() {
    let registry = Registry::start().await;
    let (mut ann, mut bob, options) = chat(&registry).await;
    let first = ann.call(7, say("once")).await;
    bob.read().await;
    ann.stop().await;
    let mut again = User::start(options).await;
    again.call(1, login("ann", "secret")).await;
    let answers = again.call(7, say("once")).await;
    let id = |answers: &[Arc<Event>]| match &*answers[0] {
        Event::Message(message) => message.id,
        other => panic!("{other:?}"),
    };
    assert_eq!(id(&answers), id(&first));
    assert_eq!(
        failure(&again.call(7, say("twice")).await),
        Some(Problem::IdUsed)
    );
    assert_eq!(
        texts(&again.view),
        ["once"],
        "it is shown to who asked, and is no new line"
    );
    again.stop().await;
    bob.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_goes_on_where_a_killed_one_ended() {
    let registry = Registry::start().await;
    let (mut ann, mut bob, options) = chat(&registry).await;
    let (from, at) = (ann.address(), bob.address());
    let who = Target::Name(name("mallory"));
    ann.call(3, Command::Block { who }).await;
    ann.call(4, Command::Busy { on: true }).await;
    ann.call(5, say("one")).await;
    assert_eq!(bob.read().await.1, "one");
    let bobs_lines = bob.view.open().lines.len();
    // It finds its address again by the view, in place of the first that is free.
    let options = Options {
        address: None,
        ..options
    };
    let seen = ann.kill().await;
    assert!(seen.view.undo.is_some());
    let mut ann = User::resume(options, seen.view.clone()).await;
    assert_eq!(ann.address(), from);
    let view = &ann.view;
    assert_eq!(view.undo, None, "it went with the process");
    assert!(view.is_member(at) && view.busy && view.account == Some(name("ann")));
    assert_eq!(view.blocked, [who]);
    assert_eq!(texts(view), ["one"]);
    ann.see("the registry", |view| view.link == Link::PasswordNeeded)
        .await;

    ann.call(6, say("two")).await;
    assert_eq!(bob.read().await, (from, "two".to_owned()));
    bob.say("three").await;
    assert_eq!(ann.read().await, (at, "three".to_owned()));
    for (id, command, problem) in [
        (10, login("bob", "secret"), Problem::AlreadyLoggedIn),
        (11, login("ann", "wrong"), Problem::WrongCredentials),
        (12, Command::Refresh, Problem::NotLoggedIn),
    ] {
        assert_eq!(failure(&ann.call(id, command).await), Some(problem));
    }
    assert_eq!(ann.view.link, Link::PasswordNeeded);
    assert_eq!(failure(&ann.call(13, login("ann", "secret")).await), None);
    assert_eq!(ann.view.link, Link::Up);
    ann.call(14, say("four")).await;
    assert_eq!(bob.read().await.1, "four");
    assert_eq!(texts(&ann.view), ["one", "two", "three", "four"]);
    assert!(
        bob.view.open().lines.len() == bobs_lines + 3,
        "bob noticed nothing"
    );
    ann.stop().await;
    bob.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handing_over_ends_no_session_and_tells_nobody() {
    let registry = Registry::start().await;
    let (mut ann, mut bob, options) = chat(&registry).await;
    let (from, at) = (ann.address(), bob.address());
    ann.call(3, say("one")).await;
    assert_eq!(bob.read().await.1, "one");
    let seen = ann.hand_over().await;
    assert_eq!(seen.view.account, Some(name("ann")));
    assert!(seen.view.is_member(at));
    bob.call(5, Command::Refresh).await;
    let ann_is_online = |view: &View| view.online.iter().any(|user| user.address == from);
    assert!(ann_is_online(&bob.view), "{:?}", bob.view.online);
    let mut ann = User::resume(options, seen.view).await;
    ann.call(4, say("two")).await;
    assert_eq!(bob.read().await, (from, "two".to_owned()));
    let others = bob.view.open().lines.iter().filter(|line| {
        matches!(line, Line::Notice { text, .. } if text.contains("left") || text.contains("reach"))
    });
    assert_eq!(others.count(), 0, "{:?}", bob.view.open().lines);
    ann.call(5, login("ann", "secret")).await;
    ann.stop().await;
    bob.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_stored_and_not_shown_is_in_the_view_of_who_goes_on() {
    let registry = Registry::start().await;
    let (mut ann, mut bob, options) = chat(&registry).await;
    ann.call(3, say("one")).await;
    bob.read().await;
    // What a front end saw that did not hear of the rest any more.
    let early = ann.view.clone();
    let who = Target::Name(name("mallory"));
    ann.call(4, say("two")).await;
    bob.read().await;
    ann.see("the delivery", |view| {
        let Some(Line::Message(two)) = view.open().lines.last() else {
            return false;
        };
        two.delivery() == Some(DeliveryState::Sent)
    })
    .await;
    ann.call(5, Command::Block { who }).await;
    let message = ann.view.open().newest_message().unwrap();
    for (id, command) in [
        Command::Read {
            conversation: OPEN,
            message,
        },
        Command::Draft {
            conversation: OPEN,
            text: "three".to_owned(),
        },
    ]
    .into_iter()
    .enumerate()
    {
        ann.call(6 + id as u64, command).await;
    }
    // Killed while a text is on its way.
    let mut stored = History::open(&registry.history_of("ann")).unwrap();
    let at = message.number() + 1;
    ann.kill().await;
    let lost = sending(&early, MessageId::new(at));
    stored.record(name("ann"), &[lost]).unwrap();
    drop(stored);

    let mut ann = User::resume(options, early).await;
    let view = &ann.view;
    assert_eq!(texts(view), ["one", "two", "lost"]);
    assert_eq!(
        (view.open().read, view.open().draft.as_str()),
        (Some(message), "three")
    );
    assert_eq!(view.blocked, [who]);
    let states: Vec<_> = view
        .open()
        .lines
        .iter()
        .filter_map(|line| match line {
            Line::Message(message) => message.delivery(),
            Line::Post(_) | Line::Notice { .. } => None,
        })
        .collect();
    let (sent, unconfirmed) = (DeliveryState::Sent, DeliveryState::Unconfirmed);
    assert_eq!(states, [sent, sent, unconfirmed]);
    let answers = ann.call(20, say("four")).await;
    let Event::Message(four) = &*answers[0] else {
        panic!("{answers:?}");
    };
    assert!(four.id > MessageId::new(at));
    ann.kill().await;
    bob.stop().await;
}

/// A text of the user that was not delivered when the program ended.
fn sending(view: &View, id: MessageId) -> Message {
    let own = view.open().lines.iter().find_map(|line| match line {
        Line::Message(message) if message.is_own() => Some(Message::clone(message)),
        _ => None,
    });
    let mut own = own.unwrap();
    own.id = id;
    own.text = "lost".to_owned();
    for delivery in own.deliveries.iter_mut().flatten() {
        delivery.state = DeliveryState::Sending;
    }
    own
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_in_the_middle_of_sending_lose_and_repeat_nothing() {
    const ROUNDS: u64 = 15;
    const SAID: u64 = 8;
    let registry = Registry::start().await;
    let (mut ann, mut bob, options) = chat(&registry).await;
    let mut expected = Vec::new();
    for round in 0..ROUNDS {
        let ids = (1..=SAID).map(|number| 100 + round * SAID + number);
        let mut open: BTreeMap<u64, Command> =
            ids.map(|id| (id, say(format!("text {id}")))).collect();
        expected.extend(open.keys().map(|id| format!("text {id}")));
        for (id, command) in &open {
            ann.send(Call::with_id(*id, command.clone())).await;
        }
        let wait = Duration::from_micros(300 * round);
        let _ = tokio::time::timeout(wait, async {
            loop {
                ann.apply_next().await;
            }
        })
        .await;
        let seen = ann.kill().await;
        ann = User::resume(options.clone(), seen.view).await;
        // None of the answers has come through: all are asked again.
        while let Some((id, command)) = open.pop_first() {
            assert_eq!(failure(&ann.call(id, command).await), None);
        }
    }
    let stored = texts_of(&registry, "ann");
    for text in &expected {
        let count = stored.iter().filter(|stored| *stored == text).count();
        assert_eq!(count, 1, "{text}");
    }
    ann.call(9000, say("the end")).await;
    while bob.read().await.1 != "the end" {}
    let mut heard = texts(&bob.view);
    let count = heard.len();
    assert!(count > 1, "some of it arrived");
    heard.sort();
    heard.dedup();
    assert_eq!(heard.len(), count, "nothing is heard twice");
    ann.kill().await;
    bob.stop().await;
}

fn texts_of(registry: &Registry, user: &str) -> Vec<String> {
    let history = History::open(&registry.history_of(user)).unwrap();
    let mut texts = Vec::new();
    let mut before = None;
    loop {
        let page = history.page(name(user), OPEN, before).unwrap();
        before = page.messages.first().map(|message| message.id);
        texts.extend(page.messages.into_iter().map(|message| message.text));
        if !page.more {
            return texts;
        }
    }
}
