//! Tests of keys and events, without looking at the screen.

use p2pchat_model::{MessageId, Target};

use super::*;

fn say(text: &str) -> Option<Act> {
    let text = text.to_owned();
    Some(Act::Send(Command::Say { text }))
}

fn accept() -> Command {
    Command::Accept { from: address(5) }
}

/// With a pending request that is on the screen since `NOW`.
fn app_with_request(view: View) -> App {
    let mut app = app(view);
    app.apply(&request(), NOW);
    app
}

/// Alice in a chat, with a pending request.
fn asked() -> App {
    app_with_request(in_chat())
}

#[test]
fn enter_sends_and_alt_enter_begins_a_new_line() {
    let mut app = app(in_chat());
    type_text(&mut app, "one");
    app.key(KeyEvent::new(KeyCode::Enter, KeyModifiers::ALT), NOW);
    assert_eq!(enter(&mut app, "two"), say("one\ntwo"));
    assert!(app.input.editor.is_empty());
}

#[test]
fn a_message_that_no_one_would_get_is_not_sent_and_not_lost() {
    let mut app = app(logged_in());
    assert_eq!(enter(&mut app, "hello?"), None);
    assert_eq!(app.input.editor.text(), "hello?");
    assert!(app.hint.as_deref().unwrap().contains("/request"));
}

#[test]
fn a_mistyped_command_stays_to_be_corrected() {
    let mut app = app(in_chat());
    assert_eq!(enter(&mut app, "/reqest bob"), None);
    assert_eq!(app.input.editor.text(), "/reqest bob");
    assert!(app.hint.is_some());
    press(&mut app, KeyCode::Backspace);
    assert_eq!(app.hint, None);
}

#[test]
fn pasted_text_neither_answers_nor_sends() {
    let mut app = asked();
    app.paste("y\nn\n/quit\n");
    assert_eq!(app.input.editor.text(), "y\nn\n/quit\n");
}

#[test]
fn no_key_that_edits_and_no_letter_answers_a_request() {
    let mut app = asked();
    for modifiers in [KeyModifiers::NONE, KeyModifiers::CONTROL, KeyModifiers::ALT] {
        for letter in ('a'..='z').chain("żłąåыб".chars()) {
            if modifiers == KeyModifiers::CONTROL && "clq".contains(letter) {
                continue;
            }
            let act = app.key(KeyEvent::new(KeyCode::Char(letter), modifiers), after(2));
            assert_eq!(act, None, "{modifiers:?} {letter}");
        }
    }
    for code in [
        KeyCode::Left,
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::Tab,
        KeyCode::Home,
    ] {
        assert_eq!(press(&mut app, code), None, "{code:?}");
    }
    assert!(app.overlay.is_none(), "no list opens by itself");
    assert!(app.view.incoming.is_some());
}

#[test]
fn a_request_is_answered_in_its_list() {
    let block = Command::Block {
        who: Target::Address(address(5)),
    };
    for (keys, commands) in [
        (vec![KeyCode::Char('a')], vec![accept()]),
        (vec![KeyCode::Char('l')], vec![Command::Leave, accept()]),
        (
            vec![KeyCode::Char('d')],
            vec![Command::Reject { from: address(5) }],
        ),
        (vec![KeyCode::Down, KeyCode::Enter], vec![accept()]),
        (
            vec![KeyCode::Char('b'), KeyCode::Enter],
            vec![block.clone()],
        ),
        (
            vec![KeyCode::Up, KeyCode::End, KeyCode::Enter, KeyCode::Enter],
            vec![block],
        ),
    ] {
        let mut app = asked();
        type_text(&mut app, "half a text");
        press(&mut app, KeyCode::F(3));
        let (last, first) = keys.split_last().unwrap();
        for key in first {
            assert_eq!(press(&mut app, *key), None);
        }
        assert_eq!(press(&mut app, *last), Some(Act::SendAll(commands)));
        assert!(app.overlay.is_none());
        assert_eq!(app.input.editor.text(), "half a text", "the text stays");
    }
}

