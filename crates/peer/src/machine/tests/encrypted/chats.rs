//! Encrypted conversations: names of keys, orders, and who is dialled.

use p2pchat_model::{
    Alerts, Chat, ChatChange, ChatKind, ConversationId, DatedChange, Member, MessageId, Named,
    Standing,
};

use super::super::super::chats::NAME_WAIT;
use super::super::super::chats_io::{FromChats, Order, Ordered};
use super::super::super::io::SendId;
use super::*;

fn conversation() -> ConversationId {
    ConversationId::encrypted(&[7; 32])
}

fn person(byte: u8) -> PersonKey {
    PersonKey(key(byte))
}

fn device(byte: u8) -> DeviceKey {
    DeviceKey(key(byte))
}

fn unnamed(byte: u8) -> Named {
    Named {
        key: person(byte),
        name: None,
        you: false,
    }
}

fn chat_with(byte: u8) -> Chat {
    Chat {
        kind: ChatKind::Direct,
        name: DisplayName::default(),
        standing: Standing::In,
        owner: false,
        members: vec![Member {
            who: unnamed(byte),
            asked: false,
            declined: false,
            owner: false,
            trust: None,
            typing: false,
            read: None,
        }],
        since: None,
        unread: 0,
        mentions: 0,
        alerts: Alerts::All,
        pinned: false,
        archived: false,
    }
}

impl Bench {
    fn chat(&mut self, byte: u8) {
        self.input(Input::Chats(FromChats::Event(Event::Chat {
            conversation: conversation(),
            chat: Box::new(chat_with(byte)),
        })));
    }

    fn orders(&mut self) -> Vec<(SendId, Order)> {
        let is_order = |told: &mut ToChats| matches!(told, ToChats::Order { .. });
        let orders = self.told.extract_if(.., is_order);
        let orders = orders.map(|told| match told {
            ToChats::Order { id, order } => (id, order),
            _ => unreachable!(),
        });
        orders.collect()
    }

    fn dialled(&mut self) -> Vec<DeviceKey> {
        let dials = std::mem::take(&mut self.told).into_iter();
        let dials = dials.filter_map(|told| match told {
            ToChats::Dial { device, .. } => Some(device),
            _ => None,
        });
        dials.collect()
    }

    fn found_on(&mut self, who: &str, person: u8, devices: &[u8]) {
        let certificate = |device: &u8| Certificate {
            device: DeviceKey(key(*device)),
            person: PersonKey(key(person)),
            signature: Signature([0; Signature::LEN]),
        };
        self.frame(FromRegistry::Found(Binding {
            name: name(who),
            serial: 3,
            person: Some(PersonKey(key(person))),
            display_name: DisplayName::default(),
            devices: devices.iter().map(certificate).collect(),
        }));
    }

    fn result(&mut self, id: SendId, result: Result<Ordered, (Problem, String)>) {
        self.input(Input::Chats(FromChats::Done { id, result }));
    }

    fn member(&self) -> Member {
        let chat = self.view.conversation(conversation()).unwrap();
        chat.chat.as_ref().unwrap().members[0]
    }
}

#[test]
fn conversations_are_told_at_the_sign_in_and_closed_at_the_sign_out() {
    let mut bench = Bench::signed_in(&[]);
    let account = name("ann");
    let is_told = |told: &ToChats| matches!(told, ToChats::Tell { account: of } if *of == account);
    assert_eq!(bench.told.iter().filter(|told| is_told(told)).count(), 1);
    bench.told.clear();
    bench.command(Command::Logout);
    assert!(matches!(bench.told[..], [ToChats::SignedOut]));
}

