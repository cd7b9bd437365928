//! Many conversations: their pictures, and the keys between them.

use insta::assert_snapshot;
use p2pchat_model::{Alerts, Chat, ChatKind, Member, Named, Post, Standing, Trust};
use ratatui::style::{Modifier, Style};

use super::chats::*;
use super::*;

const SMALL: (u16, u16) = (80, 24);

fn team_app() -> App {
    let mut app = showing(several(), id(TEAM));
    let typing = Event::Typing {
        conversation: id(TEAM),
        who: named("carol"),
        on: true,
    };
    happen(&mut app, &typing);
    happen(&mut app, &asked_to(9, ChatKind::Group, "Lunch"));
    app
}

fn press_alt(app: &mut App, code: KeyCode) -> Option<Act> {
    app.key(KeyEvent::new(code, KeyModifiers::ALT), NOW)
}

#[test]
fn a_group_at_three_sizes() {
    let mut app = team_app();
    assert_snapshot!("team_small", screen(&mut app, SMALL, after(200)));
    assert_snapshot!("team_wide", screen(&mut app, (120, 30), after(200)));
    assert_snapshot!("team_narrow", screen(&mut app, (60, 20), after(200)));
    assert_snapshot!("team_phone", screen(&mut app, (44, 20), after(200)));
    assert_snapshot!("team_large", screen(&mut app, (200, 50), after(200)));
    press(&mut app, KeyCode::F(5));
    assert_snapshot!("team_no_rail", screen(&mut app, SMALL, after(200)));
}

#[test]
fn a_chat_that_is_put_away_is_back_with_something_new_until_that_is_read() {
    let mut app = showing(several(), id(TEAM));
    let archived = |unread, alerts| {
        let name = "Hiking";
        let chat = Chat {
            archived: true,
            unread,
            alerts,
            ..chat(ChatKind::Group, name, vec![member("bob", Trust::New)])
        };
        begun(id(7), chat)
    };
    let is_there = |app: &mut App| screen(app, SMALL, NOW).contains("Hiking");
    happen(&mut app, &archived(0, Alerts::All));
    assert!(!is_there(&mut app));
    happen(&mut app, &archived(2, Alerts::Nothing));
    assert!(!is_there(&mut app));
    happen(&mut app, &archived(2, Alerts::All));
    assert!(is_there(&mut app));
    happen(&mut app, &archived(0, Alerts::All));
    assert!(!is_there(&mut app));
}

#[test]
fn a_chat_of_two_and_its_key() {
    let mut app = showing(several(), id(BOB));
    assert_snapshot!("direct_small", screen(&mut app, SMALL, after(200)));
    happen(
        &mut app,
        &begun(id(BOB), direct("bob", Trust::ChangedAfterVerified)),
    );
    assert_snapshot!("direct_key_changed", screen(&mut app, SMALL, after(200)));
    let waiting = Chat {
        members: vec![Member {
            asked: true,
            ..member("bob", Trust::New)
        }],
        ..direct("bob", Trust::New)
    };
    happen(&mut app, &begun(id(BOB), waiting));
    let own = Post {
        receipts: Some(vec![p2pchat_model::Receipt {
            to: named("bob"),
            delivered: false,
        }]),
        ..post(id(BOB), 120, "alice", "are you there?")
    };
    happen(&mut app, &said(own));
    assert_snapshot!("direct_waiting", screen(&mut app, SMALL, after(200)));
    let declined = Chat {
        members: vec![Member {
            declined: true,
            ..member("bob", Trust::New)
        }],
        ..direct("bob", Trust::New)
    };
    happen(&mut app, &begun(id(BOB), declined));
    assert_snapshot!("direct_declined", screen(&mut app, SMALL, after(200)));
    let out = Chat {
        standing: Standing::Out,
        ..direct("bob", Trust::New)
    };
    happen(&mut app, &begun(id(BOB), out));
    let shown = screen(&mut app, SMALL, after(200));
    assert!(shown.contains(p2pchat_model::wording::chat::OUT), "{shown}");
    assert_eq!(enter(&mut app, "hello"), None);
    assert_eq!(app.input.editor.text(), "hello", "it is not lost");
}

#[test]
fn a_newcomer_is_shown_what_to_do() {
    let mut app = app(newcomer());
    assert_snapshot!("newcomer_small", screen(&mut app, SMALL, NOW));
}

#[test]
fn requests_are_rows_of_one_list() {
    let mut app = team_app();
    happen(&mut app, &asked_to(8, ChatKind::Direct, ""));
    happen(&mut app, &request());
    press(&mut app, KeyCode::F(3));
    assert_snapshot!("requests_small", screen(&mut app, SMALL, after(120)));
    press(&mut app, KeyCode::Esc);
    app.show(id(9));
    assert_snapshot!("asked_small", screen(&mut app, SMALL, after(120)));
}

