//! What every store does. Each behaviour runs by name on each: the embedded one,
//! a single mongod, and a replica set.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::join_all;
use p2pchat_protocol::Username;
use p2pchat_protocol::v2::registry::MAX_DEVICES;
use p2pchat_protocol::v2::{
    Binding, Certificate, DeviceKey, Fingerprint, PersonKey, PublicKey, Signature,
};
use p2pchat_registry::store::{NewAccount, Opener, StoredBinding, StoredPassword};
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
    a_binding_is_kept_as_it_is,
    a_binding_is_changed_only_where_the_serial_is_the_one_before,
    of_many_who_bind_a_name_at_a_time_one_does_and_all_see_who,
    of_many_who_change_a_binding_at_a_time_one_does,
    the_serials_of_bound_names_are_told,
    a_binding_is_found_by_its_person,
    of_several_names_of_a_person_the_first_is_found,
    the_person_of_a_removed_account_is_not_found,
    a_name_is_bound_to_the_next_person_once_its_account_was_removed,
    what_is_bound_to_a_name_without_an_account_goes_with_the_next_registration,
    the_key_of_a_registry_is_claimed_once,
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

fn key(number: u8) -> PublicKey {
    PublicKey([number; PublicKey::LEN])
}

/// The binding of Bob to a person with one device.
fn bound(serial: u64, person: u8) -> StoredBinding {
    let person = PersonKey(key(person));
    let device = Certificate {
        device: DeviceKey(key(100)),
        person,
        signature: Signature([serial as u8; Signature::LEN]),
    };
    StoredBinding {
        binding: Binding {
            name: name("bob"),
            serial,
            person: Some(person),
            display_name: "Bob B.".parse().unwrap(),
            devices: vec![device],
        },
        forgotten: Vec::new(),
        allows_version_1: false,
    }
}

async fn binding(store: &dyn Store) -> Option<StoredBinding> {
    store.binding(name("bob")).await.unwrap()
}

async fn a_binding_is_kept_as_it_is(fresh: Fresh) {
    let store = fresh.open().await;
    assert_eq!(binding(&*store).await, None);
    let first = bound(1, 1);
    assert!(store.bind(first.clone()).await.unwrap());
    assert_eq!(binding(&*store).await, Some(first.clone()));
    let person = first.binding.person.unwrap();
    let devices = (0..MAX_DEVICES as u8).map(|number| Certificate {
        device: DeviceKey(key(number)),
        person,
        signature: Signature([number; Signature::LEN]),
    });
    let many = StoredBinding {
        binding: Binding {
            serial: 2,
            display_name: "ë".repeat(32).parse().unwrap(),
            devices: devices.collect(),
            ..first.binding
        },
        forgotten: vec![DeviceKey(key(200)), DeviceKey(key(201))],
        allows_version_1: true,
    };
    assert!(store.bind(many.clone()).await.unwrap());
    let none = StoredBinding {
        binding: Binding {
            serial: 3,
            person: None,
            display_name: "".parse().unwrap(),
            devices: Vec::new(),
            ..many.binding.clone()
        },
        forgotten: Vec::new(),
        allows_version_1: false,
    };
    store.close().await;
    let store = fresh.open().await;
    assert_eq!(binding(&*store).await, Some(many));
    assert!(store.bind(none.clone()).await.unwrap());
    assert_eq!(binding(&*store).await, Some(none));
    assert_eq!(store.binding(name("eve")).await.unwrap(), None);
}

async fn a_binding_is_changed_only_where_the_serial_is_the_one_before(fresh: Fresh) {
    let store = fresh.open().await;
    assert!(!store.bind(bound(2, 1)).await.unwrap(), "there is no first");
    assert_eq!(binding(&*store).await, None);
    assert!(store.bind(bound(1, 1)).await.unwrap());
    for serial in [1, 3] {
        assert!(!store.bind(bound(serial, 2)).await.unwrap());
        assert_eq!(binding(&*store).await, Some(bound(1, 1)));
    }
    assert!(store.bind(bound(2, 3)).await.unwrap());
    assert!(!store.bind(bound(2, 4)).await.unwrap());
    assert_eq!(binding(&*store).await, Some(bound(2, 3)));
}