#[test]
fn what_is_said_first_after_a_takeover_goes_to_its_conversation() {
    let mut bench = Bench::signed_in(&[]);
    bench.chat(40);
    bench.found_on("bob", 40, &[5]);
    let say = || Command::Say {
        conversation: conversation(),
        text: "hello".to_owned(),
        reply_to: None,
    };
    let mut next = Bench::resumed(&bench.view);
    next.command(say());
    assert_eq!(next.failures(), []);
    let orders = next.orders();
    assert!(
        matches!(&orders[..], [(_, Order::Say { text, .. })] if text == "hello"),
        "{orders:?}"
    );
    assert!(matches!(next.told[0], ToChats::Tell { .. }));
    // What stops the user stops them in the next process too, before anything is told again.
    let shown = bench.view.conversations.iter_mut();
    for chat in shown.filter_map(|shown| shown.chat.as_mut()) {
        chat.members[0].trust = Some(Trust::ChangedAfterVerified);
    }
    let mut next = Bench::resumed(&bench.view);
    next.command(say());
    assert_eq!(next.failures(), [Problem::UserKeyChanged]);
    assert_eq!(next.orders(), []);
}

#[test]
fn a_chat_with_a_name_begins_once_the_registry_has_told_its_key() {
    let mut bench = Bench::signed_in(&[(seat("bob", 5), state(7, Status::Available, 3))]);
    bench.command(Command::Chat { with: name("bob") });
    assert_eq!(bench.sent, [ToRegistry::Lookup(name("bob"))]);
    assert_eq!(bench.orders(), []);
    bench.found_on("bob", 40, &[5]);
    let orders = bench.orders();
    let [(id, Order::Direct(with))] = orders[..] else {
        panic!("{orders:?}")
    };
    assert_eq!(with, person(40));
    bench.events.clear();
    bench.result(id, Ok(Ordered::Opened(conversation())));
    let opened = Event::Opened {
        conversation: conversation(),
    };
    assert_eq!(bench.events, [opened, Event::Done]);
    // From now on the key is known.
    bench.command(Command::Chat { with: name("bob") });
    assert_eq!(bench.orders().len(), 1);
}

#[test]
fn nobody_is_chatted_with_whose_key_is_another_one_or_none() {
    let mut bench = Bench::signed_in(&[(seat("old", 0), state(9, Status::Available, 0))]);
    bench.command(Command::Chat { with: name("old") });
    bench.frame(FromRegistry::Refused(Refusal::NotFound));
    bench.command(Command::Chat {
        with: name("nobody"),
    });
    bench.frame(FromRegistry::Refused(Refusal::NotFound));
    bench.command(Command::Chat { with: name("ann") });
    bench.command(Command::Chat { with: name("bob") });
    bench.found("bob", 40, 3);
    assert_eq!(
        bench.failures(),
        [Problem::OlderProgram, Problem::NoKey, Problem::Oneself]
    );
    assert_eq!(bench.orders().len(), 1);
    bench.delta(seat("bob", 5), Some(state(7, Status::Available, 4)));
    bench.found("bob", 41, 4);
    bench.command(Command::Chat { with: name("bob") });
    assert_eq!(bench.failures().last(), Some(&Problem::UserKeyChanged));
    assert_eq!(bench.orders(), []);
}

#[test]
fn of_a_group_all_are_named_who_have_no_key() {
    let mut bench = Bench::signed_in(&[(seat("old", 0), state(9, Status::Available, 0))]);
    bench.command(Command::Group {
        name: "Lunch".parse().unwrap(),
        members: ["nobody", "bob", "old", "none"].map(name).into(),
    });
    for _ in 0..2 {
        bench.frame(FromRegistry::Refused(Refusal::NotFound));
    }
    assert_eq!(bench.failures(), []);
    for _ in 0..2 {
        bench.frame(FromRegistry::Refused(Refusal::NotFound));
    }
    assert_eq!(bench.orders(), []);
    let failure = bench.events.iter().find_map(|event| match event {
        Event::Failed(failure) => Some(failure.message.clone()),
        _ => None,
    });
    let words = "nobody with this name has an encrypted p2pchat here: bob, nobody, none; \
                 they have an older p2pchat, which is not encrypted: old";
    assert_eq!(failure.as_deref(), Some(words));
}

