//! Accounts by version 2: sign-up, sign-in by password and by key, and what is refused.

use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::time::Duration;

use p2pchat_protocol::v2::registry::MAX_DEVICES;
use p2pchat_protocol::v2::{DeviceKey, FromRegistry, Refusal, Status, ToRegistry};
use p2pchat_registry::metrics::DropReason;
use p2pchat_secure::SecretKey;

use crate::support::client::{Client, LOGIN, REGISTER, response};
use crate::support::program::{Program, users};
use crate::support::secure::{Device, Person, Session, passphrase, refused};
use crate::support::server::TestServer;
use crate::support::stores::Fresh;

const HERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

fn lookup(name: &str) -> ToRegistry {
    ToRegistry::Lookup(name.parse().unwrap())
}

fn lookup_key(device: &Device) -> ToRegistry {
    ToRegistry::LookupKey(device.certificate.person)
}

fn change_password(old: &str, new: &str) -> ToRegistry {
    ToRegistry::ChangePassword {
        old: passphrase(old),
        new: passphrase(new),
    }
}

#[test]
fn a_user_signs_up_once_and_then_in_by_the_key_also_after_a_restart() {
    let fresh = Fresh::sqlite();
    let store = fresh.name();
    let program = Program::start(&store);
    let device = Device::new();
    let mut session = Session::connect(program.tcp, &device);
    let signed_in = session.enter(&device, "alice", &"x".repeat(256));
    assert_eq!(signed_in.serial, 1);
    assert_eq!(signed_in.address, "127.0.0.1".parse().unwrap());
    assert!(!signed_in.allows_version_1);
    program.kill();
    let program = Program::start(&store);
    let mut session = Session::connect(program.tcp, &device);
    assert_eq!(session.sign_in(&device, "alice").serial, 1);
    let FromRegistry::Found(binding) = session.ask(lookup("alice")) else {
        panic!("it is bound");
    };
    assert_eq!(binding.person, Some(device.certificate.person));
    assert_eq!(binding.devices, [device.certificate]);
}

#[test]
fn an_account_of_version_1_is_bound_by_its_password_and_then_out_of_its_reach() {
    let server = TestServer::start();
    let mut old = Client::connect(server.tcp);
    assert_eq!(old.status(REGISTER, "bob", "pw"), 20);
    let device = Device::new();
    let mut session = Session::connect(server.tcp, &device);
    let without = session.ask(device.sign_in("bob", None));
    assert_eq!(without, refused(Refusal::PasswordNeeded));
    let wrong = session.ask(device.sign_in("bob", Some("PW")));
    assert_eq!(wrong, refused(Refusal::WrongCredentials));
    let unknown = session.ask(device.sign_in("nobody", Some("pw")));
    assert_eq!(unknown, refused(Refusal::WrongCredentials));
    assert_eq!(old.status(LOGIN, "bob", "pw"), 21, "nobody is bound yet");
    let right = session.ask(device.sign_in("bob", Some("pw")));
    assert!(matches!(right, FromRegistry::SignedIn(_)), "{right:?}");
    assert_eq!(old.ask(LOGIN, "bob", "pw")[..2], [1, 41]);
    assert_eq!(server.refused(DropReason::LoginBound), 1);
    assert_eq!(
        session.ask(ToRegistry::AllowVersion1(true)),
        FromRegistry::Done
    );
    assert_eq!(old.status(LOGIN, "bob", "pw"), 21);
    assert_eq!(
        session.ask(ToRegistry::AllowVersion1(false)),
        FromRegistry::Done
    );
    assert_eq!(old.status(LOGIN, "bob", "pw"), 41);
}

#[test]
fn a_password_opens_nothing_that_belongs_to_another_person() {
    let server = TestServer::start();
    let bob = Device::new();
    Session::connect(server.tcp, &bob).enter(&bob, "bob", "pw");
    let eve = Device::new();
    let mut session = Session::connect(server.tcp, &eve);
    for password in [None, Some("pw"), Some("wrong")] {
        let answer = session.ask(eve.sign_in("bob", password));
        assert_eq!(answer, refused(Refusal::OtherPerson), "{password:?}");
    }
    let taken = session.ask(eve.sign_up("bob", "pw"));
    assert_eq!(taken, refused(Refusal::NameTaken));
}

