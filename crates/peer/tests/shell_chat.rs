//! Whole peers over real sockets, with a real registry.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[path = "shell_support/net.rs"]
mod net;

use std::time::{Duration, Instant};

use net::{OPEN, Registry, User, name, own_address};
use p2pchat_model::{
    Command, DeliveryState, Event, FrontEndId, LeaveReason, Line, Link, Outcome, Passphrase,
    Problem, Target, View,
};
use p2pchat_peer::{Options, Peer, StartError, Stopped};
use tokio::net::TcpStream;

fn texts(view: &View) -> Vec<String> {
    let text = |line: &Line| match line {
        Line::Message(message) => Some(message.text.clone()),
        Line::Post(_) | Line::Notice { .. } => None,
    };
    view.open().lines.iter().filter_map(text).collect()
}

/// `asker` asks for a chat, and `asked` accepts.
async fn chat(asker: &mut User, asked: &mut User) {
    let (from, address) = (asker.address(), asked.address());
    let to = Target::Address(address);
    asker
        .send(Command::Request {
            conversation: OPEN,
            to,
        })
        .await;
    asked
        .see("the request", |view| view.incoming.is_some())
        .await;
    asked
        .send(Command::Accept {
            conversation: OPEN,
            from,
        })
        .await;
    asker
        .see("the member", |view| view.is_member(address))
        .await;
    asked.see("the member", |view| view.is_member(from)).await;
}

/// The next status of a message of this user.
async fn delivered(user: &mut User) -> DeliveryState {
    user.hear("the delivery", |event| match event {
        Event::Delivered { delivery, .. } => Some(delivery.state),
        _ => None,
    })
    .await
}

