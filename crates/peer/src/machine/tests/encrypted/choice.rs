//! Which registry is gone to.

use super::super::super::io::{Chosen, NotChosen};
use super::*;
use crate::known::LastRegistry;

fn use_registry(registry: &str) -> Command {
    let registry = registry.to_owned();
    Command::UseRegistry { registry }
}

fn chosen(registry: &str, is_own: bool) -> Input {
    Input::RegistryChosen(Ok(Chosen {
        registry: registry.to_owned(),
        is_own,
        names: vec![registry.to_owned()],
        named: None,
        address: addr(9),
        message_port: 5859,
    }))
}

fn last(name: &str, is_own: bool) -> Known {
    let name = name.to_owned();
    Known {
        registry: Some(LastRegistry { name, is_own }),
        ..Known::default()
    }
}

impl Bench {
    /// The registry to go to after the next start.
    fn remembered(&self) -> Option<LastRegistry> {
        let mut kept = self.kept.iter().rev();
        let (file, text) = kept.find(|(file, _)| *file == KnownFile::Registry)?;
        let mut known = Known::default();
        known.read(*file, text).unwrap();
        known.registry
    }
}

#[test]
fn without_a_registry_there_is_nothing_to_sign_in_to_until_one_is_chosen() {
    let mut bench = Bench::at_registry("", Known::default(), true);
    assert_eq!(bench.view.link, Link::NoRegistry);
    bench.command(Command::login(name("ann"), password()));
    assert_eq!(bench.failures(), [Problem::NoRegistry]);
    assert!(bench.connects.is_empty());

    bench.command(use_registry("chat.example"));
    assert_eq!(bench.wanted, [Some("chat.example".to_owned())]);
    // One at a time, and no sign-in meanwhile.
    bench.command(use_registry("other.example"));
    bench.command(Command::login(name("ann"), password()));
    assert_eq!(bench.failures()[1..], [Problem::TooMuch, Problem::TooMuch]);
    bench.input(chosen("chat.example", false));
    assert_eq!(bench.view.registry, "chat.example");
    assert_eq!(bench.view.address, Some(addr(9)));
    assert_eq!(bench.connects, [None]);
    assert!(bench.events.contains(&Event::Done));
    // An address with a slip in it is not what the next start goes to.
    assert_eq!(bench.remembered(), None);
    bench.welcome();
    assert_eq!(bench.remembered(), last("chat.example", false).registry);
    bench.command(Command::login(name("ann"), password()));
    bench.sign_in();
    bench.command(use_registry("other.example"));
    assert_eq!(bench.failures()[3..], [Problem::AlreadyLoggedIn]);
}

#[test]
fn a_fingerprint_that_is_named_counts_more_than_the_first_contact() {
    let mut bench = Bench::at_registry("", ann_was_here(), true);
    let other: Fingerprint = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".parse().unwrap();
    assert_ne!(other, registry());
    bench.command(use_registry("registry#ABCD"));
    bench.input(Input::RegistryChosen(Ok(Chosen {
        registry: "registry#ABCD".to_owned(),
        is_own: false,
        names: vec!["registry".to_owned()],
        named: Some(other),
        address: addr(9),
        message_port: 5859,
    })));
    assert_eq!(bench.connects, [Some(other)]);
}

/// The name of a registry in the options, as `NAME#FINGERPRINT`.
fn with_option(named: Fingerprint, known: Known) -> Bench {
    let mut config = Bench::config("registry", known, true);
    config.keys.as_mut().unwrap().named = Some(named);
    Bench::of(Machine::new(config, at(SECOND)), View::default())
}

#[test]
fn a_fingerprint_in_the_options_counts_more_than_a_first_contact_and_less_than_trust() {
    let other: Fingerprint = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".parse().unwrap();
    let mut bench = with_option(other, ann_was_here());
    assert_eq!(bench.connects, [Some(other)]);
    // The registry has got a new key since, and the option stays as it is.
    let seen = registry();
    bench.input(Input::OtherKey { seen });
    bench.command(Command::TrustRegistry { fingerprint: seen });
    assert_eq!(bench.connects, [Some(other), Some(seen)]);
    let mut trusted = Known::default();
    let mut kept = bench.kept.iter().rev();
    let (file, text) = kept
        .find(|(file, _)| *file == KnownFile::Registries)
        .unwrap();
    trusted.read(*file, text).unwrap();
    assert_eq!(with_option(other, trusted).connects, [Some(seen)]);

    // So does one that was named in the running peer, though it was in the options before.
    let mut bench = with_option(other, Known::default());
    bench.command(use_registry("registry#AAAA"));
    bench.input(Input::RegistryChosen(Ok(Chosen {
        registry: "registry#AAAA".to_owned(),
        is_own: false,
        names: vec!["registry".to_owned(), "other.example".to_owned()],
        named: Some(registry()),
        address: addr(9),
        message_port: 5859,
    })));
    bench.welcome();
    let (_, text) = bench
        .kept
        .iter()
        .rfind(|(file, _)| *file == KnownFile::Registries)
        .unwrap();
    let mut known = Known::default();
    known.read(KnownFile::Registries, text).unwrap();
    assert!(known.registries.iter().all(|pin| pin.trusted), "{text}");
    assert_eq!(with_option(other, known).connects, [Some(registry())]);
}

#[test]
fn what_cannot_be_the_registry_leaves_the_one_that_there_is() {
    let mut bench = Bench::new();
    bench.command(use_registry("x y"));
    bench.input(Input::RegistryChosen(Err(NotChosen {
        problem: Problem::BadRegistry,
        detail: "it has a space".to_owned(),
        found: Some("here".to_owned()),
    })));
    assert_eq!(bench.failures(), [Problem::BadRegistry]);
    let registry = "here".to_owned();
    assert!(bench.events.contains(&Event::RegistryFound { registry }));
    bench.welcome();
    assert_eq!(bench.view.link, Link::Up);
    assert_eq!(bench.remembered(), last("registry", false).registry);
}

#[test]
fn the_same_registry_is_tried_again_at_once() {
    let mut bench = Bench::new();
    bench.breaks();
    bench.command(use_registry("registry"));
    assert_eq!(bench.connects.len(), 2);
    assert!(bench.wanted.is_empty());
}

#[test]
fn a_registry_that_was_started_here_is_started_again_once_if_it_is_gone() {
    let mut bench = Bench::new();
    bench.command(Command::StartRegistry);
    bench.input(chosen("own", true));
    bench.welcome();
    assert_eq!(bench.remembered(), last("own", true).registry);

    let mut bench = Bench::at_registry("own", last("own", true), true);
    bench.breaks();
    assert_eq!(bench.wanted, [None]);
    bench.input(chosen("own at another address", true));
    assert_eq!(bench.view.registry, "own at another address");
    bench.breaks();
    assert_eq!(bench.wanted.len(), 1);

    // Another one that the user names is not of this machine.
    let mut bench = Bench::at_registry("registry", last("own", true), true);
    bench.breaks();
    assert!(bench.wanted.is_empty());
}
