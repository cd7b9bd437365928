use p2pchat_model::{LeaveReason, OutgoingRequest};

use p2pchat_model::{Failure, Timestamp};

use super::*;

const AT: Timestamp = Timestamp(0);

fn person(name: &str, last: u8) -> Person {
    let address = format!("127.0.0.{last}").parse().unwrap();
    Person::listed(address, Some(name.parse().unwrap()))
}

fn plan(to: Option<&str>) -> Plan {
    Plan {
        to: to.map(|user| Target::new(user).unwrap()),
        conversation: ConversationId::OPEN,
        to_all: to.is_none(),
        text: "hi".to_owned(),
        id: None,
        wait: Wait::Sent,
        timeout: Duration::from_secs(10),
        linger: false,
    }
}

/// A text that is being sent, and the view that goes with it.
struct Run {
    job: Sending,
    view: View,
}

impl Run {
    /// Members of the chat, then what is to be sent.
    fn new(members: &[Person], plan: Plan) -> Self {
        let mut view = View::default();
        for member in members {
            view.apply(&joined(*member));
        }
        let job = Sending::new(plan, Ids::new(AT));
        Self { job, view }
    }

    fn start(&mut self) -> Step {
        self.job.start(&self.view)
    }

    /// What follows from an event that is no answer.
    fn event(&mut self, event: Event) -> Step {
        self.update(None, event)
    }

    fn update(&mut self, re: Option<&Call>, event: Event) -> Step {
        self.view.apply(&event);
        let mut update = Update::from(event);
        update.re = re.and_then(|call| call.id.clone());
        self.job.on_update(&update, &self.view)
    }

    /// Starts, and expects a call.
    fn first_call(&mut self) -> Call {
        call(self.start())
    }

    /// The history answers, and everything to be delivered is stored.
    fn say(&mut self, say: &Call, to: &[Person]) -> Step {
        assert_eq!(say.command.name(), "say");
        let message = Message {
            conversation: ConversationId::OPEN,
            id: MessageId::new(7),
            at: AT,
            from: person("alice", 1),
            text: "hi".to_owned(),
            deliveries: Some(to.iter().map(|to| sending(*to)).collect()),
        };
        assert_eq!(self.update(Some(say), Event::Message(message)), Step::Wait);
        self.update(Some(say), Event::Done)
    }

    fn delivered(&mut self, to: Person, state: DeliveryState) -> Step {
        self.event(Event::Delivered {
            conversation: ConversationId::OPEN,
            message: MessageId::new(7),
            delivery: Delivery { to, state },
        })
    }
}

fn joined(member: Person) -> Event {
    Event::MemberJoined {
        conversation: ConversationId::OPEN,
        at: AT,
        member,
        by: p2pchat_model::JoinedBy::AcceptedUs,
    }
}

fn sending(to: Person) -> Delivery {
    let state = DeliveryState::Sending;
    Delivery { to, state }
}

fn request(to: Person) -> OutgoingRequest {
    OutgoingRequest {
        conversation: ConversationId::OPEN,
        at: AT,
        to,
        expires: AT,
    }
}

fn answered(to: Person, refusal: Option<RequestFailure>) -> Event {
    Event::RequestAnswered {
        conversation: ConversationId::OPEN,
        at: AT,
        to,
        refusal,
    }
}

fn failed(command: &Command, code: Problem) -> Event {
    Event::Failed(Failure::new(AT, command.name(), code))
}

#[track_caller]
fn call(step: Step) -> Call {
    match step {
        Step::Call(call) => call,
        other => panic!("{other:?}"),
    }
}