fn login(user: &str) -> Command {
    Command::login(name(user), Passphrase::new("secret").unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_people_chat_and_the_one_who_vanishes_is_named() {
    let registry = Registry::start().await;
    let mut ann = registry.user("ann").await;
    let mut bob = registry.user("bob").await;
    let mut cem = registry.user("cem").await;

    chat(&mut ann, &mut bob).await;
    chat(&mut cem, &mut ann).await;
    let (at_ann, at_bob, at_cem) = (ann.address(), bob.address(), cem.address());
    bob.see("the third", |view| view.is_member(at_cem)).await;
    cem.see("the third", |view| view.is_member(at_bob)).await;

    ann.say("hello, çay? 👋").await;
    assert_eq!(bob.read().await, (at_ann, "hello, çay? 👋".to_owned()));
    assert_eq!(cem.read().await, (at_ann, "hello, çay? 👋".to_owned()));
    for _ in 0..2 {
        let state = ann
            .hear("the delivery", |event| match event {
                Event::Delivered { delivery, .. } => Some(delivery.state),
                _ => None,
            })
            .await;
        assert_eq!(state, DeliveryState::Sent);
    }
    // Several packets, in order.
    let long = (1..=60)
        .map(|n| format!("word{n}"))
        .collect::<Vec<_>>()
        .join(" ");
    cem.say(&long).await;
    let mut parts = Vec::new();
    while parts.join(" ").len() < long.len() {
        let (from, part) = bob.read().await;
        assert_eq!(from, at_cem);
        parts.push(part);
    }
    assert_eq!(parts.join(" "), long);

    let port = bob.view.message_port.unwrap();
    drop(bob);
    // Until no program listens: one that ends still accepts connections, and resets them.
    while TcpStream::connect((at_bob.ip(), port)).await.is_ok() {}
    ann.say("still there?").await;
    let (gone, reason) = ann
        .hear("the loss", |event| match event {
            Event::MemberLeft { member, reason, .. } => Some((member.address, *reason)),
            _ => None,
        })
        .await;
    assert_eq!((gone, reason), (at_bob, LeaveReason::Unreachable));
    while cem.read().await.1 != "still there?" {}
    for user in [ann, cem] {
        user.stop().await;
    }
}

/// Longer than a connection takes to end, and much shorter than a request waits.
const AT_ONCE: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawn_request_is_gone_at_the_other_side_at_once() {
    let registry = Registry::start().await;
    let mut ann = registry.user("ann").await;
    let mut bob = registry.user("bob").await;
    let (from, to) = (ann.address(), bob.address());
    let ask = Command::Request {
        conversation: OPEN,
        to: Target::Address(to),
    };
    let who = Target::Name(name("bob"));
    for withdraw in [
        Command::Cancel {
            conversation: OPEN,
            to,
        },
        Command::Block { who },
        Command::Logout,
    ] {
        ann.send(Command::Unblock { who }).await;
        ann.send(ask.clone()).await;
        bob.see("the request", |view| view.incoming.is_some()).await;
        let began = Instant::now();
        ann.send(withdraw).await;
        let outcome = bob
            .hear("the end of the request", |event| match event {
                Event::RequestClosed { outcome, .. } => Some(*outcome),
                _ => None,
            })
            .await;
        assert_eq!(outcome, Outcome::Withdrawn);
        assert!(began.elapsed() < AT_ONCE);
        ann.see("no request", |view| view.outgoing.is_empty()).await;
        bob.send(Command::Accept {
            conversation: OPEN,
            from,
        })
        .await;
        let problem = bob
            .hear("the failure", |event| match event {
                Event::Failed(failure) => Some(failure.code),
                _ => None,
            })
            .await;
        assert_eq!(problem, Problem::NoSuchRequest);
        assert!(bob.view.open().is_alone());
    }
    for user in [ann, bob] {
        user.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_undo_shows_what_came_since_and_the_others_noticed_nothing() {
    let registry = Registry::start().await;
    let mut ann = registry.user("ann").await;
    let mut bob = registry.user("bob").await;
    let (at_ann, at_bob) = (ann.address(), bob.address());
    chat(&mut ann, &mut bob).await;
    bob.say("one").await;
    assert_eq!(ann.read().await.1, "one");
    assert_eq!(delivered(&mut bob).await, DeliveryState::Sent);
    let who = Target::Address(at_bob);
    for (take_leave, text) in [
        (Command::Leave { conversation: OPEN }, "two"),
        (Command::Block { who }, "three"),
    ] {
        ann.send(take_leave).await;
        ann.see("the undo", |view| {
            view.undo.is_some() && view.open().is_alone()
        })
        .await;
        bob.say(text).await;
        // Until it is on its way: the answer to this comes after it.
        bob.send(Command::Refresh).await;
        bob.hear("the list", |event| {
            matches!(event, Event::Online { .. }).then_some(())
        })
        .await;
        assert!(bob.view.is_member(at_ann));
        ann.send(Command::Undo).await;
        assert_eq!(ann.read().await, (at_bob, text.to_owned()));
        assert!(ann.view.is_member(at_bob) && ann.view.undo.is_none());
        assert_eq!(delivered(&mut bob).await, DeliveryState::Sent);
    }
    ann.stop().await;
    bob.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_cross_are_one_chat() {
    let registry = Registry::start().await;
    for round in 0..5 {
        let mut ann = registry.user(&format!("ann{round}")).await;
        let mut bob = registry.user(&format!("bob{round}")).await;
        let (at_ann, at_bob) = (ann.address(), bob.address());
        let ask = |address| Command::Request {
            conversation: OPEN,
            to: Target::Address(address),
        };
        tokio::join!(ann.send(ask(at_bob)), bob.send(ask(at_ann)));
        ann.see("the chat", |view| view.is_member(at_bob)).await;
        bob.see("the chat", |view| view.is_member(at_ann)).await;
        ann.say("hello").await;
        assert_eq!(bob.read().await.1, "hello");
        for user in [&ann, &bob] {
            assert_eq!((&user.view.incoming, user.view.outgoing.len()), (&None, 0));
        }
        ann.stop().await;
        bob.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_is_shown_again_after_a_restart() {
    let registry = Registry::start().await;
    let mut ann = registry.user("ann").await;
    let mut bob = registry.user("bob").await;
    chat(&mut ann, &mut bob).await;
    ann.say("remember this").await;
    bob.read().await;
    bob.say("I will").await;
    ann.read().await;
    // One in order, one as if it was killed.
    ann.stop().await;
    drop(bob);

    for user in ["ann", "bob"] {
        let mut again = User::start(Options {
            history: Some(registry.history_of(user)),
            ..registry.options()
        })
        .await;
        again.send(login(user)).await;
        again
            .see("the history", |view| texts(view).len() >= 2)
            .await;
        assert_eq!(texts(&again.view), ["remember this", "I will"]);
        let text = "rememb".to_owned();
        again
            .send(Command::Find {
                conversation: None,
                text,
            })
            .await;
        again
            .see("the findings", |view| view.findings.is_some())
            .await;
        assert_eq!(
            again.view.findings.as_ref().unwrap().messages[0].text,
            "remember this"
        );
        again.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_sends_what_was_said_and_logs_out() {
    let registry = Registry::start().await;
    let mut ann = registry.user("ann").await;
    let mut bob = registry.user("bob").await;
    chat(&mut ann, &mut bob).await;
    ann.say("goodbye").await;
    ann.stop().await;

    assert_eq!(bob.read().await.1, "goodbye");
    bob.send(Command::Refresh).await;
    let online = bob
        .hear("the list", |event| match event {
            Event::Online { users } => Some(users.iter().map(|user| user.name).collect::<Vec<_>>()),
            _ => None,
        })
        .await;
    assert_eq!(online, [name("bob")]);
    bob.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_starts_without_its_registry_and_finds_it_later() {
    // A port that is free for the moment.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = free.local_addr().unwrap();
    drop(free);
    let mut user = User::start(Options {
        registry: at.to_string(),
        allow_plaintext: true,
        address: Some(own_address()),
        ..Options::default()
    })
    .await;
    let place = format!("{}, port {}", at.ip(), at.port());
    let down =
        |view: &View| matches!(&view.link, Link::Down { reason, .. } if reason.contains(&place));
    user.see("the missing registry", down).await;

    let _registry = std::net::TcpListener::bind(at).unwrap();
    user.see("the registry", |view| view.link == Link::Up).await;
    user.stop().await;
}

#[tokio::test]
async fn a_peer_that_is_dropped_frees_its_ports_and_ends_its_handles() {
    let registry = Registry::start().await;
    let options = registry.options();
    let peer = Peer::start(options.clone(), None).await.unwrap();
    let handle = peer.handle();
    let front_end = FrontEndId::new("first").unwrap();
    let (calls, mut updates) = handle.join(front_end.clone()).await.unwrap();
    drop(peer);

    while updates.next().await.is_ok() {}
    assert!(handle.join(front_end).await.is_err());
    assert_eq!(calls.send(Command::Logout).await, Err(Stopped));
    let give_up = Instant::now() + Duration::from_secs(10);
    let again = loop {
        match Peer::start(options.clone(), None).await {
            Ok(peer) => break peer,
            Err(error) => assert!(Instant::now() < give_up, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    again.stop().await.unwrap();
}

#[tokio::test]
async fn a_stopped_peer_can_be_started_again_at_once() {
    let registry = Registry::start().await;
    let options = registry.options();
    for _ in 0..5 {
        let peer = Peer::start(options.clone(), None).await.unwrap();
        let began = Instant::now();
        peer.stop().await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn the_reason_why_a_peer_cannot_start_is_named() {
    let registry = Registry::start().await;
    let options = registry.options();
    let _running = Peer::start(options.clone(), None).await.unwrap();
    let error = Peer::start(options.clone(), None).await.unwrap_err();
    assert!(
        matches!(error, StartError::PortInUse { port: 5858, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("--address"), "{error}");

    let notes = registry.folder.path().join("notes.txt");
    std::fs::write(&notes, "my notes".repeat(1000)).unwrap();
    let with_notes = Options {
        address: Some(own_address()),
        history: Some(notes),
        ..options.clone()
    };
    let error = Peer::start(with_notes, None).await.unwrap_err();
    assert!(matches!(error, StartError::History { .. }), "{error}");
    assert!(error.to_string().contains("notes.txt"), "{error}");

    let nowhere = Options {
        registry: "no-such-host.invalid".to_owned(),
        address: None,
        ..options
    };
    let error = Peer::start(nowhere.clone(), None).await.unwrap_err();
    assert!(
        matches!(error, StartError::UnknownRegistry { .. }),
        "{error}"
    );
    // With an address it goes on, and says so.
    let mut user = User::start(Options {
        address: Some(own_address()),
        ..nowhere
    })
    .await;
    user.see("the reason", |view| {
        matches!(&view.link, Link::Down { reason, .. } if reason.contains("its name cannot be resolved"))
    })
    .await;
}
