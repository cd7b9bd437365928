//! One machine that speaks version 2, and what its registry sends it.

use std::time::Duration;

use p2pchat_model::{
    Call, Command, Event, FrontEndId, JoinedBy, KnownRegistry, Link, Notice, PeerAddr, Person,
    Problem, Target, Timestamp, Trust, User, Username, View,
};
use p2pchat_protocol::ChatAnswer;
use p2pchat_protocol::v2::{
    Binding, Certificate, DeviceId, DeviceKey, DisplayName, Endpoint, Fingerprint, FromRegistry,
    Goodbye, PersonKey, PublicKey, Refusal, Seat, SeatState, Signature, SignedIn, Status,
    ToRegistry,
};

use super::super::{
    Asked, Config, Input, Keys, Machine, Now, Output, ToChats, ToJournal, Work, WorkResult,
};
use super::net::{addr, password};
use crate::known::{Known, KnownFile};

mod account;
mod chats;
mod choice;
mod open_chat;

const SECOND: Duration = Duration::from_secs(1);

struct Bench {
    machine: Machine,
    now: Duration,
    view: View,
    events: Vec<Event>,
    sent: Vec<ToRegistry>,
    work: Vec<(super::super::SendId, Work)>,
    /// The registry's key that each connection expects.
    connects: Vec<Option<Fingerprint>>,
    kept: Vec<(KnownFile, String)>,
    /// Which registries the shell was to go to; `None` for one of this machine.
    wanted: Vec<Option<String>>,
    /// What the conversations were told.
    told: Vec<ToChats>,
    /// The addresses that chat requests were sent to.
    requests: Vec<PeerAddr>,
    /// How chat requests were answered.
    answers: Vec<ChatAnswer>,
    calls: u64,
}

fn key(byte: u8) -> PublicKey {
    PublicKey([byte; PublicKey::LEN])
}

fn name(text: &str) -> Username {
    text.parse().unwrap()
}

fn registry() -> Fingerprint {
    "A".repeat(Fingerprint::LEN).parse().unwrap()
}

fn at(now: Duration) -> Now {
    let millis = u64::try_from(now.as_millis()).unwrap();
    Now {
        elapsed: now,
        wall: Timestamp(1_790_000_000_000 + millis),
    }
}

fn seat(who: &str, device: u8) -> Seat {
    let device = (device > 0).then_some(DeviceId([device; 8]));
    let name = name(who);
    Seat { name, device }
}

fn state(address: u8, status: Status, serial: u64) -> SeatState {
    SeatState {
        endpoint: Endpoint {
            address: addr(address),
            port: 5858,
        },
        version_1: true,
        status,
        serial,
        display_name: Some(DisplayName::default()),
    }
}

impl Bench {
    fn new() -> Self {
        Self::knowing(Known::default())
    }

    fn knowing(known: Known) -> Self {
        Self::with_keys(known, true)
    }

    fn with_keys(known: Known, saved: bool) -> Self {
        Self::at_registry("registry", known, saved)
    }

    fn at_registry(registry: &str, known: Known, saved: bool) -> Self {
        let config = Self::config(registry, known, saved);
        Self::of(Machine::new(config, at(SECOND)), View::default())
    }

    /// Goes on where another process has ended that had this view.
    fn resumed(view: &View) -> Self {
        let config = Self::config("registry", Known::default(), true);
        Self::of(Machine::resume(config, at(SECOND), view), view.clone())
    }

    fn config(registry: &str, known: Known, saved: bool) -> Config {
        Config {
            address: addr(1),
            registry: registry.to_owned(),
            message_port: 1010,
            request_limit: Duration::from_secs(60),
            seed: 1,
            keys: Some(Keys {
                certificate: Certificate {
                    device: DeviceKey(key(1)),
                    person: PersonKey(key(2)),
                    signature: Signature([0; Signature::LEN]),
                },
                saved,
                names: vec!["registry".to_owned()],
                named: None,
                allow_plaintext: false,
                known,
            }),
        }
    }

