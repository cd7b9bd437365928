//! People whose p2pchat is encrypted are in the open chat only if the user agrees.

use p2pchat_protocol::{ChatAnswer, ChatList, Contact};

use super::super::super::ConnId;
use super::super::net::OPEN;
use super::*;

/// Bob, whose key is pinned; and carl, whose key is unknown.
fn with_pinned_bob() -> Bench {
    let online = |address| state(address, Status::Available, 3);
    let mut bench = Bench::signed_in(&[(seat("bob", 1), online(7)), (seat("carl", 2), online(8))]);
    bench.command(Command::Code { name: name("bob") });
    bench.found("bob", 10, 3);
    bench.events.clear();
    bench.kept.clear();
    bench
}

impl Bench {
    fn asked_by(&mut self, who: &str, address: u8, members: &[PeerAddr]) {
        let members: ChatList = members.iter().copied().collect();
        let from = name(who);
        self.input(Input::Contact {
            conn: ConnId(u64::from(address)),
            from: addr(address),
            contact: Contact::Request { from, members },
        });
    }

    fn accept(&mut self, address: u8) {
        let from = addr(address);
        let conversation = OPEN;
        self.command(Command::Accept { conversation, from });
    }

    fn members(&self) -> usize {
        self.view.open().members.len()
    }

    /// The users that the last failure is about.
    fn refused_for(&self) -> Vec<Username> {
        let failed = self.events.iter().rev().find_map(|event| match event {
            Event::Failed(failure) if failure.code == Problem::HasEncrypted => Some(failure),
            _ => None,
        });
        failed
            .map(|failure| failure.names.clone())
            .unwrap_or_default()
    }

    fn allow(&mut self, who: &str) {
        let names = vec![name(who)];
        self.command(Command::AllowOpen { names });
    }
}

#[test]
fn at_another_address_the_open_chat_is_over_and_the_session_goes_on() {
    let mut bench = with_pinned_bob();
    bench.asked_by("carl", 8, &[]);
    bench.accept(8);
    assert_eq!(bench.members(), 1);
    bench.breaks();
    let connects = bench.connects.len();
    bench.input(Input::Moved {
        address: addr(99),
        message_port: 5859,
    });
    assert_eq!(bench.members(), 0);
    assert_eq!(bench.view.address, Some(addr(99)));
    assert_eq!(bench.view.message_port, Some(5859));
    assert_eq!(bench.view.account, Some(name("ann")));
    assert_eq!(bench.connects.len(), connects + 1, "at once");
    let ends_sessions = |told: &ToChats| matches!(told, ToChats::Moved);
    assert!(bench.told.iter().any(ends_sessions));
    assert_eq!(bench.view.link, Link::Connecting);
    // To oneself at the address that is the own one now.
    let to = Target::Address(addr(99));
    bench.command(Command::Request {
        conversation: OPEN,
        to,
    });
    assert_eq!(bench.failures(), [Problem::Oneself]);
}

#[test]
fn a_pinned_name_is_asked_into_the_open_chat_only_with_consent_which_is_asked_for_once() {
    let mut bench = with_pinned_bob();
    let by_address = |bench: &mut Bench| {
        bench.command(Command::Request {
            conversation: OPEN,
            to: Target::Address(addr(7)),
        });
    };
    bench.request("bob");
    assert_eq!(bench.refused_for(), [name("bob")]);
    by_address(&mut bench);
    assert_eq!(bench.failures(), [Problem::HasEncrypted; 2]);
    assert_eq!(bench.requests, [], "nothing goes out");
    bench.allow("carl");
    bench.request("carl");
    assert_eq!(bench.requests, [addr(8)], "nothing is known of them");
    bench.allow("bob");
    bench.request("bob");
    assert_eq!(bench.requests, [addr(8), addr(7)]);
    let (file, text) = bench.kept.last().expect("the consent is kept");
    let mut known = Known::default();
    known.read(*file, text).unwrap();
    let pin = known.people.get(&(registry(), name("bob"))).unwrap();
    assert!(pin.is_open_allowed);
}

#[test]
fn a_pinned_name_is_accepted_into_the_open_chat_only_with_consent() {
    let mut bench = with_pinned_bob();
    bench.asked_by("bob", 7, &[]);
    bench.accept(7);
    assert_eq!(bench.refused_for(), [name("bob")]);
    assert_eq!((bench.members(), bench.answers.len()), (0, 0));
    bench.allow("bob");
    bench.accept(7);
    assert_eq!((bench.members(), bench.failures().len()), (1, 1));
    assert_eq!(bench.answers, [ChatAnswer::Accepted]);
}

#[test]
fn who_comes_along_with_a_request_needs_consent_too() {
    let mut bench = with_pinned_bob();
    bench.asked_by("carl", 8, &[addr(7)]);
    bench.accept(8);
    assert_eq!(bench.refused_for(), [name("bob")]);
    assert_eq!((bench.members(), bench.answers.len()), (0, 0));
    bench.allow("bob");
    bench.accept(8);
    assert_eq!(bench.members(), 2);
}

#[test]
fn an_answer_by_a_request_of_ones_own_needs_consent_too() {
    let mut bench = with_pinned_bob();
    bench.asked_by("bob", 7, &[]);
    bench.request("bob");
    assert_eq!(bench.refused_for(), [name("bob")]);
    assert_eq!((bench.members(), bench.answers.len()), (0, 0));
}

#[test]
fn consent_is_for_the_key_that_was_known_then() {
    let mut bench = with_pinned_bob();
    bench.allow("bob");
    bench.delta(seat("bob", 1), Some(state(7, Status::Available, 4)));
    bench.found("bob", 11, 4);
    let code = "1".repeat(20).parse().unwrap();
    bench.command(Command::Trust {
        name: name("bob"),
        code,
        verified: false,
    });
    bench.found("bob", 11, 4);
    while let Some((id, _)) = bench.work.pop() {
        let result = WorkResult::Code(code);
        bench.input(Input::WorkDone { id, result });
    }
    assert_eq!(bench.user("bob").unwrap().trust, Some(Trust::New));
    bench.request("bob");
    assert_eq!(bench.refused_for(), [name("bob")]);
}