#[test]
fn the_row_of_requests_says_who_asks_or_how_many() {
    let (chat, group) = (ChatKind::Direct, ChatKind::Group);
    let asked = |all: &[(u8, ChatKind)]| {
        let mut app = app(several());
        for &(number, kind) in all {
            happen(&mut app, &asked_to(number, kind, "Lunch"));
        }
        app
    };
    for (all, with_rail, without) in [
        (
            &[(10, chat)][..],
            " ! frank asks: F3 ",
            " ! frank wants to chat with you: F3",
        ),
        (
            &[(11, group)],
            " ! frank asks: F3 ",
            " ! frank invites you to “Lunch” with carol: F3",
        ),
        (
            &[(10, chat), (11, group)],
            " ! 2 requests: F3 ",
            " ! 2 requests: F3",
        ),
    ] {
        let mut app = asked(all);
        let shown = screen(&mut app, SMALL, after(200));
        assert!(shown.contains(with_rail), "{shown}");
        press(&mut app, KeyCode::F(5));
        let shown = screen(&mut app, SMALL, after(200));
        assert!(shown.contains(without), "{shown}");
        // Also where hardly anything fits.
        let shown = screen(&mut app, (24, 10), after(200));
        assert!(shown.contains(" ! ") && shown.contains(": F3"), "{shown}");
    }
}

#[test]
fn a_letter_answers_the_request_that_is_selected() {
    let join = |conversation| vec![Command::Join { conversation }];
    let decline = |conversation| vec![Command::Decline { conversation }];
    let (lunch, frank) = (id(9), id(8));
    let (down, a, d) = (KeyCode::Down, KeyCode::Char('a'), KeyCode::Char('d'));
    for (keys, expected) in [
        (vec![a], join(lunch)),
        (vec![d], decline(lunch)),
        (vec![down, down, down, down, a], join(frank)),
        (
            vec![down, down, down, down, down, KeyCode::Enter],
            decline(frank),
        ),
    ] {
        let mut app = team_app();
        happen(&mut app, &asked_to(8, ChatKind::Direct, ""));
        type_text(&mut app, "half");
        press(&mut app, KeyCode::F(3));
        let (last, first) = keys.split_last().unwrap();
        for key in first {
            assert_eq!(press(&mut app, *key), None);
        }
        let sent = commands(press(&mut app, *last));
        let answers = sent
            .into_iter()
            .filter(|one| !matches!(one, Command::Draft { .. }));
        assert_eq!(answers.collect::<Vec<_>>(), expected, "{keys:?}");
        assert!(app.overlay.is_none());
        let is_shown = matches!(expected[0], Command::Join { .. });
        assert_eq!(app.current == id(TEAM), !is_shown);
    }
}

#[test]
fn a_request_that_comes_while_the_list_is_open_is_not_answered_by_the_next_key() {
    let mut app = team_app();
    press(&mut app, KeyCode::F(3));
    happen(&mut app, &asked_to(8, ChatKind::Direct, ""));
    assert!(app.overlay.is_none());
    assert_eq!(press(&mut app, KeyCode::Char('a')), None);
    assert_eq!(app.input.editor.text(), "a");
}

#[test]
fn keys_lead_from_chat_to_chat() {
    let mut app = showing(several(), id(TEAM));
    // Pinned first, then by the newest message.
    for (digit, shown) in [
        ('2', id(BOB)),
        ('4', CONVERSATION),
        ('3', id(ERIN)),
        ('1', id(TEAM)),
    ] {
        press_alt(&mut app, KeyCode::Char(digit));
        assert_eq!(app.current, shown, "{digit}");
    }
    press_alt(&mut app, KeyCode::Down);
    assert_eq!(app.current, id(BOB));
    press_alt(&mut app, KeyCode::Up);
    press_alt(&mut app, KeyCode::Up);
    assert_eq!(app.current, CONVERSATION, "around the end");
    enter(&mut app, "/go release");
    assert_eq!(app.current, id(TEAM));
    assert_eq!(press_alt(&mut app, KeyCode::Char('9')), None);
    assert_eq!(app.current, id(TEAM), "there is none");
}

#[test]
fn the_next_unread_chat_is_one_that_mentions_the_user_then_a_request() {
    let mut view = several();
    let unread = Chat {
        unread: 2,
        ..direct("bob", Trust::Verified)
    };
    view.apply(&begun(id(BOB), unread));
    let mut app = showing(view, id(TEAM));
    happen(&mut app, &asked_to(9, ChatKind::Group, "Lunch"));
    let mut seen = Vec::new();
    for _ in 0..3 {
        press_alt(&mut app, KeyCode::Char('a'));
        seen.push(app.current);
        if let Some(chat) = app.conversation().chat.clone() {
            let read = Chat {
                unread: 0,
                mentions: 0,
                ..chat
            };
            let read = begun(app.current, read);
            happen(&mut app, &read);
        }
    }
    assert_eq!(seen, [id(ERIN), id(9), id(BOB)]);
    press_alt(&mut app, KeyCode::Char('a'));
    assert_eq!(app.hint.as_deref(), Some("nothing else is unread"));
}

