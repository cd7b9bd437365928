//! A lock on an SQLite file, as if its disk were slow: a program that acknowledges before it
//! has written is sure to be caught then.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rusqlite::Connection;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// How long a write that is under way may take.
const BUSY: Duration = Duration::from_secs(10);
/// The longest that a file is held. The programs wait longer than this before they give
/// up writing.
const LONGEST: Duration = Duration::from_millis(300);

/// Holds the file until it is dropped.
#[derive(Debug)]
pub(super) struct WriteLock {
    _writing: Connection,
}

impl WriteLock {
    /// Takes the file and holds it for a while; it is held on until this is dropped.
    pub(super) async fn for_a_while(file: &Path, random: &mut ChaCha8Rng) -> Result<Self> {
        let file = file.to_owned();
        let taking = spawn_blocking(move || {
            let connection = Connection::open(file)?;
            connection.busy_timeout(BUSY)?;
            connection.execute_batch("BEGIN IMMEDIATE")?;
            Ok::<_, rusqlite::Error>(connection)
        });
        let held = Self {
            _writing: taking.await??,
        };
        sleep(random.random_range(Duration::ZERO..LONGEST)).await;
        Ok(held)
    }
}
