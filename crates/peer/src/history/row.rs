//! A message as a row of the table, and back.

use p2pchat_model::{
    Delivery, Message, MessageId, NameCheck, PeerAddr, Speaker, Timestamp, Username,
};
use rusqlite::types::Type;
use rusqlite::{Connection, Row};

use super::HistoryError;

/// What [`read`] expects, in this order.
pub(super) const COLUMNS: &str =
    "message.id, at, name, address, name_check, message.text, deliveries";

/// Adds a message unless one of this id is there.
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
            "INSERT INTO message (account, id, at, name, address, name_check, text, deliveries)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (account, id) DO NOTHING",
        )?
        .execute(rusqlite::params![
            account.as_str(),
            integer(message.id.0),
            integer(message.at.0),
            message.from.name.as_str(),
            message.from.address.to_string(),
            check_word(message.from.check),
            message.text,
            deliveries,
        ])?;
    Ok(())
}

/// Reads a message.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Message> {
    let deliveries: Option<String> = row.get(6)?;
    Ok(Message {
        id: MessageId(unsigned(row, 0)?),
        at: Timestamp(unsigned(row, 1)?),
        from: Speaker {
            name: parsed(row, 2, Username::new)?,
            address: parsed(row, 3, str::parse::<PeerAddr>)?,
            check: parsed(row, 4, check_of)?,
        },
        text: row.get(5)?,
        deliveries: deliveries
            .map(|json| serde_json::from_str::<Vec<Delivery>>(&json))
            .transpose()
            .map_err(|error| unreadable(6, error))?,
    })
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

/// Never fails: of a word that is not known, nothing is known.
fn check_of(word: &str) -> Result<NameCheck, std::convert::Infallible> {
    Ok(match word {
        "confirmed" => NameCheck::Confirmed,
        "differs" => NameCheck::Differs,
        _ => NameCheck::Unknown,
    })
}