#[test]
fn the_switcher_finds_chats_and_people() {
    let mut app = showing(several(), id(TEAM));
    press(&mut app, KeyCode::F(2));
    assert_snapshot!("switcher_small", screen(&mut app, SMALL, NOW));
    type_text(&mut app, "er");
    assert_snapshot!("switcher_filtered", screen(&mut app, SMALL, NOW));
    press(&mut app, KeyCode::Enter);
    assert_eq!(app.current, id(ERIN));
    press(&mut app, KeyCode::F(4));
    assert_snapshot!("people_small", screen(&mut app, SMALL, NOW));
    type_text(&mut app, "frank");
    let chat = Command::Chat {
        with: "frank".parse().unwrap(),
    };
    let asked = call(press(&mut app, KeyCode::Enter));
    assert_eq!(asked.command, chat);
    // The conversation that answers is shown.
    happen(&mut app, &begun(id(7), direct("frank", Trust::New)));
    assert_eq!(app.current, id(ERIN));
    let conversation = id(7);
    answer(&mut app, &asked, Event::Opened { conversation });
    assert_eq!(app.current, id(7));
    happen(
        &mut app,
        &Event::Opened {
            conversation: id(BOB),
        },
    );
    assert_eq!(app.current, id(7), "no one asked here");
}

#[test]
fn someone_with_an_older_program_is_asked_into_the_open_chat() {
    let mut app = showing(several(), id(TEAM));
    press(&mut app, KeyCode::F(4));
    type_text(&mut app, "uma");
    let request = Command::Request {
        conversation: CONVERSATION,
        to: p2pchat_model::Target::new("uma").unwrap(),
    };
    assert_eq!(commands(press(&mut app, KeyCode::Enter)), [request]);
    assert_eq!(app.current, CONVERSATION);
    let hint = app.hint.as_deref();
    assert_eq!(
        hint,
        Some("uma has an older p2pchat: only in the open chat")
    );
}

#[test]
fn a_chat_that_is_shown_asks_for_its_first_page_and_once() {
    let mut view = several();
    view.conversations[1].more_history = true;
    let before = view.conversations[1].oldest_message();
    let mut app = showing(view, id(BOB));
    assert_eq!(due(&mut app, NOW), []);
    app.show(id(TEAM));
    let history = Command::History {
        conversation: id(TEAM),
        before,
    };
    let calls = app.due(NOW);
    assert_eq!(calls[0].command, history);
    assert_eq!(due(&mut app, NOW), []);
    let posts = (1..9)
        .map(|at| post(id(TEAM), at, "bob", "older"))
        .collect();
    let page = Event::Posts {
        conversation: id(TEAM),
        before,
        posts,
        changes: Vec::new(),
        more: true,
    };
    answer(&mut app, &calls[0], page);
    answer(&mut app, &calls[0], Event::Done);
    let oldest = Command::History {
        conversation: id(TEAM),
        before: Some(message_id(1)),
    };
    assert_eq!(due(&mut app, NOW), [oldest], "the screen is not full yet");
    assert_eq!(due(&mut app, NOW), []);
}

#[test]
fn what_is_seen_is_read_and_what_is_not_shown_is_not() {
    let mut app = showing(several(), id(TEAM));
    assert_eq!(seen(&mut app), []);
    happen(&mut app, &said(post(id(BOB), 200, "bob", "hello?")));
    assert_eq!(seen(&mut app), [], "it is not shown");
    app.focus(false);
    happen(&mut app, &said(post(id(TEAM), 201, "bob", "hello?")));
    assert_eq!(seen(&mut app), [], "the terminal has no focus");
    // A key says that it has.
    press(&mut app, KeyCode::Left);
    let read = |conversation, number| Command::Read {
        conversation,
        message: message_id(number),
    };
    assert_eq!(seen(&mut app), [read(id(TEAM), 201)]);
    app.show(id(BOB));
    assert_eq!(seen(&mut app), [read(id(BOB), 200)]);
}

