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
    let said = ann.call(&Command::Say { conversation, text }).await;
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
