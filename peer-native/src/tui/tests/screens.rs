//! Snapshots of whole screens, small and large.

use insta::assert_snapshot;
use p2pchat_model::{
    Failure, Identity, IncomingRequest, KnownRegistry, NameCheck, Person, Problem, Security,
    Status, Trust, User,
};

use super::chats::newcomer;
use super::*;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (200, 50);

#[test]
fn signing_in() {
    let view = View {
        address: Some(address(2)),
        registry: "127.0.0.1:3131".to_owned(),
        link: Link::Down {
            reason: "connection refused".to_owned(),
            retry_at: after(7),
        },
        ..View::default()
    };
    let mut app = app(view);
    type_text(&mut app, "abcdefghij");
    press(&mut app, KeyCode::Enter);
    type_text(&mut app, "secret");
    assert_eq!(press(&mut app, KeyCode::Tab), None);
    assert_snapshot!("sign_in_small", screen(&mut app, SMALL, NOW));
    let login = call(press(&mut app, KeyCode::Enter));
    let failure = Failure::new(NOW, "login", Problem::WrongCredentials);
    answer(&mut app, &login, Event::Failed(failure));
    assert_snapshot!("sign_in_large", screen(&mut app, LARGE, NOW));
}

#[test]
fn the_password_is_needed_again() {
    let mut app = app(talk());
    type_text(&mut app, "half a text");
    happen(&mut app, &Event::Link(Link::PasswordNeeded));
    assert_snapshot!("password_needed_small", screen(&mut app, SMALL, after(95)));
    assert_snapshot!(
        "password_needed_narrow",
        screen(&mut app, (40, 24), after(95))
    );
    press(&mut app, KeyCode::F(2));
    type_text(&mut app, "secret");
    assert_snapshot!("password_again_small", screen(&mut app, SMALL, after(95)));
    let login = call(press(&mut app, KeyCode::Enter));
    let failure = Failure::new(NOW, "login", Problem::WrongCredentials);
    answer(&mut app, &login, Event::Failed(failure));
    let shown = screen(&mut app, SMALL, after(95));
    assert!(shown.contains("name or password is wrong"), "{shown}");
    press(&mut app, KeyCode::Esc);
    let shown = screen(&mut app, SMALL, after(95));
    assert!(
        shown.contains("› half a text") && shown.contains("who am I?"),
        "{shown}"
    );
}

const OLD: &str = "ALGW-5BBC-YQD7-W3IJ-Q2IP-CEYL-PU";
const NEW: &str = "BLGW-5BBC-YQD7-W3IJ-Q2IP-CEYL-PU";

fn other_key() -> Event {
    let (pinned, seen) = (OLD.parse().unwrap(), NEW.parse().unwrap());
    Event::Link(Link::KeyChanged { pinned, seen })
}

/// The chat with an encrypted line to the registry, which tells more of users.
fn encrypted() -> View {
    let mut view = talk();
    let fingerprint = OLD.parse().unwrap();
    view.apply(&Event::Security(Security::Encrypted { fingerprint }));
    let with = |name: &str, last, status, trust, legacy, display_name: &str| User {
        status,
        trust,
        legacy,
        display_name: display_name.parse().unwrap(),
        ..user(name, last)
    };
    let (available, away, busy) = (Status::Available, Status::Away, Status::Busy);
    let (verified, changed) = (Some(Trust::Verified), Some(Trust::Changed));
    view.apply(&Event::Presence {
        users: vec![
            with("alice", 2, available, None, false, ""),
            with("bob", 3, away, verified, false, "Bob Barker"),
            with("carol", 4, busy, changed, false, ""),
            with("dave", 5, available, None, true, ""),
            with("erin", 6, available, None, false, "Erin of the Hills"),
        ],
        gone: Vec::new(),
    });
    view.outgoing.clear();
    view
}