#[test]
fn each_chat_has_a_draft() {
    let mut view = several();
    view.conversations[2].draft = "from the page".to_owned();
    let mut app = showing(view, id(TEAM));
    type_text(&mut app, "half");
    let draft = |conversation, text: &str| Command::Draft {
        conversation,
        text: text.to_owned(),
    };
    let sent = call(press_alt(&mut app, KeyCode::Char('2')));
    assert_eq!(sent.command, draft(id(TEAM), "half"));
    assert_eq!(app.input.editor.text(), "from the page");
    happen(
        &mut app,
        &Event::Draft {
            conversation: id(TEAM),
            text: "half".to_owned(),
        },
    );
    let shown = screen(&mut app, SMALL, NOW);
    assert!(shown.contains("1*  Release team ✎"), "{shown}");
    assert_eq!(due(&mut app, after(5)), []);
    press_alt(&mut app, KeyCode::Char('1'));
    assert_eq!(app.input.editor.text(), "half");
    assert_eq!(due(&mut app, after(9)), []);
    // Another front end has sent it meanwhile.
    press_alt(&mut app, KeyCode::Char('2'));
    answer(&mut app, &sent, Event::Done);
    let gone = Event::Draft {
        conversation: id(TEAM),
        text: String::new(),
    };
    happen(&mut app, &gone);
    press_alt(&mut app, KeyCode::Char('1'));
    assert!(app.input.editor.is_empty());
}

#[test]
fn members_are_told_of_typing_every_three_seconds_and_not_in_the_open_chat() {
    let mut app = showing(several(), id(TEAM));
    let told = |app: &mut App, seconds| {
        let is_typing = |command: &Command| matches!(command, Command::Typing { .. });
        due(app, after(seconds))
            .iter()
            .filter(|one| is_typing(one))
            .count()
    };
    assert_eq!(told(&mut app, 0), 0);
    press(&mut app, KeyCode::Char('x'));
    assert_eq!(told(&mut app, 1), 1);
    press(&mut app, KeyCode::Char('x'));
    assert_eq!(told(&mut app, 2), 0);
    assert_eq!(told(&mut app, 4), 1);
    assert_eq!(told(&mut app, 9), 0, "no key was pressed");
    press_control(&mut app, 'u');
    type_text(&mut app, "/who");
    assert_eq!(told(&mut app, 20), 0, "a command is not a message");
    app.show(CONVERSATION);
    type_text(&mut app, "hello");
    assert_eq!(told(&mut app, 30), 0);
}

#[test]
fn leaving_a_group_has_a_question_and_leaving_the_open_chat_an_undo() {
    let mut app = showing(several(), id(TEAM));
    let leave = |conversation| [Command::Leave { conversation }];
    assert_eq!(enter(&mut app, "/leave"), None);
    let shown = screen(&mut app, SMALL, after(200));
    assert!(shown.contains("Leave the group?"), "{shown}");
    assert_eq!(commands(press(&mut app, KeyCode::Enter)), leave(id(TEAM)));
    app.show(CONVERSATION);
    assert_eq!(commands(enter(&mut app, "/leave")), leave(CONVERSATION));
}

#[test]
fn the_bell_rings_for_what_the_user_wants_to_be_alerted_of() {
    let mut app = showing(several(), id(TEAM));
    let rings = |app: &mut App, event: Event| {
        happen(app, &event);
        app.take_ring()
    };
    assert!(!rings(&mut app, said(post(id(TEAM), 200, "bob", "seen"))));
    assert!(rings(
        &mut app,
        said(post(id(BOB), 201, "bob", "not shown"))
    ));
    assert!(!rings(&mut app, said(post(id(BOB), 201, "bob", "again"))));
    assert!(!rings(&mut app, said(post(id(BOB), 202, "alice", "own"))));
    // Erin's chat alerts of mentions only.
    assert!(!rings(
        &mut app,
        said(post(id(ERIN), 203, "erin", "no mention"))
    ));
    let mentioned = |mentions| Event::Unread {
        conversation: id(ERIN),
        messages: 5,
        mentions,
    };
    assert!(rings(&mut app, mentioned(2)));
    assert!(!rings(&mut app, mentioned(2)));
    let silent = Chat {
        alerts: Alerts::Nothing,
        ..direct("erin", Trust::New)
    };
    happen(&mut app, &begun(id(ERIN), silent));
    assert!(!rings(&mut app, mentioned(3)));
    assert!(rings(&mut app, asked_to(9, ChatKind::Group, "Lunch")));
}

#[test]
fn the_title_of_the_terminal_counts_what_waits() {
    let mut app = showing(several(), id(TEAM));
    // Of three messages the user is alerted of the one that mentions them.
    assert_eq!(app.title(), "(1) Release team – p2pchat");
    happen(&mut app, &asked_to(9, ChatKind::Group, "Lunch"));
    assert_eq!(app.title(), "(2) Release team – p2pchat");
    app.show(id(BOB));
    assert_eq!(app.title(), "(2) bob – p2pchat");
}

