use p2pchat_model::{
    ConversationId, Event, IncomingRequest, NameCheck, OnlineUser, OutgoingRequest, PeerAddr,
    Person, Target, Timestamp, User,
};

use super::*;

mod chats;

const CONVERSATION: ConversationId = ConversationId::OPEN;

fn shown(view: &View) -> Shown<'_> {
    let id = CONVERSATION;
    Shown { view, id }
}

fn parse(line: &str, view: &View) -> Result<Typed, CommandError> {
    super::parse(line, shown(view))
}

fn completions(before_cursor: &str, view: &View) -> (usize, Vec<String>) {
    super::completions(before_cursor, shown(view))
}

fn message(text: &str) -> Command {
    Command::Say {
        conversation: CONVERSATION,
        text: text.to_owned(),
        reply_to: None,
    }
}

fn address(last: u8) -> PeerAddr {
    format!("127.0.0.{last}").parse().unwrap()
}

/// A request for a chat that came from bob.
fn request(check: NameCheck) -> IncomingRequest {
    IncomingRequest {
        conversation: CONVERSATION,
        at: Timestamp(1),
        from: Person {
            address: address(7),
            name: "bob".parse().ok(),
            check,
        },
        members: Vec::new(),
        expires: Timestamp(60_000),
    }
}

fn view() -> View {
    let mut view = View::default();
    let user = |name: &str, last: u8| {
        let (name, address) = (name.parse().unwrap(), address(last));
        OnlineUser { name, address }
    };
    view.apply(&Event::LoggedIn {
        at: Timestamp(0),
        name: "alice".parse().unwrap(),
    });
    view.online = [user("alice", 2), user("bob", 3), user("Bert", 4)]
        .map(User::from)
        .to_vec();
    view.conversations[0].members = vec![Person::from(user("bob", 3))];
    view
}

fn command_of(line: &str) -> Command {
    match parse(line, &view()) {
        Ok(Typed::Command(command)) => command,
        other => panic!("{line} is {other:?}"),
    }
}

#[test]
fn a_line_without_a_slash_is_a_message_and_two_slashes_send_one() {
    assert_eq!(command_of("hello /there"), message("hello /there"));
    assert_eq!(command_of("//etc/passwd"), message("/etc/passwd"));
    assert_eq!(parse("  \t", &view()), Ok(Typed::Nothing));
}

#[test]
fn an_action_is_sent_as_a_message() {
    for line in ["/me waves", "/ME  waves "] {
        assert_eq!(command_of(line), message("* waves"), "{line}");
    }
    assert_eq!(
        parse("/me ", &view()),
        Err(CommandError::Missing("/me waves"))
    );
}

#[test]
fn the_target_of_a_request_is_a_name_or_an_address() {
    for (line, target) in [
        ("/request bob", "bob"),
        ("/chat 127.0.0.9", "127.0.0.9"),
        ("/REQUEST  john doe ", "john doe"),
    ] {
        let to = Target::new(target).unwrap();
        let conversation = CONVERSATION;
        let request = Command::Request { conversation, to };
        assert_eq!(command_of(line), request, "{line}");
    }
    assert_eq!(
        parse("/request", &view()),
        Err(CommandError::Missing("/request bob"))
    );
}

#[test]
fn accept_and_reject_answer_the_pending_request() {
    assert_eq!(parse("/accept", &view()), Err(CommandError::NoRequest));
    let mut view = view();
    view.incoming = Some(request(NameCheck::Unknown));
    assert_eq!(
        parse("/reject", &view),
        Ok(Typed::Command(Command::Reject {
            conversation: CONVERSATION,
            from: address(7)
        }))
    );
}

#[test]
fn a_request_that_was_sent_is_withdrawn_by_name_or_alone() {
    let cancel = |line: &str, view: &View| parse(line, view);
    assert!(cancel("/cancel", &view()).is_err());
    let mut view = view();
    let mut ask = |name: Option<&str>, last: u8| {
        let to = Person::listed(address(last), name.map(|name| name.parse().unwrap()));
        view.outgoing.push(OutgoingRequest {
            conversation: CONVERSATION,
            at: Timestamp(0),
            to,
            expires: Timestamp(60_000),
        });
        let cancel = Command::Cancel {
            conversation: CONVERSATION,
            to: to.address,
        };
        (Ok(Typed::Command(cancel)), view.clone())
    };
    let (bob, view) = ask(Some("bob"), 3);
    assert_eq!(cancel("/cancel", &view), bob);
    let (other, view) = ask(None, 9);
    assert_eq!(cancel("/cancel bob", &view), bob);
    assert_eq!(cancel("/cancel 127.0.0.9", &view), other);
    assert!(matches!(
        cancel("/cancel", &view),
        Err(CommandError::AskedSeveral(_))
    ));
    let carol = Err(CommandError::NotAsked("carol".to_owned()));
    assert_eq!(cancel("/cancel carol", &view), carol);
    assert_eq!(completions("/cancel ", &view).1, ["bob ", "127.0.0.9 "]);
    assert_eq!(cancel("/undo", &view), Ok(Typed::Command(Command::Undo)));
}

