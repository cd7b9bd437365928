//! Tests of commands about conversations.

use p2pchat_model::{
    Alerts, Chat, ChatKind, DisplayName, Member, MessageId, Named, PersonKey, Post, PostState,
    Security, Standing, Trust,
};

use super::*;

fn key(name: &str) -> PersonKey {
    let mut bytes = [0; 32];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    let id = ConversationId::encrypted(&bytes);
    id.as_str().parse().unwrap()
}

fn named(name: &str) -> Named {
    let (key, name, you) = (key(name), name.parse().ok(), false);
    Named { key, name, you }
}

fn group_id() -> ConversationId {
    ConversationId::encrypted(&[1; 32])
}

/// Alice in a group with bob and carol, at a registry that tells keys.
fn in_group(standing: Standing) -> View {
    let mut view = view();
    let fingerprint = "BLGW-5BBC-YQD7-W3IJ-Q2IP-CEYL-PU".parse().unwrap();
    view.security = Security::Encrypted { fingerprint };
    let member = |name| Member {
        who: named(name),
        asked: false,
        declined: false,
        owner: false,
        trust: Some(Trust::New),
        typing: false,
        read: None,
    };
    let chat = |kind, name: &str, standing, members| Chat {
        name: name.parse().unwrap(),
        standing,
        owner: true,
        members,
        ..Chat::new(kind)
    };
    let members = vec![member("bob"), member("carol")];
    view.apply(&Event::Chat {
        conversation: group_id(),
        chat: Box::new(chat(ChatKind::Group, "Release team", standing, members)),
    });
    view.apply(&Event::Chat {
        conversation: direct_id(),
        chat: Box::new(chat(
            ChatKind::Direct,
            "",
            Standing::In,
            vec![member("erin")],
        )),
    });
    view
}

fn direct_id() -> ConversationId {
    ConversationId::encrypted(&[2; 32])
}

/// What a line is while the group is shown.
fn in_the_group(line: &str, view: &View) -> Result<Typed, CommandError> {
    let id = group_id();
    super::super::parse(line, Shown { view, id })
}

fn said(id: u64, from: Named) -> Event {
    Event::Post(Box::new(Post {
        conversation: group_id(),
        id: MessageId::of_entry(id, 1, 1),
        at: Timestamp(id),
        came: None,
        from,
        state: PostState::Shown,
        text: "hi".to_owned(),
        edited: None,
        reply: None,
        reactions: Vec::new(),
        receipts: from.you.then(Vec::new),
    }))
}

#[test]
fn a_chat_is_encrypted_unless_the_other_program_is_an_older_one() {
    let mut view = in_group(Standing::In);
    let chat = |name: &str| Command::Chat {
        with: name.parse().unwrap(),
    };
    let request = |to: &str| Command::Request {
        conversation: CONVERSATION,
        to: Target::new(to).unwrap(),
    };
    view.online[1].legacy = false;
    view.online.sort_by_key(|user| user.name);
    for (line, command) in [
        ("/chat bob", chat("bob")),
        ("/chat nobody", chat("nobody")),
        ("/go bob", chat("bob")),
        ("/chat Bert", request("Bert")),
        ("/chat 127.0.0.9", request("127.0.0.9")),
        ("/request bob", request("bob")),
    ] {
        let parsed = in_the_group(line, &view);
        assert_eq!(parsed, Ok(Typed::Command(command)), "{line}");
    }
    let erin = Ok(Typed::Command(chat("erin")));
    assert_eq!(in_the_group("/chat erin", &view), erin, "the peer finds it");
    view.security = Security::NotEncrypted;
    let known = Ok(Typed::Go(direct_id()));
    assert_eq!(in_the_group("/chat erin", &view), known);
    let parsed = in_the_group("/chat bob", &view);
    assert_eq!(parsed, Ok(Typed::Command(request("bob"))));
}

#[test]
fn a_chat_is_gone_to_by_name_number_or_the_beginning_of_its_name() {
    let mut view = in_group(Standing::In);
    view.apply(&said(5, named("bob")));
    let group = Ok(Typed::Go(group_id()));
    for line in ["/go Release team", "/go rel", "/go TEAM"] {
        assert_eq!(parse(line, &view), group, "{line}");
    }
    // The newest message first; the open chat is in the list, since it has a member.
    for (line, id) in [
        ("/go 1", group_id()),
        ("/go 2", CONVERSATION),
        ("/go 3", direct_id()),
        ("/go open chat", CONVERSATION),
        ("/go erin", direct_id()),
    ] {
        assert_eq!(parse(line, &view), Ok(Typed::Go(id)), "{line}");
    }
    let nobody = Err(CommandError::NoChat("4".to_owned()));
    assert_eq!(parse("/go 4", &view), nobody);
    assert_eq!(
        completions("/go re", &view),
        (4, vec!["Release team".to_owned()])
    );
}