#[test]
fn a_message_that_was_found_is_shown_in_its_chat() {
    let mut app = showing(several(), id(BOB));
    let find = call(enter(&mut app, "/find fine"));
    let findings = Event::Findings {
        conversation: None,
        text: "fine".to_owned(),
        messages: Vec::new(),
        posts: vec![post(id(TEAM), 70, "carol", "fine")],
    };
    answer(&mut app, &find, findings);
    let shown = screen(&mut app, SMALL, after(200));
    assert!(shown.contains("Release team / carol"), "{shown}");
    press(&mut app, KeyCode::Enter);
    assert_eq!(app.current, id(TEAM));
    assert!(app.overlay.is_none());
    assert!(app.counts_down() || app.tick(after(3)), "it is marked");
}

#[test]
fn tab_in_the_list_of_what_was_found_searches_this_chat_or_all() {
    let mut app = showing(several(), id(TEAM));
    let find = |conversation| Command::Find {
        conversation,
        text: "fine".to_owned(),
    };
    let found = |conversation| Event::Findings {
        conversation,
        text: "fine".to_owned(),
        messages: Vec::new(),
        posts: vec![post(id(TEAM), 70, "carol", "fine")],
    };
    let this = Some(id(TEAM));
    let here = call(enter(&mut app, "/find fine"));
    assert_eq!(here.command, find(this));
    answer(&mut app, &here, found(this));
    assert_snapshot!("findings_small", screen(&mut app, SMALL, after(200)));
    let everywhere = call(press(&mut app, KeyCode::Tab));
    assert_eq!(everywhere.command, find(None));
    let shown = screen(&mut app, SMALL, after(200));
    assert!(shown.contains("This chat: 1 message"), "{shown}");
    answer(&mut app, &everywhere, found(None));
    let shown = screen(&mut app, SMALL, after(200));
    assert!(
        shown.contains("All chats: 1 message") && shown.contains("Tab this chat"),
        "{shown}"
    );
    assert_eq!(commands(press(&mut app, KeyCode::Tab)), [find(this)]);
}

/// The style of the first cell of a text on the screen.
fn style_of(app: &mut App, text: &str) -> Style {
    let buffer = cells(app, SMALL, after(300));
    let columns = usize::from(SMALL.0);
    let rows: Vec<_> = buffer.content.chunks(columns).collect();
    let found = rows.iter().find_map(|row| {
        let symbols: Vec<&str> = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        let starts = 0..columns;
        let at = starts
            .clone()
            .find(|at| symbols[*at..].concat().starts_with(text))?;
        Some(row[at].style())
    });
    found.unwrap_or_else(|| panic!("{text} is not there"))
}

#[test]
fn a_mention_of_the_user_stands_out_whatever_the_colours() {
    for colours in [Colours::Many, Colours::Sixteen, Colours::None] {
        let mut view = several();
        let texts = [
            (110, "bob", "well, @Alice: see `x`"),
            (111, "carol", "@alicex?"),
        ];
        for (number, from, text) in texts {
            view.apply(&said(post(id(TEAM), number, from, text)));
        }
        view.apply(&said(post(id(TEAM), 112, "alice", "me, @alice")));
        view.apply(&message(2, after(2), bob(), "open @alice"));
        let mut app = showing(view, id(TEAM));
        app.look.theme = Theme::new(colours);
        let stands_out = |style: Style| {
            let both = Modifier::BOLD | Modifier::REVERSED;
            style.add_modifier.contains(both)
        };
        assert!(stands_out(style_of(&mut app, "@Alice: see")), "{colours:?}");
        for text in ["well, ", ": see x", "@alicex", "@alice "] {
            assert!(!stands_out(style_of(&mut app, text)), "{colours:?} {text}");
        }
        app.show(CONVERSATION);
        assert!(stands_out(style_of(&mut app, "@alice")), "{colours:?}");
    }
}

#[test]
fn hostile_texts_and_names_stay_in_their_columns() {
    let mut view = several();
    let text = "\u{1b}]0;owned\u{7} `\u{202e}code` 日本語のとても長い文章です\n```\n\u{1b}[2J\t日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語\n```";
    let hostile = Post {
        reply: Some(p2pchat_model::Quote {
            id: message_id(1),
            from: named("bob"),
            text: format!("{text}\n{text}"),
        }),
        reactions: vec![
            p2pchat_model::Reaction {
                emoji: "👩‍👩‍👧\u{1b}[31m".to_owned(),
                by: vec![named("bob")],
            };
            40
        ],
        ..post(id(TEAM), 150, "bob", text)
    };
    view.apply(&said(hostile));
    let long = "W".repeat(64);
    let group = chat(ChatKind::Group, &long, vec![member("bob", Trust::New)]);
    view.apply(&begun(id(6), group));
    let mut app = showing(view, id(TEAM));
    for shown in [id(TEAM), id(6)] {
        app.show(shown);
        for columns in 24..130 {
            let buffer = cells(&mut app, (columns, 24), NOW);
            for cell in buffer.content() {
                assert!(!cell.symbol().chars().any(char::is_control), "{cell:?}");
            }
            if columns >= 60 {
                for row in 1..19 {
                    assert_eq!(buffer[(19, row)].symbol(), "│", "{columns} {row}");
                }
            }
        }
    }
}

