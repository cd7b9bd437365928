//! Tests of keys and events, without looking at the screen.

use p2pchat_model::{Failure, Message, MessageId, Problem, Target};

use super::*;

fn say(text: &str) -> Command {
    Command::Say {
        conversation: CONVERSATION,
        text: text.to_owned(),
        reply_to: None,
    }
}

fn accept() -> Command {
    Command::Accept {
        conversation: CONVERSATION,
        from: address(5),
    }
}

fn before(id: u64) -> Command {
    Command::History {
        conversation: CONVERSATION,
        before: Some(MessageId::new(id)),
    }
}

fn leave() -> Command {
    Command::Leave {
        conversation: CONVERSATION,
    }
}

fn snapshot(view: View, missed: u64) -> Event {
    Event::View(Box::new(Snapshot {
        version: p2pchat_model::CONTRACT_VERSION,
        missed,
        view,
    }))
}

/// With a pending request that is on the screen since `NOW`.
fn app_with_request(view: View) -> App {
    let mut app = app(view);
    happen(&mut app, &request());
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
    assert_eq!(commands(enter(&mut app, "two")), [say("one\ntwo")]);
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
        (vec![KeyCode::Char('l')], vec![leave(), accept()]),
        (
            vec![KeyCode::Char('d')],
            vec![Command::Reject {
                conversation: CONVERSATION,
                from: address(5),
            }],
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
        assert_eq!(super::commands(press(&mut app, *last)), commands);
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
        conversation: CONVERSATION,
        at: NOW,
        from: bob(),
        outcome: p2pchat_model::Outcome::Withdrawn,
    };
    happen(&mut app, &closed);
    happen(&mut app, &request());
    assert_eq!(press(&mut app, KeyCode::Char('d')), None);
    assert_eq!(app.input.editor.text(), "d");
}

#[test]
fn a_search_result_is_opened() {
    let mut view = in_chat();
    for id in 200..300 {
        view.apply(&message(id, after(id), bob(), &format!("line {id}")));
    }
    view.conversations[0].more_history = true;
    let mut app = app(view);
    let hit = |id| match message(id, after(id), bob(), &format!("line {id}")) {
        Event::Message(message) => message,
        _ => unreachable!(),
    };
    let page = |from: u64, more| {
        let messages: Vec<Message> = (from..from + 100).map(hit).collect();
        history(messages, more, Some(MessageId::new(from + 100)))
    };
    let findings = Event::Findings {
        posts: Vec::new(),
        conversation: None,
        text: "line".to_owned(),
        messages: vec![hit(250), hit(50)],
    };
    happen(&mut app, &findings);
    assert!(app.overlay.is_none(), "no one asked here");
    let find = call(enter(&mut app, "/find line"));
    answer(&mut app, &find, findings.clone());
    assert_eq!(press(&mut app, KeyCode::Enter), None, "it is there");
    assert!(screen(&mut app, (80, 24), NOW).contains("line 250"));
    assert!(!app.scroll.is_at_end());

    let find = call(enter(&mut app, "/find line"));
    answer(&mut app, &find, findings);
    press(&mut app, KeyCode::Down);
    let first = call(press(&mut app, KeyCode::Enter));
    assert_eq!(first.command, before(200));
    let second = call(answer(&mut app, &first, page(100, true)));
    assert_eq!(second.command, before(100));
    assert_eq!(answer(&mut app, &second, page(0, false)), None);
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
        happen(&mut app, &message(id, NOW, bob(), &format!("line {id}")));
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
    happen(&mut app, &message(1, NOW, bob(), "seen"));
    seen(&mut app);
    app.focus(false);
    happen(&mut app, &message(2, NOW, bob(), "unseen"));
    app.focus(true);
    let marked = screen(&mut app, (80, 24), NOW);
    let at = |text: &str| marked.lines().position(|row| row.contains(text)).unwrap();
    assert_eq!(at("─ New messages ─") + 1, at("unseen"));
    let own = own(3, NOW, "answer", &[]);
    happen(&mut app, &own);
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
    let asked = call(asked);
    assert_eq!(asked.command, before(1));
    let failure = Failure::new(NOW, "history", Problem::NoHistory);
    answer(&mut app, &asked, Event::Failed(failure));
    let asked = call(app.scroll_by(-100));
    answer(&mut app, &asked, history(Vec::new(), false, None));
    assert_eq!(app.hint.as_deref(), Some("there are no earlier messages"));
}