#[test]
fn a_group_has_a_name_and_members_with_spaces_in_quotes() {
    let group = |name: &str, members: &[&str]| {
        Ok(Typed::Command(Command::Group {
            name: DisplayName::new(name).unwrap(),
            members: members.iter().map(|name| name.parse().unwrap()).collect(),
        }))
    };
    for (line, expected) in [
        ("/group Lunch bob carol", group("Lunch", &["bob", "carol"])),
        (
            "/group \"Release team\" bob \"john doe\"",
            group("Release team", &["bob", "john doe"]),
        ),
        ("/group “Über uns” bob", group("Über uns", &["bob"])),
        ("/group \"\" bob", group("", &["bob"])),
    ] {
        assert_eq!(parse(line, &view()), expected, "{line}");
    }
    for line in ["/group", "/group Lunch", "/group \"a b"] {
        let parsed = parse(line, &view());
        assert!(matches!(parsed, Err(CommandError::Missing(_))), "{line}");
    }
    let view = in_group(Standing::In);
    let erin = CommandError::NoGroupName("erin".parse().unwrap());
    assert_eq!(in_the_group("/group erin bob", &view), Err(erin));
    let parsed = in_the_group("/group \"erin\" bob", &view);
    assert_eq!(parsed, group("erin", &["bob"]), "in quotes it is meant");
}

#[test]
fn commands_act_on_the_chat_that_is_shown_and_not_on_the_open_one() {
    let view = in_group(Standing::In);
    let conversation = group_id();
    let carol = key("carol");
    let added = |names: &[&str], sees_all| Command::Add {
        conversation,
        members: names.iter().map(|name| name.parse().unwrap()).collect(),
        sees_all,
    };
    let named = |name: &str| Command::Rename {
        conversation,
        name: DisplayName::new(name).unwrap(),
    };
    let of = Alerts::Mentions;
    let on = true;
    for (line, command) in [
        ("/add dave erin", added(&["dave", "erin"], false)),
        ("/add dave --all", added(&["dave"], true)),
        ("/rename Lunch at noon", named("Lunch at noon")),
        ("/rename", named("")),
        (
            "/remove carol",
            Command::Remove {
                conversation,
                who: carol,
            },
        ),
        (
            "/owner carol",
            Command::MakeOwner {
                conversation,
                who: carol,
            },
        ),
        ("/resign", Command::Resign { conversation }),
        ("/mute mentions", Command::Alert { conversation, of }),
        ("/pin", Command::Pin { conversation, on }),
        ("/archive", Command::Archive { conversation, on }),
        ("/leave", Command::Leave { conversation }),
    ] {
        let parsed = in_the_group(line, &view);
        assert_eq!(parsed, Ok(Typed::Command(command)), "{line}");
        if line != "/leave" {
            assert_eq!(parse(line, &view), Err(CommandError::OpenChat), "{line}");
        }
    }
    let error = in_the_group("/remove dave", &view).unwrap_err();
    assert_eq!(error.to_string(), "dave is not in this chat");
    assert_eq!(in_the_group("/mute", &view), Err(CommandError::NotAlerts));
}

#[test]
fn replies_and_reactions_are_to_the_newest_message_of_others() {
    let mut view = in_group(Standing::In);
    assert_eq!(
        in_the_group("/react 👍", &view),
        Err(CommandError::NoMessage)
    );
    let own = Named {
        you: true,
        ..named("alice")
    };
    for (id, from) in [(1, named("bob")), (2, named("carol")), (3, own)] {
        view.apply(&said(id, from));
    }
    let (conversation, message) = (group_id(), MessageId::of_entry(2, 1, 1));
    let emoji = "👍".to_owned();
    let react = Command::React {
        conversation,
        message,
        emoji,
    };
    assert_eq!(in_the_group("/react 👍", &view), Ok(Typed::Command(react)));
    let reply = Command::Say {
        conversation,
        text: "on my way".to_owned(),
        reply_to: Some(message),
    };
    let parsed = in_the_group("/reply on my way", &view);
    assert_eq!(parsed, Ok(Typed::Command(reply)));
}

#[test]
fn a_request_for_a_chat_is_joined_or_declined() {
    let conversation = group_id();
    let mut view = in_group(Standing::Asked(named("bob")));
    let (join, decline) = (
        Ok(Typed::Command(Command::Join { conversation })),
        Ok(Typed::Command(Command::Decline { conversation })),
    );
    assert_eq!(parse("/join", &view), join, "it is the only one");
    assert_eq!(parse("/decline", &view), decline);
    view.incoming = Some(request(NameCheck::Confirmed));
    assert_eq!(in_the_group("/decline", &view), decline, "it is shown");
    assert!(matches!(
        parse("/decline", &view),
        Ok(Typed::Command(Command::Reject { .. }))
    ));
    let view = in_group(Standing::In);
    assert_eq!(parse("/join", &view), Err(CommandError::NoRequest));
}

#[test]
fn a_search_is_in_the_chat_that_is_shown_unless_it_is_to_be_in_all() {
    let view = in_group(Standing::In);
    for (line, conversation, text) in [
        ("/find lunch", Some(group_id()), "lunch"),
        ("/find lunch --all", Some(group_id()), "lunch --all"),
        ("/find --all  lunch today", None, "lunch today"),
    ] {
        let text = text.to_owned();
        let find = Command::Find { conversation, text };
        let parsed = in_the_group(line, &view);
        assert_eq!(parsed, Ok(Typed::Command(find)), "{line}");
    }
    for line in ["/find", "/find --all"] {
        let parsed = in_the_group(line, &view);
        assert!(matches!(parsed, Err(CommandError::Missing(_))), "{line}");
    }
}

#[test]
fn tab_completes_a_mention_members_first() {
    let view = in_group(Standing::In);
    let id = group_id();
    let shown = Shown { view: &view, id };
    let found = |line| super::super::completions(line, shown);
    assert_eq!(found("hi @c"), (3, vec!["@carol ".to_owned()]));
    assert_eq!(
        found("@b"),
        (0, vec!["@bob ".to_owned(), "@Bert ".to_owned()])
    );
}