#[test]
fn a_thousand_chats_and_people_are_drawn_as_fast_as_ten() {
    let mut view = several();
    for number in 0..1000_u32 {
        let mut bytes = [9; 32];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        let conversation = ConversationId::encrypted(&bytes);
        let name = format!("u{number}");
        view.apply(&begun(conversation, direct(&name, Trust::New)));
    }
    let users = (0..20_000).map(|number| {
        let address = std::net::Ipv4Addr::from(0x7f01_0000 + number).to_string();
        p2pchat_model::User {
            address: address.parse().unwrap(),
            ..user(&format!("x{number:05}"), 9)
        }
    });
    view.apply(&Event::Presence {
        users: users.collect(),
        gone: Vec::new(),
    });
    let mut app = showing(view, id(TEAM));
    let start = std::time::Instant::now();
    for _ in 0..10 {
        screen(&mut app, SMALL, NOW);
    }
    let shown = screen(&mut app, SMALL, NOW);
    assert!(shown.contains("more: F2"), "{shown}");
    assert!(shown.contains("more: F4"), "{shown}");
    press(&mut app, KeyCode::F(4));
    type_text(&mut app, "x1999");
    let shown = screen(&mut app, SMALL, NOW);
    assert!(shown.contains("x19990"), "{shown}");
    assert!(start.elapsed() < std::time::Duration::from_secs(20));
}

#[test]
fn the_chat_that_is_shown_is_gone_after_a_login_as_another() {
    let mut app = showing(several(), id(TEAM));
    type_text(&mut app, "for the team");
    let logout = Event::LoggedOut {
        at: NOW,
        problem: None,
    };
    happen(&mut app, &logout);
    let login = Event::LoggedIn {
        at: NOW,
        name: "bob".parse().unwrap(),
    };
    happen(&mut app, &login);
    assert_eq!(app.current, CONVERSATION);
    assert!(app.input.editor.is_empty());
    assert!(app.left.is_empty());
}

#[test]
fn at_the_start_a_chat_is_shown_where_the_open_one_is_bare() {
    let mut app = app(newcomer());
    happen(&mut app, &begun(id(BOB), direct("bob", Trust::New)));
    assert_eq!(app.current, id(BOB));
    let mut typing = super::app(newcomer());
    type_text(&mut typing, "x");
    happen(&mut typing, &begun(id(BOB), direct("bob", Trust::New)));
    assert_eq!(typing.current, CONVERSATION, "keys were pressed");
}

#[test]
fn what_is_told_in_the_open_chat_is_seen_in_every_other() {
    let mut app = showing(several(), id(TEAM));
    let failed = call(enter(&mut app, "/chat nobody"));
    let failure = p2pchat_model::Failure::new(NOW, "chat", p2pchat_model::Problem::NotOnline);
    let words = failure.message.clone();
    answer(&mut app, &failed, Event::Failed(failure));
    let shown = screen(&mut app, SMALL, NOW);
    assert!(shown.contains(&words), "{shown}");
    let missed = Event::RequestMissed {
        conversation: CONVERSATION,
        at: NOW,
        from: bob(),
    };
    happen(&mut app, &missed);
    let shown = screen(&mut app, SMALL, NOW);
    assert!(
        shown.contains("Open chat: you missed a request from bob"),
        "{shown}"
    );
    app.show(CONVERSATION);
    app.hint = None;
    happen(&mut app, &missed);
    assert_eq!(app.hint, None, "it is a line there");
}

#[test]
fn a_click_in_the_list_leads_to_its_chat_or_person() {
    use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
    let mut app = showing(several(), id(TEAM));
    happen(&mut app, &asked_to(9, ChatKind::Group, "Lunch"));
    let click = |app: &mut App, part: &str| {
        let shown = screen(app, SMALL, NOW);
        let row = shown.lines().position(|row| row.contains(part)).unwrap();
        app.mouse(MouseEvent {
            kind: MouseEventKind::Down(MouseButton::Left),
            column: 5,
            row: u16::try_from(row).unwrap(),
            modifiers: KeyModifiers::NONE,
        })
    };
    assert_eq!(click(&mut app, "erin m"), None);
    assert_eq!(app.current, id(ERIN));
    let chat = Command::Chat {
        with: "dave".parse().unwrap(),
    };
    assert_eq!(commands(click(&mut app, "● dave")), [chat]);
    click(&mut app, "frank asks");
    assert!(app.overlay.is_some());
    assert_eq!(click(&mut app, "2 ● bob"), None);
    assert_eq!(app.current, id(ERIN), "a box is over it");
}

