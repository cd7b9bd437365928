//! Whole chats: two bridges, a registry, and a page on either side.

use std::path::Path;

use hyper_tungstenite::tungstenite::protocol::CloseFrame;
use hyper_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use p2pchat_bridge::Limits;
use p2pchat_common::rate_limit::Rate;
use p2pchat_model::{
    Command, ConversationId, DeliveryState, Event, Line, Passphrase, Target, View,
};
use p2pchat_registry::{Options, Server, StoreSpec};
use tokio::task::JoinHandle;

use crate::support::{Bridge, Page, TestOptions, closed};

const OPEN: ConversationId = ConversationId::OPEN;

/// A registry for one test; it ends with the test's runtime.
pub(crate) struct Registry {
    pub(crate) address: String,
    pub(crate) hello_port: u16,
    _running: JoinHandle<Result<(), p2pchat_registry::PartEnded>>,
}

impl Registry {
    pub(crate) async fn start(folder: &Path) -> Self {
        let store = StoreSpec::Sqlite(folder.join("accounts.sqlite3"));
        let server = Server::bind(Options::on_loopback(store)).await.unwrap();
        Self {
            address: server.tcp_addr().to_string(),
            hello_port: server.udp_addr().port(),
            _running: tokio::spawn(server.run(std::future::pending())),
        }
    }

    /// A bridge that keeps its history in this file.
    pub(crate) async fn bridge(&self, history: Option<&Path>) -> Bridge {
        Bridge::start_with(TestOptions {
            registry: self.address.clone(),
            hello_port: self.hello_port,
            history: history.map(Path::to_owned),
            limits: Limits {
                frames: Rate {
                    burst: 10_000,
                    ..Limits::default().frames
                },
                ..Limits::default()
            },
            ..TestOptions::default()
        })
        .await
    }
}

pub(crate) async fn register(page: &mut Page, name: &str) {
    page.send(&Command::register(
        name.parse().unwrap(),
        Passphrase::new("a password").unwrap(),
    ))
    .await;
    page.until_view("the login", |view| view.account.is_some())
        .await;
}

/// Brings the users of two pages together.
pub(crate) async fn meet(alice: &mut Page, bob: &mut Page) {
    register(bob, "bob").await;
    register(alice, "alice").await;
    let to = Target::new("bob").unwrap();
    alice
        .send(&Command::Request {
            conversation: OPEN,
            to,
        })
        .await;
    bob.until_view("the request", |view| view.incoming.is_some())
        .await;
    let from = bob.view.incoming.as_ref().unwrap().from.address;
    bob.send(&Command::Accept {
        conversation: OPEN,
        from,
    })
    .await;
    bob.until_view("a member", |view| view.open().members.len() == 1)
        .await;
    alice
        .until_view("a member", |view| view.open().members.len() == 1)
        .await;
}

pub(crate) async fn say(page: &mut Page, text: &str) {
    let text = text.to_owned();
    page.send(&Command::Say {
        conversation: OPEN,
        text,
        reply_to: None,
    })
    .await;
}

pub(crate) fn has(view: &View, text: &str) -> bool {
    view.open()
        .lines
        .iter()
        .any(|line| matches!(line, Line::Message(message) if message.text == text))
}

/// Whether the last message was sent to all members.
fn is_sent(view: &View) -> bool {
    let last = view.open().lines.iter().rev().find_map(|line| match line {
        Line::Message(message) => message.deliveries.as_ref(),
        Line::Post(_) | Line::Notice { .. } => None,
    });
    last.is_some_and(|all| {
        all.iter()
            .all(|delivery| delivery.state == DeliveryState::Sent)
    })
}

