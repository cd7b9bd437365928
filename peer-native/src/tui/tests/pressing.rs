//! Tests of keys and events, without looking at the screen.

use p2pchat_model::Target;

use super::*;

fn say(text: &str) -> Option<Act> {
    let text = text.to_owned();
    Some(Act::Send(Command::Say { text }))
}

fn accept() -> Option<Act> {
    Some(Act::Send(Command::Accept { from: address(5) }))
}

/// Alice in a chat, with a pending request that is on the screen since `NOW`.
fn asked() -> App {
    let mut app = app(in_chat());
    app.apply(&request(), NOW);
    app
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
fn a_single_letter_answers_the_request_after_a_moment() {
    let mut app = asked();
    assert_eq!(app.key(KeyEvent::from(KeyCode::Char('y')), after(2)), None);
    assert_eq!(app.tick(after(2)), None);
    assert_eq!(app.tick(after(3)), accept());
    assert!(app.input.editor.is_empty());
    assert_eq!(app.tick(after(4)), None, "once");
}

#[test]
fn enter_after_a_single_letter_answers_at_once() {
    let mut app = asked();
    app.key(KeyEvent::from(KeyCode::Char('n')), after(2));
    let act = app.key(KeyEvent::from(KeyCode::Enter), after(2));
    let from = address(5);
    assert_eq!(act, Some(Act::Send(Command::Reject { from })));
}

#[test]
fn the_letters_of_a_message_answer_nothing() {
    let mut app = asked();
    for letter in "you know".chars() {
        assert_eq!(
            app.key(KeyEvent::from(KeyCode::Char(letter)), after(2)),
            None
        );
    }
    assert_eq!(app.tick(after(9)), None);
    assert_eq!(app.input.editor.text(), "you know");
    assert_eq!(press_control(&mut app, 'y'), accept());
    assert_eq!(app.input.editor.text(), "you know", "the text stays");
}

#[test]
fn a_letter_typed_as_the_request_appears_is_a_letter() {
    let mut app = asked();
    assert_eq!(app.key(KeyEvent::from(KeyCode::Char('y')), NOW), None);
    assert_eq!(app.tick(after(9)), None);
    assert_eq!(app.input.editor.text(), "y");
}

#[test]
fn pasted_text_neither_answers_nor_sends() {
    let mut app = asked();
    app.paste("y\nn\n");
    assert_eq!(app.tick(after(9)), None);
    assert_eq!(app.input.editor.text(), "y\nn\n");
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
fn the_keys_to_quit_always_work() {
    for mut app in [app(View::default()), asked()] {
        press(&mut app, KeyCode::F(1));
        assert_eq!(press_control(&mut app, 'c'), Some(Act::Quit));
        assert_eq!(press_control(&mut app, 'q'), Some(Act::Quit));
    }
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
fn the_requester_is_blocked_by_one_key() {
    let block = Some(Act::Send(Command::Block {
        who: Target::Address(address(5)),
    }));
    let mut app = asked();
    app.key(KeyEvent::from(KeyCode::Char('b')), after(2));
    assert_eq!(app.tick(after(3)), block);
    type_text(&mut app, "but");
    assert_eq!(press_control(&mut app, 'b'), block);
    // Without a request it is the key of the editor.
    let mut app = crate::tui::tests::app(in_chat());
    assert_eq!(press_control(&mut app, 'b'), None);
    assert_eq!(app.hint, None);
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