    fn of(machine: Machine, view: View) -> Self {
        let mut bench = Self {
            machine,
            now: SECOND,
            view,
            events: Vec::new(),
            sent: Vec::new(),
            work: Vec::new(),
            connects: Vec::new(),
            kept: Vec::new(),
            wanted: Vec::new(),
            told: Vec::new(),
            requests: Vec::new(),
            answers: Vec::new(),
            calls: 0,
        };
        bench.pump();
        bench
    }

    /// Logged in as `ann` by password, with the whole list of who is online.
    fn signed_in(users: &[(Seat, SeatState)]) -> Self {
        let mut bench = Self::new();
        bench.welcome();
        bench.command(Command::login(name("ann"), password()));
        bench.sign_in();
        bench.snapshot(users);
        bench.sent.clear();
        bench.events.clear();
        bench
    }

    fn welcome(&mut self) {
        let fingerprint = registry();
        self.input(Input::Welcome {
            fingerprint,
            time: 0,
        });
    }

    fn sign_in(&mut self) {
        self.frame(FromRegistry::SignedIn(SignedIn {
            serial: 1,
            display_name: DisplayName::default(),
            address: addr(1),
            allows_version_1: false,
        }));
        self.frame(FromRegistry::Done);
    }

    fn snapshot(&mut self, users: &[(Seat, SeatState)]) {
        let users = users.iter().map(|(seat, state)| (*seat, Some(*state)));
        self.frame(FromRegistry::Snapshot {
            users: users.collect(),
            begins: true,
            ends: true,
        });
    }

    fn delta(&mut self, seat: Seat, state: Option<SeatState>) {
        self.frame(FromRegistry::Delta(vec![(seat, state)]));
    }

    fn frame(&mut self, frame: FromRegistry) {
        self.input(Input::Frame(frame));
    }

    fn command(&mut self, command: Command) {
        let front_end = FrontEndId::new("front-end").unwrap();
        self.calls += 1;
        let asked = Asked::by(front_end, Call::with_id(self.calls, command));
        self.input(Input::Command(asked));
    }

    fn input(&mut self, input: Input) {
        self.machine.handle(at(self.now), input);
        self.pump();
    }

    fn breaks(&mut self) {
        let reason = "it broke".to_owned();
        self.input(Input::RegistryDown { reason });
    }

    /// Lets time pass, and the registry answer pings.
    fn advance(&mut self, by: Duration, answers: bool) {
        let end = self.now + by;
        while let Some(due) = self.machine.deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            let before = self.sent.len();
            self.input(Input::Timer);
            for request in self.sent.split_off(before) {
                let is_ping = request == ToRegistry::Ping;
                self.sent.push(request);
                if answers && is_ping {
                    self.frame(FromRegistry::Pong);
                } else if answers {
                    self.frame(FromRegistry::Done);
                }
            }
        }
        self.now = end;
    }

    fn pump(&mut self) {
        while let Some(output) = self.machine.output() {
            match output {
                Output::Event { event, .. } => {
                    self.view.apply(&event);
                    self.events.push(event);
                }
                Output::Send(request) => self.sent.push(request),
                Output::Work { id, work } => self.work.push((id, work)),
                Output::ConnectEncrypted { expected } => self.connects.push(expected),
                Output::Journal(ToJournal::Keep { file, text }) => self.kept.push((file, text)),
                Output::ConnectRegistry | Output::Ask(_) | Output::Hello(_) => {
                    panic!("version 1 is spoken")
                }
                Output::Chats(told) => self.told.push(told),
                Output::Request { to, .. } => self.requests.push(to),
                Output::Answer { answer, .. } => self.answers.push(answer),
                Output::UseRegistry { registry } => self.wanted.push(Some(registry)),
                Output::StartRegistry { .. } => self.wanted.push(None),
                _ => {}
            }
        }
    }

    fn user(&self, who: &str) -> Option<&User> {
        self.view.user(name(who))
    }

    fn failures(&self) -> Vec<Problem> {
        let failed = self.events.iter().filter_map(|event| match event {
            Event::Failed(failure) => Some(failure.code),
            _ => None,
        });
        failed.collect()
    }

    /// The password of each sign-in that was sent.
    fn sign_ins(&self) -> Vec<bool> {
        let sign_ins = self.sent.iter().filter_map(|request| match request {
            ToRegistry::SignIn(sign_in) => Some(sign_in.password.is_some()),
            _ => None,
        });
        sign_ins.collect()
    }

    fn notices(&self) -> Vec<Notice> {
        let notices = self.events.iter().filter_map(|event| match event {
            Event::Notice { what, .. } => Some(*what),
            _ => None,
        });
        notices.collect()
    }

    fn found(&mut self, who: &str, person: u8, serial: u64) {
        self.frame(FromRegistry::Found(Binding {
            name: name(who),
            serial,
            person: Some(PersonKey(key(person))),
            display_name: DisplayName::default(),
            devices: Vec::new(),
        }));
    }
}