#[tokio::test]
async fn two_users_meet_and_talk_through_their_browsers() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start(folder.path()).await;
    let (one, other) = (registry.bridge(None).await, registry.bridge(None).await);
    let (mut alice, mut bob) = (one.page().await, other.page().await);
    meet(&mut alice, &mut bob).await;

    say(&mut alice, "lunch at noon?").await;
    bob.until_view("the text", |view| has(view, "lunch at noon?"))
        .await;
    alice.until_view("the delivery", is_sent).await;
    say(&mut bob, "fine with me").await;
    alice
        .until_view("the answer", |view| has(view, "fine with me"))
        .await;
    // What others say stays what it is: the page shows it as text.
    let hostile = "<script>alert(1)</script>\u{1b}[2J\u{202e}";
    say(&mut bob, hostile).await;
    alice
        .until_view("the text", |view| has(view, hostile))
        .await;

    bob.until_view("their own text", |view| has(view, hostile))
        .await;
    assert_eq!(alice.texts(), bob.texts());
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn all_tabs_agree_and_one_that_comes_later_has_everything() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start(folder.path()).await;
    let (one, other) = (registry.bridge(None).await, registry.bridge(None).await);
    let (mut alice, mut bob) = (one.page().await, other.page().await);
    let mut second = one.page().await;
    meet(&mut alice, &mut bob).await;
    say(&mut second, "from the second tab").await;
    alice.until_view("the delivery", is_sent).await;
    second.until_view("the delivery", is_sent).await;

    // All tabs are closed, and the user is still there.
    drop((alice, second));
    say(&mut bob, "are you there?").await;
    bob.until_view("the delivery", is_sent).await;
    let mut back = one.page().await;
    back.until_view("the text", |view| has(view, "are you there?"))
        .await;
    assert_eq!(back.view.account, Some("alice".parse().unwrap()));
    assert_eq!(back.view.open().members.len(), 1);
    assert_eq!(back.texts(), ["from the second tab", "are you there?"]);

    let third = one.page().await;
    assert_eq!(third.view, back.view);
}

#[tokio::test]
async fn a_tab_begins_with_the_newest_lines_and_reads_back_to_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start(folder.path()).await;
    for history in [Some(folder.path().join("history")), None] {
        let one = registry.bridge(history.as_deref()).await;
        let other = registry.bridge(None).await;
        let (mut alice, mut bob) = (one.page().await, other.page().await);
        match history {
            Some(_) => meet(&mut alice, &mut bob).await,
            None => meet_again(&mut alice, &mut bob).await,
        }
        for number in 0..350 {
            say(&mut alice, &format!("text {number}")).await;
        }
        bob.until_view("the last text", |view| has(view, "text 349"))
            .await;
        alice
            .until_view("the last delivery", |view| {
                has(view, "text 349") && is_sent(view)
            })
            .await;

        let mut late = one.page().await;
        let mut later = one.page().await;
        assert_eq!(late.view.open().lines.len(), 200);
        assert!(late.view.open().more_history);
        for page in [&mut late, &mut later] {
            while page.view.open().more_history {
                let before = page.view.open().oldest_message();
                page.send(&Command::History {
                    conversation: OPEN,
                    before,
                })
                .await;
                page.until_view("a page", |view| {
                    view.open().oldest_message() != before || !view.open().more_history
                })
                .await;
            }
            assert_eq!(page.texts(), alice.texts());
        }
        one.stop().await;
        other.stop().await;
    }
}

/// [`meet`], for accounts of other names.
async fn meet_again(alice: &mut Page, bob: &mut Page) {
    for (page, name) in [(&mut *bob, "bob2"), (&mut *alice, "alice2")] {
        register(page, name).await;
    }
    let to = Target::new("bob2").unwrap();
    alice
        .send(&Command::Request {
            conversation: OPEN,
            to,
        })
        .await;
    bob.until_view("the request", |view| view.incoming.is_some())
        .await;
    let from = bob.view.incoming.as_ref().unwrap().from.address;
    bob.send(&Command::Accept {
        conversation: OPEN,
        from,
    })
    .await;
    alice
        .until_view("a member", |view| view.open().members.len() == 1)
        .await;
}

