//! A fresh store of either kind.

use std::sync::Arc;
use std::time::{Duration, Instant};

use p2pchat_registry::store::sqlite::OpenSqliteError;
use p2pchat_registry::store::{self, OpenError, Opener};
use p2pchat_registry::{Store, StoreSpec};
use tempfile::TempDir;

use super::SOON;
use super::mongod::TestDatabase;

/// An empty store of one test, which can be opened any number of times.
pub(crate) enum Fresh {
    Sqlite(TempDir),
    Mongo(TestDatabase),
}

impl Fresh {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    pub(crate) fn mongo() -> Self {
        Self::Mongo(TestDatabase::new())
    }

    pub(crate) fn replica_set() -> Self {
        Self::Mongo(TestDatabase::on_replica_set())
    }

    /// As `--store` takes it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Sqlite(folder) => folder.path().join("accounts").to_str().unwrap().to_owned(),
            Self::Mongo(database) => database.uri.clone(),
        }
    }

    pub(crate) fn spec(&self) -> StoreSpec {
        self.name().parse().unwrap()
    }

    pub(crate) async fn open(&self) -> Arc<dyn Store> {
        self.open_as(Opener::Registry).await
    }

    pub(crate) async fn open_as(&self, opener: Opener) -> Arc<dyn Store> {
        let began = Instant::now();
        loop {
            match store::open(&self.spec(), opener).await {
                // A program that another test starts holds the lock, too, until it runs.
                Err(OpenError::Sqlite(OpenSqliteError::Locked { .. }))
                    if began.elapsed() < SOON =>
                {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                opened => return opened.unwrap(),
            }
        }
    }
}