#[test]
fn another_key_of_the_registry_is_a_stop_in_place_of_the_form() {
    let mut app = app(View {
        registry: "chat.example.org".to_owned(),
        ..View::default()
    });
    type_text(&mut app, "alice");
    happen(&mut app, &other_key());
    let shown = screen(&mut app, SMALL, NOW);
    assert_snapshot!("stop_small", shown);
    assert!(!shown.contains("Password"), "{shown}");
    assert_eq!(enter(&mut app, "secret"), None, "there is nothing to type");
    happen(&mut app, &Event::Link(Link::Up));
    let shown = screen(&mut app, SMALL, NOW);
    assert!(
        shown.contains("Name           alice") && !shown.contains('•'),
        "{shown}"
    );
}

#[test]
fn another_key_of_the_registry_is_a_stop_above_the_chat() {
    let mut app = app(encrypted());
    happen(&mut app, &other_key());
    assert_snapshot!("stop_chat_small", screen(&mut app, SMALL, after(95)));
    let shown = screen(&mut app, (40, 24), after(95));
    let letters: String = shown.split_whitespace().collect();
    for part in [OLD, NEW, "Askitsoperator", "registriestrust"] {
        assert!(letters.contains(part), "{part}: {shown}");
    }
}

#[test]
fn what_others_see_of_users_is_beside_their_names() {
    let mut app = app(encrypted());
    assert_snapshot!("encrypted_small", screen(&mut app, SMALL, after(95)));
    assert_snapshot!("encrypted_large", screen(&mut app, (120, 30), after(95)));
    assert_eq!(commands(enter(&mut app, "/who")), [Command::Refresh]);
    assert_snapshot!("encrypted_who_small", screen(&mut app, SMALL, NOW));
}

#[test]
fn a_line_that_is_not_encrypted_is_loud_all_the_time() {
    for mut view in [View::default(), talk()] {
        view.security = Security::NotEncrypted;
        let mut app = app(view);
        for columns in [24, 40, 80, 120] {
            let buffer = cells(&mut app, (columns, 24), NOW);
            let head: String = (0..columns).map(|x| buffer[(x, 0)].symbol()).collect();
            let at = head.find("Not encrypted").unwrap();
            let at = head[..at].chars().count();
            let cell = &buffer[(u16::try_from(at).unwrap(), 0)];
            let alarm = Theme::new(Colours::Many).alarm();
            assert_eq!(Some(cell.fg), alarm.fg, "{head}");
            assert!(cell.modifier.contains(alarm.add_modifier), "{head}");
        }
    }
}

fn identity(saved: bool) -> Event {
    Event::Identity(Identity {
        device: OLD.parse().unwrap(),
        person: NEW.parse().unwrap(),
        code: "99990000111122223333".parse().ok(),
        saved,
    })
}

#[test]
fn the_sign_in_form_says_that_keys_are_not_saved_before_an_account_is_bound_to_them() {
    let mut app = app(View::default());
    let fingerprint = OLD.parse().unwrap();
    happen(
        &mut app,
        &Event::Security(Security::Encrypted { fingerprint }),
    );
    happen(&mut app, &identity(true));
    let saved = screen(&mut app, SMALL, NOW);
    happen(&mut app, &identity(false));
    assert_snapshot!("not_saved_small", screen(&mut app, SMALL, NOW));
    // Also where there is hardly room.
    let low = screen(&mut app, (40, 14), NOW);
    for part in ["there is no folder", "./FOLDER"] {
        assert!(low.contains(part) && !saved.contains(part), "{low}{saved}");
    }
    happen(&mut app, &Event::Security(Security::NotEncrypted));
    let plain = screen(&mut app, SMALL, NOW);
    assert!(
        !plain.contains("no folder"),
        "no account is bound there: {plain}"
    );
}

