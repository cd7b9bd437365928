use p2pchat_model::{Delivery, DeliveryState, NameCheck, Person, Speaker, Timestamp};

use super::*;

fn text(id: u64) -> Message {
    Message {
        id: MessageId(id),
        at: Timestamp(id),
        from: Speaker {
            name: "alice".parse().unwrap(),
            address: "127.0.0.2".parse().unwrap(),
            check: NameCheck::Confirmed,
        },
        text: format!("text {id}"),
        deliveries: Some(Vec::new()),
    }
}

fn view(ids: std::ops::Range<u64>) -> View {
    View {
        lines: ids.map(|id| Line::from(text(id))).collect(),
        lines_of: Some("alice".parse().unwrap()),
        ..View::default()
    }
}

fn history(before: Option<u64>, ids: std::ops::Range<u64>, more: bool) -> Event {
    Event::History {
        before: before.map(MessageId),
        messages: ids.map(text).collect(),
        more,
    }
}

fn ids(view: &View) -> Vec<u64> {
    view.lines
        .iter()
        .filter_map(message)
        .map(|message| message.id.0)
        .collect()
}

/// Reads back like a page, as far as the bridge answers.
fn read_back(page: &mut View, backlog: &mut Backlog) {
    while page.more_history {
        let Some(event) = backlog.page(page.oldest_message()) else {
            return;
        };
        page.apply(&event);
    }
}

#[test]
fn a_short_conversation_is_sent_whole() {
    let (page, mut backlog) = Backlog::split(view(1..100));
    assert_eq!(page, view(1..100));
    assert_eq!(backlog.page(Some(MessageId(1))), None);
    assert_eq!(backlog.page(None), None);
}

#[test]
fn a_long_one_is_sent_from_its_end_and_read_back_without_a_gap() {
    let (mut page, mut backlog) = Backlog::split(view(1..1000));
    assert_eq!(page.lines.len(), FIRST_LINES);
    assert!(page.more_history);
    read_back(&mut page, &mut backlog);
    assert_eq!(ids(&page), (1..1000).collect::<Vec<_>>());
    assert!(!page.more_history);
}

#[test]
fn older_history_is_still_to_be_asked_for() {
    let mut whole = view(500..1000);
    whole.more_history = true;
    let (mut page, mut backlog) = Backlog::split(whole);
    read_back(&mut page, &mut backlog);
    assert_eq!(ids(&page), (500..1000).collect::<Vec<_>>());
    assert!(page.more_history);
    let event = history(Some(500), 400..500, false);
    page.apply(&backlog.forward(&event).unwrap());
    assert_eq!(page.oldest_message(), Some(MessageId(400)));
    assert!(!page.more_history);
}

#[test]
fn history_that_another_page_asked_for_leaves_no_gap_in_this_one() {
    let mut whole = view(500..1000);
    whole.more_history = true;
    let (mut page, mut backlog) = Backlog::split(whole);
    assert_eq!(backlog.forward(&history(Some(500), 400..500, true)), None);
    read_back(&mut page, &mut backlog);
    assert_eq!(ids(&page), (400..1000).collect::<Vec<_>>());
    assert!(page.more_history);
}

#[test]
fn the_newest_page_after_a_new_login_ends_no_reading_back() {
    let (mut page, mut backlog) = Backlog::split(view(1..1000));
    for event in [
        history(None, 900..1000, true),
        history(Some(1), 1..1, false),
    ] {
        if let Some(event) = backlog.forward(&event) {
            page.apply(&event);
        }
    }
    assert!(page.more_history);
    read_back(&mut page, &mut backlog);
    assert_eq!(ids(&page), (1..1000).collect::<Vec<_>>());
}

#[test]
fn the_backlog_takes_delivery_statuses() {
    let (mut page, mut backlog) = Backlog::split(view(1..1000));
    let delivery = Delivery {
        to: Person {
            address: "127.0.0.3".parse().unwrap(),
            name: None,
        },
        state: DeliveryState::Sent,
    };
    let id = MessageId(3);
    let event = Event::Delivered { id, delivery };
    page.apply(&backlog.forward(&event).unwrap());
    read_back(&mut page, &mut backlog);
    let third = page
        .lines
        .iter()
        .filter_map(message)
        .find(|message| message.id == id);
    assert_eq!(third.unwrap().deliveries, Some(vec![delivery]));
}

#[test]
fn another_account_begins_with_nothing() {
    let (mut page, mut backlog) = Backlog::split(view(1..1000));
    let event = Event::LoggedIn {
        at: Timestamp(1),
        name: "bob".parse().unwrap(),
    };
    page.apply(&backlog.forward(&event).unwrap());
    assert_eq!(backlog.page(None), None);
    let event = history(None, 1..3, false);
    page.apply(&backlog.forward(&event).unwrap());
    assert_eq!(ids(&page), [1, 2]);
    assert_eq!(backlog.oldest, Some(MessageId(1)));
}

#[test]
fn a_page_without_a_message_is_sent_the_newest() {
    let mut whole = view(1..50);
    let notice = Line::Notice {
        at: Timestamp(50),
        level: p2pchat_model::Level::Info,
        text: "something happened".to_owned(),
    };
    whole.lines.extend(vec![notice; FIRST_LINES]);
    let (mut page, mut backlog) = Backlog::split(whole);
    assert_eq!(page.oldest_message(), None);
    read_back(&mut page, &mut backlog);
    assert_eq!(ids(&page), (1..50).collect::<Vec<_>>());
}
