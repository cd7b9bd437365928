//! Who has signed out is not there, although their program runs.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};

use p2pchat_model::{Command, ConversationId, Event, View};
use p2pchat_protocol::{MESSAGE_PORT, MESSAGE_PORT_UNPRIVILEGED};
use p2pchat_testkit::{Person, Screen, agree};

use crate::Place;

/// The updates until one answers a call, of which none may be a message.
async fn hears_nothing(person: &mut Person) {
    let id = person.ask(&Command::Registries).await.unwrap();
    loop {
        let update = person.next().await.unwrap();
        let event = &*update.event;
        let is_talk = matches!(
            event,
            Event::Post(_) | Event::PostChanged(_) | Event::Chat { .. }
        );
        assert!(!is_talk, "{event:?}");
        if update.re.as_ref() == Some(&id) && event.closes_call() {
            return;
        }
    }
}

fn is_gone(of: &Person) -> impl Fn(&View) -> Option<()> + use<> {
    let name = of.name;
    move |view| view.user(name).is_none().then_some(())
}

/// Three people in a group, and the first two in a conversation of their own.
async fn three(place: &Place) -> ([Person; 3], [ConversationId; 2]) {
    let mut alice = place.signed_up("alice").await.unwrap();
    let mut bob = place.signed_up("bob").await.unwrap();
    let mut carol = place.signed_up("carol").await.unwrap();
    let group = alice.group("Team", &[bob.name, carol.name]).await.unwrap();
    let two = alice.chat(bob.name).await.unwrap();
    for id in [group, two] {
        bob.join(id).await.unwrap();
    }
    carol.join(group).await.unwrap();
    alice.say(group, "0").await.unwrap();
    let all_in = |_, screen: &Screen| screen.texts() == ["0"];
    agree(
        &mut [&mut alice, &mut bob, &mut carol],
        &[group],
        "all",
        all_in,
    )
    .await
    .unwrap();
    ([alice, bob, carol], [group, two])
}

/// One says this, and another one goes and comes back for it: that takes longer than a dial of
/// someone else would.
async fn goes_on(alice: &mut Person, carol: &mut Person, group: ConversationId, number: usize) {
    carol.kill().await.unwrap();
    let text = number.to_string();
    alice.say(group, &text).await.unwrap();
    carol.come().await.unwrap();
    let has_it = |_, screen: &Screen| screen.count(&text) == 1;
    agree(&mut [alice, carol], &[group], "carol", has_it)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_signed_out_gets_nothing_until_they_sign_in_and_then_all_of_it() {
    let place = Place::new().await.unwrap();
    let ([mut alice, mut bob, mut carol], [group, two]) = three(&place).await;
    bob.sign_out().await.unwrap();
    for other in [&mut alice, &mut carol] {
        other
            .until("that bob is gone", is_gone(&bob))
            .await
            .unwrap();
    }
    alice.say(two, "for bob").await.unwrap();
    for number in 1..=3 {
        goes_on(&mut alice, &mut carol, group, number).await;
        hears_nothing(&mut bob).await;
    }
    bob.sign_in().await.unwrap();
    let has_all = |_, screen: &Screen| screen.texts() == ["0", "1", "2", "3"];
    agree(
        &mut [&mut alice, &mut bob, &mut carol],
        &[group],
        "back",
        has_all,
    )
    .await
    .unwrap();
    let has_all = |_, screen: &Screen| screen.texts() == ["for bob"];
    agree(&mut [&mut alice, &mut bob], &[two], "two", has_all)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_signed_out_is_dialled_no_more() {
    let place = Place::new().await.unwrap();
    let ([mut alice, mut bob, mut carol], [group, _]) = three(&place).await;
    bob.sign_out().await.unwrap();
    for other in [&mut alice, &mut carol] {
        other
            .until("that bob is gone", is_gone(&bob))
            .await
            .unwrap();
    }
    bob.kill().await.unwrap();
    let listeners = listen(bob.address);
    for number in 1..=3 {
        goes_on(&mut alice, &mut carol, group, number).await;
    }
    for listener in listeners {
        let dialled = listener.accept().map(drop).map_err(|error| error.kind());
        assert_eq!(dialled, Err(ErrorKind::WouldBlock));
    }
}

/// The ports that the program of someone may have been reached at.
fn listen(at: Ipv4Addr) -> Vec<TcpListener> {
    let listen = |port| TcpListener::bind((at, port)).ok();
    let ports = [MESSAGE_PORT, MESSAGE_PORT_UNPRIVILEGED];
    let listeners: Vec<_> = ports.into_iter().filter_map(listen).collect();
    assert!(!listeners.is_empty(), "no port to listen at");
    for listener in &listeners {
        listener.set_nonblocking(true).unwrap();
    }
    listeners
}
