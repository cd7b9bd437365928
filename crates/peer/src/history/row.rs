//! A message as a row of the table, and back.

use std::collections::BTreeMap;

use p2pchat_model::{
    CallId, ConversationId, Delivery, DeliveryState, FrontEndId, LeaveReason, Message, MessageId,
    NameCheck, PeerAddr, Person, Timestamp, Username,
};
use p2pchat_protocol::UsernameError;
use rusqlite::types::{ToSql, Type};
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

use serde::Deserialize;

use super::{HistoryError, Mark};
use crate::machine::SaidBy;

/// The columns that [`read`] expects, in this order.
pub(super) const COLUMNS: &str =
    "message.id, at, name, address, name_check, message.text, deliveries, conversation";

/// Inserts a message unless one with its id is there.
pub(super) fn insert(
    connection: &Connection,
    account: Username,
    message: &Message,
) -> Result<(), HistoryError> {
    let deliveries = message
        .deliveries
        .as_ref()
        .map(serde_json::to_string)
        .transpose()?;
    connection
        .prepare_cached(
            "INSERT INTO message
                 (account, id, at, name, address, name_check, text, deliveries, conversation)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (account, id) DO NOTHING",
        )?
        .execute(rusqlite::params![
            account.as_str(),
            integer(message.id.number()),
            integer(message.at.0),
            message.from.name.as_ref().map_or("", Username::as_str),
            message.from.address.to_string(),
            check_word(message.from.check),
            message.text,
            deliveries,
            message.conversation.as_str(),
        ])?;
    Ok(())
}

/// Inserts the call that led to a message. An id that is known was forgotten by the machine
/// since, and used again.
pub(super) fn insert_call(
    transaction: &Transaction<'_>,
    by: &SaidBy,
    message: MessageId,
) -> Result<(), HistoryError> {
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO call (front_end, id, fingerprint, message)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(rusqlite::params![
            by.front_end.as_str(),
            serde_json::to_string(&by.id)?,
            by.fingerprint.cast_signed(),
            integer(message.number()),
        ])?;
    Ok(())
}

/// Reads a call and the message that it led to.
pub(super) fn read_call(row: &Row<'_>) -> rusqlite::Result<(SaidBy, MessageId)> {
    let by = SaidBy {
        front_end: parsed(row, 0, FrontEndId::new)?,
        id: parsed(row, 1, |json| serde_json::from_str::<CallId>(json))?,
        fingerprint: row.get::<_, i64>(2)?.cast_unsigned(),
    };
    Ok((by, MessageId::new(unsigned(row, 3)?)))
}

/// Sets how far a conversation is read, or its draft.
pub(super) fn set_mark(
    transaction: &Transaction<'_>,
    account: Username,
    mark: &Mark,
) -> rusqlite::Result<()> {
    let (conversation, sql, value): (_, _, &dyn ToSql) = match mark {
        Mark::Read {
            conversation,
            message,
        } => (
            conversation,
            "INSERT INTO conversation (account, id, read) VALUES (?1, ?2, ?3)
             ON CONFLICT (account, id) DO UPDATE SET read = max(excluded.read, ifnull(read, 0))",
            &integer(message.number()),
        ),
        Mark::Draft { conversation, text } => (
            conversation,
            "INSERT INTO conversation (account, id, draft) VALUES (?1, ?2, ?3)
             ON CONFLICT (account, id) DO UPDATE SET draft = excluded.draft",
            text,
        ),
    };
    transaction.prepare_cached(sql)?.execute(rusqlite::params![
        account.as_str(),
        conversation.as_str(),
        value
    ])?;
    Ok(())
}

/// Reads what is known of a conversation: how far it is read, and its draft.
pub(super) fn read_marks(row: &Row<'_>) -> rusqlite::Result<Vec<Mark>> {
    let conversation = parsed(row, 0, str::parse::<ConversationId>)?;
    let read: Option<i64> = row.get(1)?;
    let read = read.and_then(|id| u64::try_from(id).ok());
    let read = read.map(|id| Mark::Read {
        conversation,
        message: MessageId::new(id),
    });
    let draft: Option<String> = row.get(2)?;
    let draft = draft.filter(|text| !text.is_empty());
    let draft = draft.map(|text| Mark::Draft { conversation, text });
    Ok(read.into_iter().chain(draft).collect())
}

