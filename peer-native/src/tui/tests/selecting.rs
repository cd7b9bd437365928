//! Messages are chosen, and replied to, edited, deleted, reacted to and looked at.

use insta::assert_snapshot;
use p2pchat_model::wording::chat;
use p2pchat_model::{Post, Target};

use super::chats::*;
use super::*;

const SMALL: (u16, u16) = (80, 24);

fn select(app: &mut App) {
    let key = KeyEvent::new(KeyCode::Up, KeyModifiers::CONTROL);
    assert_eq!(app.key(key, NOW), None);
    assert!(app.selecting.is_some());
}

#[test]
fn a_message_is_chosen_and_answered() {
    let mut app = showing(several(), id(TEAM));
    screen(&mut app, SMALL, after(200));
    select(&mut app);
    for _ in 0..5 {
        press(&mut app, KeyCode::Up);
    }
    assert_snapshot!("select_small", screen(&mut app, SMALL, after(200)));
    press(&mut app, KeyCode::Char('r'));
    assert!(app.selecting.is_none());
    type_text(&mut app, "good");
    assert_snapshot!("reply_small", screen(&mut app, SMALL, after(200)));
    let reply = Command::Say {
        conversation: id(TEAM),
        text: "good".to_owned(),
        reply_to: Some(message_id(70)),
    };
    assert_eq!(commands(press(&mut app, KeyCode::Enter)), [reply]);
    // The next one is a message again.
    assert_eq!(
        commands(enter(&mut app, "next")),
        [Command::say(id(TEAM), "next")]
    );
}

#[test]
fn an_own_message_is_edited_and_what_was_typed_comes_back() {
    let mut app = showing(several(), id(TEAM));
    type_text(&mut app, "half");
    select(&mut app);
    press(&mut app, KeyCode::Char('e'));
    assert_eq!(app.input.editor.text(), "Have a look");
    let shown = screen(&mut app, SMALL, after(200));
    assert!(shown.contains("edit: Have a look"), "{shown}");
    press(&mut app, KeyCode::Esc);
    assert_eq!(app.input.editor.text(), "half");
    select(&mut app);
    press(&mut app, KeyCode::Char('e'));
    let edit = Command::Edit {
        conversation: id(TEAM),
        message: message_id(102),
        text: "Have a look!".to_owned(),
    };
    let sent = commands(enter(&mut app, "!"));
    assert_eq!(sent, [edit]);
    assert_eq!(app.input.editor.text(), "half");
    // Only the draft is shared, not the text of the edit.
    let draft = Command::Draft {
        conversation: id(TEAM),
        text: "half".to_owned(),
    };
    assert_eq!(due(&mut app, NOW), []);
    assert_eq!(due(&mut app, after(1)), [draft]);
    select(&mut app);
    for _ in 0..5 {
        press(&mut app, KeyCode::Up);
    }
    press(&mut app, KeyCode::Char('e'));
    assert_eq!(app.hint.as_deref(), Some("this message is not yours"));
}

#[test]
fn a_message_is_deleted_after_a_question() {
    let mut app = showing(several(), id(TEAM));
    screen(&mut app, SMALL, after(200));
    select(&mut app);
    press(&mut app, KeyCode::Char('d'));
    let shown = screen(&mut app, SMALL, after(200));
    assert!(shown.contains("Delete for everyone? Programs"), "{shown}");
    assert_eq!(
        press(&mut app, KeyCode::Char('x')),
        None,
        "another key is no"
    );
    assert_eq!(
        press(&mut app, KeyCode::Enter),
        None,
        "there is no question"
    );
    press(&mut app, KeyCode::Char('d'));
    let delete = Command::Delete {
        conversation: id(TEAM),
        message: message_id(102),
    };
    assert_eq!(commands(press(&mut app, KeyCode::Enter)), [delete]);
    let unseen = Post {
        receipts: Some(receipts(&["bob", "carol", "dave", "eve"])),
        ..post(id(TEAM), 130, "alice", "wait")
    };
    happen(&mut app, &said(unseen));
    press(&mut app, KeyCode::Down);
    press(&mut app, KeyCode::Char('d'));
    let shown = screen(&mut app, SMALL, after(200));
    assert!(shown.contains("Enter: Call back"), "{shown}");
}