#[test]
fn a_certificate_counts_for_its_own_device_and_signed_by_its_person_alone() {
    let server = TestServer::start();
    let (bob, eve) = (Device::new(), Device::new());
    Session::connect(server.tcp, &bob).enter(&bob, "bob", "pw");
    let mut session = Session::connect(server.tcp, &eve);
    let stolen = session.ask(bob.sign_in("bob", None));
    assert_eq!(stolen, refused(Refusal::BadCertificate));
    // Eve's device, said to be Bob's, signed by Eve.
    let mut forged = SecretKey::generate().certify(DeviceKey(eve.key.public()));
    forged.person = bob.certificate.person;
    let forged = Device {
        certificate: forged,
        key: eve.key.clone(),
    };
    for request in [forged.sign_in("bob", None), forged.sign_up("new", "pw")] {
        let answer = session.ask(request);
        assert_eq!(answer, refused(Refusal::BadCertificate));
    }
    // Bob's device, which is known, with another signature.
    let mut unsigned = SecretKey::generate().certify(DeviceKey(bob.key.public()));
    unsigned.person = bob.certificate.person;
    let unsigned = Device {
        certificate: unsigned,
        key: bob.key.clone(),
    };
    let answer = Session::connect(server.tcp, &bob).ask(unsigned.sign_in("bob", None));
    assert_eq!(answer, refused(Refusal::BadCertificate));
}

#[test]
fn a_person_has_several_devices_and_not_too_many() {
    let server = TestServer::start();
    let person = Person::new();
    let first = person.device();
    Session::connect(server.tcp, &first).enter(&first, "bob", "pw");
    for serial in 2..=MAX_DEVICES as u64 {
        let device = person.device();
        let mut session = Session::connect(server.tcp, &device);
        assert_eq!(session.sign_in(&device, "bob").serial, serial);
    }
    let device = person.device();
    let mut session = Session::connect(server.tcp, &device);
    let refusal = session.ask(device.sign_in("bob", Some("pw")));
    assert_eq!(refusal, refused(Refusal::TooManyDevices));
}

#[test]
fn what_needs_a_session_is_refused_without_one_and_what_begins_one_with_one() {
    let server = TestServer::start();
    let device = Device::new();
    let mut session = Session::connect(server.tcp, &device);
    let requests = || {
        [
            ToRegistry::Subscribe,
            lookup("bob"),
            lookup_key(&device),
            ToRegistry::SetStatus(Status::Busy),
            ToRegistry::SetDisplayName("Bob".parse().unwrap()),
            change_password("pw", "new"),
            ToRegistry::AllowVersion1(true),
            ToRegistry::SignOut,
        ]
    };
    for request in requests() {
        let answer = session.ask(request);
        assert_eq!(answer, refused(Refusal::NotSignedIn));
    }
    assert_eq!(session.ask(ToRegistry::Ping), FromRegistry::Pong);
    session.enter(&device, "bob", "pw");
    for request in [device.sign_in("bob", None), device.sign_up("ann", "pw")] {
        let answer = session.ask(request);
        assert_eq!(answer, refused(Refusal::AlreadySignedIn));
    }
    for request in requests() {
        let answer = session.ask(request.clone());
        let is_done = matches!(answer, FromRegistry::Done | FromRegistry::Found(_));
        assert!(is_done, "{request:?}: {answer:?}");
    }
    let answer = session.ask(ToRegistry::Subscribe);
    assert_eq!(
        answer,
        refused(Refusal::NotSignedIn),
        "they have signed out"
    );
    session.sign_in(&device, "bob");
}

