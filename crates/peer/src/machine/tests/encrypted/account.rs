//! What is changed in an account, and which registries are known by their key.

use p2pchat_protocol::v2::Passphrase;

use super::*;

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text).unwrap()
}

fn change(new: &str) -> Command {
    let (old, new) = (password(), passphrase(new));
    Command::ChangePassword { old, new }
}

fn forget(registry: &str) -> Command {
    let registry = registry.to_owned();
    Command::ForgetRegistry { registry }
}

fn other_registry() -> Fingerprint {
    "B".repeat(Fingerprint::LEN).parse().unwrap()
}

impl Bench {
    fn done(&self) -> usize {
        let done = self.events.iter().filter(|event| **event == Event::Done);
        done.count()
    }
}

#[test]
fn a_password_is_changed_once_the_registry_says_so() {
    for (new, is_long) in [("short", false), ("longer than legacy", true)] {
        let mut bench = Bench::signed_in(&[]);
        bench.command(change(new));
        let (old, new) = (password(), passphrase(new));
        assert_eq!(bench.sent, [ToRegistry::ChangePassword { old, new }]);
        assert_eq!(bench.done(), 0);
        bench.frame(FromRegistry::Done);
        assert_eq!((bench.done(), bench.failures()), (1, vec![]));
        let told = bench.notices() == [Notice::LongPassword];
        assert_eq!(told, is_long, "{:?}", bench.notices());
    }
}

#[test]
fn a_change_that_the_registry_refuses_says_why() {
    for (refusal, problem) in [
        (Refusal::WrongCredentials, Problem::WrongCredentials),
        (Refusal::SlowDown, Problem::SlowDown),
        (Refusal::Failed, Problem::RegistryFailed),
    ] {
        for command in [
            change("longer than legacy"),
            Command::LegacyLogin { on: true },
        ] {
            // Who changes the password has signed in by that name.
            let problem = match (&command, problem) {
                (Command::ChangePassword { .. }, Problem::WrongCredentials) => {
                    Problem::WrongPassword
                }
                _ => problem,
            };
            let mut bench = Bench::signed_in(&[]);
            bench.command(command);
            bench.frame(FromRegistry::Refused(refusal));
            assert_eq!((bench.done(), bench.failures()), (0, vec![problem]));
            assert_eq!(bench.notices(), []);
            assert!(!bench.view.legacy_login);
            assert_eq!(bench.view.link, Link::Up);
        }
    }
}

#[test]
fn an_account_is_not_changed_without_a_session() {
    for command in [change("short"), Command::LegacyLogin { on: true }] {
        let mut bench = Bench::new();
        bench.welcome();
        bench.command(command.clone());
        assert_eq!(bench.failures(), [Problem::NotLoggedIn]);
        assert_eq!(bench.sent, []);
        // It breaks before the answer: no one knows whether it is changed.
        let mut bench = Bench::signed_in(&[]);
        bench.command(command.clone());
        bench.breaks();
        bench.command(command);
        assert_eq!(bench.failures(), [Problem::RegistryUnreachable; 2]);
        assert_eq!((bench.done(), bench.sent.len()), (0, 1));
    }
}

#[test]
fn legacy_login_is_what_the_registry_has_confirmed() {
    let mut bench = Bench::signed_in(&[]);
    for on in [true, false] {
        bench.command(Command::LegacyLogin { on });
        assert_eq!(bench.sent.last(), Some(&ToRegistry::AllowVersion1(on)));
        assert_eq!(bench.view.legacy_login, !on);
        bench.frame(FromRegistry::Done);
        assert_eq!(bench.view.legacy_login, on);
    }
    assert_eq!((bench.done(), bench.failures()), (2, vec![]));
}

#[test]
fn a_registry_that_is_forgotten_is_pinned_again_at_the_next_contact() {
    let mut bench = Bench::signed_in(&[]);
    bench.kept.clear();
    bench.command(forget("another"));
    assert_eq!(bench.failures(), [Problem::NoSuchRegistry]);
    assert_eq!(bench.kept, []);
    bench.command(forget("registry"));
    assert_eq!(bench.kept.len(), 1);
    let (file, text) = &bench.kept[0];
    assert_eq!(*file, KnownFile::Registries);
    assert!(!text.contains(&registry().to_string()), "{text}");
    // The line that there is stays, and the next one takes any key.
    assert_eq!((bench.view.link.clone(), bench.done()), (Link::Up, 1));
    bench.breaks();
    bench.advance(2 * SECOND, true);
    assert_eq!(bench.connects, [None; 2]);
    let fingerprint = other_registry();
    bench.input(Input::Welcome {
        fingerprint,
        time: 0,
    });
    assert_eq!(bench.notices(), [Notice::RegistryPinned { fingerprint }]);
    let (file, text) = bench.kept.last().unwrap();
    assert_eq!(*file, KnownFile::Registries);
    assert!(text.contains(&fingerprint.to_string()), "{text}");
}

#[test]
fn forgetting_a_registry_ends_the_stop_before_its_other_key() {
    let mut bench = Bench::signed_in(&[]);
    bench.breaks();
    bench.advance(2 * SECOND, true);
    assert_eq!(bench.connects, [None, Some(registry())]);
    let seen = other_registry();
    bench.input(Input::OtherKey { seen });
    bench.advance(300 * SECOND, true);
    assert_eq!(bench.connects.len(), 2, "it is not tried again");
    bench.command(forget("another"));
    assert_eq!(bench.connects.len(), 2);
    bench.command(forget("registry"));
    assert_eq!(bench.connects.last(), Some(&None));
    assert_eq!(bench.connects.len(), 3);
}

#[test]
fn keys_that_are_not_saved_are_told_of_once_and_before_an_account_is_bound_to_them() {
    for saved in [false, true] {
        let mut bench = Bench::with_keys(Known::default(), saved);
        assert_eq!(bench.notices(), [], "there may be no version 2");
        bench.command(Command::login(name("ann"), password()));
        bench.welcome();
        let told = || bench.notices().contains(&Notice::IdentityNotSaved);
        assert_eq!(told(), !saved);
        assert_eq!(bench.sent.len(), 1, "the login is sent after that");
        bench.sign_in();
        bench.events.clear();
        bench.breaks();
        bench.welcome();
        assert_eq!(bench.notices(), []);
    }
}