#[test]
fn keys_get_the_names_that_the_registry_has_for_them() {
    let mut bench = Bench::signed_in(&[]);
    bench.chat(40);
    assert_eq!(bench.member().who.name, None);
    assert_eq!(bench.sent, [ToRegistry::LookupKey(person(40))]);
    let unread = Event::Unread {
        conversation: conversation(),
        messages: 3,
        mentions: 1,
    };
    bench.input(Input::Chats(FromChats::Event(unread)));
    bench.found_on("bob", 40, &[5]);
    let chat = bench.view.conversation(conversation()).unwrap();
    let chat = chat.chat.as_ref().unwrap();
    assert_eq!((chat.unread, chat.mentions), (3, 1));
    assert_eq!(bench.member().who.name, Some(name("bob")));
    assert_eq!(bench.member().trust, Some(Trust::New));
    bench.sent.clear();
    bench.chat(40);
    assert_eq!(bench.member().who.name, Some(name("bob")));
    assert_eq!(bench.sent, []);
}

#[test]
fn a_change_of_the_members_waits_for_a_name_but_not_for_long() {
    let mut bench = Bench::signed_in(&[]);
    bench.chat(40);
    bench.events.clear();
    let joined = |byte| {
        Input::Chats(FromChats::Event(Event::ChatChanged {
            conversation: conversation(),
            at: Timestamp(1),
            change: ChatChange::Joined(unnamed(byte)),
        }))
    };
    let told = |bench: &mut Bench| {
        let events = std::mem::take(&mut bench.events).into_iter();
        let changes = events.filter_map(|event| match event {
            Event::ChatChanged {
                change: ChatChange::Joined(who),
                ..
            } => Some((who.key, who.name)),
            _ => None,
        });
        changes.collect::<Vec<_>>()
    };
    bench.input(joined(40));
    bench.input(Input::Chats(FromChats::Event(Event::Posts {
        conversation: conversation(),
        before: None,
        posts: Vec::new(),
        changes: vec![DatedChange {
            at: Timestamp(1),
            change: ChatChange::Joined(unnamed(40)),
        }],
        more: false,
    })));
    let has_change =
        |event: &Event| matches!(event, Event::Posts { changes, .. } if !changes.is_empty());
    assert!(
        !bench.events.iter().any(has_change),
        "it waits for the name"
    );
    assert_eq!(told(&mut bench), []);
    bench.found_on("bob", 40, &[5]);
    assert_eq!(told(&mut bench), [(person(40), Some(name("bob"))); 2]);
    bench.input(joined(41));
    assert_eq!(told(&mut bench), []);
    bench.advance(NAME_WAIT, true);
    assert_eq!(told(&mut bench), [(person(41), None)], "no answer came");
}

#[test]
fn devices_of_partners_are_dialled_as_they_come() {
    let bob = (seat("bob", 5), state(7, Status::Available, 3));
    let mut bench = Bench::signed_in(&[bob]);
    assert_eq!(bench.dialled(), [], "nobody is in a conversation");
    bench.chat(40);
    bench.found_on("bob", 40, &[5]);
    // The registry has told the devices with the name.
    assert_eq!(bench.dialled(), [device(5)], "the own key is smaller");
    let (now, there) = (bench.now, device(5));
    bench.input(Input::Chats(FromChats::NotReached { device: there }));
    bench.advance(SECOND, true);
    assert_eq!(bench.dialled(), []);
    bench.advance(2 * SECOND, true);
    assert_eq!(bench.dialled(), [there], "again after {now:?}");
    bench.input(Input::Chats(FromChats::Connected { device: there }));
    bench.advance(90 * SECOND, true);
    assert_eq!(bench.dialled(), []);
    bench.input(Input::Chats(FromChats::Disconnected { device: there }));
    bench.delta(bob.0, None);
    bench.advance(90 * SECOND, true);
    assert_eq!(bench.dialled(), [], "they are offline");
    bench.delta(bob.0, Some(bob.1));
    assert_eq!(bench.dialled(), [there]);
}

