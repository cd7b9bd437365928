//! The table of bindings, and the fingerprint of the registry's key.

use p2pchat_protocol::Username;
use p2pchat_protocol::v2::{Binding, Certificate, DeviceKey, Fingerprint, PersonKey, PublicKey};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::store::StoredBinding;

/// The row of the registry's key.
const KEY: &str = "key";

/// Inserts where the serial is 1, else changes the row with the serial before. Returns how many
/// rows it touched.
pub(super) fn bind(connection: &Connection, new: &StoredBinding) -> rusqlite::Result<usize> {
    let binding = &new.binding;
    let sql = if binding.serial == 1 {
        "INSERT INTO binding
         (name, serial, person, display_name, devices, forgotten, allows_version_1)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING"
    } else {
        "UPDATE binding SET serial = ?2, person = ?3, display_name = ?4, devices = ?5,
         forgotten = ?6, allows_version_1 = ?7 WHERE name = ?1 AND serial = ?2 - 1"
    };
    let devices = binding.devices.iter().flat_map(Certificate::to_bytes);
    let forgotten = new.forgotten.iter().flat_map(|device| device.0.0);
    connection.prepare_cached(sql)?.execute(params![
        binding.name.as_str(),
        i64::try_from(binding.serial).unwrap_or(i64::MAX),
        binding.person.as_ref().map(|person| &person.0.0[..]),
        binding.display_name.as_str(),
        devices.collect::<Vec<u8>>(),
        forgotten.collect::<Vec<u8>>(),
        new.allows_version_1,
    ])
}

/// Takes the person from a name, if it has one: there is no account any more.
pub(super) fn reset(connection: &Connection, name: Username) -> rusqlite::Result<()> {
    let sql = "UPDATE binding SET serial = serial + 1, person = NULL, display_name = '',
               devices = x'', forgotten = x'', allows_version_1 = 0
               WHERE name = ?1 AND (person IS NOT NULL OR forgotten <> x'')";
    connection
        .prepare_cached(sql)?
        .execute([name.as_str()])
        .map(|_| ())
}

/// Keeps the fingerprint unless there is one.
pub(super) fn claim_key(connection: &Connection, key: Fingerprint) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO registry (key, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    connection.execute(sql, [KEY, key.as_str()])
}

pub(super) fn key(connection: &Connection) -> rusqlite::Result<Fingerprint> {
    let sql = "SELECT value FROM registry WHERE key = ?1";
    let read = |row: &Row<'_>| {
        let text: String = row.get(0)?;
        text.parse().map_err(|error| broken(0, error))
    };
    connection.query_row(sql, [KEY], read)
}

pub(super) fn binding(
    connection: &Connection,
    name: Username,
) -> rusqlite::Result<Option<StoredBinding>> {
    let sql = "SELECT serial, person, display_name, devices, forgotten, allows_version_1, name
               FROM binding WHERE name = ?1";
    connection
        .prepare_cached(sql)?
        .query_row([name.as_str()], read_binding)
        .optional()
}

pub(super) fn binding_of(
    connection: &Connection,
    person: PersonKey,
) -> rusqlite::Result<Option<StoredBinding>> {
    let sql = "SELECT serial, person, display_name, devices, forgotten, allows_version_1, name
               FROM binding WHERE person = ?1 ORDER BY name LIMIT 1";
    connection
        .prepare_cached(sql)?
        .query_row([person.0.0], read_binding)
        .optional()
}

fn read_binding(row: &Row<'_>) -> rusqlite::Result<StoredBinding> {
    let name: String = row.get(6)?;
    let person: Option<[u8; PublicKey::LEN]> = row.get(1)?;
    let display_name: String = row.get(2)?;
    let devices: Vec<u8> = row.get(3)?;
    let devices = devices
        .chunks(Certificate::LEN)
        .map(Certificate::from_bytes);
    let forgotten: Vec<u8> = row.get(4)?;
    let forgotten = forgotten.chunks(PublicKey::LEN);
    let forgotten = forgotten.map(|key| PublicKey::try_from(key).map(DeviceKey));
    Ok(StoredBinding {
        binding: Binding {
            name: name.parse().map_err(|error| broken(6, error))?,
            serial: serial(row, 0)?,
            person: person.map(|key| PersonKey(PublicKey(key))),
            display_name: display_name.parse().map_err(|error| broken(2, error))?,
            devices: devices
                .collect::<Option<_>>()
                .ok_or_else(|| broken(3, "not certificates"))?,
        },
        forgotten: forgotten
            .collect::<Result<_, _>>()
            .map_err(|error| broken(4, error))?,
        allows_version_1: row.get(5)?,
    })
}

pub(super) fn serials(
    connection: &Connection,
    names: Vec<Username>,
) -> rusqlite::Result<Vec<(Username, u64)>> {
    let mut statement = connection.prepare_cached("SELECT serial FROM binding WHERE name = ?1")?;
    let mut serials = Vec::new();
    for name in names {
        let found = statement.query_row([name.as_str()], |row| serial(row, 0));
        serials.extend(found.optional()?.map(|serial| (name, serial)));
    }
    Ok(serials)
}

fn serial(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let serial: i64 = row.get(column)?;
    u64::try_from(serial).map_err(|error| broken(column, error))
}

/// What is there is not what was written.
fn broken(
    column: usize,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, error.into())
}
