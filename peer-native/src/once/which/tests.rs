use p2pchat_model::{Event, Standing, Timestamp};

use super::super::testing::{Run, call, chat, user, view, with_bob};
use super::*;

fn with(to: &str, view: View) -> Run<Which> {
    let to = Target::new(to).unwrap();
    let wanted = Wanted::With(to);
    Run::new(Which::new(wanted, false, Ids::new(Timestamp(0))), view)
}

fn named(text: &str, view: View) -> Run<Which> {
    let wanted = Wanted::Named(text.to_owned());
    Run::new(Which::new(wanted, false, Ids::new(Timestamp(0))), view)
}

#[track_caller]
fn refused(step: Step, code: &str) {
    match step {
        Step::End(End {
            exit: Exit::Refused,
            words: Some(words),
        }) => assert!(words.starts_with(code), "{words}"),
        other => panic!("{other:?}"),
    }
}

fn unencrypted(mut view: View) -> View {
    view.security = Security::NotEncrypted;
    view
}

/// What is sent goes there.
#[track_caller]
fn finds(run: &Run<Which>, step: &Step, conversation: ConversationId) {
    assert_eq!(*step, Step::End(End::DONE));
    assert_eq!(run.job.found, Some(conversation));
}

fn opened() -> Event {
    let conversation = with_bob();
    Event::Opened { conversation }
}

#[test]
fn what_is_for_one_user_goes_to_the_encrypted_conversation_with_them() {
    for to in ["bob", "127.0.0.2"] {
        let mut run = with(to, view([]));
        let chat = run.first_call();
        let name = "bob".parse().unwrap();
        assert_eq!(chat.command, Command::Chat { with: name });
        assert_eq!(run.answer(&chat, opened()), Step::Wait);
        let done = run.answer(&chat, Event::Done);
        finds(&run, &done, with_bob());
    }
}

#[test]
fn only_an_older_program_is_reached_in_the_open_chat() {
    let mut run = with("bob", view([]));
    let chat = run.first_call();
    let older = run.fail(&chat, Problem::OlderProgram);
    finds(&run, &older, ConversationId::OPEN);
    for problem in [
        Problem::UserKeyChanged,
        Problem::NoKey,
        Problem::RegistryUnreachable,
        Problem::NoChats,
        Problem::TooMuch,
        Problem::NotOnline,
        Problem::Blocked,
    ] {
        let mut run = with("bob", view([]));
        let chat = run.first_call();
        refused(run.fail(&chat, problem), &code(&problem));
        assert_eq!(run.job.found, None);
    }
}

#[test]
fn a_changed_key_is_an_error_in_its_words() {
    let mut run = with("bob", view([]));
    let chat = run.first_call();
    let Step::End(end) = run.fail(&chat, Problem::UserKeyChanged) else {
        panic!("no end");
    };
    let words = end.words.unwrap();
    assert!(words.contains(Problem::UserKeyChanged.words()), "{words}");
}

#[test]
fn who_has_an_encrypted_conversation_with_the_user_is_never_reached_openly_by_itself() {
    let known = || view([chat(with_bob(), "", &["bob"])]);
    let mut run = with("bob", known());
    let chat = run.first_call();
    refused(run.fail(&chat, Problem::OlderProgram), "older_program: ");
    let mut run = with("bob", unencrypted(known()));
    let step = run.job.start(&run.view);
    refused(step, "not_encrypted: ");
    // A conversation of several says nothing of one.
    let group = view([super::super::testing::chat(with_bob(), "Team", &["bob"])]);
    let mut run = with("bob", unencrypted(group));
    let step = run.job.start(&run.view);
    finds(&run, &step, ConversationId::OPEN);
}

#[test]
fn where_nothing_is_encrypted_there_is_the_open_chat_alone() {
    let mut run = with("bob", unencrypted(view([])));
    let step = run.job.start(&run.view);
    finds(&run, &step, ConversationId::OPEN);
    // An address of nobody who is known: an older program, or none.
    let mut run = with("127.0.0.9", view([]));
    let step = run.job.start(&run.view);
    finds(&run, &step, ConversationId::OPEN);
}

#[test]
fn the_request_of_a_user_is_accepted_before_something_is_sent_to_them() {
    let mut run = with("bob", view([]));
    let begin = run.first_call();
    let Event::Chat { conversation, chat } = chat(with_bob(), "", &["bob"]) else {
        panic!("not a chat");
    };
    let by = chat.members[0].who;
    let standing = Standing::Asked(by);
    let chat = Box::new(p2pchat_model::Chat { standing, ..*chat });
    run.event(Event::Chat { conversation, chat });
    run.answer(&begin, opened());
    let join = call(run.answer(&begin, Event::Done));
    assert_eq!(join.command, Command::Join { conversation });
    let done = run.answer(&join, Event::Done);
    finds(&run, &done, with_bob());
}

#[test]
fn a_conversation_is_named_by_its_id_or_its_name() {
    let team: ConversationId = ConversationId::encrypted(&[1; 32]);
    let view = || view([chat(team, "Team", &["bob"]), chat(with_bob(), "", &["bob"])]);
    for (text, found) in [
        ("open", ConversationId::OPEN),
        ("Open chat", ConversationId::OPEN),
        ("Team", team),
        (team.as_str(), team),
        ("bob", with_bob()),
    ] {
        let mut run = named(text, view());
        let step = run.job.start(&run.view);
        finds(&run, &step, found);
    }
}

#[test]
fn a_name_that_fits_several_conversations_is_refused_also_that_of_the_open_chat() {
    let [one, other] = [1, 2].map(|byte| ConversationId::encrypted(&[byte; 32]));
    let both = view([chat(one, "Team", &["bob"]), chat(other, "Team", &["eve"])]);
    let open = view([chat(one, "open", &["bob"])]);
    for (text, view) in [("Team", both), ("open", open)] {
        let mut run = named(text, view);
        let telling = run.first_call();
        let step = run.answer(&telling, Event::Done);
        refused(step, "several_conversations: ");
    }
}

#[test]
fn a_name_that_is_not_known_yet_is_looked_for_once_all_are_told() {
    let team = ConversationId::encrypted(&[1; 32]);
    let mut run = named("Team", view([]));
    let telling = run.first_call();
    assert_eq!(run.event(chat(team, "Team", &["bob"])), Step::Wait);
    let step = run.fail(&telling, Problem::NoHistory);
    finds(&run, &step, team);

    let mut run = named("Team", view([]));
    let telling = run.first_call();
    refused(run.answer(&telling, Event::Done), "no_such_conversation: ");
}

#[test]
fn a_peer_that_has_just_started_is_asked_for_all_before_a_name_counts() {
    let one = ConversationId::encrypted(&[1; 32]);
    let mut run = named("open", view([]));
    run.job.is_new = true;
    let telling = run.first_call();
    run.event(chat(one, "open", &["bob"]));
    let step = run.answer(&telling, Event::Done);
    refused(step, "several_conversations: ");
}

#[test]
fn a_user_who_comes_later_is_known_by_their_address() {
    let mut view = view([]);
    view.apply(&Event::Presence {
        users: vec![user("carol", 3)],
        gone: Vec::new(),
    });
    let mut run = with("127.0.0.3", view);
    let chat = run.first_call();
    let name = "carol".parse().unwrap();
    assert_eq!(chat.command, Command::Chat { with: name });
}
