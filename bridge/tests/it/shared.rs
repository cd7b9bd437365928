//! Several programs on one profile, as processes.
#![cfg(unix)]

use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use p2pchat_bridge::limits::MAX_FRAME_BYTES;
use p2pchat_model::{Command as Call, ConversationId, Event, Line, Link, Notice};

use crate::chat::{Registry, has, meet, say};
use crate::process::{Running, command};
use crate::support::{Page, Visit, own_address, within};

/// Opens the page of a bridge that runs as a process.
async fn page(bridge: &Running) -> Page {
    let url = bridge.url().strip_prefix("http://").unwrap();
    let (address, secret) = url.split_once("/#").unwrap();
    let address: SocketAddr = address.parse().unwrap();
    let mut page = Visit::new(address).connect().await.unwrap();
    page.greet(secret).await;
    page.begin().await;
    page
}

/// A bridge of the profile in this folder; each has an address of its own in its options.
fn start(folder: &Path) -> Running {
    Running::start(&mut command(folder))
}

fn errors(bridge: &mut Running) -> String {
    let mut text = String::new();
    let mut stderr = bridge.child.stderr.take().unwrap();
    stderr.read_to_string(&mut text).unwrap();
    text
}

async fn set_busy(page: &mut Page, on: bool) {
    let answers = page.call(u64::from(on), &Call::Busy { on }).await;
    assert_eq!(answers.last().map(|last| &**last), Some(&Event::Done));
}

#[tokio::test]
async fn who_comes_second_attaches_and_shares_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let (first, mut second) = (start(folder.path()), start(folder.path()));
    assert_eq!(first.peer(), second.peer());
    let (mut one, mut other) = (page(&first).await, page(&second).await);
    set_busy(&mut other, true).await;
    one.until_view("the busy switch", |view| view.busy).await;
    set_busy(&mut one, false).await;
    other.until_view("the busy switch", |view| !view.busy).await;

    // Closing one is for that one.
    assert_eq!(second.stop("-TERM"), Some(0));
    let said = errors(&mut second);
    let attached = format!(
        "p2pchat-bridge: attached to p2pchat-bridge, process {}: the same account, chats and history\n",
        first.child.id()
    );
    assert!(said.contains(&attached), "{said}");
    set_busy(&mut one, true).await;
}

#[tokio::test]
async fn pages_are_served_through_a_takeover() {
    for signal in ["-KILL", "-TERM"] {
        let folder = tempfile::tempdir().unwrap();
        let (mut first, second) = (start(folder.path()), start(folder.path()));
        let address = first.peer().to_owned();
        let mut page = page(&second).await;
        set_busy(&mut page, true).await;
        first.stop(signal);
        // Answered by the one that has taken over.
        let undone = page.call(2, &Call::Undo).await;
        assert!(matches!(*undone[0], Event::Failed(_)), "{undone:?}");
        assert!(page.view.busy, "what was before stays");
        assert_eq!(page.view.address.map(|own| own.to_string()), Some(address));

        // The one that took over lets others attach.
        let third = start(folder.path());
        let mut third = self::page(&third).await;
        set_busy(&mut third, false).await;
        page.until_view("the busy switch", |view| !view.busy).await;
    }
}

#[tokio::test]
async fn a_page_can_be_told_and_the_bridge_ends_while_the_owner_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (first, mut second) = (start(folder.path()), start(folder.path()));
    let mut page = page(&second).await;
    first.signal("-STOP");
    // More than anything in between has room for.
    for turn in 0..500 {
        page.send(&Call::Busy { on: turn % 2 == 0 }).await;
    }
    let stopped = page.until("word of the owner", |event| match event {
        Event::Notice {
            what: Notice::PeerStopped { process },
            ..
        } => Some(*process),
        _ => None,
    });
    assert_eq!(stopped.await, first.child.id());
    assert_eq!(second.stop("-TERM"), Some(0));
    first.signal("-CONT");
}

#[tokio::test]
async fn a_long_text_is_answered_where_the_peer_is_in_another_program() {
    let folder = tempfile::tempdir().unwrap();
    let (_first, second) = (start(folder.path()), start(folder.path()));
    let mut page = page(&second).await;
    let say = Call::Say {
        conversation: ConversationId::OPEN,
        text: "x".repeat(MAX_FRAME_BYTES - 60),
        reply_to: None,
    };
    page.send(&say).await;
    let failed = page.until("an answer", |event| match event {
        Event::Failed(failure) => Some(failure.command.clone()),
        _ => None,
    });
    assert_eq!(within("an answer", failed).await, "say");
    set_busy(&mut page, true).await;
}

#[tokio::test]
async fn a_chat_goes_on_through_a_takeover() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start(folder.path()).await;
    let bridge = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_p2pchat-bridge"));
        command
            .env_clear()
            .env("HOME", folder.path())
            .args(["--registry", &registry.address])
            .args(["--hello-port", &registry.hello_port.to_string()])
            .args(["--address", &own_address().to_string()])
            .args(["--listen", "127.0.0.1:0", "--unprivileged"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Running::start(&mut command)
    };
    let (mut first, second) = (bridge(), bridge());
    let bobs = registry.bridge(None).await;
    let (mut alice, mut bob) = (page(&second).await, bobs.page().await);
    meet(&mut alice, &mut bob).await;
    say(&mut alice, "before").await;
    bob.until_view("the text", |view| has(view, "before")).await;
    let draft = Call::Draft {
        conversation: ConversationId::OPEN,
        text: "half a thought".to_owned(),
    };
    alice.call(1, &draft).await;
    alice
        .until_view("the delivery", |view| {
            let mut lines = view.open().lines.iter();
            !lines.any(|line| matches!(line, Line::Message(message) if message.is_sending()))
        })
        .await;

    first.stop("-KILL");
    alice
        .until("the view of the one that took over", |event| {
            matches!(event, Event::View(_)).then_some(())
        })
        .await;
    // The key signs in again: no password is asked.
    alice
        .until_view("the line to the registry", |view| view.link == Link::Up)
        .await;
    assert_eq!(alice.view.account, Some("alice".parse().unwrap()));
    assert_eq!(alice.view.open().members.len(), 1);
    assert_eq!(alice.view.open().draft, "half a thought");
    say(&mut alice, "after").await;
    bob.until_view("the text", |view| has(view, "after")).await;
    say(&mut bob, "still there").await;
    alice
        .until_view("the answer", |view| has(view, "still there"))
        .await;
    bob.until_view("their own text", |view| has(view, "still there"))
        .await;
    assert_eq!(alice.texts(), ["before", "after", "still there"]);
    assert_eq!(bob.texts(), alice.texts());
}