/// Many keep bindings with this serial at a time.
async fn many_bind(fresh: &Fresh, serial: u64) {
    let stores = [
        fresh.open().await,
        fresh.open_as(Opener::Operator).await,
        fresh.open_as(Opener::Operator).await,
    ];
    let binding_all = (0..24).map(|person| {
        let store = Arc::clone(&stores[usize::from(person) % stores.len()]);
        async move {
            let is_mine = store.bind(bound(serial, person)).await.unwrap();
            (is_mine, binding(&*store).await.unwrap())
        }
    });
    let seen = join_all(binding_all).await;
    let winners: Vec<usize> = (0..24).filter(|person| seen[*person].0).collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    let kept = bound(serial, winners[0] as u8);
    assert!(seen.iter().all(|(_, seen)| *seen == kept));
    for store in stores {
        store.close().await;
    }
}

async fn of_many_who_bind_a_name_at_a_time_one_does_and_all_see_who(fresh: Fresh) {
    many_bind(&fresh, 1).await;
}

async fn of_many_who_change_a_binding_at_a_time_one_does(fresh: Fresh) {
    let store = fresh.open().await;
    assert!(store.bind(bound(1, 1)).await.unwrap());
    store.close().await;
    for serial in 2..6 {
        many_bind(&fresh, serial).await;
    }
}

async fn the_serials_of_bound_names_are_told(fresh: Fresh) {
    let store = fresh.open().await;
    assert!(store.bind(bound(1, 1)).await.unwrap());
    assert!(store.bind(bound(2, 1)).await.unwrap());
    let mut of_eve = bound(1, 2);
    of_eve.binding.name = name("eve");
    assert!(store.bind(of_eve).await.unwrap());
    let asked = ["bob", "nobody", "eve"].map(name).to_vec();
    let told: BTreeSet<_> = store.serials(asked).await.unwrap().into_iter().collect();
    assert_eq!(told, BTreeSet::from([(name("bob"), 2), (name("eve"), 1)]));
    assert!(store.serials(Vec::new()).await.unwrap().is_empty());
}

fn person(number: u8) -> PersonKey {
    PersonKey(key(number))
}

async fn a_binding_is_found_by_its_person(fresh: Fresh) {
    let store = fresh.open().await;
    assert_eq!(store.binding_of(person(1)).await.unwrap(), None);
    let mut of_bob = bound(1, 1);
    of_bob.forgotten = vec![DeviceKey(key(200))];
    of_bob.allows_version_1 = true;
    assert!(store.bind(of_bob.clone()).await.unwrap());
    let mut of_eve = bound(1, 2);
    of_eve.binding.name = name("eve");
    assert!(store.bind(of_eve.clone()).await.unwrap());
    for (number, expected) in [(1, Some(of_bob)), (2, Some(of_eve)), (3, None)] {
        let found = store.binding_of(person(number)).await.unwrap();
        assert_eq!(found, expected, "{number}");
    }
    // To another person, which is found at once, also by another connection.
    let other = fresh.open_as(Opener::Operator).await;
    assert!(store.bind(bound(2, 3)).await.unwrap());
    for store in [&store, &other] {
        assert_eq!(store.binding_of(person(1)).await.unwrap(), None);
        let found = store.binding_of(person(3)).await.unwrap();
        assert_eq!(found, Some(bound(2, 3)));
    }
    // To nobody, as when an operator resets the key.
    let mut reset = bound(3, 3);
    reset.binding.person = None;
    reset.binding.devices.clear();
    assert!(other.bind(reset).await.unwrap());
    assert_eq!(store.binding_of(person(3)).await.unwrap(), None);
    other.close().await;
}