#[test]
fn the_device_with_the_greater_key_waits_for_the_other_to_dial() {
    let bob = (seat("bob", 0), state(7, Status::Available, 3));
    let mut bench = Bench::signed_in(&[bob]);
    bench.chat(40);
    bench.found_on("bob", 40, &[0]);
    let zero = Seat {
        device: Some(DeviceId([0; 8])),
        ..bob.0
    };
    bench.delta(zero, Some(bob.1));
    assert_eq!(bench.dialled(), []);
    bench.advance(2 * SECOND, true);
    assert_eq!(bench.dialled(), [device(0)]);
}

#[test]
fn orders_are_answered_in_full_and_only_for_conversations_that_there_are() {
    let mut bench = Bench::signed_in(&[]);
    let say = Command::say(conversation(), "hello");
    bench.command(say.clone());
    let (id, _) = bench.orders().pop().unwrap();
    let unknown = (Problem::NoSuchConversation, "there is none".to_owned());
    bench.result(id, Err(unknown));
    assert_eq!(bench.failures(), [Problem::NoSuchConversation]);
    bench.chat(40);
    bench.events.clear();
    bench.command(say);
    bench.command(Command::say(conversation(), " "));
    bench.command(Command::say(conversation(), "x".repeat(32 * 1024 + 1)));
    assert_eq!(bench.failures(), [Problem::BadText, Problem::BadText]);
    bench.events.clear();
    let orders = bench.orders();
    let [(id, Order::Say { text, said_by, .. })] = &orders[..] else {
        panic!("{orders:?}")
    };
    assert_eq!((text.as_str(), said_by.is_some()), ("hello", true));
    let message = MessageId::of_entry(1, 2, 3);
    let said = Ordered::Said {
        conversation: conversation(),
        message,
    };
    bench.result(*id, Ok(said));
    let said = Event::Said {
        conversation: conversation(),
        message,
    };
    assert_eq!(bench.events, [said, Event::Done]);
    bench.result(*id, Ok(Ordered::Done));
    assert_eq!(bench.events.len(), 2, "an order is answered once");
    bench.command(Command::Resign {
        conversation: conversation(),
    });
    let id = bench.orders()[0].0;
    let not_owner = (Problem::NotOwner, "only an owner can do that".to_owned());
    bench.result(id, Err(not_owner));
    assert_eq!(bench.failures(), [Problem::NotOwner]);
}

#[test]
fn what_waits_goes_to_a_new_key_when_the_user_accepts_it() {
    let mut bench = Bench::signed_in(&[(seat("bob", 5), state(7, Status::Available, 3))]);
    let accept = |bench: &mut Bench, although_verified| {
        bench.command(Command::AcceptKey {
            conversation: conversation(),
            although_verified,
        });
    };
    bench.chat(40);
    bench.found_on("bob", 40, &[5]);
    accept(&mut bench, false);
    assert_eq!(bench.failures(), [Problem::NotPossible], "it is their key");
    bench.delta(seat("bob", 5), Some(state(7, Status::Available, 4)));
    bench.found("bob", 41, 4);
    assert_eq!(bench.member().trust, Some(Trust::Changed));
    assert_eq!(bench.orders(), [], "nothing goes to the new key by itself");
    accept(&mut bench, false);
    let (from, to) = (person(40), person(41));
    let orders = bench.orders();
    let [(id, Order::MoveOn { .. })] = orders[..] else {
        panic!("{orders:?}")
    };
    assert_eq!(orders[0].1, Order::MoveOn { from, to });
    let other = ConversationId::encrypted(&[9; 32]);
    bench.events.clear();
    bench.result(id, Ok(Ordered::Opened(other)));
    let opened = Event::Opened {
        conversation: other,
    };
    assert_eq!(bench.events, [opened, Event::Done]);
    assert_eq!(bench.user("bob").unwrap().trust, Some(Trust::New));
    assert_eq!(
        bench.member().trust,
        Some(Trust::Former),
        "it is with the old key"
    );
    bench.command(Command::say(conversation(), "too late"));
    assert_eq!(bench.failures().last(), Some(&Problem::NotPossible));
    // What was not carried out is tried again, and no later key is accepted with it.
    bench.delta(seat("bob", 5), Some(state(7, Status::Available, 5)));
    bench.found("bob", 42, 5);
    accept(&mut bench, true);
    assert_eq!(bench.orders()[0].1, Order::MoveOn { from, to });
    assert_eq!(bench.user("bob").unwrap().trust, Some(Trust::Changed));
}

