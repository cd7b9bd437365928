//! Snapshots of whole screens, small and large.

use insta::assert_snapshot;
use p2pchat_model::{Failure, Findings, IncomingRequest, NameCheck, Person, Problem};

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
    let failure = Failure {
        command: "login".to_owned(),
        problem: Problem::WrongCredentials,
        message: Problem::WrongCredentials.words().to_owned(),
    };
    assert!(matches!(
        press(&mut app, KeyCode::Enter),
        Some(Act::Send(_))
    ));
    app.apply(&Event::Failed { at: NOW, failure }, NOW);
    assert_snapshot!("sign_in_large", screen(&mut app, LARGE, NOW));
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
    app.apply(&request(), after(100));
    assert!(app.take_ring());
    assert_snapshot!("request_small", screen(&mut app, SMALL, after(110)));
    type_text(
        &mut app,
        "half a text that is long enough to be counted, letter by letter",
    );
    assert_snapshot!("request_typing_large", screen(&mut app, LARGE, after(120)));
}

#[test]
fn help_who_and_findings() {
    let mut app = app(talk());
    press(&mut app, KeyCode::F(1));
    assert_snapshot!("help_small", screen(&mut app, SMALL, NOW));
    assert_snapshot!("help_large", screen(&mut app, LARGE, NOW));
    press(&mut app, KeyCode::Esc);
    assert_eq!(enter(&mut app, "/who"), Some(Act::Send(Command::Refresh)));
    assert_snapshot!("who_small", screen(&mut app, SMALL, NOW));
    press(&mut app, KeyCode::Esc);
    enter(&mut app, "/find hello");
    let Findings { text, messages } = Findings {
        text: "hello".to_owned(),
        messages: match message(2, NOW, bob(), "hello there") {
            Event::Message(message) => vec![message],
            _ => unreachable!(),
        },
    };
    app.apply(&Event::Findings { text, messages }, NOW);
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
        if columns >= super::side::SCREEN_WITH_SIDE {
            let border = super::side::columns(columns) - 1;
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
fn no_size_is_too_small() {
    let mut app = app(talk());
    app.apply(&request(), after(100));
    for (columns, rows) in [(1, 1), (10, 3), (24, 8), (30, 60), (300, 8), (79, 9)] {
        screen(&mut app, (columns, rows), after(110));
        press(&mut app, KeyCode::F(1));
        screen(&mut app, (columns, rows), after(110));
        press(&mut app, KeyCode::Esc);
    }
}

#[test]
fn without_colours_nothing_is_coloured() {
    use ratatui::style::Color;
    let look = Look {
        theme: Theme::new(false),
        clock: Clock::utc(),
        bell: false,
    };
    let mut app = App::new(talk(), look, None);
    app.apply(&request(), after(100));
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
        view.online.push(p2pchat_model::OnlineUser {
            name: format!("user{last}").parse().unwrap(),
            address: address(last),
        });
    }
    let shown = screen(&mut app(view), SMALL, NOW);
    assert!(shown.contains("● carol"), "{shown}");
    assert!(shown.contains("Also online  52"), "{shown}");
    assert!(shown.contains("more: /who"), "{shown}");
}

#[test]
fn a_request_with_a_thousand_members_by_a_lookalike_fits_the_screen() {
    let mut view = in_chat();
    let crowd = (0..1024).map(|n| Person {
        address: std::net::Ipv4Addr::from(0x0a00_0001 + n)
            .to_string()
            .parse()
            .unwrap(),
        name: None,
    });
    view.apply(&Event::RequestReceived(IncomingRequest {
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
    assert_snapshot!("impostor_small", screen(&mut app, SMALL, NOW));
}