#[test]
fn busy_is_a_switch() {
    assert_eq!(command_of("/busy"), Command::Busy { on: true });
    assert_eq!(command_of("/busy off"), Command::Busy { on: false });
    assert!(parse("/busy maybe", &view()).is_err());
}

#[test]
fn a_password_after_a_name_is_refused_and_not_repeated() {
    let error = parse("/login alice opensesame", &view()).unwrap_err();
    assert_eq!(error, CommandError::NotOnlyAName);
    assert!(!error.to_string().contains("sesame"));
    assert_eq!(
        parse("/register zoe", &view()),
        Ok(Typed::SignIn {
            register: true,
            name: Some("zoe".parse().unwrap())
        })
    );
}

#[test]
fn an_unknown_command_is_not_sent_as_a_message_and_names_the_nearest() {
    for (line, nearest) in [
        ("/lgoin alice", Some("/login")),
        ("/acc", Some("/accept")),
        ("/blockd", Some("/blocked")),
        ("/regster", Some("/register")),
        ("/xyz", None),
        ("/", None),
    ] {
        let error = parse(line, &view()).unwrap_err();
        let name = line.split(' ').next().unwrap();
        let expected = match nearest {
            Some(nearest) => format!("unknown command {name}, did you mean {nearest}?"),
            None => format!("unknown command {name}, /help lists all commands"),
        };
        assert_eq!(
            error.to_string(),
            format!("{expected}; to send it as text, begin with //")
        );
    }
}

#[test]
fn a_path_is_a_message_and_so_is_what_two_slashes_begin() {
    for (line, said) in [
        ("/home/sam/x is here", "/home/sam/x is here"),
        ("  /home/sam/x", "  /home/sam/x"),
        ("/usr/bin", "/usr/bin"),
        ("//block rita", "/block rita"),
        ("//a\nb", "/a\nb"),
        (" // a comment", " // a comment"),
    ] {
        assert_eq!(command_of(line), message(said), "{line:?}");
    }
}

#[test]
fn white_space_before_a_command_neither_says_nor_runs_it() {
    for line in [
        " /block rita",
        "\t/quit",
        "\n/leave",
        "\u{a0}/accept",
        " /nonsense",
    ] {
        let error = parse(line, &view()).unwrap_err();
        let name = line.trim().split(' ').next().unwrap();
        assert_eq!(
            error,
            CommandError::SpaceBefore(name.to_owned()),
            "{line:?}"
        );
    }
}

#[test]
fn several_lines_are_not_a_command() {
    for line in ["/block rita\nhello", "/quit\n/leave", "/leave\n\nso"] {
        assert_eq!(
            parse(line, &view()),
            Err(CommandError::SeveralLines),
            "{line:?}"
        );
    }
    let conversation = CONVERSATION;
    assert_eq!(command_of("/leave\n"), Command::Leave { conversation });
    let text = "see\n/block rita";
    assert_eq!(command_of(text), message(text));
}

#[test]
fn only_what_can_be_done_now_is_offered() {
    let names = |view: &View| -> Vec<_> {
        let possible = COMMANDS.iter().filter(|entry| entry.is_possible(view));
        possible.map(Entry::name).collect()
    };
    assert_eq!(
        names(&View::default()),
        [
            "/help",
            "/registry",
            "/register",
            "/login",
            "/identity",
            "/registries",
            "/quit"
        ]
    );
    let signed_in = names(&view());
    assert!(!signed_in.contains(&"/login") && signed_in.contains(&"/request"));
    assert_eq!(completions("/l", &View::default()).1, ["/login "]);
}

#[test]
fn a_status_is_one_of_three_and_leads_to_two_switches() {
    let parsed = |line: &str| parse(line, &view());
    for (line, busy, away) in [
        ("/status available", false, false),
        ("/status busy", true, false),
        ("/status away", false, true),
    ] {
        let (busy, away) = (Command::Busy { on: busy }, Command::Away { on: away });
        assert_eq!(parsed(line), Ok(Typed::Commands(vec![busy, away])));
    }
    assert_eq!(parsed("/status"), Ok(Typed::Status));
    assert_eq!(parsed("/status lunch"), Err(CommandError::NotAStatus));
    assert_eq!(
        parsed("/away"),
        Ok(Typed::Command(Command::Away { on: true }))
    );
}

