//! What every store does. Each behaviour runs by name on each: the embedded one,
//! a single mongod, and a replica set.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::join_all;
use p2pchat_protocol::Username;
use p2pchat_registry::store::{NewAccount, Opener, StoredPassword};
use p2pchat_registry::{Store, StoreError};

use crate::support::stores::Fresh;

macro_rules! on_all_stores {
    ($($behaviour:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $behaviour() {
                super::$behaviour(super::Fresh::sqlite()).await;
            })+
        }
        mod mongo {
            $(#[tokio::test] async fn $behaviour() {
                p2pchat_testkit::require_mongodb!();
                super::$behaviour(super::Fresh::mongo()).await;
            })+
        }
        mod replica_set {
            $(#[tokio::test] async fn $behaviour() {
                p2pchat_testkit::require_mongod!();
                super::$behaviour(super::Fresh::replica_set()).await;
            })+
        }
    };
}

on_all_stores!(
    an_account_is_found_by_its_name,
    a_name_is_registered_once,
    of_many_who_register_a_name_at_a_time_one_gets_it,
    names_are_told_apart_by_their_bytes,
    a_password_is_replaced_only_where_the_old_one_is,
    a_password_is_set,
    a_removed_account_is_gone_and_its_name_free,
    names_come_in_pages_in_order,
    accounts_outlive_the_connection,
    many_writes_at_a_time_are_all_kept,
    an_operator_and_a_registry_see_what_the_other_did,
    a_closed_store_says_so,
);

fn name(text: &str) -> Username {
    Username::new(text).unwrap()
}

fn password(text: &str) -> StoredPassword {
    StoredPassword::new(text.to_owned())
}

fn account(text: &str) -> NewAccount {
    let address = Some("10.0.0.1".parse().unwrap());
    NewAccount {
        name: name(text),
        password: password(&format!("hash of {text}")),
        address,
    }
}

async fn found(store: &dyn Store, text: &str) -> Option<String> {
    let found = store.find(name(text)).await.unwrap();
    found.map(|password| password.expose().to_owned())
}

async fn an_account_is_found_by_its_name(fresh: Fresh) {
    let store = fresh.open().await;
    assert_eq!(found(&*store, "bob").await, None);
    assert!(store.register(account("bob")).await.unwrap());
    assert_eq!(found(&*store, "bob").await.as_deref(), Some("hash of bob"));
    assert_eq!(found(&*store, "eve").await, None);
    let by_operator = NewAccount {
        address: None,
        ..account("eve")
    };
    assert!(store.register(by_operator).await.unwrap());
    assert_eq!(found(&*store, "eve").await.as_deref(), Some("hash of eve"));
}

async fn a_name_is_registered_once(fresh: Fresh) {
    let store = fresh.open().await;
    assert!(store.register(account("bob")).await.unwrap());
    let again = NewAccount {
        password: password("other"),
        ..account("bob")
    };
    assert!(!store.register(again).await.unwrap());
    assert_eq!(found(&*store, "bob").await.as_deref(), Some("hash of bob"));
}

async fn of_many_who_register_a_name_at_a_time_one_gets_it(fresh: Fresh) {
    let store = fresh.open().await;
    let registering = (0..32).map(|n| {
        let account = NewAccount {
            password: password(&n.to_string()),
            ..account("bob")
        };
        store.register(account)
    });
    let made: Vec<bool> = join_all(registering)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(made.iter().filter(|&&made| made).count(), 1, "{made:?}");
    let winner = made.iter().position(|&made| made).unwrap();
    assert_eq!(found(&*store, "bob").await, Some(winner.to_string()));
    assert_eq!(store.names(None, 10).await.unwrap(), ["bob"]);
}

async fn names_are_told_apart_by_their_bytes(fresh: Fresh) {
    let store = fresh.open().await;
    let names = [
        "zoe",
        "ZOE",
        "Zoë",
        "Zoe\u{308}",
        "zo",
        "zoee",
        "$where",
        "a.b",
        "';--",
        "👋👋",
    ];
    for text in names {
        assert!(store.register(account(text)).await.unwrap(), "{text}");
    }
    for text in names {
        assert_eq!(found(&*store, text).await, Some(format!("hash of {text}")));
    }
}