async fn of_several_names_of_a_person_the_first_is_found(fresh: Fresh) {
    let store = fresh.open().await;
    let of = |text: &str| {
        let mut stored = bound(1, 1);
        stored.binding.name = name(text);
        stored
    };
    let first = async || {
        let found = store.binding_of(person(1)).await.unwrap();
        found.map(|stored| stored.binding.name.to_string())
    };
    // In the order of bytes: capitals first, other letters last.
    for (text, expected) in [
        ("eve", "eve"),
        ("zoë", "eve"),
        ("ë", "eve"),
        ("bob", "bob"),
        ("ada", "ada"),
        ("Zoe", "Zoe"),
        ("bo", "Zoe"),
    ] {
        assert!(store.bind(of(text)).await.unwrap(), "{text}");
        assert_eq!(first().await.as_deref(), Some(expected), "{text}");
    }
    let mut reset = of("Zoe");
    reset.binding.serial = 2;
    reset.binding.person = None;
    assert!(store.bind(reset).await.unwrap());
    assert_eq!(first().await.as_deref(), Some("ada"));
}

async fn the_person_of_a_removed_account_is_not_found(fresh: Fresh) {
    let store = fresh.open().await;
    store.register(account("bob")).await.unwrap();
    assert!(store.bind(bound(1, 1)).await.unwrap());
    assert!(store.binding_of(person(1)).await.unwrap().is_some());
    assert!(store.remove(name("bob")).await.unwrap());
    assert_eq!(store.binding_of(person(1)).await.unwrap(), None);
    assert!(store.register(account("bob")).await.unwrap());
    assert_eq!(store.binding_of(person(1)).await.unwrap(), None);
}

async fn a_name_is_bound_to_the_next_person_once_its_account_was_removed(fresh: Fresh) {
    let store = fresh.open().await;
    store.register(account("bob")).await.unwrap();
    let mut before = bound(1, 1);
    before.forgotten = vec![DeviceKey(key(200))];
    before.allows_version_1 = true;
    assert!(store.bind(before).await.unwrap());
    assert!(store.remove(name("bob")).await.unwrap());
    let reset = StoredBinding {
        binding: Binding {
            name: name("bob"),
            serial: 2,
            person: None,
            display_name: "".parse().unwrap(),
            devices: Vec::new(),
        },
        forgotten: Vec::new(),
        allows_version_1: false,
    };
    assert_eq!(binding(&*store).await, Some(reset));
    assert!(store.register(account("bob")).await.unwrap());
    assert!(!store.bind(bound(1, 2)).await.unwrap());
    assert!(store.bind(bound(3, 2)).await.unwrap());
    assert_eq!(binding(&*store).await, Some(bound(3, 2)));
}

/// As an older registry leaves it, which removes accounts alone.
async fn what_is_bound_to_a_name_without_an_account_goes_with_the_next_registration(fresh: Fresh) {
    let store = fresh.open().await;
    let mut left = bound(1, 1);
    left.forgotten = vec![DeviceKey(key(200))];
    assert!(store.bind(left).await.unwrap());
    assert!(store.register(account("bob")).await.unwrap());
    let freed = binding(&*store).await.unwrap();
    assert_eq!((freed.binding.serial, freed.binding.person), (2, None));
    assert!(freed.binding.devices.is_empty() && freed.forgotten.is_empty());
    // What is bound to an account stays.
    assert!(store.bind(bound(3, 2)).await.unwrap());
    assert!(!store.register(account("bob")).await.unwrap());
    assert_eq!(binding(&*store).await, Some(bound(3, 2)));
}

async fn the_key_of_a_registry_is_claimed_once(fresh: Fresh) {
    let store = fresh.open().await;
    let keys: Vec<Fingerprint> = ["A", "B"]
        .map(|letter| letter.repeat(26).parse().unwrap())
        .into();
    assert_eq!(store.claim_key(keys[0]).await.unwrap(), keys[0]);
    assert_eq!(store.claim_key(keys[1]).await.unwrap(), keys[0]);
    store.close().await;
    let store = fresh.open().await;
    assert_eq!(store.claim_key(keys[1]).await.unwrap(), keys[0]);
    assert_eq!(store.claim_key(keys[0]).await.unwrap(), keys[0]);
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