#[test]
fn codes_are_compared_side_by_side() {
    let mut app = app(encrypted());
    app.view.apply(&identity(true));
    let asked = call(enter(&mut app, "/code bob"));
    let (name, code) = (
        "bob".parse().unwrap(),
        "12440915304854155287".parse().unwrap(),
    );
    let answer_with = |trust| Event::Code { name, code, trust };
    answer(&mut app, &asked, answer_with(Trust::New));
    assert_snapshot!("code_small", screen(&mut app, SMALL, NOW));
    let matching = call(press(&mut app, KeyCode::Char('m')));
    let verified = true;
    let trust = Command::Trust {
        name,
        code,
        verified,
    };
    assert_eq!(matching.command, trust);
    answer(&mut app, &matching, Event::Done);
    let shown = screen(&mut app, SMALL, NOW);
    assert!(shown.contains("bob is verified"), "{shown}");
    let asked = call(enter(&mut app, "/code bob"));
    answer(&mut app, &asked, answer_with(Trust::Verified));
    let shown = screen(&mut app, SMALL, NOW);
    assert!(
        shown.contains("bob: verified") && !shown.contains("They match"),
        "{shown}"
    );
    assert_eq!(press(&mut app, KeyCode::Char('m')), None, "no answer now");
    let no_longer = commands(press(&mut app, KeyCode::Char('n')));
    let verified = false;
    let trust = |verified| Command::Trust {
        name,
        code,
        verified,
    };
    assert_eq!(no_longer, [trust(verified)]);
    assert_eq!(enter(&mut app, "/identity"), None);
    assert_snapshot!("identity_small", screen(&mut app, SMALL, NOW));
    press(&mut app, KeyCode::Esc);
    let asked = call(enter(&mut app, "/registries"));
    let list = vec![KnownRegistry {
        registry: "chat.example.org".to_owned(),
        fingerprint: OLD.parse().unwrap(),
        since: "2026-11-28".to_owned(),
        trusted: false,
    }];
    answer(&mut app, &asked, Event::Registries { list });
    assert_snapshot!("registries_small", screen(&mut app, SMALL, NOW));
}

#[test]
fn codes_that_differ_are_not_trusted() {
    let mut app = app(encrypted());
    app.view.apply(&identity(true));
    let asked = call(enter(&mut app, "/code bob"));
    let (name, trust) = ("bob".parse().unwrap(), Trust::Changed);
    let code = "12440915304854155287".parse().unwrap();
    answer(&mut app, &asked, Event::Code { name, code, trust });
    assert_eq!(press(&mut app, KeyCode::Char('d')), None, "nothing is sent");
    assert_snapshot!("code_differs_small", screen(&mut app, SMALL, NOW));
    let accepted = call(press(&mut app, KeyCode::Char('a')));
    let verified = false;
    let trust = Command::Trust {
        name,
        code,
        verified,
    };
    assert_eq!(accepted.command, trust);
    answer(&mut app, &accepted, Event::Done);
    let shown = screen(&mut app, SMALL, NOW);
    assert!(shown.contains("bob is not verified"), "{shown}");
}

#[test]
fn the_question_before_quitting_says_what_follows() {
    let then = |view: View, saved| {
        let mut app = app(view);
        app.view.apply(&identity(saved));
        press_control(&mut app, 'c');
        app.hint.unwrap_or_default()
    };
    let waits = "Press Ctrl-C again to quit; messages to you wait until you are back.";
    let offline = "Press Ctrl-C again to quit; you go offline unless p2pchat is open elsewhere";
    assert_eq!(then(newcomer(), true), waits);
    assert_eq!(then(newcomer(), false), offline);
    assert_eq!(then(logged_in(), true), offline, "no one has keys");
    assert_eq!(then(encrypted(), true), offline, "bob is in the open chat");
}

#[test]
fn addresses_are_shown_of_the_user_that_is_asked_for() {
    let mut app = app(newcomer());
    app.view.apply(&Event::Online {
        users: [("alice", 2), ("bob", 3), ("b\u{43e}b", 4)]
            .map(|(name, last)| user(name, last))
            .to_vec(),
    });
    enter(&mut app, "/who");
    let shown = screen(&mut app, SMALL, NOW);
    assert!(!shown.contains("127.0.0.3"), "{shown}");
    let like = ", 127.0.0.4: looks like";
    assert!(shown.contains(like), "{shown}");
    press(&mut app, KeyCode::Esc);
    enter(&mut app, "/who bob");
    let shown = screen(&mut app, SMALL, NOW);
    assert!(
        shown.contains("address                 127.0.0.3"),
        "{shown}"
    );
    press(&mut app, KeyCode::Esc);
    enter(&mut app, "/whois carl");
    let shown = screen(&mut app, SMALL, NOW);
    assert!(shown.contains("offline"), "{shown}");
}

