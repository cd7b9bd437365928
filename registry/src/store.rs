//! Where accounts and bindings are kept: the [`Store`] trait and its two implementations.
//!
//! Both run the same suite of behaviours (`tests/store_suite.rs`), so the rest of the
//! registry cannot tell them apart.
//!
//! **Invariant:** an answer of `Ok(true)` to a write means that the write survives a
//! crash of this process and of the machine.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use p2pchat_protocol::v2::{Binding, DeviceKey, DisplayName, Fingerprint, PersonKey};
use p2pchat_protocol::{PeerAddr, Username};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::options::StoreSpec;

pub mod mongo;
pub mod sqlite;

pub use mongo::MongoStore;
pub use sqlite::SqliteStore;

/// What is kept in the password field of an account: an Argon2id hash in PHC form, or
/// the plain text of a legacy database. Hidden in `Debug`, wiped on drop.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct StoredPassword(String);

impl StoredPassword {
    /// Wraps what a store holds.
    #[must_use]
    pub fn new(stored: String) -> Self {
        Self(stored)
    }

    /// The text itself, for stores and for the hash function.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredPassword(hidden)")
    }
}

/// An account to be created.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its name.
    pub name: Username,
    /// The hash of its password.
    pub password: StoredPassword,
    /// Where it was registered from; `None` when the operator creates it.
    pub address: Option<PeerAddr>,
}

/// What is kept of a name that was bound to a person. Never deleted, only changed with the next
/// serial: a client ignores a serial that is lower than one that it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBinding {
    /// What clients are told.
    pub binding: Binding,
    /// Devices that an operator has removed: a certificate does not bring them back.
    pub forgotten: Vec<DeviceKey>,
    /// Whether the name can log in by version 1.
    pub allows_version_1: bool,
}

impl StoredBinding {
    /// Whether it says nothing of any person or device.
    fn is_free(&self) -> bool {
        self.binding.person.is_none() && self.forgotten.is_empty()
    }

    /// What follows it when the account is gone.
    fn freed(&self) -> Self {
        Self {
            binding: Binding {
                name: self.binding.name,
                serial: self.binding.serial + 1,
                person: None,
                display_name: DisplayName::default(),
                devices: Vec::new(),
            },
            forgotten: Vec::new(),
            allows_version_1: false,
        }
    }
}

/// Why a call of a store failed. Never holds a password.
#[derive(Debug, Error)]
pub enum StoreError {
    /// More is waiting than the store can take.
    #[error("the account store is busy: too many requests are waiting for it")]
    Busy,
    /// The store does not answer in time.
    #[error("the account store did not answer within {0:?}")]
    Timeout(std::time::Duration),
    /// The store is being closed, or its thread has died.
    #[error("the account store is closed")]
    Closed,
    /// The embedded store failed.
    #[error("the account file failed: {0}")]
    Sqlite(Arc<rusqlite::Error>),
    /// MongoDB failed.
    #[error("MongoDB failed: {0}")]
    Mongo(String),
}

/// Why a store cannot be opened: what is wrong and what to do about it.
#[derive(Debug, Error)]
pub enum OpenError {
    /// See [`sqlite::OpenSqliteError`].
    #[error(transparent)]
    Sqlite(#[from] sqlite::OpenSqliteError),
    /// See [`mongo::ConnectError`].
    #[error(transparent)]
    Mongo(#[from] mongo::ConnectError),
}

/// Who opens a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opener {
    /// A registry. Only one may serve from an embedded store at a time.
    Registry,
    /// An operator command, which works beside a running registry.
    Operator,
}

/// Accounts: a name, a password, and where it was registered from.
///
/// Every method returns within a bounded time.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Creates an account, and takes from its name the person that one before may have left: older
    /// registries remove accounts alone. `false` if there is an account of this name.
    fn register(&self, account: NewAccount) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// The password of an account, `None` if there is no such account.
    fn find(&self, name: Username) -> BoxFuture<'_, Result<Option<StoredPassword>, StoreError>>;

    /// Replaces `old` by `new` (compare-and-swap). `false` if the password is another by now, or
    /// there is no such account.
    fn replace_password(
        &self,
        name: Username,
        old: StoredPassword,
        new: StoredPassword,
    ) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// Sets the password of an account. `false` if there is no such account.
    fn set_password(
        &self,
        name: Username,
        new: StoredPassword,
    ) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// Deletes an account, and takes the person from its name. `false` if there is no such
    /// account.
    fn remove(&self, name: Username) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// The names of up to `limit` accounts in the order of their bytes, those behind
    /// `after` only. An account of a legacy database may have
    /// a name that is not a valid [`Username`].
    fn names(
        &self,
        after: Option<String>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<String>, StoreError>>;

    /// What is bound to a name; `None` if nothing ever was.
    fn binding(&self, name: Username) -> BoxFuture<'_, Result<Option<StoredBinding>, StoreError>>;

    /// The binding of a name that is bound to a person, of several the first in the order of the
    /// names' bytes; `None` if there is none.
    fn binding_of(
        &self,
        person: PersonKey,
    ) -> BoxFuture<'_, Result<Option<StoredBinding>, StoreError>>;

    /// Keeps a binding: with serial 1 where there is none, else in the place of the one with the
    /// serial before (compare-and-swap). `false` if there is another by now, which
    /// [`Store::binding`] then returns.
    fn bind(&self, new: StoredBinding) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// The serials of the bindings of some names.
    fn serials(
        &self,
        names: Vec<Username>,
    ) -> BoxFuture<'_, Result<Vec<(Username, u64)>, StoreError>>;

    /// The fingerprint of the registry's key: `key` if there is none yet, which is then kept for
    /// good.
    fn claim_key(&self, key: Fingerprint) -> BoxFuture<'_, Result<Fingerprint, StoreError>>;

    /// Waits until a thread of the store has ended, and returns its name: nothing works any more.
    fn ended(&self) -> BoxFuture<'_, &'static str>;

    /// Finishes what is waiting and closes the store. Later calls fail with
    /// [`StoreError::Closed`].
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// Opens the store that `spec` names.
///
/// # Errors
/// If it cannot be opened, is not ours, or (for MongoDB) cannot be reached within
/// [`mongo::CONNECT_TIMEOUT`].
pub async fn open(spec: &StoreSpec, opener: Opener) -> Result<Arc<dyn Store>, OpenError> {
    Ok(match spec {
        StoreSpec::Sqlite(path) => Arc::new(SqliteStore::open(path, opener)?),
        StoreSpec::Mongo(uri) => Arc::new(MongoStore::connect(uri).await?),
    })
}