#[test]
fn a_chat_opens_at_its_first_unread_message() {
    let mut app = showing(several(), id(BOB));
    let read = |number| Command::Read {
        conversation: id(TEAM),
        message: message_id(number),
    };
    for number in 200..260 {
        let text = format!("new {number}");
        happen(&mut app, &said(post(id(TEAM), number, "bob", &text)));
    }
    let unread = 60;
    happen(&mut app, &begun(id(TEAM), Chat { unread, ..team() }));
    let mark = Event::Read {
        conversation: id(TEAM),
        message: message_id(199),
    };
    happen(&mut app, &mark);
    app.show(id(TEAM));
    assert_eq!(seen(&mut app), [], "nothing of it was seen");
    let shown = screen(&mut app, SMALL, after(300));
    assert!(
        shown.contains("new 200") && !shown.contains("new 259"),
        "{shown}"
    );
    assert!(
        shown.contains(p2pchat_model::wording::label::NEW),
        "{shown}"
    );
    assert_eq!(seen(&mut app), [], "its end was not seen");
    press(&mut app, KeyCode::End);
    let shown = screen(&mut app, SMALL, after(300));
    assert!(shown.contains("new 259"), "{shown}");
    assert_eq!(seen(&mut app), [read(259)]);
    // What comes now is followed.
    happen(&mut app, &said(post(id(TEAM), 300, "bob", "newest")));
    assert!(screen(&mut app, SMALL, after(300)).contains("newest"));
}

#[test]
fn what_comes_after_a_start_is_shown_from_its_first_message_on() {
    let mut app = showing(several(), id(TEAM));
    screen(&mut app, SMALL, NOW);
    for number in 200..260 {
        let text = format!("missed {number}");
        happen(&mut app, &said(post(id(TEAM), number, "bob", &text)));
        assert_eq!(due(&mut app, NOW), []);
    }
    assert_eq!(seen(&mut app), [], "most of it was not on the screen");
    assert!(app.tick(after(1)), "it is drawn again");
    let shown = screen(&mut app, SMALL, after(300));
    let new = p2pchat_model::wording::label::NEW;
    assert!(
        shown.contains("missed 200") && shown.contains(new),
        "{shown}"
    );
    assert_eq!(seen(&mut app), []);
    press(&mut app, KeyCode::End);
    screen(&mut app, SMALL, after(300));
    let read = Command::Read {
        conversation: id(TEAM),
        message: message_id(259),
    };
    assert_eq!(seen(&mut app), [read]);
    // The same once more.
    for number in 300..360 {
        let text = format!("later {number}");
        happen(&mut app, &said(post(id(TEAM), number, "bob", &text)));
    }
    assert_eq!(seen(&mut app), []);
    assert!(app.tick(after(1)));
    let shown = screen(&mut app, SMALL, after(300));
    assert!(shown.contains("later 300"), "{shown}");
}

#[test]
fn one_that_is_shown_before_it_is_known_how_far_it_was_read_opens_there_too() {
    let mut app = showing(several(), id(TEAM));
    let unread = 60;
    happen(&mut app, &begun(id(TEAM), Chat { unread, ..team() }));
    app.show(id(BOB));
    app.show(id(TEAM));
    for number in 200..260 {
        let text = format!("new {number}");
        happen(&mut app, &said(post(id(TEAM), number, "bob", &text)));
    }
    screen(&mut app, SMALL, NOW);
    let mark = Event::Read {
        conversation: id(TEAM),
        message: message_id(199),
    };
    happen(&mut app, &mark);
    let shown = screen(&mut app, SMALL, after(300));
    assert!(
        shown.contains("new 200") && !shown.contains("new 259"),
        "{shown}"
    );
}

#[test]
fn an_unread_message_that_is_taller_than_the_screen_is_shown_from_its_beginning() {
    let mut app = showing(several(), id(BOB));
    let rows: Vec<_> = (100..160).map(|number| format!("row {number}")).collect();
    happen(
        &mut app,
        &said(post(id(TEAM), 300, "bob", &rows.join("\n"))),
    );
    let unread = 1;
    happen(&mut app, &begun(id(TEAM), Chat { unread, ..team() }));
    app.show(id(TEAM));
    let shown = screen(&mut app, SMALL, NOW);
    assert!(
        shown.contains("row 100") && !shown.contains("row 159"),
        "{shown}"
    );
}

