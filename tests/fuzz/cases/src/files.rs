//! Files that are there already when the registry or the peer starts: its own, in any
//! state, or those of something else.

use p2pchat_model::{
    ConversationId, Delivery, DeliveryState, Message, MessageId, PeerAddr, Person, Timestamp,
    Username,
};
use p2pchat_peer::History;
use p2pchat_registry::store::{NewAccount, Opener, SqliteStore, StoredPassword};
use p2pchat_registry::{Store, StoreError};
use tokio::runtime;

mod image;

use image::{Owner, Place};

/// The registry opens its own file or says what is wrong with it, and leaves others alone.
pub fn store(data: &[u8]) {
    let Some(place) = Place::new(data, Owner::Registry) else {
        return;
    };
    match SqliteStore::open(place.path(), Opener::Registry) {
        Ok(store) => {
            place.may_be_used();
            use_store(&store);
        }
        Err(error) => {
            assert!(
                error
                    .to_string()
                    .contains(&place.path().display().to_string())
            );
            place.is_untouched_unless_ours();
        }
    }
    // Whatever became of it, it can be looked at once more.
    if let Ok(store) = SqliteStore::open(place.path(), Opener::Operator) {
        use_store(&store);
    }
}

/// Everything that a registry does with its accounts. In a damaged file any of it may
/// fail, but the threads of the store live on.
fn use_store(store: &SqliteStore) {
    let name: Username = "ann".parse().unwrap();
    let password = |text: &str| StoredPassword::new(text.to_owned());
    let account = NewAccount {
        name,
        password: password("first"),
        address: Some("127.0.0.1".parse().unwrap()),
    };
    let runtime = runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        lives(store.names(None, 100).await);
        let made = lives(store.register(account).await);
        let found = lives(store.find(name).await);
        if made == Some(true)
            && let Some(found) = found
        {
            assert!(found.is_some(), "made, but not there");
        }
        lives(
            store
                .replace_password(name, password("first"), password("second"))
                .await,
        );
        lives(store.set_password(name, password("third")).await);
        lives(store.names(Some("a".to_owned()), 1).await);
        lives(store.remove(name).await);
        store.close().await;
    });
}

fn lives<T>(result: Result<T, StoreError>) -> Option<T> {
    match result {
        Err(StoreError::Closed) => panic!("a thread of the store has died"),
        other => other.ok(),
    }
}

/// The peer opens its history or says what is wrong with it, and leaves others alone.
pub fn history(data: &[u8]) {
    let Some(place) = Place::new(data, Owner::Peer) else {
        return;
    };
    match History::open(place.path()) {
        Ok(mut history) => {
            place.may_be_used();
            use_history(&mut history);
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            place.is_untouched_unless_ours();
        }
    }
    if let Ok(mut history) = History::open(place.path()) {
        use_history(&mut history);
    }
}

/// Everything that a peer does with its history. In a damaged file any of it may fail.
fn use_history(history: &mut History) {
    let account: Username = "ann".parse().unwrap();
    let said = message(7);
    let written = history.record(account, std::slice::from_ref(&said));
    if let (Ok(()), Ok(page)) = (written, history.page(account, said.conversation, None)) {
        assert!(page.messages.len() <= History::PAGE);
        let ids: Vec<_> = page.messages.iter().map(|message| message.id).collect();
        // A damaged index may hold them in any order; none of it may be a crash.
        assert!(ids.len() <= History::PAGE);
    }
    let delivery = Delivery {
        to: Person::listed("127.0.0.2".parse().unwrap(), None),
        state: DeliveryState::Sent,
    };
    let _ = history.update_delivery(account, said.id, delivery);
    let _ = history.page(account, said.conversation, Some(MessageId::new(u64::MAX)));
    let _ = history.find(account, None, "hello wor");
}

fn message(id: u64) -> Message {
    let address: PeerAddr = "127.0.0.1".parse().unwrap();
    Message {
        conversation: ConversationId::OPEN,
        id: MessageId::new(id),
        at: Timestamp(id),
        from: Person::listed(address, Some("ann".parse().unwrap())),
        text: "hello world".to_owned(),
        deliveries: Some(Vec::new()),
    }
}