#[test]
fn a_key_in_place_of_a_verified_one_is_accepted_with_more_than_one_word() {
    let mut bench = Bench::signed_in(&[(seat("bob", 5), state(7, Status::Available, 3))]);
    bench.chat(40);
    bench.found_on("bob", 40, &[5]);
    let code = "12345678901234567890".parse().unwrap();
    let mut answered = 0;
    // Their devices are asked for too.
    let mut answer = |bench: &mut Bench, key, serial| {
        let is_of_bob = |sent: &&ToRegistry| **sent == ToRegistry::Lookup(name("bob"));
        while answered < bench.sent.iter().filter(is_of_bob).count() {
            answered += 1;
            bench.found("bob", key, serial);
        }
    };
    let trust = |bench: &mut Bench, answer: &mut dyn FnMut(&mut Bench, u8, u64), key, serial| {
        bench.command(Command::Trust {
            name: name("bob"),
            code,
            verified: true,
        });
        answer(bench, key, serial);
        let is_it =
            |(_, work): &(SendId, Work)| matches!(work, Work::Code(of) if *of == person(key));
        let at = bench.work.iter().position(is_it).unwrap();
        let (id, _) = bench.work.remove(at);
        let result = WorkResult::Code(code);
        bench.input(Input::WorkDone { id, result });
    };
    trust(&mut bench, &mut answer, 40, 3);
    bench.delta(seat("bob", 5), Some(state(7, Status::Available, 4)));
    answer(&mut bench, 41, 4);
    bench.orders();
    for although_verified in [false, true] {
        bench.command(Command::AcceptKey {
            conversation: conversation(),
            although_verified,
        });
    }
    assert_eq!(bench.failures(), [Problem::UserKeyChanged]);
    let (from, to) = (person(40), person(41));
    let orders: Vec<_> = bench.orders().into_iter().map(|(_, order)| order).collect();
    assert_eq!(orders, [Order::MoveOn { from, to }]);
    assert_eq!(bench.user("bob").unwrap().trust, Some(Trust::New));
    // The comparison of codes is an act of the user too.
    bench.delta(seat("bob", 5), Some(state(7, Status::Available, 5)));
    assert_eq!(bench.orders(), []);
    trust(&mut bench, &mut answer, 42, 5);
    let (from, to) = (person(41), person(42));
    let orders: Vec<_> = bench.orders().into_iter().map(|(_, order)| order).collect();
    assert_eq!(orders, [Order::MoveOn { from, to }]);
}