#[test]
fn what_is_held_back_from_a_changed_key_says_so_and_is_sent_when_the_user_asks_for_it() {
    let mut app = showing(several(), id(BOB));
    let accept = |although_verified| Command::AcceptKey {
        conversation: id(BOB),
        although_verified,
    };
    let waits = Post {
        receipts: Some(vec![p2pchat_model::Receipt {
            to: named("bob"),
            delivered: false,
        }]),
        ..post(id(BOB), 120, "alice", "are you there?")
    };
    happen(&mut app, &said(waits));
    happen(&mut app, &begun(id(BOB), direct("bob", Trust::Changed)));
    let shown = screen(&mut app, SMALL, after(200));
    assert!(shown.contains("x not sent: bob's key changed"), "{shown}");
    assert!(shown.contains("Your waiting message has"), "{shown}");
    assert_eq!(commands(enter(&mut app, "/anyway")), [accept(false)]);
    let verified = direct("bob", Trust::ChangedAfterVerified);
    happen(&mut app, &begun(id(BOB), verified));
    assert_eq!(enter(&mut app, "hello"), None);
    assert_eq!(app.input.editor.text(), "hello", "it is not lost");
    app.input.editor.take();
    assert_eq!(enter(&mut app, "/anyway"), None);
    let shown = screen(&mut app, SMALL, after(200));
    assert!(shown.contains("Enter: Accept new code"), "{shown}");
    // Text that comes at once is no answer: it goes into the field.
    for (key, typed) in [(KeyCode::Char('n'), "n"), (KeyCode::Enter, "")] {
        assert!(app.takes_letters_one_by_one());
        assert_eq!(app.text_key(key.into(), after(200)), None);
        assert!(!app.takes_letters_one_by_one(), "the question is over");
        assert_eq!(app.input.editor.text(), typed);
        app.input.editor.take();
        assert_eq!(enter(&mut app, "/anyway"), None);
    }
    press(&mut app, KeyCode::Esc);
    assert_eq!(enter(&mut app, "/anyway"), None);
    assert_eq!(commands(press(&mut app, KeyCode::Enter)), [accept(true)]);
    // The chat goes on elsewhere, and each tells of the other.
    let former = Chat {
        archived: true,
        ..direct("bob", Trust::Former)
    };
    happen(&mut app, &begun(id(BOB), former));
    assert_snapshot!("direct_former", screen(&mut app, SMALL, after(200)));
    assert_eq!(enter(&mut app, "hello"), None);
    let new = id(9);
    happen(&mut app, &begun(new, direct("bob", Trust::New)));
    happen(&mut app, &said(post(new, 300, "bob", "it is me")));
    let all = Event::Posts {
        conversation: new,
        before: Some(message_id(300)),
        posts: Vec::new(),
        changes: Vec::new(),
        more: false,
    };
    happen(&mut app, &all);
    app.show(new);
    assert_snapshot!("direct_in_place", screen(&mut app, SMALL, after(400)));
    app.show(id(TEAM));
    enter(&mut app, "/go bob");
    assert_eq!(app.current, new);
}

#[test]
fn of_several_requests_the_one_is_answered_whose_asker_is_named() {
    let mut app = showing(several(), id(TEAM));
    let by_frank = asked_to(9, ChatKind::Group, "Lunch");
    happen(&mut app, &by_frank);
    let chat = Chat {
        standing: Standing::Asked(named("uma")),
        ..direct("uma", Trust::New)
    };
    happen(&mut app, &begun(id(8), chat));
    let tea = Chat {
        name: "Tea".parse().unwrap(),
        standing: Standing::Asked(named("uma")),
        ..team()
    };
    happen(&mut app, &begun(id(7), tea));
    assert_eq!(enter(&mut app, "/join"), None);
    for (line, command) in [
        (
            "/join Tea",
            Command::Join {
                conversation: id(7),
            },
        ),
        (
            "/join uma",
            Command::Join {
                conversation: id(8),
            },
        ),
        (
            "/decline frank",
            Command::Decline {
                conversation: id(9),
            },
        ),
    ] {
        app.input.editor.take();
        assert_eq!(commands(enter(&mut app, line)), [command]);
    }
}

#[test]
fn of_two_with_one_name_the_one_under_an_earlier_key_is_removed() {
    let mut app = showing(several(), id(TEAM));
    let again = Member {
        who: Named {
            key: named("eve").key,
            ..named("bob")
        },
        ..member("bob", Trust::Verified)
    };
    let former = member("bob", Trust::Former);
    let owner = true;
    for members in [vec![again, former], vec![former, again]] {
        let members = members.clone();
        happen(
            &mut app,
            &begun(
                id(TEAM),
                Chat {
                    members,
                    owner,
                    ..team()
                },
            ),
        );
        assert_eq!(enter(&mut app, "/remove bob"), None);
        let shown = screen(&mut app, SMALL, after(200));
        assert!(shown.contains("Remove bob (earlier code)"), "{shown}");
        let remove = Command::Remove {
            conversation: id(TEAM),
            who: former.who.key,
        };
        assert_eq!(commands(press(&mut app, KeyCode::Enter)), [remove]);
    }
}