#[test]
fn reactions_are_given_by_digit_or_typed_and_taken_back() {
    let mut app = showing(several(), id(TEAM));
    let react = |emoji: &str| Command::React {
        conversation: id(TEAM),
        message: message_id(70),
        emoji: emoji.to_owned(),
    };
    screen(&mut app, SMALL, after(200));
    select(&mut app);
    for _ in 0..5 {
        press(&mut app, KeyCode::Up);
    }
    press(&mut app, KeyCode::Char('+'));
    assert_snapshot!("react_small", screen(&mut app, SMALL, after(200)));
    assert_eq!(commands(press(&mut app, KeyCode::Char('6'))), [react("🎉")]);
    press(&mut app, KeyCode::Char('+'));
    assert_eq!(
        commands(press(&mut app, KeyCode::Char('1'))),
        [react("")],
        "given before"
    );
    press(&mut app, KeyCode::Char('+'));
    type_text(&mut app, "x🦀");
    assert_eq!(commands(press(&mut app, KeyCode::Enter)), [react("🦀")]);
    assert_eq!(
        press(&mut app, KeyCode::Char('y')),
        Some(Act::Copy("fine".to_owned()))
    );
    press(&mut app, KeyCode::Char('i'));
    assert_snapshot!("info_small", screen(&mut app, SMALL, after(200)));
}

#[test]
fn messages_of_someone_blocked_are_folded_away_in_a_group_until_they_are_asked_for() {
    let mut app = showing(several(), id(TEAM));
    let blocked = Event::Blocks {
        at: NOW,
        list: vec![Target::new("carol").unwrap()],
        change: None,
    };
    happen(&mut app, &blocked);
    app.ring = false;
    app.focus(false);
    happen(&mut app, &said(post(id(TEAM), 200, "carol", "look at me")));
    assert!(!app.take_ring(), "the bell is not for them");
    let shown = screen(&mut app, SMALL, after(200));
    assert!(
        shown.contains(chat::FOLDED) && !shown.contains("look at me"),
        "{shown}"
    );
    select(&mut app);
    press(&mut app, KeyCode::Char('r'));
    assert!(app.selecting.is_some(), "it is not answered unseen");
    press(&mut app, KeyCode::Enter);
    let shown = screen(&mut app, SMALL, after(200));
    assert!(
        shown.contains("look at me") && !shown.contains(chat::FOLDED),
        "{shown}"
    );
    app.show(id(BOB));
    app.show(id(TEAM));
    let shown = screen(&mut app, SMALL, after(200));
    assert!(!shown.contains("look at me"), "{shown}");
}

#[test]
fn enter_opens_the_links_of_a_message_one_after_the_other() {
    let mut app = showing(several(), id(TEAM));
    let text = "see https://a.example/x?y=1, or https://b.example";
    happen(&mut app, &said(post(id(TEAM), 200, "bob", text)));
    select(&mut app);
    for link in [
        "https://a.example/x?y=1",
        "https://b.example",
        "https://a.example/x?y=1",
    ] {
        assert_eq!(
            press(&mut app, KeyCode::Enter),
            Some(Act::Open(link.to_owned()))
        );
        assert!(app.hint.as_deref().unwrap().contains(link));
    }
    let link = "https://b.example".to_owned();
    assert_eq!(app.not_opened(link.clone()), Act::Copy(link));
    happen(&mut app, &said(post(id(TEAM), 201, "bob", "no link")));
    press(&mut app, KeyCode::Down);
    assert_eq!(press(&mut app, KeyCode::Enter), None);
    assert!(app.hint.as_deref().unwrap().contains("no link"));
}