#[test]
fn a_password_is_sent_once_and_the_key_signs_in_again() {
    let mut bench = Bench::new();
    bench.welcome();
    assert!(bench.notices().contains(&Notice::RegistryPinned {
        fingerprint: registry()
    }));
    bench.command(Command::login(name("ann"), password()));
    bench.sign_in();
    bench.breaks();
    bench.advance(2 * SECOND, true);
    assert_eq!(bench.connects.len(), 2);
    bench.welcome();
    assert_eq!(bench.sign_ins(), [true, false]);
    assert_eq!(bench.view.link, Link::Up);
}

#[test]
fn several_devices_are_one_user() {
    let busy = state(7, Status::Busy, 3);
    let mut bench = Bench::signed_in(&[(seat("bob", 1), busy)]);
    assert_eq!(bench.user("bob").unwrap().status, Status::Busy);
    bench.delta(seat("bob", 2), Some(state(8, Status::Available, 3)));
    let bob = *bench.user("bob").unwrap();
    assert_eq!((bob.address, bob.status), (addr(8), Status::Available));
    // Of the first one the status alone has changed: the second is still the newest.
    bench.delta(seat("bob", 1), Some(state(7, Status::Away, 3)));
    assert_eq!(bench.user("bob").unwrap().address, addr(8));
    bench.delta(seat("bob", 2), None);
    let bob = *bench.user("bob").unwrap();
    assert_eq!((bob.address, bob.status), (addr(7), Status::Away));
    assert!(!bob.legacy);
    bench.delta(seat("bob", 1), None);
    assert_eq!(bench.user("bob"), None);
    bench.delta(seat("bob", 0), Some(state(9, Status::Available, 0)));
    assert!(bench.user("bob").unwrap().legacy);
    let is_whole = |event: &Event| matches!(event, Event::Online { .. });
    assert!(!bench.events.iter().any(is_whole), "only what has changed");
}

#[test]
fn an_idle_user_is_away_until_their_next_call() {
    let mut bench = Bench::signed_in(&[]);
    bench.advance(599 * SECOND, true);
    assert!(!bench.view.away);
    bench.advance(2 * SECOND, true);
    assert!(bench.view.away);
    assert!(bench.sent.contains(&ToRegistry::SetStatus(Status::Away)));
    bench.command(Command::Active);
    assert!(!bench.view.away);
    let last = bench.sent.last();
    assert_eq!(last, Some(&ToRegistry::SetStatus(Status::Available)));
    bench.frame(FromRegistry::Done);
    // Who says that they are away stays so.
    bench.command(Command::Away { on: true });
    bench.frame(FromRegistry::Done);
    bench.command(Command::Active);
    assert!(bench.view.away);
    bench.command(Command::Busy { on: true });
    let last = bench.sent.last();
    assert_eq!(last, Some(&ToRegistry::SetStatus(Status::Busy)));
}