#[test]
fn names_that_may_not_be_registered_and_names_of_nobody() {
    let server = TestServer::start();
    let device = Device::new();
    let mut session = Session::connect(server.tcp, &device);
    let refusal = session.ask(device.sign_up("10.0.0.1", "pw"));
    assert_eq!(refusal, refused(Refusal::BadName));
    session.enter(&device, "bob", "pw");
    assert_eq!(session.ask(lookup("nobody")), refused(Refusal::NotFound));
    let mut old = Client::connect(server.tcp);
    assert_eq!(old.status(REGISTER, "ann", "pw"), 20);
    let unbound = session.ask(lookup("ann"));
    assert_eq!(unbound, refused(Refusal::NotFound), "it has no person yet");
}

#[test]
fn a_person_is_found_by_their_key_as_by_their_name() {
    let server = TestServer::start();
    let person = Person::new();
    let [bob, second, ann] = [person.device(), person.device(), Device::new()];
    let mut asks = Session::connect(server.tcp, &ann);
    asks.enter(&ann, "ann", "pw");
    let nobody = asks.ask(lookup_key(&bob));
    assert_eq!(nobody, refused(Refusal::NotFound));
    let mut session = Session::connect(server.tcp, &bob);
    session.enter(&bob, "bob", "pw");
    Session::connect(server.tcp, &second).sign_in(&second, "bob");
    let named = ToRegistry::SetDisplayName("Bob B.".parse().unwrap());
    assert_eq!(session.ask(named), FromRegistry::Done);
    for asking in [&mut asks, &mut session] {
        let FromRegistry::Found(binding) = asking.ask(lookup_key(&bob)) else {
            panic!("they are bound");
        };
        assert_eq!((binding.name.as_str(), binding.serial), ("bob", 3));
        assert_eq!(binding.person, Some(bob.certificate.person));
        assert_eq!(binding.devices, [bob.certificate, second.certificate]);
        assert_eq!(binding.display_name.as_str(), "Bob B.");
        assert_eq!(asking.ask(lookup("bob")), FromRegistry::Found(binding));
    }
    let nobody = asks.ask(lookup_key(&Device::new()));
    assert_eq!(nobody, refused(Refusal::NotFound));
    // One answer each, in order.
    asks.send(&[lookup_key(&bob), lookup("nobody"), lookup_key(&ann)]);
    let answers = [(); 3].map(|()| match asks.answer() {
        FromRegistry::Found(binding) => binding.name.to_string(),
        other => format!("{other:?}"),
    });
    assert_eq!(answers, ["bob", "Refused(NotFound)", "ann"]);
}

#[test]
fn a_person_is_found_by_the_first_of_their_names_that_is_left() {
    let fresh = Fresh::sqlite();
    let store = fresh.name();
    let program = Program::start(&store);
    let person = Person::new();
    let (bob, ann) = (person.device(), Device::new());
    let mut asks = Session::connect(program.tcp, &ann);
    asks.enter(&ann, "ann", "pw");
    let mut name_of = |device: &Device| match asks.ask(lookup_key(device)) {
        FromRegistry::Found(binding) => Some(binding.name.to_string()),
        FromRegistry::Refused(Refusal::NotFound) => None,
        other => panic!("{other:?}"),
    };
    for (name, first) in [("rob", "rob"), ("zoe", "rob"), ("bob", "bob")] {
        Session::connect(program.tcp, &bob).enter(&bob, name, "pw");
        assert_eq!(name_of(&bob).as_deref(), Some(first), "{name}");
    }
    let operator = |arguments: &[&str]| {
        let done = users(&store, arguments, "");
        assert!(done.status.success(), "{done:?}");
    };
    operator(&["reset-key", "bob"]);
    assert_eq!(name_of(&bob).as_deref(), Some("rob"));
    operator(&["remove", "rob"]);
    assert_eq!(name_of(&bob).as_deref(), Some("zoe"));
    operator(&["remove", "zoe"]);
    assert_eq!(name_of(&bob), None);
    // The names are another person's by now.
    let eve = Device::new();
    let mut session = Session::connect(program.tcp, &eve);
    let bound = session.ask(eve.sign_in("bob", Some("pw")));
    assert!(matches!(bound, FromRegistry::SignedIn(_)), "{bound:?}");
    assert_eq!(name_of(&bob), None);
    assert_eq!(name_of(&eve).as_deref(), Some("bob"));
}