#[test]
fn a_new_account_and_a_new_password_have_forms() {
    let mut app = app(View::default());
    type_text(&mut app, "alice");
    for _ in 0..3 {
        press(&mut app, KeyCode::Tab);
    }
    press(&mut app, KeyCode::Enter);
    type_text(&mut app, "several words of it");
    assert_snapshot!("create_small", screen(&mut app, SMALL, NOW));

    let mut app = super::app(talk());
    type_text(&mut app, "/password");
    assert_eq!(press(&mut app, KeyCode::Enter), None);
    assert_eq!(enter(&mut app, "secret"), None);
    type_text(&mut app, "better one");
    assert_snapshot!("change_small", screen(&mut app, SMALL, NOW));
    press(&mut app, KeyCode::Enter);
    let change = call(enter(&mut app, "better one"));
    assert_eq!(change.command.name(), "change_password");
    answer(&mut app, &change, Event::Done);
    let shown = screen(&mut app, SMALL, NOW);
    assert!(shown.contains("your password is changed"), "{shown}");
    assert!(shown.contains("who am I?"), "back in the chat: {shown}");
}

#[test]
fn talking() {
    let mut app = app(talk());
    assert_snapshot!("talk_small", screen(&mut app, SMALL, after(95)));
    assert_snapshot!("talk_large", screen(&mut app, LARGE, after(95)));
    assert_snapshot!("talk_narrow", screen(&mut app, (40, 24), after(95)));
}

#[test]
fn pending_request() {
    let mut app = app(talk());
    happen(&mut app, &request());
    assert!(app.take_ring());
    assert_snapshot!("request_small", screen(&mut app, SMALL, after(110)));
    type_text(
        &mut app,
        "half a text that is long enough to be counted, letter by letter",
    );
    assert_snapshot!("request_typing_large", screen(&mut app, LARGE, after(120)));
    press(&mut app, KeyCode::F(3));
    assert_snapshot!("request_list_small", screen(&mut app, SMALL, after(120)));
    press(&mut app, KeyCode::Char('b'));
    assert_snapshot!(
        "request_block_narrow",
        screen(&mut app, (40, 10), after(120))
    );
}

#[test]
fn help_who_and_findings() {
    let mut app = app(talk());
    press(&mut app, KeyCode::F(1));
    assert_snapshot!("help_small", screen(&mut app, SMALL, NOW));
    assert_snapshot!("help_large", screen(&mut app, LARGE, NOW));
    press(&mut app, KeyCode::Esc);
    assert_eq!(commands(enter(&mut app, "/who")), [Command::Refresh]);
    assert_snapshot!("who_small", screen(&mut app, SMALL, NOW));
    press(&mut app, KeyCode::Esc);
    let find = call(enter(&mut app, "/find hello"));
    let findings = Event::Findings {
        posts: Vec::new(),
        conversation: None,
        text: "hello".to_owned(),
        messages: match message(2, NOW, bob(), "hello there") {
            Event::Message(message) => vec![message],
            _ => unreachable!(),
        },
    };
    answer(&mut app, &find, findings);
    assert_snapshot!("findings_small", screen(&mut app, SMALL, NOW));
}

