//! Accounts that are put into the store of a registry by hand: thousands of real hashes would
//! take a minute.

use std::path::Path;

use anyhow::Result;
use p2pchat_protocol::Username;
use p2pchat_testkit::SOON;
use rusqlite::{Connection, params};

/// Argon2id of [`PASSWORD`], as cheap as it gets.
const CHEAP: &str = "$argon2id$v=19$m=8,t=1,p=1$cDJwY2hhdC1sYWItc2FsdA$\
                     p+PiSpgzT95DWeoJmJs5RTXYi0O6eKbZ1YzvC7O1Lgo";
/// The password of each.
pub const PASSWORD: &str = "secret";

/// Adds accounts to an embedded store.
///
/// # Errors
/// If it is not one, or has one of them already.
pub fn add(store: &Path, names: impl Iterator<Item = Username>) -> Result<()> {
    let mut connection = Connection::open(store)?;
    connection.busy_timeout(SOON)?;
    let transaction = connection.transaction()?;
    for name in names {
        transaction.execute(
            "INSERT INTO account (name, password) VALUES (?1, ?2)",
            params![name.as_str(), CHEAP],
        )?;
    }
    Ok(transaction.commit()?)
}