#[test]
fn a_password_is_changed_by_who_knows_it() {
    let server = TestServer::start();
    let device = Device::new();
    let mut session = Session::connect(server.tcp, &device);
    session.enter(&device, "bob", "pw");
    assert_eq!(
        session.ask(ToRegistry::AllowVersion1(true)),
        FromRegistry::Done
    );
    let wrong = session.ask(change_password("PW", "new"));
    assert_eq!(wrong, refused(Refusal::WrongCredentials));
    let mut old = Client::connect(server.tcp);
    assert_eq!(old.status(LOGIN, "bob", "pw"), 21);
    assert_eq!(
        session.ask(change_password("pw", "new")),
        FromRegistry::Done
    );
    assert_eq!(old.status(LOGIN, "bob", "pw"), 41);
    assert_eq!(old.status(LOGIN, "bob", "new"), 21);
}

#[test]
fn guesses_of_both_versions_have_the_same_limits() {
    let server = TestServer::start_with(|options| {
        options.limits.guessing.failed_logins = NonZeroU32::new(4).unwrap();
        options.limits.guessing.failed_login_interval = Duration::from_secs(3600);
        options.limits.slow_answer = Duration::from_millis(1);
    });
    let mut old = Client::connect_from(HERE, server.tcp);
    assert_eq!(old.status(REGISTER, "bob", "pw"), 20);
    let device = Device::new();
    let mut session = Session::connect_from(HERE, server.tcp, &device);
    for _ in 0..2 {
        assert_eq!(old.status(LOGIN, "bob", "guess"), 41);
        let guess = session.ask(device.sign_in("bob", Some("guess")));
        assert_eq!(guess, refused(Refusal::WrongCredentials));
    }
    let slowed = session.ask(device.sign_in("bob", Some("pw")));
    assert_eq!(slowed, refused(Refusal::SlowDown));
    assert_eq!(old.ask(LOGIN, "bob", "pw"), response(1, 49, "slowdown"));
    // Elsewhere the right password is as good as ever.
    let mut session = Session::connect(server.tcp, &device);
    let right = session.ask(device.sign_in("bob", Some("pw")));
    assert!(matches!(right, FromRegistry::SignedIn(_)), "{right:?}");
    // From then on no password is asked, there neither.
    let mut session = Session::connect_from(HERE, server.tcp, &device);
    session.sign_in(&device, "bob");
    let guess = session.ask(change_password("guess", "mine"));
    assert_eq!(guess, refused(Refusal::SlowDown));
}

#[test]
fn sign_ups_of_both_versions_have_the_same_limits() {
    let server = TestServer::start_with(|options| {
        options.limits.registrations = NonZeroU32::new(2).unwrap();
        options.limits.registration_interval = Duration::from_secs(3600);
        options.limits.slow_answer = Duration::from_millis(1);
    });
    let mut old = Client::connect(server.tcp);
    assert_eq!(old.status(REGISTER, "ann", "pw"), 20);
    let device = Device::new();
    let mut session = Session::connect(server.tcp, &device);
    let done = session.ask(device.sign_up("bob", "pw"));
    assert_eq!(done, FromRegistry::Done);
    let slowed = session.ask(device.sign_up("eve", "pw"));
    assert_eq!(slowed, refused(Refusal::SlowDown));
    assert_eq!(server.refused(DropReason::RegisterSlowed), 1);
}

#[test]
fn where_encryption_is_required_version_1_neither_registers_nor_logs_in() {
    let server = TestServer::start_with(|options| options.require_encryption = true);
    let device = Device::new();
    let mut session = Session::connect(server.tcp, &device);
    session.enter(&device, "bob", "pw");
    assert_eq!(
        session.ask(ToRegistry::AllowVersion1(true)),
        FromRegistry::Done
    );
    let mut old = Client::connect(server.tcp);
    let refusal = old.ask(REGISTER, "ann", "pw");
    assert_eq!(refusal, response(0, 50, "erorserver"));
    assert_eq!(old.status(LOGIN, "bob", "pw"), 41);
    assert_eq!(server.refused(DropReason::RegisterPlaintext), 1);
    assert_eq!(server.refused(DropReason::LoginPlaintext), 1);
}