#[test]
fn hostile_wide_and_right_to_left_texts_stay_in_their_columns() {
    let mut view = in_chat();
    for (id, text) in [
        "\u{1b}[2J\u{1b}]0;owned\u{7}\rgone",
        "日本語のとても長い文章です。日本語のとても長い文章です。日本語",
        "שלום עולם, this goes on in English",
        "مرحبا \u{202e}reversed\u{202c}",
        "👩‍👩‍👧👨‍👩‍👧‍👦🏳️‍🌈🇹🇷 e\u{301}\u{302}\u{303}\u{304}\u{305}",
        "tab\there\nand\nlines",
        "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww",
    ]
    .into_iter()
    .enumerate()
    {
        view.apply(&message(id as u64, NOW, bob(), text));
    }
    let mut app = app(view);
    assert_snapshot!("hostile_small", screen(&mut app, SMALL, NOW));
    for columns in 24..130 {
        let buffer = cells(&mut app, (columns, 24), NOW);
        for cell in buffer.content() {
            assert!(!cell.symbol().chars().any(char::is_control), "{cell:?}");
        }
        if columns >= super::rail::SCREEN_WITH_RAIL {
            let border = super::rail::columns(columns) - 1;
            for row in 1..20 {
                assert_eq!(buffer[(border, row)].symbol(), "│", "{columns} {row}");
            }
        }
    }
}

#[test]
fn the_length_is_that_of_the_message_which_enter_sends() {
    let long = |bytes| "x".repeat(bytes);
    for (typed, is_long) in [
        (format!("//{}", long(98)), false),
        (format!("//{}", long(99)), true),
        (format!("/me {}", long(97)), false),
        (format!("/me {}", long(98)), true),
        (format!("/find {}", long(200)), false),
    ] {
        let mut app = app(in_chat());
        type_text(&mut app, &typed);
        let screen = screen(&mut app, SMALL, NOW);
        assert_eq!(
            screen.contains("arrives as 2 messages"),
            is_long,
            "{screen}"
        );
    }
}

#[test]
fn the_top_row_tells_whose_message_it_is_and_of_when() {
    let mut view = in_chat();
    for id in 0..60 {
        view.apply(&message(id, after(id), bob(), &format!("line {id}")));
    }
    view.apply(&message(60, after(100), bob(), &"so long ".repeat(500)));
    for columns in [80, 40] {
        let mut app = app(view.clone());
        for scrolled in 0..40 {
            let shown = screen(&mut app, (columns, 16), NOW);
            let top = shown.lines().nth(1).unwrap();
            let told = top.contains("bob") && top.contains("16:2") || top.contains('─');
            assert!(told, "after {scrolled}: {shown}");
            press(
                &mut app,
                if scrolled % 3 == 0 {
                    KeyCode::PageUp
                } else {
                    KeyCode::Null
                },
            );
            app.scroll_by(-1);
        }
    }
}

#[test]
fn the_help_is_whole_on_a_narrow_screen() {
    let mut app = app(talk());
    press(&mut app, KeyCode::F(1));
    for columns in [40, 60] {
        let mut all = String::new();
        press(&mut app, KeyCode::Home);
        for _ in 0..250 {
            all += &screen(&mut app, (columns, 12), NOW).replace(['│', '\n'], " ");
            press(&mut app, KeyCode::Down);
        }
        let words = all.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "look up a user in the",
            "or who sent the chat",
            "after a question",
        ] {
            assert!(words.contains(part), "{part} at {columns}: {words}");
        }
    }
}

#[test]
fn the_help_before_the_login_lists_what_can_be_done_there() {
    let mut app = app(View::default());
    press(&mut app, KeyCode::F(1));
    let shown = screen(&mut app, SMALL, NOW);
    assert!(shown.contains("next or previous field"), "{shown}");
    assert!(
        !shown.contains("/leave") && !shown.contains("/find"),
        "{shown}"
    );
}

#[test]
fn that_nothing_is_encrypted_is_always_in_sight() {
    for view in [View::default(), logged_in(), talk()] {
        let mut app = app(view);
        happen(&mut app, &request());
        for columns in [24, 40, 60, 80, 120] {
            let shown = screen(&mut app, (columns, 24), NOW);
            let head = shown.lines().next().unwrap();
            assert!(head.contains("Not encrypted"), "{columns}: {head}");
        }
    }
}

#[test]
fn a_login_elsewhere_is_told_while_it_lasts() {
    let mut app = app(in_chat());
    let online = |last| Event::Online {
        users: vec![user("alice", last)],
    };
    happen(&mut app, &online(40));
    let shown = screen(&mut app, SMALL, NOW);
    assert!(shown.contains("○ signed in elsewhere"), "{shown}");
    assert!(shown.contains("/logout and sign in again"), "{shown}");
    happen(&mut app, &online(2));
    let shown = screen(&mut app, SMALL, NOW);
    assert!(
        !shown.contains("elsewhere") && shown.contains("●"),
        "{shown}"
    );
}

