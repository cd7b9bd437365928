use p2pchat_model::{Problem, Timestamp};

use super::super::testing::{Run, call, chat, id, own, view, with_bob};
use super::*;

fn posting(wait: Wait) -> Posting {
    Posting {
        conversation: with_bob(),
        text: "hi".to_owned(),
        id: None,
        wait,
        timeout: Duration::from_secs(10),
        linger: false,
        ids: Ids::new(Timestamp(0)),
        pending: Pending::default(),
        stage: Stage::default(),
    }
}

/// In the conversation with bob, and carol, who is away.
fn run(job: Posting) -> Run<Posting> {
    Run::new(job, view([chat(with_bob(), "", &["bob", "carol"])]))
}

fn said(clock: u64) -> Event {
    Event::Said {
        conversation: with_bob(),
        message: id(clock),
    }
}

/// The text is stored as this message.
fn store(run: &mut Run<Posting>, post: Post) -> Step {
    let say = run.first_call();
    assert_eq!(say.command, Command::say(with_bob(), "hi"));
    run.event(Event::Post(Box::new(post)));
    assert_eq!(run.answer(&say, said(5)), Step::Wait);
    run.answer(&say, Event::Done)
}

fn receipts(bob: bool, carol: bool) -> Post {
    own(5, &[("bob", bob), ("carol", carol)])
}

fn changed(post: Post) -> Event {
    Event::PostChanged(Box::new(post))
}

#[test]
fn stored_and_sent_are_so_once_the_peer_has_it() {
    for wait in [Wait::Stored, Wait::Sent] {
        let mut run = run(posting(wait));
        assert_eq!(
            store(&mut run, receipts(false, false)),
            Step::End(End::DONE)
        );
    }
}

#[test]
fn delivered_is_so_once_all_have_it() {
    let mut run = run(posting(Wait::Delivered));
    assert_eq!(store(&mut run, receipts(false, false)), Step::Wait);
    assert_eq!(run.event(changed(receipts(true, false))), Step::Wait);
    let all = run.event(changed(receipts(true, true)));
    assert_eq!(all, Step::End(End::DONE));
}

#[test]
fn too_late_is_told_with_the_names_of_those_it_waits_for() {
    let mut late = run(posting(Wait::Delivered));
    store(&mut late, receipts(true, false));
    let (last, end) = late.job.out_of_time(&late.view);
    assert_eq!((last, end.exit), (None, Exit::Undelivered));
    let words = end.words.unwrap();
    assert!(words.starts_with("waiting for carol: "), "{words}");

    let mut unanswered = run(posting(Wait::Delivered));
    unanswered.first_call();
    let (_, end) = unanswered.job.out_of_time(&unanswered.view);
    assert_eq!(end.exit, Exit::Undelivered);
    assert!(end.words.unwrap().contains("may have been sent"));
}

#[test]
fn a_peer_that_ends_with_it_stays_until_those_who_are_there_have_it() {
    let mut run = run(Posting {
        linger: true,
        ..posting(Wait::Stored)
    });
    assert_eq!(store(&mut run, receipts(false, false)), Step::Wait);
    assert_eq!(run.job.out_of_time(&run.view), (None, End::DONE));
    let there = run.event(changed(receipts(true, false)));
    assert_eq!(there, Step::End(End::DONE), "carol is away");
}

#[test]
fn a_text_with_an_id_that_was_sent_before_is_found_in_the_history() {
    let id = Some("lunch-7".to_owned());
    let mut run = run(Posting {
        id,
        ..posting(Wait::Delivered)
    });
    run.view.apply(&Event::Post(Box::new(own(900, &[]))));
    let say = run.first_call();
    assert_eq!(say.id, Some(CallId::Text("lunch-7".into())));
    run.answer(&say, said(5));
    let page = call(run.answer(&say, Event::Done));
    let posts = |first, more| Event::Posts {
        conversation: with_bob(),
        before: Some(super::super::testing::id(first + 100)),
        posts: vec![own(first, &[("bob", true)])],
        changes: Vec::new(),
        more,
    };
    assert_eq!(run.answer(&page, posts(800, true)), Step::Wait);
    let page = call(run.answer(&page, Event::Done));
    let older = Event::Posts {
        conversation: with_bob(),
        before: Some(super::super::testing::id(800)),
        posts: vec![receipts(true, true)],
        changes: Vec::new(),
        more: true,
    };
    assert_eq!(run.answer(&page, older), Step::Wait);
    let done = run.answer(&page, Event::Done);
    assert_eq!(done, Step::End(End::DONE));
}

#[test]
fn a_refusal_ends_it_with_its_code() {
    for problem in [
        Problem::UserKeyChanged,
        Problem::IdUsed,
        Problem::NotPossible,
    ] {
        let mut run = run(posting(Wait::Sent));
        let say = run.first_call();
        let Step::End(end) = run.fail(&say, problem) else {
            panic!("no end");
        };
        assert_eq!(end.exit, Exit::Refused);
        let words = end.words.unwrap();
        assert!(words.contains(problem.words()), "{words}");
    }
}

#[test]
fn a_session_that_ends_before_the_text_is_stored_is_told() {
    let mut run = run(posting(Wait::Sent));
    run.first_call();
    let out = run.event(Event::LoggedOut {
        at: Timestamp(0),
        problem: None,
    });
    let Step::End(end) = out else {
        panic!("no end");
    };
    assert_eq!(end.exit, Exit::Login);
}