/// An operator forgets a device of Bob's.
fn forget(store: &str, device: &Device) {
    let id = u64::from_be_bytes(device.certificate.device.id().0);
    let forgetting = users(store, &["forget-device", "bob", &format!("{id:016x}")], "");
    assert!(forgetting.status.success(), "{forgetting:?}");
}

#[test]
fn a_forgotten_device_stays_out_until_its_account_is_removed() {
    let fresh = Fresh::sqlite();
    let store = fresh.name();
    let program = Program::start(&store);
    let bob = Device::new();
    Session::connect(program.tcp, &bob).enter(&bob, "bob", "pw");
    forget(&store, &bob);
    let mut session = Session::connect(program.tcp, &bob);
    for password in [None, Some("pw")] {
        let answer = session.ask(bob.sign_in("bob", password));
        assert_eq!(answer, refused(Refusal::DeviceForgotten));
    }
    assert!(users(&store, &["remove", "bob"], "").status.success());
    assert_eq!(session.enter(&bob, "bob", "new").serial, 4);
}

#[test]
fn a_name_that_an_older_registry_left_bound_is_free_for_a_sign_up() {
    let fresh = Fresh::sqlite();
    let store = fresh.name();
    let program = Program::start(&store);
    let bob = Device::new();
    Session::connect(program.tcp, &bob).enter(&bob, "bob", "pw");
    forget(&store, &bob);
    let remove = || {
        let file = rusqlite::Connection::open(&store).unwrap();
        let deleted = file.execute("DELETE FROM account WHERE name = 'bob'", []);
        assert_eq!(deleted.unwrap(), 1);
    };
    remove();
    let mut session = Session::connect(program.tcp, &bob);
    assert_eq!(session.enter(&bob, "bob", "new").serial, 4);
    remove();
    let eve = Device::new();
    let mut session = Session::connect(program.tcp, &eve);
    assert_eq!(session.enter(&eve, "bob", "other").serial, 6);
    remove();
    let mut old = Client::connect(program.tcp);
    assert_eq!(old.status(REGISTER, "bob", "old"), 20);
    assert_eq!(old.status(LOGIN, "bob", "old"), 21);
}

#[test]
fn where_the_store_fails_that_is_the_answer_and_no_account_is_half_made() {
    let fresh = Fresh::sqlite();
    let store = fresh.name();
    let program = Program::start(&store);
    let (bob, eve) = (Device::new(), Device::new());
    let mut session = Session::connect(program.tcp, &bob);
    session.enter(&bob, "bob", "pw");
    let rename = |from: &str, to: &str| {
        let file = rusqlite::Connection::open(&store).unwrap();
        let renaming = format!("ALTER TABLE {from} RENAME TO {to}");
        file.execute(&renaming, []).unwrap();
    };
    rename("binding", "elsewhere");
    let mut other = Session::connect(program.tcp, &eve);
    for request in [eve.sign_up("eve", "pw"), eve.sign_in("bob", None)] {
        assert_eq!(other.ask(request), refused(Refusal::Failed));
    }
    let allowing = session.ask(ToRegistry::AllowVersion1(true));
    assert_eq!(allowing, refused(Refusal::Failed));
    rename("elsewhere", "binding");
    assert_eq!(other.enter(&eve, "eve", "pw").serial, 1);
}

#[test]
fn a_removed_account_is_bound_afresh_by_who_registers_the_name() {
    let fresh = Fresh::sqlite();
    let store = fresh.name();
    let program = Program::start(&store);
    let bob = Device::new();
    Session::connect(program.tcp, &bob).enter(&bob, "bob", "pw");
    assert!(users(&store, &["remove", "bob"], "").status.success());
    let mut session = Session::connect(program.tcp, &bob);
    let gone = session.ask(bob.sign_in("bob", None));
    assert_eq!(gone, refused(Refusal::PasswordNeeded));
    let eve = Device::new();
    let mut session = Session::connect(program.tcp, &eve);
    assert_eq!(session.enter(&eve, "bob", "other").serial, 3);
}