/// The exit code, and what standard error says.
#[track_caller]
fn end(step: Step) -> (Exit, String) {
    match step {
        Step::End(End { exit, words }) => (exit, words.unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_text_to_the_only_member_is_sent_at_once() {
    let bob = person("bob", 2);
    let mut run = Run::new(&[bob], plan(Some("bob")));
    let say = run.first_call();
    assert_eq!(run.say(&say, &[bob]), Step::Wait);
    let done = run.delivered(bob, DeliveryState::Sent);
    assert_eq!(end(done), (Exit::Done, String::new()));
}

#[test]
fn a_user_who_is_no_member_is_asked_first() {
    let bob = person("bob", 2);
    let mut run = Run::new(&[], plan(Some("bob")));
    let ask = run.first_call();
    assert_eq!(ask.command.name(), "request");
    let sent = Event::RequestSent(request(bob));
    assert_eq!(run.update(Some(&ask), sent), Step::Wait);
    assert_eq!(run.update(Some(&ask), Event::Done), Step::Wait);
    assert_eq!(run.event(answered(bob, None)), Step::Wait);
    // What came with them is waited for.
    let check = call(run.event(joined(bob)));
    assert_eq!(check.command.name(), "history");
    let refused = failed(&check.command, Problem::NoHistory);
    let say = call(run.update(Some(&check), refused));
    run.say(&say, &[bob]);
    assert_eq!(end(run.delivered(bob, DeliveryState::Sent)).0, Exit::Done);
}

#[test]
fn a_request_that_waits_already_is_not_sent_again() {
    let bob = person("bob", 2);
    let mut run = Run::new(&[], plan(Some("bob")));
    run.view.apply(&Event::RequestSent(request(bob)));
    assert_eq!(run.start(), Step::Wait);
    let check = call(run.event(joined(bob)));
    assert_eq!(check.command.name(), "history");
    // It is not withdrawn either: another front end sent it.
    let mut run = Run::new(&[], plan(Some("bob")));
    run.view.apply(&Event::RequestSent(request(bob)));
    run.start();
    assert_eq!(run.job.out_of_time(&run.view).0, None);
}

#[test]
fn others_in_the_chat_do_not_get_what_is_for_one() {
    let (bob, carol, dave) = (person("bob", 2), person("carol", 3), person("dave", 4));
    let mut run = Run::new(&[bob, carol], plan(Some("bob")));
    let (exit, words) = end(run.start());
    assert_eq!(exit, Exit::Refused);
    assert!(words.contains("carol is in the chat"), "{words}");
    assert!(words.contains("--conversation open"), "{words}");
    assert!(!words.contains("bob is"), "{words}");
    // Also those who are unreachable: they get it once they are back.
    let mut run = Run::new(&[carol], plan(Some("bob")));
    run.view.apply(&Event::MemberLeft {
        conversation: ConversationId::OPEN,
        at: AT,
        member: carol,
        reason: LeaveReason::Unreachable,
    });
    assert_eq!(end(run.start()).0, Exit::Refused);
    // Or those who came together with the user who was asked.
    let mut run = Run::new(&[], plan(Some("bob")));
    run.start();
    let check = call(run.event(joined(bob)));
    assert_eq!(run.event(joined(carol)), Step::Wait);
    assert_eq!(run.event(joined(dave)), Step::Wait);
    let (exit, words) = end(run.update(Some(&check), Event::Done));
    assert_eq!(exit, Exit::Refused);
    assert!(words.contains("are in the chat"), "{words}");
    // Unless all may have it.
    let to_all = Plan {
        to_all: true,
        ..plan(Some("bob"))
    };
    let mut run = Run::new(&[bob, carol], to_all);
    assert_eq!(run.first_call().command.name(), "say");
}

#[test]
fn a_name_that_the_registry_does_not_confirm_is_not_the_user() {
    let mut mallory = person("bob", 9);
    mallory.check = NameCheck::Differs;
    let mut run = Run::new(&[mallory], plan(Some("bob")));
    assert_eq!(end(run.start()).0, Exit::Refused);
    let mut run = Run::new(&[mallory], plan(Some("127.0.0.9")));
    assert_eq!(run.first_call().command.name(), "say");
}

#[test]
fn a_refusal_ends_it_with_its_code() {
    let bob = person("bob", 2);
    let mut run = Run::new(&[], plan(Some("bob")));
    let ask = run.first_call();
    let refused = failed(&ask.command, Problem::NotOnline);
    let (exit, words) = end(run.update(Some(&ask), refused));
    assert_eq!(exit, Exit::Refused);
    assert!(words.starts_with("not_online: "), "{words}");

    let mut run = Run::new(&[], plan(Some("bob")));
    let ask = run.first_call();
    run.update(Some(&ask), Event::RequestSent(request(bob)));
    let refusal = Some(RequestFailure::NoAnswer);
    let (exit, words) = end(run.event(answered(bob, refusal)));
    assert_eq!(exit, Exit::Refused);
    assert!(words.starts_with("no_answer: bob "), "{words}");

    let mut run = Run::new(&[bob], plan(None));
    let say = run.first_call();
    let refused = failed(&say.command, Problem::BadText);
    let (exit, words) = end(run.update(Some(&say), refused));
    assert_eq!(exit, Exit::Refused);
    assert!(words.starts_with("bad_text: "), "{words}");

    let mut run = Run::new(&[], plan(None));
    let say = run.first_call();
    let refused = failed(&say.command, Problem::NobodyThere);
    let (exit, words) = end(run.update(Some(&say), refused));
    assert_eq!(exit, Exit::Refused);
    assert!(words.starts_with("nobody_there: "), "{words}");
}

#[test]
fn an_id_whose_text_is_not_there_any_more_is_no_success() {
    let mut run = Run::new(&[person("bob", 2)], plan(None));
    let say = run.first_call();
    let (exit, words) = end(run.update(Some(&say), Event::Done));
    assert_eq!(exit, Exit::Undelivered);
    assert!(words.contains("no longer in this history"), "{words}");
}

#[test]
fn answers_to_others_change_nothing() {
    let bob = person("bob", 2);
    let mut run = Run::new(&[bob], plan(Some("bob")));
    let say = run.first_call();
    let other = Call::with_id(999, Command::Refresh);
    assert_ne!(say.id, other.id);
    assert_eq!(run.update(Some(&other), Event::Done), Step::Wait);
    assert_eq!(
        run.event(failed(&say.command, Problem::BadText)),
        Step::Wait
    );
    let carol = person("carol", 3);
    let refusal = Some(RequestFailure::Rejected);
    assert_eq!(run.event(answered(carol, refusal)), Step::Wait);
    run.say(&say, &[bob]);
}

#[test]
fn each_state_is_waited_for() {
    let (bob, carol) = (person("bob", 2), person("carol", 3));
    let run = |wait, states: &[DeliveryState]| {
        let mut run = Run::new(&[bob, carol], Plan { wait, ..plan(None) });
        let say = run.first_call();
        let mut step = run.say(&say, &[bob, carol]);
        for (to, state) in [bob, carol].into_iter().zip(states) {
            assert!(step == Step::Wait || wait == Wait::Stored, "{step:?}");
            step = run.delivered(to, *state);
        }
        match step {
            Step::Wait => None,
            step => Some(end(step).0),
        }
    };
    use DeliveryState::{Failed, Sent, Unconfirmed};
    let failed = Failed(LeaveReason::Refused);
    assert_eq!(run(Wait::Stored, &[]), Some(Exit::Done));
    assert_eq!(run(Wait::Stored, &[failed, Sent]), Some(Exit::Done));
    assert_eq!(run(Wait::Sent, &[]), None);
    assert_eq!(run(Wait::Sent, &[Sent]), None);
    assert_eq!(run(Wait::Sent, &[Sent, Unconfirmed]), Some(Exit::Done));
    assert_eq!(run(Wait::Sent, &[failed, Sent]), Some(Exit::Undelivered));
    assert_eq!(run(Wait::Delivered, &[Sent, Sent]), Some(Exit::Done));
    let unconfirmed = run(Wait::Delivered, &[Unconfirmed, Sent]);
    assert_eq!(unconfirmed, Some(Exit::Undelivered));
}

#[test]
fn a_peer_that_ends_with_it_stays_until_the_text_is_on_its_way() {
    let bob = person("bob", 2);
    let plan = || Plan {
        wait: Wait::Stored,
        linger: true,
        ..plan(Some("bob"))
    };
    let mut run = Run::new(&[bob], plan());
    let say = run.first_call();
    assert_eq!(run.say(&say, &[bob]), Step::Wait);
    let failed = DeliveryState::Failed(LeaveReason::Unreachable);
    assert_eq!(end(run.delivered(bob, failed)).0, Exit::Done);
    // What was waited for is so, however long that takes.
    let mut run = Run::new(&[bob], plan());
    let say = run.first_call();
    run.say(&say, &[bob]);
    assert_eq!(run.job.out_of_time(&run.view), (None, End::DONE));
}

#[test]
fn too_late_is_told_with_the_names() {
    let (bob, carol) = (person("bob", 2), person("carol", 3));
    let mut run = Run::new(&[bob, carol], plan(None));
    let say = run.first_call();
    run.say(&say, &[bob, carol]);
    run.delivered(bob, DeliveryState::Sent);
    let (call, late) = run.job.out_of_time(&run.view);
    assert_eq!(call, None);
    assert_eq!(late.exit, Exit::Undelivered);
    let words = late.words.unwrap();
    assert_eq!(words, "not delivered to carol within 10s");

    // A request of this run is withdrawn.
    let mut run = Run::new(&[], plan(Some("bob")));
    let ask = run.first_call();
    run.update(Some(&ask), Event::RequestSent(request(bob)));
    let (call, late) = run.job.out_of_time(&run.view);
    let withdrawn = Command::Cancel {
        conversation: ConversationId::OPEN,
        to: bob.address,
    };
    assert_eq!(call.unwrap().command, withdrawn);
    assert_eq!(late.exit, Exit::Undelivered);
    assert!(late.words.unwrap().contains("bob did not accept"));
}

fn with_id(to: Option<&str>) -> Plan {
    Plan {
        id: Some("lunch-7".to_owned()),
        ..plan(to)
    }
}

#[test]
fn a_text_with_an_id_is_said_by_that_id_and_others_by_ids_of_their_own() {
    let id = Some(CallId::Text("lunch-7".into()));
    let bob = person("bob", 2);
    let mut run = Run::new(&[], with_id(Some("bob")));
    // If it was sent before, this is answered as it was then.
    let say = run.first_call();
    assert_eq!((say.command.name(), &say.id), ("say", &id));
    let ask = call(run.update(Some(&say), failed(&say.command, Problem::NobodyThere)));
    assert_eq!(ask.command.name(), "request");
    assert!(matches!(ask.id, Some(CallId::Number(_))), "{ask:?}");
    let check = call(run.event(joined(bob)));
    assert!(matches!(check.id, Some(CallId::Number(_))), "{check:?}");
    let say = call(run.update(Some(&check), Event::Done));
    assert_eq!((say.command.name(), &say.id), ("say", &id));
}

#[test]
fn a_text_whose_id_was_used_is_not_sent_again_and_no_one_is_asked() {
    let (bob, carol) = (person("bob", 2), person("carol", 3));
    // Bob has left the chat, and carol is there.
    let mut run = Run::new(&[carol], with_id(Some("bob")));
    let probe = run.first_call();
    assert_eq!(probe.command.name(), "history");
    let used = failed(&probe.command, Problem::IdUsed);
    let say = call(run.update(Some(&probe), used));
    assert_eq!(say.id, probe.id);
    // The peer answers as it did the first time.
    run.say(&say, &[bob]);
    assert_eq!(end(run.delivered(bob, DeliveryState::Sent)).0, Exit::Done);
    // Unless it was another text.
    let mut run = Run::new(&[bob], with_id(Some("bob")));
    let say = run.first_call();
    let (exit, words) = end(run.update(Some(&say), failed(&say.command, Problem::IdUsed)));
    assert_eq!(exit, Exit::Refused);
    assert!(words.starts_with("id_used: "), "{words}");
}

#[test]
fn after_missed_events_the_view_says_how_it_stands() {
    let bob = person("bob", 2);
    let mut run = Run::new(&[bob], plan(Some("bob")));
    let say = run.first_call();
    run.say(&say, &[bob]);
    let mut view = run.view.clone();
    view.apply(&Event::Delivered {
        conversation: ConversationId::OPEN,
        message: MessageId::new(7),
        delivery: Delivery {
            to: bob,
            state: DeliveryState::Sent,
        },
    });
    let snapshot = p2pchat_model::Snapshot {
        version: p2pchat_model::CONTRACT_VERSION,
        missed: 3,
        view,
    };
    let done = run.event(Event::View(Box::new(snapshot)));
    assert_eq!(end(done).0, Exit::Done);
}

#[test]
fn a_session_that_ends_before_the_text_is_sent_is_told() {
    let bob = person("bob", 2);
    let mut run = Run::new(&[], plan(Some("bob")));
    let ask = run.first_call();
    run.update(Some(&ask), Event::RequestSent(request(bob)));
    let logged_out = Event::LoggedOut {
        at: AT,
        problem: None,
    };
    assert_eq!(end(run.event(logged_out)).0, Exit::Login);
}