async fn a_password_is_replaced_only_where_the_old_one_is(fresh: Fresh) {
    let store = fresh.open().await;
    store.register(account("bob")).await.unwrap();
    store.register(account("eve")).await.unwrap();
    let replace = |old: &str| store.replace_password(name("bob"), password(old), password("new"));
    assert!(!replace("something else").await.unwrap());
    assert!(replace("hash of bob").await.unwrap());
    assert!(
        !replace("hash of bob").await.unwrap(),
        "it is not there any more"
    );
    assert_eq!(found(&*store, "bob").await.as_deref(), Some("new"));
    assert_eq!(found(&*store, "eve").await.as_deref(), Some("hash of eve"));
}

async fn a_password_is_set(fresh: Fresh) {
    let store = fresh.open().await;
    assert!(
        !store
            .set_password(name("bob"), password("new"))
            .await
            .unwrap()
    );
    assert_eq!(
        found(&*store, "bob").await,
        None,
        "no account is made by that"
    );
    store.register(account("bob")).await.unwrap();
    for _ in 0..2 {
        assert!(
            store
                .set_password(name("bob"), password("new"))
                .await
                .unwrap()
        );
    }
    assert_eq!(found(&*store, "bob").await.as_deref(), Some("new"));
}

async fn a_removed_account_is_gone_and_its_name_free(fresh: Fresh) {
    let store = fresh.open().await;
    assert!(!store.remove(name("bob")).await.unwrap());
    store.register(account("bob")).await.unwrap();
    store.register(account("eve")).await.unwrap();
    assert!(store.remove(name("bob")).await.unwrap());
    assert_eq!(found(&*store, "bob").await, None);
    assert_eq!(store.names(None, 10).await.unwrap(), ["eve"]);
    assert!(store.register(account("bob")).await.unwrap());
}

async fn names_come_in_pages_in_order(fresh: Fresh) {
    let store = fresh.open().await;
    assert!(store.names(None, 10).await.unwrap().is_empty());
    for text in ["d", "a", "c", "B", "ë"] {
        store.register(account(text)).await.unwrap();
    }
    let page = |after: Option<&str>, limit| store.names(after.map(str::to_owned), limit);
    assert_eq!(page(None, 2).await.unwrap(), ["B", "a"]);
    assert_eq!(page(Some("a"), 2).await.unwrap(), ["c", "d"]);
    assert_eq!(page(Some("d"), 2).await.unwrap(), ["ë"]);
    assert!(page(Some("ë"), 2).await.unwrap().is_empty());
}

async fn accounts_outlive_the_connection(fresh: Fresh) {
    let store = fresh.open().await;
    store.register(account("bob")).await.unwrap();
    store.close().await;
    drop(store);
    let store = fresh.open().await;
    assert_eq!(found(&*store, "bob").await.as_deref(), Some("hash of bob"));
}

async fn many_writes_at_a_time_are_all_kept(fresh: Fresh) {
    let store = fresh.open().await;
    let names: BTreeSet<String> = (0..300).map(|n| format!("user{n}")).collect();
    for made in join_all(names.iter().map(|text| store.register(account(text)))).await {
        assert!(made.unwrap());
    }
    let kept: BTreeSet<String> = store.names(None, 1000).await.unwrap().into_iter().collect();
    assert_eq!(kept, names);
}

async fn an_operator_and_a_registry_see_what_the_other_did(fresh: Fresh) {
    let registry = fresh.open().await;
    let operator = fresh.open_as(Opener::Operator).await;
    registry.register(account("bob")).await.unwrap();
    assert!(
        operator
            .set_password(name("bob"), password("new"))
            .await
            .unwrap()
    );
    assert_eq!(found(&*registry, "bob").await.as_deref(), Some("new"));
    let writing = |store: Arc<dyn Store>, prefix: &'static str| async move {
        for n in 0..20 {
            assert!(
                store
                    .register(account(&format!("{prefix}{n}")))
                    .await
                    .unwrap()
            );
        }
    };
    tokio::join!(
        writing(Arc::clone(&registry), "r"),
        writing(Arc::clone(&operator), "o")
    );
    operator.close().await;
    assert_eq!(registry.names(None, 100).await.unwrap().len(), 41);
}

async fn a_closed_store_says_so(fresh: Fresh) {
    let store = fresh.open().await;
    store.close().await;
    store.close().await;
    assert!(matches!(
        store.find(name("bob")).await,
        Err(StoreError::Closed)
    ));
    assert!(matches!(
        store.register(account("bob")).await,
        Err(StoreError::Closed)
    ));
}