#[test]
fn a_silent_registry_is_gone_after_three_pings() {
    let mut bench = Bench::signed_in(&[]);
    bench.advance(44 * SECOND, false);
    assert_eq!(bench.sent, [ToRegistry::Ping, ToRegistry::Ping]);
    assert_eq!(bench.view.link, Link::Up);
    bench.advance(SECOND, false);
    assert!(matches!(bench.view.link, Link::Down { .. }));
    let mut bench = Bench::signed_in(&[]);
    bench.advance(300 * SECOND, true);
    assert_eq!(bench.view.link, Link::Up);
}

#[test]
fn another_key_of_a_pinned_user_is_told_once_and_stays_until_it_is_trusted() {
    let mut bench = Bench::signed_in(&[(seat("bob", 1), state(7, Status::Available, 3))]);
    assert_eq!(bench.sent, [], "there is no chat with them");
    bench.command(Command::Code { name: name("bob") });
    bench.found("bob", 10, 3);
    assert_eq!(bench.user("bob").unwrap().trust, Some(Trust::New));
    // The serial has changed, and with it the key.
    bench.delta(seat("bob", 1), Some(state(7, Status::Available, 4)));
    assert_eq!(bench.sent.last(), Some(&ToRegistry::Lookup(name("bob"))));
    bench.found("bob", 11, 4);
    let changed = Notice::KeyChanged {
        name: name("bob"),
        was_verified: false,
    };
    assert_eq!(bench.notices(), [changed]);
    assert_eq!(bench.user("bob").unwrap().trust, Some(Trust::Changed));
    // An older answer is ignored.
    bench.command(Command::Code { name: name("bob") });
    bench.found("bob", 10, 3);
    assert_eq!(bench.user("bob").unwrap().trust, Some(Trust::Changed));
    let code = "1".repeat(20).parse().unwrap();
    bench.command(Command::Trust {
        name: name("bob"),
        code,
        verified: true,
    });
    bench.found("bob", 11, 4);
    let (id, work) = bench.work.pop().unwrap();
    assert!(matches!(work, Work::Code(person) if person == PersonKey(key(11))));
    let result = WorkResult::Code(code);
    bench.input(Input::WorkDone { id, result });
    assert_eq!(bench.user("bob").unwrap().trust, Some(Trust::Verified));
    bench.delta(seat("bob", 1), Some(state(7, Status::Available, 5)));
    bench.found("bob", 12, 5);
    let trust = bench.user("bob").unwrap().trust;
    assert_eq!(trust, Some(Trust::ChangedAfterVerified));
}

#[test]
fn the_key_of_a_member_is_looked_up() {
    let mut bench = Bench::signed_in(&[(seat("bob", 1), state(7, Status::Available, 3))]);
    let from: PeerAddr = addr(7);
    bench.input(Input::Contact {
        conn: super::super::ConnId(1),
        from,
        contact: p2pchat_protocol::Contact::Request {
            from: name("bob"),
            members: [].into_iter().collect(),
        },
    });
    bench.command(Command::Accept {
        conversation: super::net::OPEN,
        from,
    });
    let joined = |event: &Event| matches!(event, Event::MemberJoined { member: Person { address, .. }, by: JoinedBy::AcceptedByUs, .. } if *address == from);
    assert!(bench.events.iter().any(joined));
    assert_eq!(bench.sent, [ToRegistry::Lookup(name("bob"))]);
}

#[test]
fn a_refusal_that_stays_ends_the_session_and_the_attempts() {
    for (refusal, problem) in [
        (Refusal::DeviceForgotten, Problem::DeviceForgotten),
        (Refusal::OtherPerson, Problem::OtherPerson),
        (Refusal::PasswordNeeded, Problem::PasswordNeeded),
    ] {
        let mut bench = Bench::signed_in(&[]);
        bench.frame(FromRegistry::Goodbye(Goodbye::AccessChanged));
        bench.advance(2 * SECOND, true);
        bench.welcome();
        bench.frame(FromRegistry::Refused(refusal));
        let ended = bench.events.iter().find_map(|event| match event {
            Event::LoggedOut { problem, .. } => *problem,
            _ => None,
        });
        assert_eq!(ended, Some(problem));
        bench.breaks();
        bench.sent.clear();
        bench.advance(2 * SECOND, true);
        bench.welcome();
        assert_eq!(bench.sent, [], "it is not tried again");
    }
}