#[test]
fn a_block_has_a_question() {
    let mut app = asked();
    press(&mut app, KeyCode::F(3));
    press(&mut app, KeyCode::Char('b'));
    for letter in ['b', 'y', 'a', 'd'] {
        assert_eq!(press(&mut app, KeyCode::Char(letter)), None);
    }
    press(&mut app, KeyCode::Esc);
    assert!(app.overlay.is_some(), "back in the list");
    press(&mut app, KeyCode::Esc);
    assert!(app.overlay.is_none());
    // Nothing to leave, so no key for it.
    let mut alone = app_with_request(logged_in());
    press(&mut alone, KeyCode::F(3));
    assert_eq!(press(&mut alone, KeyCode::Char('l')), None);
}

#[test]
fn a_key_for_a_request_that_is_gone_does_not_answer_the_next_one() {
    let mut app = asked();
    press(&mut app, KeyCode::F(3));
    let closed = Event::RequestClosed {
        at: NOW,
        from: bob(),
        outcome: p2pchat_model::Outcome::Withdrawn,
    };
    app.apply(&closed, NOW);
    app.apply(&request(), NOW);
    assert_eq!(press(&mut app, KeyCode::Char('d')), None);
    assert_eq!(app.input.editor.text(), "d");
}

#[test]
fn a_search_result_is_opened() {
    let mut view = in_chat();
    for id in 200..300 {
        view.apply(&message(id, after(id), bob(), &format!("line {id}")));
    }
    view.more_history = true;
    let mut app = app(view);
    let page = |from: u64, more| {
        let messages = (from..from + 100).map(|id| {
            match message(id, after(id), bob(), &format!("line {id}")) {
                Event::Message(message) => message,
                _ => unreachable!(),
            }
        });
        history(messages.collect(), more, Some(MessageId(from + 100)))
    };
    let hit = |id| match message(id, after(id), bob(), &format!("line {id}")) {
        Event::Message(message) => message,
        _ => unreachable!(),
    };
    enter(&mut app, "/find line");
    let findings = Event::Findings {
        text: "line".to_owned(),
        messages: vec![hit(250), hit(50)],
    };
    app.apply(&findings, NOW);
    assert_eq!(press(&mut app, KeyCode::Enter), None, "it is there");
    assert!(screen(&mut app, (80, 24), NOW).contains("line 250"));
    assert!(!app.scroll.is_at_end());

    enter(&mut app, "/find line");
    app.apply(&findings, NOW);
    press(&mut app, KeyCode::Down);
    let before = |id| {
        Some(Act::Send(Command::History {
            before: Some(MessageId(id)),
        }))
    };
    assert_eq!(press(&mut app, KeyCode::Enter), before(200));
    assert_eq!(app.apply(&page(100, true), NOW), before(100));
    assert_eq!(app.apply(&page(0, false), NOW), None);
    let shown = screen(&mut app, (80, 24), NOW);
    assert!(
        shown.contains("line 50") && !shown.contains("line 90"),
        "{shown}"
    );
    assert_eq!(app.hint, None);
    assert!(app.counts_down() || app.tick(after(3)), "the mark goes");
}

