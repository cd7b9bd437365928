use super::super::testing::{chat, own, view, with_bob};
use super::*;

#[test]
fn a_conversation_is_a_line_with_its_kind_and_its_newest_message() {
    let team = ConversationId::encrypted(&[1; 32]);
    let view = view([
        chat(team, "Team", &["bob", "carol"]),
        chat(with_bob(), "", &["bob"]),
        Event::Post(Box::new(Post {
            text: "fine\nwith me".to_owned(),
            ..own(5, &[])
        })),
    ]);
    let lines: Vec<String> = view.conversations.iter().map(summary).collect();
    assert_eq!(
        lines,
        [
            "Open chat · not encrypted",
            "Team · group of 3",
            "bob · direct · you: fine with me",
        ]
    );
}

#[test]
fn a_request_is_told_in_words_and_in_json_all_are_events() {
    let Event::Chat { conversation, chat } = chat(with_bob(), "", &["bob"]) else {
        panic!("not a chat");
    };
    let by = chat.members[0].who;
    let chat = Box::new(p2pchat_model::Chat {
        standing: Standing::Asked(by),
        unread: 1,
        ..*chat
    });
    let view = view([
        Event::Chat { conversation, chat },
        Event::Post(Box::new(own(5, &[]))),
    ]);
    let asked = view.conversation(conversation).unwrap();
    assert_eq!(
        summary(asked),
        "bob · direct · bob wants to chat with you · 1 unread · you: hi"
    );
    let told: Vec<Event> = events(asked).collect();
    assert!(matches!(told[..], [Event::Chat { .. }, Event::Post(_)]));
    assert_eq!(events(view.open()).count(), 0);
}