#[test]
fn tab_completes_a_name() {
    let mut app = app(in_chat());
    type_text(&mut app, "/request er");
    press(&mut app, KeyCode::Tab);
    let to = Target::new("erin").unwrap();
    let conversation = CONVERSATION;
    let request = Command::Request { conversation, to };
    assert_eq!(commands(press(&mut app, KeyCode::Enter)), [request]);
}

#[test]
fn who_has_an_encrypted_program_is_asked_into_the_open_chat_after_a_question() {
    let mut app = app(in_chat());
    let call = match enter(&mut app, "/request erin") {
        Some(Act::Send(call)) => call,
        other => panic!("{other:?}"),
    };
    let erin: p2pchat_model::Username = "erin".parse().unwrap();
    let words = p2pchat_model::wording::chat::has_encrypted(&[erin]);
    let failure = Failure {
        names: vec![erin],
        ..Failure::new(NOW, "request", Problem::HasEncrypted).with_message(words.clone())
    };
    let refused = |app: &mut App, call: &Call| {
        let update = Update {
            re: call.id.clone(),
            ..Event::Failed(failure.clone()).into()
        };
        app.apply(&update, NOW);
    };
    refused(&mut app, &call);
    assert!(screen(&mut app, (80, 20), NOW).contains("erin has an encrypted p2pchat"));
    assert_eq!(
        press(&mut app, KeyCode::Enter),
        None,
        "a key for what was there before"
    );
    let later = app.key(KeyEvent::from(KeyCode::Enter), after(1));
    let names = vec![erin];
    assert_eq!(
        commands(later),
        [Command::AllowOpen { names }, call.command]
    );
    let call = match enter(&mut app, "/request erin") {
        Some(Act::Send(call)) => call,
        other => panic!("{other:?}"),
    };
    refused(&mut app, &call);
    assert_eq!(app.key(KeyEvent::from(KeyCode::Char('y')), after(1)), None);
    assert!(app.question.is_none() && app.opening.is_none());
    let call = match enter(&mut app, "/request erin") {
        Some(Act::Send(call)) => call,
        other => panic!("{other:?}"),
    };
    refused(&mut app, &call);
    app.paste("no\n");
    assert!(app.question.is_none() && app.opening.is_none());
    assert_eq!(app.input.editor.text(), "no\n", "the next Enter sends that");
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
fn a_text_that_is_too_long_says_by_how_much_and_can_be_shortened() {
    let mut app = app(in_chat());
    app.paste(&"x".repeat(p2pchat_model::MAX_MESSAGE - 1));
    app.paste(&format!(" {}", "y".repeat(2300)));
    let too_long = "this message is too long by 2300 letters";
    let shown = screen(&mut app, (80, 24), NOW);
    assert!(shown.contains(too_long), "{shown}");
    assert_eq!(press(&mut app, KeyCode::Enter), None);
    assert_eq!(app.hint.as_deref(), Some(too_long));
    press_control(&mut app, 'w');
    let shown = screen(&mut app, (80, 24), NOW);
    assert!(!shown.contains("too long"), "{shown}");
    assert_eq!(commands(press(&mut app, KeyCode::Enter)).len(), 1);
    // More than a draft can have is not taken.
    app.paste(&"z".repeat(100_000));
    assert!(app.input.editor.is_empty());
    let letters = 100_000 - p2pchat_model::MAX_MESSAGE;
    let hint = format!("this message is too long by {letters} letters");
    assert_eq!(app.hint, Some(hint));
    app.paste("short");
    assert_eq!(app.hint, None, "what was told before is over");
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
    happen(&mut app, &snapshot(talk(), 3));
    assert!(app.hint.as_deref().unwrap().contains("missed"));
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
    happen(&mut app, &login);
    assert!(app.overlay.is_some(), "the registry was only away");
    let logout = Event::LoggedOut {
        at: NOW,
        problem: None,
    };
    happen(&mut app, &logout);
    happen(&mut app, &login);
    assert!(app.overlay.is_none());
}

fn read(id: u64) -> Command {
    Command::Read {
        conversation: CONVERSATION,
        message: MessageId::new(id),
    }
}

fn draft(text: &str) -> Command {
    Command::Draft {
        conversation: CONVERSATION,
        text: text.to_owned(),
    }
}

fn drafted(text: &str) -> Event {
    Event::Draft {
        conversation: CONVERSATION,
        text: text.to_owned(),
    }
}

#[test]
fn what_is_seen_is_marked_as_read_once() {
    let mut app = app(in_chat());
    assert_eq!(seen(&mut app), [], "there is nothing to read");
    for id in 1..4 {
        happen(&mut app, &message(id, NOW, bob(), "hi"));
    }
    assert_eq!(seen(&mut app), [read(3)]);
    assert_eq!(seen(&mut app), []);
    happen(&mut app, &own(4, NOW, "hello", &[]));
    assert_eq!(seen(&mut app), [], "one's own is read");
    app.focus(false);
    happen(&mut app, &message(5, NOW, bob(), "are you there?"));
    assert_eq!(seen(&mut app), []);
    app.focus(true);
    assert_eq!(seen(&mut app), [read(5)]);
    // Read elsewhere.
    app.focus(false);
    happen(&mut app, &message(6, NOW, bob(), "well"));
    let is_separated = |app: &mut App| screen(app, (80, 24), NOW).contains("New messages");
    assert!(is_separated(&mut app));
    let event = Event::Read {
        conversation: CONVERSATION,
        message: MessageId::new(6),
    };
    happen(&mut app, &event);
    assert!(!is_separated(&mut app));
    app.focus(true);
    assert_eq!(seen(&mut app), []);
}

#[test]
fn nothing_is_read_while_it_is_not_on_the_screen() {
    let mut view = in_chat();
    for id in 1..100 {
        view.apply(&message(id, NOW, bob(), "hi"));
    }
    view.conversations[0].read = Some(MessageId::new(90));
    let mut app = app(view);
    let shown = screen(&mut app, (80, 24), NOW);
    let mut rows = shown.lines().rev().skip_while(|row| !row.contains("hi"));
    let read_before = rows.position(|row| row.contains("New messages"));
    assert_eq!(
        read_before,
        Some(9),
        "it begins after what was read: {shown}"
    );
    press(&mut app, KeyCode::PageUp);
    assert_eq!(seen(&mut app), []);
    press(&mut app, KeyCode::Esc);
    assert_eq!(seen(&mut app), [read(99)]);
    let logout = Event::LoggedOut {
        at: NOW,
        problem: None,
    };
    happen(&mut app, &logout);
    assert_eq!(seen(&mut app), []);
}

#[test]
fn a_draft_is_shared_and_ends_with_the_message() {
    let mut app = app(in_chat());
    type_text(&mut app, "half");
    assert_eq!(due(&mut app, NOW), []);
    let sent = app.due(after(1)).remove(0);
    assert_eq!(sent.command, draft("half"));
    // Its echo comes when more is typed already.
    type_text(&mut app, " a");
    answer(&mut app, &sent, drafted("half"));
    answer(&mut app, &sent, Event::Done);
    assert_eq!(app.input.editor.text(), "half a");
    assert_eq!(commands(enter(&mut app, " text")), [say("half a text")]);
    let sent = app.due(after(2)).remove(0);
    assert_eq!(sent.command, draft(""));
    // A draft that others had before is not put back.
    happen(&mut app, &drafted("half"));
    assert!(app.input.editor.is_empty());
    answer(&mut app, &sent, Event::Done);
    assert_eq!(due(&mut app, after(3)), []);
    type_text(&mut app, "for later");
    assert_eq!(app.last_call().unwrap().command, draft("for later"));
}

#[test]
fn a_draft_of_another_front_end_is_in_the_field_unless_something_is_typed_here() {
    let mut view = in_chat();
    view.conversations[0].draft = "from the page".to_owned();
    let mut app = app(view);
    assert_eq!(app.input.editor.text(), "from the page");
    happen(&mut app, &drafted("from the page, longer"));
    assert_eq!(app.input.editor.text(), "from the page, longer");
    happen(&mut app, &drafted(""));
    assert!(app.input.editor.is_empty(), "it was sent there");
    type_text(&mut app, "mine");
    happen(&mut app, &drafted("theirs"));
    assert_eq!(app.input.editor.text(), "mine");
    assert_eq!(due(&mut app, NOW), []);
    assert_eq!(due(&mut app, after(1)), [draft("mine")]);
}

#[test]
fn a_takeover_changes_nothing_that_is_typed() {
    let mut app = app(in_chat());
    type_text(&mut app, "half");
    due(&mut app, NOW);
    due(&mut app, after(1));
    type_text(&mut app, " a text");
    let mut resumed = in_chat();
    resumed.link = Link::PasswordNeeded;
    happen(&mut app, &snapshot(resumed, 0));
    assert_eq!(app.input.editor.text(), "half a text");
    assert_eq!(app.hint, None);
    // The form never opens by itself.
    assert!(!app.is_signing_in());
    press(&mut app, KeyCode::F(2));
    assert!(app.is_signing_in());
    happen(
        &mut app,
        &Event::LoggedIn {
            at: NOW,
            name: "alice".parse().unwrap(),
        },
    );
    assert!(!app.is_signing_in());
    assert_eq!(app.input.editor.text(), "half a text");
}

#[test]
fn an_answer_that_comes_again_adds_no_line() {
    let mut app = app(in_chat());
    let say = call(enter(&mut app, "hello"));
    answer(&mut app, &say, own(1, NOW, "hello", &[]));
    happen(&mut app, &message(2, NOW, bob(), "hi"));
    for id in 3..50 {
        happen(&mut app, &message(id, NOW, bob(), "and so on"));
    }
    screen(&mut app, (80, 24), NOW);
    press(&mut app, KeyCode::PageUp);
    let before = screen(&mut app, (80, 24), NOW);
    answer(&mut app, &say, own(1, NOW, "hello", &[]));
    answer(&mut app, &say, Event::Done);
    assert_eq!(screen(&mut app, (80, 24), NOW), before);
}

#[test]
fn what_the_screen_does_by_itself_fails_without_a_word() {
    let mut app = app(in_chat());
    happen(&mut app, &message(1, NOW, bob(), "hi"));
    app.due(NOW);
    let sent = app.due(after(1)).remove(0);
    let lines = app.conversation().lines.len();
    let failure = Failure::new(NOW, "read", Problem::NotLoggedIn);
    answer(&mut app, &sent, Event::Failed(failure));
    assert_eq!(app.conversation().lines.len(), lines);
}

#[test]
fn the_peer_is_told_of_keys_once_a_minute() {
    let mut app = app(in_chat());
    let told = |app: &mut App, seconds| -> Vec<Command> {
        let due = app.due(after(seconds)).into_iter();
        let due = due.map(|call| call.command);
        due.filter(|command| *command == Command::Active).collect()
    };
    assert!(told(&mut app, 0).is_empty());
    assert!(told(&mut app, 200).is_empty(), "no key was pressed");
    press(&mut app, KeyCode::Char('x'));
    assert_eq!(told(&mut app, 201), [Command::Active]);
    press(&mut app, KeyCode::Char('x'));
    assert!(told(&mut app, 230).is_empty());
    assert_eq!(told(&mut app, 262), [Command::Active]);
    assert!(told(&mut app, 400).is_empty());
}
