//! That what all runs stand on works: a registry and two who chat.

use p2pchat_model::{Command, ConversationId, Event, PeerAddr};
use p2pchat_testkit::{Peer, Programs, Registry, SOON, own_address};

async fn join(programs: &Programs, home: &std::path::Path, to: &Registry, name: &str) -> Peer {
    let home = home.join(name);
    std::fs::create_dir_all(&home).unwrap();
    let mut peer = Peer::start(programs, &home, to, own_address(), &["--no-history"]).unwrap();
    let (name, password) = (name.parse().unwrap(), "secret".parse().unwrap());
    peer.register(name, password).await.unwrap();
    peer
}

#[tokio::test]
async fn two_chat_and_a_registry_that_is_killed_is_back_on_its_ports() {
    let programs = Programs::find().unwrap();
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("accounts.sqlite3");
    let store = store.to_str().unwrap();
    let registry = Registry::start(&programs, home.path(), store, &[])
        .await
        .unwrap();
    assert!(registry.memory().unwrap() > 1024 * 1024);
    let mut ann = join(&programs, home.path(), &registry, "ann").await;
    let mut bob = join(&programs, home.path(), &registry, "bob").await;
    let to = PeerAddr::new(bob.address).unwrap();
    tokio::try_join!(ann.request(to), bob.accept()).unwrap();

    let ports = registry.ports();
    registry.kill().await.unwrap();
    let text = "still here".to_owned();
    let conversation = ConversationId::OPEN;
    let said = ann
        .call(&Command::Say {
            conversation,
            text,
            reply_to: None,
        })
        .await;
    said.unwrap().unwrap();
    let hears = |event: &Event| {
        matches!(event, Event::Message(said) if said.text == "still here").then_some(())
    };
    bob.event_with("text", SOON, hears).await.unwrap();

    let registry = Registry::start_at(ports, &programs, home.path(), store, &[])
        .await
        .unwrap();
    assert_eq!(registry.ports(), ports);
    let logged_in = |event: &Event| matches!(event, Event::LoggedIn { .. }).then_some(());
    ann.event_with("login", SOON, logged_in).await.unwrap();
    ann.kill().await.unwrap();
    bob.kill().await.unwrap();
}

/// The terminal and the page of one user, whichever comes first: one peer, one chat.
#[tokio::test]
async fn a_terminal_and_a_page_share_a_profile_in_either_order() {
    let programs = Programs::find().unwrap();
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("accounts.sqlite3");
    let registry = Registry::start(&programs, home.path(), store.to_str().unwrap(), &[])
        .await
        .unwrap();
    for name in ["ann", "bob"] {
        let home = home.path().join(name);
        std::fs::create_dir_all(&home).unwrap();
        let terminal = || Peer::start(&programs, &home, &registry, own_address(), &[]).unwrap();
        let page = async || {
            let page = Peer::start_bridge(&programs, &home, &registry, own_address()).await;
            let mut page = page.unwrap();
            page.open_page().await.unwrap();
            page
        };
        let (mut first, mut second) = if name == "ann" {
            let mut first = terminal();
            first.event_with("view", SOON, is_view).await.unwrap();
            (first, page().await)
        } else {
            (page().await, terminal())
        };
        let password = "secret".parse().unwrap();
        first
            .register(name.parse().unwrap(), password)
            .await
            .unwrap();
        let is_in = |event: &Event| match event {
            Event::LoggedIn { .. } => Some(()),
            Event::View(snapshot) => snapshot.view.account.map(drop),
            _ => None,
        };
        second.event_with("login", SOON, is_in).await.unwrap();
        let draft = Command::Draft {
            conversation: ConversationId::OPEN,
            text: "half a thought".to_owned(),
        };
        second.call(&draft).await.unwrap().unwrap();
        let is_typed = |event: &Event| match event {
            Event::Draft { text, .. } => Some(text.clone()),
            _ => None,
        };
        let typed = first.event_with("draft", SOON, is_typed).await.unwrap();
        assert_eq!(typed, "half a thought");

        // The session and the draft stay, and the same address.
        first.kill().await.unwrap();
        let busy = second.call(&Command::Busy { on: true }).await.unwrap();
        busy.unwrap();
        let after = |event: &Event| match event {
            Event::View(snapshot) => Some(snapshot.view.clone()),
            _ => None,
        };
        let after = second.event_with("view", SOON, after).await.unwrap();
        assert_eq!(after.account, Some(name.parse().unwrap()));
        assert_eq!(after.open().draft, "half a thought");
        second.kill().await.unwrap();
    }
}

fn is_view(event: &Event) -> Option<()> {
    matches!(event, Event::View(_)).then_some(())
}