/// Updates the delivery statuses of a message.
pub(super) fn set_deliveries(
    transaction: &Transaction<'_>,
    account: Username,
    id: MessageId,
    changed: Vec<Delivery>,
) -> Result<(), HistoryError> {
    let key = rusqlite::params![account.as_str(), integer(id.number())];
    let known: Option<String> = transaction
        .prepare_cached("SELECT deliveries FROM message WHERE account = ?1 AND id = ?2")?
        .query_row(key, |row| row.get(0))
        .optional()?
        .flatten();
    // A message that is deleted, or that came from others, has no deliveries.
    let Some(known) = known else { return Ok(()) };
    let mut deliveries = deliveries_of(&known)?;
    let known = deliveries.iter().enumerate();
    let mut places: BTreeMap<PeerAddr, usize> =
        known.map(|(at, known)| (known.to.address, at)).collect();
    for delivery in changed {
        let at = *places
            .entry(delivery.to.address)
            .or_insert(deliveries.len());
        match deliveries.get_mut(at) {
            Some(known) => *known = delivery,
            None => deliveries.push(delivery),
        }
    }
    transaction
        .prepare_cached("UPDATE message SET deliveries = ?3 WHERE account = ?1 AND id = ?2")?
        .execute(rusqlite::params![
            account.as_str(),
            integer(id.number()),
            serde_json::to_string(&deliveries)?
        ])?;
    Ok(())
}

/// Reads a message.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Message> {
    let deliveries: Option<String> = row.get(6)?;
    Ok(Message {
        conversation: parsed(row, 7, str::parse::<ConversationId>)?,
        id: MessageId::new(unsigned(row, 0)?),
        at: Timestamp(unsigned(row, 1)?),
        from: Person {
            name: parsed(row, 2, name_of)?,
            address: parsed(row, 3, str::parse::<PeerAddr>)?,
            check: parsed(row, 4, check_of)?,
        },
        text: row.get(5)?,
        deliveries: deliveries
            .map(|json| deliveries_of(&json))
            .transpose()
            .map_err(|error| unreadable(6, error))?,
    })
}

/// Reads delivery statuses. Those that were stored before format 3 have names without a check,
/// which are as the registry had them, and the reason of a failure inside its state.
fn deliveries_of(json: &str) -> serde_json::Result<Vec<Delivery>> {
    #[derive(Deserialize)]
    struct Stored {
        to: StoredPerson,
        #[serde(flatten)]
        state: StoredState,
    }
    #[derive(Deserialize)]
    struct StoredPerson {
        address: PeerAddr,
        name: Option<Username>,
        check: Option<NameCheck>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum StoredState {
        Now(DeliveryState),
        Before { state: StateBefore },
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum StateBefore {
        Failed(LeaveReason),
    }
    let stored: Vec<Stored> = serde_json::from_str(json)?;
    let deliveries = stored.into_iter().map(|Stored { to, state }| {
        let listed = Person::listed(to.address, to.name);
        let check = to.check.unwrap_or(listed.check);
        let to = Person { check, ..listed };
        let state = match state {
            StoredState::Now(state) => state,
            StoredState::Before {
                state: StateBefore::Failed(reason),
            } => DeliveryState::Failed(reason),
        };
        Delivery { to, state }
    });
    Ok(deliveries.collect())
}

fn name_of(text: &str) -> Result<Option<Username>, UsernameError> {
    Some(text)
        .filter(|text| !text.is_empty())
        .map(Username::new)
        .transpose()
}

/// SQLite's integers are signed. Ids and times stay below 2^53.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

fn parsed<T, E: std::error::Error + Send + Sync + 'static>(
    row: &Row<'_>,
    column: usize,
    parse: impl Fn(&str) -> Result<T, E>,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    parse(&text).map_err(|error| unreadable(column, error))
}

fn unreadable(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

fn check_word(check: NameCheck) -> &'static str {
    match check {
        NameCheck::Confirmed => "confirmed",
        NameCheck::Unknown => "unknown",
        NameCheck::Differs => "differs",
    }
}

/// Never fails: an unknown word is an unknown check.
fn check_of(word: &str) -> Result<NameCheck, std::convert::Infallible> {
    Ok(match word {
        "confirmed" => NameCheck::Confirmed,
        "differs" => NameCheck::Differs,
        _ => NameCheck::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delivery_statuses_of_all_formats_are_read() {
        let before = r#"[
            {"to":{"address":"127.0.0.3","name":"bob"},"state":"sent"},
            {"to":{"address":"127.0.0.4","name":null},"state":{"failed":"refused"}}
        ]"#;
        let delivery = |address: &str, name: Option<&str>, state| Delivery {
            to: Person::listed(
                address.parse().unwrap(),
                name.map(|name| name.parse().unwrap()),
            ),
            state,
        };
        let now = [
            delivery("127.0.0.3", Some("bob"), DeliveryState::Sent),
            delivery(
                "127.0.0.4",
                None,
                DeliveryState::Failed(LeaveReason::Refused),
            ),
        ];
        assert_eq!(deliveries_of(before).unwrap(), now);
        let json = serde_json::to_string(&now).unwrap();
        assert_eq!(deliveries_of(&json).unwrap(), now);
    }
}