#[test]
fn a_code_is_verified_however_it_is_grouped() {
    let trust = Typed::Command(Command::Trust {
        name: "bob".parse().unwrap(),
        code: "12440915304854155287".parse().unwrap(),
        verified: true,
    });
    for line in [
        "/verify bob 1244 0915 3048 5415 5287",
        "/verify bob  12440915304854155287",
    ] {
        assert_eq!(parse(line, &view()), Ok(trust.clone()), "{line}");
    }
    let error = parse("/verify bob 1244", &view()).unwrap_err().to_string();
    assert_eq!(error, "a code has 20 digits, in 5 groups");
    let error = parse("/verify bob", &view()).unwrap_err();
    assert!(matches!(error, CommandError::Missing(_)));
    let code = Command::Code {
        name: "bob".parse().unwrap(),
    };
    assert_eq!(parse("/code bob", &view()), Ok(Typed::Command(code)));
    assert_eq!(parse("/code", &view()), Ok(Typed::Identity));
    assert_eq!(parse("/who", &view()), Ok(Typed::Who(None)));
    let bob = "bob".parse().ok();
    assert_eq!(parse("/whois bob", &view()), Ok(Typed::Who(bob)));
}

#[test]
fn a_registry_is_trusted_by_its_fingerprint_and_forgotten_by_its_name() {
    let fingerprint = "BLGW-5BBC-YQD7-W3IJ-Q2IP-CEYL-PU";
    let trust = Command::TrustRegistry {
        fingerprint: fingerprint.parse().unwrap(),
    };
    for which in [
        fingerprint.to_owned(),
        format!("chat.example#{fingerprint}"),
    ] {
        let line = format!("/registries trust {which}");
        assert_eq!(parse(&line, &view()), Ok(Typed::Command(trust.clone())));
    }
    let forget = Command::ForgetRegistry {
        registry: "chat.example:3131".to_owned(),
    };
    let parsed = parse("/registries forget chat.example:3131", &view());
    assert_eq!(parsed, Ok(Typed::Command(forget)));
    let listed = parse("/registries", &view());
    assert_eq!(listed, Ok(Typed::Command(Command::Registries)));
    for line in [
        "/registries trust",
        "/registries drop a",
        "/registries trust a",
    ] {
        assert!(parse(line, &view()).is_err(), "{line}");
    }
}

#[test]
fn a_display_name_may_have_spaces_and_be_taken_back() {
    for (line, name) in [("/name Alice Adams", "Alice Adams"), ("/name", "")] {
        let display_name = name.parse().unwrap();
        let expected = Typed::Command(Command::DisplayName { display_name });
        assert_eq!(parse(line, &view()), Ok(expected));
    }
    let long = format!("/name {}", "x".repeat(65));
    let error = parse(&long, &view()).unwrap_err().to_string();
    assert!(error.starts_with("this name is too long by 1"), "{error}");
}

#[test]
fn every_command_is_found_by_each_of_its_names_and_takes_an_argument_or_none() {
    for entry in COMMANDS {
        for name in entry.names {
            for line in [(*name).to_owned(), format!("{name} bob")] {
                let parsed = parse(&line, &view());
                assert!(
                    !matches!(parsed, Err(CommandError::Unknown { .. })),
                    "{line} is {parsed:?}"
                );
            }
            let with_argument = parse(&format!("{name} bob"), &view());
            assert_eq!(
                with_argument == Err(CommandError::NoArgument(entry.name())),
                entry.arguments.is_empty(),
                "{name}"
            );
        }
    }
}

#[test]
fn no_two_commands_share_a_name() {
    let mut names: Vec<_> = COMMANDS.iter().flat_map(|entry| entry.names).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn tab_completes_commands_and_names_members_first() {
    let view = view();
    assert_eq!(
        completions("/re", &view),
        (
            0,
            [
                "/reject ",
                "/reply ",
                "/react ",
                "/rename ",
                "/remove ",
                "/resign ",
                "/request ",
                "/registries "
            ]
            .map(str::to_owned)
            .to_vec()
        )
    );
    assert_eq!(
        completions("/request b", &view),
        (9, vec!["bob ".to_owned(), "Bert ".to_owned()])
    );
    assert_eq!(completions("BE", &view), (0, vec!["Bert: ".to_owned()]));
    assert_eq!(completions("hi bo", &view), (3, vec!["bob ".to_owned()]));
    assert_eq!(completions("hi ", &view), (3, Vec::new()));
    assert!(
        completions("al", &view).1.is_empty(),
        "the user is not a candidate"
    );
}

#[test]
fn block_without_an_argument_blocks_the_requester_by_a_name_only_if_confirmed() {
    let block = |text: &str| Command::Block {
        who: Target::new(text).unwrap(),
    };
    assert_eq!(command_of("/block mallory"), block("mallory"));
    assert_eq!(command_of("/block 127.0.0.9"), block("127.0.0.9"));
    assert_eq!(
        parse("/block", &view()),
        Err(CommandError::Missing("/block mallory"))
    );
    for (check, who) in [
        (NameCheck::Confirmed, "bob"),
        (NameCheck::Unknown, "127.0.0.7"),
        (NameCheck::Differs, "127.0.0.7"),
    ] {
        let mut view = view();
        view.apply(&Event::RequestReceived(request(check)));
        assert_eq!(parse("/block", &view), Ok(Typed::Command(block(who))));
    }
}

#[test]
fn unblock_completes_blocked_names_and_addresses() {
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