#[test]
fn two_copies_of_a_profile_do_not_push_each_other_out_all_the_time() {
    let mut bench = Bench::signed_in(&[]);
    bench.frame(FromRegistry::Goodbye(Goodbye::Replaced));
    bench.advance(14 * SECOND, true);
    assert_eq!(bench.connects.len(), 1);
    bench.advance(17 * SECOND, true);
    assert_eq!(bench.connects.len(), 2);
}

#[test]
fn a_login_joins_the_one_that_the_key_makes_by_itself() {
    let mut bench = Bench::signed_in(&[]);
    bench.command(Command::login(name("ann"), password()));
    assert_eq!((bench.sent.len(), bench.failures()), (0, Vec::new()));
    bench.command(Command::login(name("bob"), password()));
    assert_eq!(bench.failures(), [Problem::AlreadyLoggedIn]);
}

#[test]
fn an_answer_that_was_not_asked_for_ends_the_connection() {
    let mut bench = Bench::signed_in(&[]);
    bench.frame(FromRegistry::Pong);
    assert!(matches!(bench.view.link, Link::Down { .. }));
    let mut bench = Bench::signed_in(&[]);
    bench.command(Command::Code { name: name("bob") });
    bench.found("carl", 9, 1);
    assert!(matches!(bench.view.link, Link::Down { .. }));
    assert_eq!(bench.failures(), [Problem::RegistryFailed]);
}

impl Bench {
    fn request(&mut self, who: &str) {
        self.command(Command::Request {
            conversation: super::net::OPEN,
            to: Target::Name(name(who)),
        });
    }

    /// The addresses that chat requests were sent to.
    fn requested(&self) -> Vec<PeerAddr> {
        let requests = self.events.iter().filter_map(|event| match event {
            Event::RequestSent(request) => Some(request.to.address),
            _ => None,
        });
        requests.collect()
    }
}

#[test]
fn a_request_right_after_the_sign_in_waits_for_the_list() {
    let mut bench = Bench::new();
    bench.welcome();
    bench.command(Command::login(name("ann"), password()));
    bench.sign_in();
    bench.request("bob");
    bench.command(Command::Refresh);
    bench.advance(10 * SECOND, true);
    assert_eq!((bench.requested(), bench.failures()), (vec![], vec![]));
    bench.snapshot(&[(seat("bob", 1), state(7, Status::Available, 1))]);
    assert_eq!(bench.requested(), [addr(7)]);
    let lists = |bench: &Bench| {
        let lists = bench.events.iter().filter_map(|event| match event {
            Event::Online { users } => Some(users.len()),
            _ => None,
        });
        lists.collect::<Vec<_>>()
    };
    assert_eq!(lists(&bench), [1]);
    // Who came since the snapshot was made is told behind it.
    bench.delta(seat("carl", 2), Some(state(8, Status::Available, 1)));
    bench.advance(SECOND, true);
    assert_eq!(lists(&bench), [1, 2]);
    bench.command(Command::Refresh);
    assert_eq!(lists(&bench), [1, 2, 2], "at once");
    bench.request("dave");
    bench.advance(2 * SECOND, true);
    assert_eq!(bench.failures(), [Problem::NotOnline]);
}