#[test]
fn new_messages_do_not_move_what_is_being_read() {
    let mut view = in_chat();
    for id in 0..100 {
        view.apply(&message(id, NOW, bob(), &format!("line {id}")));
    }
    let mut app = app(view);
    let size = (80, 24);
    screen(&mut app, size, NOW);
    press(&mut app, KeyCode::PageUp);
    let before = screen(&mut app, size, NOW);
    for id in 100..103 {
        app.apply(&message(id, NOW, bob(), &format!("line {id}")), NOW);
    }
    let now = screen(&mut app, size, NOW);
    let rows = |screen: &str| {
        screen
            .lines()
            .take(20)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(rows(&before), rows(&now));
    assert!(now.contains("3 new messages below"));
    press(&mut app, KeyCode::Esc);
    let end = screen(&mut app, size, NOW);
    assert!(end.contains("line 102") && !end.contains("below"));
}

#[test]
fn messages_without_the_focus_are_below_a_separator() {
    let mut app = app(in_chat());
    app.apply(&message(1, NOW, bob(), "seen"), NOW);
    app.focus(false);
    app.apply(&message(2, NOW, bob(), "unseen"), NOW);
    app.focus(true);
    let marked = screen(&mut app, (80, 24), NOW);
    let at = |text: &str| marked.lines().position(|row| row.contains(text)).unwrap();
    assert_eq!(at("─ New messages ─") + 1, at("unseen"));
    let own = own(3, NOW, "answer", &[]);
    app.apply(&own, NOW);
    assert!(!screen(&mut app, (80, 24), NOW).contains("─ New messages ─"));
}

#[test]
fn scrolling_past_the_top_asks_for_earlier_messages() {
    let mut app = app(talk());
    screen(&mut app, (80, 12), NOW);
    let mut asked = None;
    for _ in 0..10 {
        asked = asked.or(press(&mut app, KeyCode::PageUp));
        screen(&mut app, (80, 12), NOW);
    }
    assert!(matches!(
        asked,
        Some(Act::Send(Command::History { before: Some(_) }))
    ));
}

#[test]
fn tab_completes_a_name() {
    let mut app = app(in_chat());
    type_text(&mut app, "/request er");
    press(&mut app, KeyCode::Tab);
    let to = Target::new("erin").unwrap();
    assert_eq!(
        press(&mut app, KeyCode::Enter),
        Some(Act::Send(Command::Request { to }))
    );
}

#[test]
fn the_keys_to_quit_ask_first_and_always_work() {
    for mut app in [app(View::default()), asked()] {
        press(&mut app, KeyCode::F(1));
        for letter in ['c', 'q'] {
            assert_eq!(press_control(&mut app, letter), None);
            assert!(app.hint.as_deref().unwrap().contains("again to quit"));
            assert_eq!(press_control(&mut app, letter), Some(Act::Quit));
            press(&mut app, KeyCode::Left);
            assert_eq!(app.hint, None, "another key is an answer too");
        }
    }
    let mut app = asked();
    assert_eq!(press_control(&mut app, 'c'), None);
    assert!(app.tick(after(3)), "the question goes by itself");
    assert_eq!(app.hint, None);
    assert_eq!(press_control(&mut app, 'c'), None);
}

#[test]
fn the_mouse_wheel_scrolls() {
    use crossterm::event::{MouseEvent, MouseEventKind};
    let mut app = app(talk());
    screen(&mut app, (80, 12), NOW);
    let turn = |kind| MouseEvent {
        kind,
        column: 1,
        row: 1,
        modifiers: KeyModifiers::NONE,
    };
    app.mouse(turn(MouseEventKind::ScrollUp));
    assert!(!app.scroll.is_at_end());
    app.mouse(turn(MouseEventKind::ScrollDown));
    assert!(app.scroll.is_at_end());
}

#[test]
fn after_missed_events_the_new_view_is_shown() {
    let mut app = app(in_chat());
    app.replace_view(talk());
    let shown = screen(&mut app, (80, 24), NOW);
    assert!(shown.contains("who am I?"), "{shown}");
}

#[test]
fn a_repeated_login_leaves_the_overlay_open_and_the_first_one_closes_it() {
    let login = Event::LoggedIn {
        at: NOW,
        name: "alice".parse().unwrap(),
    };
    let mut app = app(in_chat());
    press(&mut app, KeyCode::F(1));
    app.apply(&login, NOW);
    assert!(app.overlay.is_some(), "the registry was only away");
    let logout = Event::LoggedOut {
        at: NOW,
        problem: None,
    };
    app.apply(&logout, NOW);
    app.apply(&login, NOW);
    assert!(app.overlay.is_none());
}