#[test]
fn nothing_stays_of_an_emoji_that_a_terminal_draws_wider() {
    use ratatui::buffer::CellDiffOption;
    let mut app = app(in_chat());
    type_text(&mut app, "so 🇹🇷");
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let mut is_drawn_in_full = |app: &mut App| {
        let mut in_full = false;
        terminal
            .draw(|frame| {
                app.draw(frame, NOW);
                let row = (0..80).map(|x| frame.buffer_mut()[(x, 22)].diff_option);
                in_full = row.into_iter().all(|it| it == CellDiffOption::AlwaysUpdate);
            })
            .unwrap();
        in_full
    };
    assert!(is_drawn_in_full(&mut app));
    app.input.editor.wipe();
    assert!(is_drawn_in_full(&mut app), "it was there");
    assert!(!is_drawn_in_full(&mut app), "and is no more");
}

#[test]
fn no_size_is_too_small() {
    let mut app = app(talk());
    happen(&mut app, &request());
    for (columns, rows) in [(1, 1), (10, 3), (24, 8), (30, 60), (300, 8), (79, 9)] {
        screen(&mut app, (columns, rows), after(110));
        for key in [KeyCode::F(1), KeyCode::F(3)] {
            press(&mut app, key);
            screen(&mut app, (columns, rows), after(110));
            press(&mut app, KeyCode::Esc);
        }
    }
}

#[test]
fn without_colours_nothing_is_coloured() {
    use ratatui::style::Color;
    let look = Look {
        theme: Theme::new(Colours::None),
        clock: Clock::utc(),
        bell: false,
    };
    let mut app = App::new(talk(), look, None, &FrontEndId::random([7; 16]));
    happen(&mut app, &request());
    assert!(!app.take_ring());
    for cell in cells(&mut app, SMALL, after(110)).content() {
        assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
    }
}

#[test]
fn ten_thousand_lines_are_drawn_as_fast_as_ten() {
    let mut view = in_chat();
    for id in 0..View::MAX_LINES as u64 - 100 {
        view.apply(&message(id, NOW, bob(), "a line among many"));
    }
    let mut app = app(view);
    let start = std::time::Instant::now();
    for _ in 0..100 {
        screen(&mut app, LARGE, NOW);
        press(&mut app, KeyCode::PageUp);
    }
    // Unoptimised and on a busy machine; laying out all of them takes minutes.
    assert!(start.elapsed() < std::time::Duration::from_secs(20));
}

#[test]
fn users_who_do_not_fit_are_counted() {
    let mut view = in_chat();
    for last in 10..60 {
        view.online.push(user(&format!("user{last}"), last));
    }
    let shown = screen(&mut app(view), SMALL, NOW);
    assert!(shown.contains("Online 52"), "{shown}");
    assert!(shown.contains("more: F4"), "{shown}");
}

#[test]
fn a_request_with_a_thousand_members_by_a_lookalike_fits_the_screen() {
    let mut view = in_chat();
    let crowd = (0..1024).map(|n| {
        let address = std::net::Ipv4Addr::from(0x0a00_0001 + n).to_string();
        Person::listed(address.parse().unwrap(), None)
    });
    view.apply(&Event::RequestReceived(IncomingRequest {
        conversation: CONVERSATION,
        at: NOW,
        // Cyrillic letters, and an invisible one.
        from: speaker("b\u{43e}b\u{200b}", 66, NameCheck::Unknown),
        members: crowd.collect(),
        expires: after(60),
    }));
    view.apply(&message(
        9,
        NOW,
        speaker("\u{3164}\u{202e}", 66, NameCheck::Unknown),
        "who am I?",
    ));
    let mut app = app(view);
    press(&mut app, KeyCode::F(3));
    assert_snapshot!("impostor_small", screen(&mut app, SMALL, NOW));
}
