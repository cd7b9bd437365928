use p2pchat_model::{Event, NameCheck, OnlineUser, Person, Speaker, Timestamp};

use super::*;

fn view() -> View {
    let mut view = View::default();
    let user = |name: &str, last: u8| OnlineUser {
        name: name.parse().unwrap(),
        address: format!("127.0.0.{last}").parse().unwrap(),
    };
    view.apply(&Event::LoggedIn {
        at: Timestamp(0),
        name: "alice".parse().unwrap(),
    });
    view.online = vec![user("alice", 2), user("bob", 3), user("Bert", 4)];
    view.members = vec![Person {
        address: "127.0.0.3".parse().unwrap(),
        name: Some("bob".parse().unwrap()),
    }];
    view
}

fn command_of(line: &str) -> Command {
    match parse(line, &view()) {
        Ok(Typed::Command(command)) => command,
        other => panic!("{line} is {other:?}"),
    }
}

#[test]
fn what_has_no_slash_is_said_and_two_slashes_say_one() {
    let said = |text: &str| Command::Say {
        text: text.to_owned(),
    };
    assert_eq!(command_of("hello /there"), said("hello /there"));
    assert_eq!(command_of("//etc/passwd"), said("/etc/passwd"));
    assert_eq!(parse("  \t", &view()), Ok(Typed::Nothing));
}

#[test]
fn a_request_goes_to_a_name_or_to_an_address() {
    for (line, target) in [
        ("/request bob", "bob"),
        ("/chat 127.0.0.9", "127.0.0.9"),
        ("/REQUEST  john doe ", "john doe"),
    ] {
        let to = Target::new(target).unwrap();
        assert_eq!(command_of(line), Command::Request { to }, "{line}");
    }
    assert!(parse("/request", &view()).unwrap_err().contains("whom"));
}

#[test]
fn accept_and_reject_answer_the_request_that_waits() {
    assert_eq!(
        parse("/accept", &view()),
        Err("no request waits for an answer".to_owned())
    );
    let mut view = view();
    let from = "127.0.0.7".parse().unwrap();
    view.incoming = Some(p2pchat_model::IncomingRequest {
        at: Timestamp(1),
        from: Speaker {
            name: "eve".parse().unwrap(),
            address: from,
            check: NameCheck::Unknown,
        },
        members: Vec::new(),
        expires: Timestamp(60_000),
    });
    assert_eq!(
        parse("/reject", &view),
        Ok(Typed::Command(Command::Reject { from }))
    );
}

#[test]
fn busy_is_a_switch() {
    assert_eq!(command_of("/busy"), Command::Busy { on: true });
    assert_eq!(command_of("/busy off"), Command::Busy { on: false });
    assert!(parse("/busy maybe", &view()).is_err());
}

#[test]
fn a_password_behind_a_name_is_not_taken_and_not_repeated() {
    let error = parse("/login alice opensesame", &view()).unwrap_err();
    assert!(!error.contains("sesame"));
    assert_eq!(
        parse("/register zoe", &view()),
        Ok(Typed::SignIn {
            register: true,
            name: Some("zoe".parse().unwrap())
        })
    );
}

#[test]
fn an_unknown_command_is_not_said_to_everybody() {
    let error = parse("/lgoin alice", &view()).unwrap_err();
    assert_eq!(error, "there is no command /lgoin; /help lists them all");
}

#[test]
fn every_command_in_the_list_is_one() {
    for entry in COMMANDS {
        let line = format!("{} bob", entry.name);
        for line in [entry.name, &line] {
            if let Err(error) = parse(line, &view()) {
                assert!(!error.contains("no command"), "{line}");
            }
        }
    }
}

#[test]
fn tab_completes_commands_and_names_members_first() {
    let view = view();
    assert_eq!(
        completions("/re", &view),
        (
            0,
            vec![
                "/register ".to_owned(),
                "/request ".to_owned(),
                "/reject ".to_owned()
            ]
        )
    );
    assert_eq!(
        completions("/request b", &view),
        (9, vec!["bob ".to_owned(), "Bert ".to_owned()])
    );
    assert_eq!(completions("BE", &view), (0, vec!["Bert: ".to_owned()]));
    assert_eq!(completions("hi bo", &view), (3, vec!["bob ".to_owned()]));
    assert_eq!(completions("hi ", &view), (3, Vec::new()));
    assert!(completions("al", &view).1.is_empty(), "oneself is no help");
}

#[test]
fn block_alone_means_whoever_asks_and_never_by_a_name_that_proves_nothing() {
    let block = |text: &str| Command::Block {
        who: Target::new(text).unwrap(),
    };
    assert_eq!(command_of("/block mallory"), block("mallory"));
    assert_eq!(command_of("/block 127.0.0.9"), block("127.0.0.9"));
    assert!(parse("/block", &view()).unwrap_err().contains("whom"));
    for (check, who) in [
        (NameCheck::Confirmed, "bob"),
        (NameCheck::Unknown, "127.0.0.7"),
        (NameCheck::Differs, "127.0.0.7"),
    ] {
        let mut view = view();
        view.apply(&Event::RequestReceived(p2pchat_model::IncomingRequest {
            at: Timestamp(0),
            from: Speaker {
                name: "bob".parse().unwrap(),
                address: "127.0.0.7".parse().unwrap(),
                check,
            },
            members: Vec::new(),
            expires: Timestamp(60_000),
        }));
        assert_eq!(parse("/block", &view), Ok(Typed::Command(block(who))));
    }
}

#[test]
fn unblock_completes_those_who_are_blocked() {
    let mut view = view();
    view.blocked = ["mallory", "10.0.0.9"]
        .map(|text| Target::new(text).unwrap())
        .to_vec();
    let found = |line| completions(line, &view).1;
    assert_eq!(found("/unblock m"), ["mallory "]);
    assert_eq!(found("/unblock 1"), ["10.0.0.9 "]);
    assert_eq!(found("/block B"), ["bob ", "Bert "]);
    assert_eq!(parse("/blocked", &view), Ok(Typed::Blocked));
}