#[tokio::test]
async fn a_bridge_that_starts_again_has_the_earlier_messages() {
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("history");
    let registry = Registry::start(folder.path()).await;
    let (one, other) = (
        registry.bridge(Some(&history)).await,
        registry.bridge(None).await,
    );
    let (mut alice, mut bob) = (one.page().await, other.page().await);
    meet(&mut alice, &mut bob).await;
    say(&mut alice, "remember this").await;
    alice.until_view("the delivery", is_sent).await;
    one.stop().await;

    let one = registry.bridge(Some(&history)).await;
    let mut alice = one.page().await;
    // The key signs in by itself.
    alice
        .until_view("the text", |view| has(view, "remember this"))
        .await;
}

#[tokio::test]
async fn a_bridge_that_stops_tells_its_pages() {
    let bridge = Bridge::start().await;
    let mut page = bridge.page().await;
    let mut waiting = bridge.visit().connect().await.unwrap();
    let address = bridge.address;
    let stopping = tokio::spawn(bridge.stop());
    assert_eq!(
        closed(&mut page).await,
        (1001, "the bridge stops".to_owned())
    );
    assert_eq!(
        closed(&mut waiting).await,
        (1001, "the bridge stops".to_owned())
    );
    stopping.await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_page_that_closes_is_answered() {
    let bridge = Bridge::start().await;
    let mut greeted = bridge.page().await;
    let mut waiting = bridge.visit().connect().await.unwrap();
    for page in [&mut greeted, &mut waiting] {
        let frame = CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        };
        page.stream.close(Some(frame)).await.unwrap();
        assert_eq!(closed(page).await.0, 1000);
    }
}

#[tokio::test]
async fn what_a_page_says_again_under_its_id_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start(folder.path()).await;
    let one = registry.bridge(Some(&folder.path().join("history"))).await;
    let other = registry.bridge(None).await;
    let (mut alice, mut bob) = (one.page().await, other.page().await);
    meet(&mut alice, &mut bob).await;
    let words = Command::Say {
        conversation: OPEN,
        text: "lunch at noon?".to_owned(),
        reply_to: None,
    };
    let mut answers = Vec::new();
    for _ in 0..3 {
        let mut tab = one.visit().connect().await.unwrap();
        tab.greet_as("tab", one.secret.expose()).await;
        tab.begin().await;
        answers.push(tab.call(1, &words).await);
        assert_eq!(tab.texts(), ["lunch at noon?"]);
    }
    for again in answers {
        let kinds = (&*again[0], &*again[1], again.len());
        assert!(
            matches!(kinds, (Event::Message(_), Event::Done, 2)),
            "{again:?}"
        );
    }
    say(&mut alice, "or at one?").await;
    bob.until_view("the second text", |view| has(view, "or at one?"))
        .await;
    assert_eq!(bob.texts(), ["lunch at noon?", "or at one?"]);
    alice
        .until_view("their own text", |view| has(view, "or at one?"))
        .await;
    assert_eq!(alice.texts(), bob.texts());
}

#[tokio::test]
async fn history_and_searches_are_for_the_page_that_asked() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start(folder.path()).await;
    let one = registry.bridge(Some(&folder.path().join("history"))).await;
    let other = registry.bridge(None).await;
    let (mut alice, mut bob) = (one.page().await, other.page().await);
    meet(&mut alice, &mut bob).await;
    say(&mut alice, "remember this").await;
    alice.until_view("the delivery", is_sent).await;
    let mut second = one.page().await;
    let history = Command::History {
        conversation: OPEN,
        before: None,
    };
    let find = Command::Find {
        conversation: None,
        text: "remember".to_owned(),
    };
    let page = alice.call(1, &history).await;
    assert!(matches!(&*page[0], Event::History { messages, .. } if messages.len() == 1));
    let found = alice.call(2, &find).await;
    assert!(matches!(&*found[0], Event::Findings { messages, .. } if messages.len() == 1));
    alice.send(&Command::Busy { on: true }).await;
    second
        .until("the busy switch", |event| match event {
            Event::Busy { .. } => Some(()),
            Event::History { .. } | Event::Findings { .. } | Event::Done => {
                panic!("not for this page: {event:?}")
            }
            _ => None,
        })
        .await;
    assert_eq!(second.view.findings, None);
}
