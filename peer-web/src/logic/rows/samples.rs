//! Sample lines for tests.

use p2pchat_model::{ConversationId, Level, Line, Message, MessageId, Person, Timestamp};

use super::Rows;
use crate::logic::clock::Zone;

pub(crate) fn message(id: u64, at: u64, name: &str, own: bool) -> Message {
    Message {
        conversation: ConversationId::OPEN,
        id: MessageId::new(id),
        at: Timestamp(at),
        from: Person::listed("127.0.0.2".parse().unwrap(), name.parse().ok()),
        text: "text".to_owned(),
        deliveries: own.then(Vec::new),
    }
}

pub(crate) fn notice(at: u64) -> Line {
    Line::Notice {
        at: Timestamp(at),
        level: Level::Info,
        text: "notice".to_owned(),
    }
}

pub(crate) fn rows(lines: &[Line], mark: Option<MessageId>) -> Rows {
    let mut rows = Rows::new(Zone::new(|_| 0));
    rows.rebuild(lines, mark);
    rows
}