#[test]
fn nothing_is_said_to_someone_whose_verified_key_is_another_one_now() {
    let mut bench = Bench::signed_in(&[(seat("bob", 5), state(7, Status::Available, 3))]);
    bench.chat(40);
    bench.found_on("bob", 40, &[5]);
    let code = "12345678901234567890".parse().unwrap();
    bench.command(Command::Trust {
        name: name("bob"),
        code,
        verified: true,
    });
    bench.found_on("bob", 40, &[5]);
    let (id, _) = bench.work.pop().unwrap();
    let result = WorkResult::Code(code);
    bench.input(Input::WorkDone { id, result });
    assert_eq!(bench.member().trust, Some(Trust::Verified));
    bench.command(Command::say(conversation(), "hello"));
    assert_eq!(bench.orders().len(), 1);
    bench.delta(seat("bob", 5), Some(state(7, Status::Available, 4)));
    bench.found("bob", 41, 4);
    bench.command(Command::say(conversation(), "for bob alone"));
    assert_eq!(bench.failures(), [Problem::UserKeyChanged]);
    assert_eq!(bench.orders(), []);
    // That the new key is verified says nothing of the old one, which this conversation is with.
    bench.command(Command::Trust {
        name: name("bob"),
        code,
        verified: true,
    });
    // Their devices were asked for too.
    bench.found("bob", 41, 4);
    bench.found("bob", 41, 4);
    let (id, _) = bench.work.pop().unwrap();
    let result = WorkResult::Code(code);
    bench.input(Input::WorkDone { id, result });
    assert_eq!(bench.user("bob").unwrap().trust, Some(Trust::Verified));
    assert_eq!(bench.member().trust, Some(Trust::Former));
    // Nor is it forgotten whose the old one was.
    let (_, kept) = bench
        .kept
        .iter()
        .rfind(|(file, _)| *file == KnownFile::People)
        .unwrap();
    let mut known = Known::default();
    known.read(KnownFile::People, kept).unwrap();
    let mut again = Bench::knowing(known);
    again.welcome();
    again.command(Command::login(name("ann"), password()));
    again.sign_in();
    again.chat(40);
    assert_eq!(again.member().who.name, Some(name("bob")));
}

#[test]
fn a_request_is_shown_once_it_is_known_whose_it_is() {
    let mut bench = Bench::signed_in(&[]);
    let request = Event::Chat {
        conversation: conversation(),
        chat: Box::new(Chat {
            standing: Standing::Asked(unnamed(40)),
            ..chat_with(40)
        }),
    };
    let told = |event: &Event| Input::Chats(FromChats::Event(event.clone()));
    bench.told.clear();
    bench.input(told(&request));
    assert_eq!(bench.view.conversation(conversation()), None);
    bench.command(Command::Join {
        conversation: conversation(),
    });
    assert_eq!(bench.failures(), [Problem::NoSuchConversation]);
    bench.found_on("bob", 40, &[]);
    assert!(matches!(bench.told[..], [ToChats::Tell { .. }]));
    bench.input(told(&request));
    assert!(bench.view.conversation(conversation()).is_some());
}

#[test]
fn conversations_with_the_blocked_are_hidden_until_they_are_unblocked() {
    let mut bench = Bench::signed_in(&[]);
    bench.chat(40);
    bench.found_on("bob", 40, &[]);
    let who = Target::Name(name("bob"));
    bench.command(Command::Block { who });
    assert_eq!(bench.view.conversation(conversation()), None);
    bench.events.clear();
    bench.chat(40);
    assert_eq!(bench.events, [], "nothing more of it is told");
    bench.told.clear();
    bench.command(Command::Unblock { who });
    assert!(matches!(bench.told[..], [ToChats::Tell { .. }]));
    bench.chat(40);
    assert_eq!(bench.member().who.name, Some(name("bob")));
}

#[test]
fn a_repeated_call_is_carried_out_once_and_answered_as_the_first_time() {
    let mut bench = Bench::signed_in(&[]);
    bench.chat(40);
    let conversation = conversation();
    let message = MessageId::of_entry(1, 2, 3);
    let group = Command::Group {
        name: DisplayName::default(),
        members: Vec::new(),
    };
    let say = Command::say(conversation, "hello");
    let opened = (
        Ordered::Opened(conversation),
        Event::Opened { conversation },
    );
    let said = (
        Ordered::Said {
            conversation,
            message,
        },
        Event::Said {
            conversation,
            message,
        },
    );
    for (command, (result, answer)) in [(group, opened), (say, said)] {
        bench.command(command.clone());
        let orders = bench.orders();
        let [(id, _)] = orders[..] else {
            panic!("{orders:?}")
        };
        bench.events.clear();
        bench.result(id, Ok(result));
        assert_eq!(bench.events, [answer.clone(), Event::Done]);
        bench.events.clear();
        bench.calls -= 1;
        bench.command(command);
        assert_eq!(bench.orders(), []);
        assert_eq!(bench.events, [answer, Event::Done]);
    }
}