#[test]
fn a_request_to_one_who_comes_this_moment_waits_for_them() {
    let mut bench = Bench::signed_in(&[]);
    bench.request("bob");
    bench.command(Command::Search { name: name("carl") });
    bench.advance(SECOND, true);
    bench.delta(seat("bob", 1), Some(state(7, Status::Available, 1)));
    assert_eq!(bench.requested(), [addr(7)]);
    let found = |bench: &Bench| {
        let found = bench.events.iter().filter_map(|event| match event {
            Event::Found { address, .. } => Some(*address),
            _ => None,
        });
        found.collect::<Vec<_>>()
    };
    assert_eq!(found(&bench), []);
    bench.advance(SECOND, true);
    assert_eq!(found(&bench), [None]);
}

#[test]
fn a_request_that_waits_ends_with_the_line_or_the_session() {
    let mut bench = Bench::signed_in(&[]);
    bench.request("bob");
    bench.breaks();
    assert_eq!(bench.failures(), [Problem::RegistryUnreachable]);
    let mut bench = Bench::signed_in(&[]);
    bench.request("bob");
    bench.command(Command::Logout);
    assert_eq!(bench.failures(), [Problem::NotLoggedIn]);
    let mut bench = Bench::signed_in(&[]);
    for _ in 0..100 {
        bench.request("bob");
    }
    let refused = bench.failures();
    assert_eq!(refused, [Problem::TooMuch; 36]);
}

#[test]
fn the_key_signs_in_by_itself_until_it_is_refused_for_good() {
    let account = Some((registry(), name("ann")));
    let mut bench = Bench::knowing(Known {
        account,
        ..Known::default()
    });
    bench.welcome();
    assert_eq!(bench.sign_ins(), [false]);
    bench.frame(FromRegistry::Refused(Refusal::SlowDown));
    bench.advance(6 * SECOND, false);
    assert_eq!(bench.sign_ins(), [false, false]);
    assert_eq!(bench.failures(), []);
    bench.frame(FromRegistry::Refused(Refusal::DeviceForgotten));
    bench.advance(6 * SECOND, true);
    assert_eq!(bench.sign_ins(), [false, false]);
    assert_eq!(bench.failures(), [Problem::DeviceForgotten]);
}

/// The account that signed in last, at a registry that is known.
fn ann_was_here() -> Known {
    Known {
        account: Some((registry(), name("ann"))),
        registries: vec![KnownRegistry {
            registry: "registry".to_owned(),
            fingerprint: registry(),
            since: "2026-11-28".to_owned(),
            trusted: false,
        }],
        ..Known::default()
    }
}

#[test]
fn conversations_are_there_while_the_registry_has_never_answered() {
    let mut bench = Bench::knowing(ann_was_here());
    assert_eq!((bench.view.account, bench.told.len()), (None, 0));
    bench.breaks();
    assert_eq!(bench.view.account, Some(name("ann")));
    assert!(matches!(bench.view.link, Link::Down { .. }));
    let tells =
        |told: &ToChats| matches!(told, ToChats::Tell { account } if *account == name("ann"));
    assert_eq!(bench.told.iter().filter(|told| tells(told)).count(), 1);
    bench.command(Command::Code { name: name("bob") });
    assert_eq!(bench.failures(), [Problem::RegistryUnreachable]);
    bench.breaks();
    bench.welcome();
    assert_eq!(bench.sign_ins(), [false]);
    bench.sign_in();
    bench.snapshot(&[(seat("bob", 1), state(7, Status::Available, 3))]);
    assert!(bench.user("bob").is_some());
    assert_eq!(bench.told.iter().filter(|told| tells(told)).count(), 1);

    // The registry may know better.
    let mut bench = Bench::knowing(ann_was_here());
    bench.breaks();
    bench.welcome();
    bench.frame(FromRegistry::Refused(Refusal::DeviceForgotten));
    assert_eq!(bench.view.account, None);
    bench.breaks();
    assert_eq!(bench.view.account, None);
}

#[test]
fn an_account_that_was_signed_out_does_not_begin_by_itself() {
    let mut bench = Bench::knowing(ann_was_here());
    bench.breaks();
    bench.command(Command::Logout);
    assert_eq!(bench.view.account, None);
    bench.breaks();
    assert_eq!(bench.view.account, None);
}
