//! Accounts in MongoDB, in the form of a legacy database: a document
//! `{_id: name, name, password, hostlist: [address]}` in `P2PApp.authentication`.
//!
//! Documents of a legacy database are read as they are: with a plain-text password, an `_id`
//! that is not a name, missing or additional fields. What a name is bound to is beside them
//! (`bindings`).
//!
//! Writes are acknowledged by a majority and their journals. Every call has a deadline;
//! when MongoDB is gone, a call fails within it, and the driver reconnects by itself.

use std::fmt;
use std::time::Duration;

use futures::TryStreamExt;
use futures::future::BoxFuture;
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::{Error, ErrorKind, WriteFailure};
use mongodb::options::{
    Acknowledgment, ClientOptions, ReadPreference, SelectionCriteria, WriteConcern,
};
use mongodb::{Client, Collection, Database, IndexModel};
use p2pchat_protocol::Username;
use p2pchat_protocol::v2::{Fingerprint, PersonKey};
use thiserror::Error;

use super::{NewAccount, Store, StoreError, StoredBinding, StoredPassword};
use crate::options::MongoUri;

mod bindings;

use bindings::Bindings;

/// How long the first connection may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// How long any later call may take, finding a server included.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the driver looks for a server that takes the call. Shorter than
/// [`CALL_TIMEOUT`], so that the driver's reason is what gets logged.
const SELECTION_TIMEOUT: Duration = Duration::from_secs(3);
/// How long the driver may take to close its connections.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// The database, unless the URI names another: that of the legacy registry.
pub const DEFAULT_DATABASE: &str = "P2PApp";
/// Its collection.
pub const COLLECTION: &str = "authentication";
/// MongoDB's code for a key that is there already.
pub(crate) const DUPLICATE_KEY: i32 = 11000;

/// Why MongoDB cannot be used, and what to do about it.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The URI is invalid.
    #[error("{uri} cannot be used: {reason}; a URI looks like mongodb://HOST:PORT/DATABASE")]
    BadUri {
        /// The URI, without its password.
        uri: String,
        /// What the driver says.
        reason: Box<Error>,
    },
    /// The name server does not say which servers a `mongodb+srv://` URI means.
    #[error(
        "the servers of {uri} cannot be looked up: {reason}; check the name and the name server of this machine, or name the servers in a URI like mongodb://HOST:PORT/DATABASE?tls=true"
    )]
    NoServers {
        /// The URI, without its password.
        uri: String,
        /// What the driver says.
        reason: String,
    },
    /// Nothing usable answers there.
    #[error(
        "MongoDB cannot be reached at {uri} within {CONNECT_TIMEOUT:?}: {reason}; check that mongod runs there and that the user and password in the URI are right"
    )]
    Unreachable {
        /// The URI, without its password.
        uri: String,
        /// What the driver says.
        reason: String,
    },
}

impl ConnectError {
    pub(crate) fn unreachable(uri: &MongoUri, error: &Error) -> Self {
        Self::Unreachable {
            uri: uri.redacted(),
            reason: describe(error),
        }
    }

    pub(crate) fn no_answer(uri: &MongoUri) -> Self {
        Self::Unreachable {
            uri: uri.redacted(),
            reason: "no answer".to_owned(),
        }
    }
}

impl StoreError {
    /// The error of the driver, without what a server may quote of a document.
    pub(crate) fn mongo(error: &Error) -> Self {
        match *error.kind {
            ErrorKind::Shutdown => Self::Closed,
            _ => Self::Mongo(describe(error)),
        }
    }
}

/// The accounts of one MongoDB database.
pub struct MongoStore {
    client: Client,
    accounts: Collection<Document>,
    bindings: Bindings,
}

impl fmt::Debug for MongoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MongoStore({})", self.accounts.namespace())
    }
}

impl MongoStore {
    /// Connects, and reads one document to check that reading is allowed.
    ///
    /// # Errors
    /// If the URI is invalid, or nothing usable answers within [`CONNECT_TIMEOUT`].
    pub async fn connect(uri: &MongoUri) -> Result<Self, ConnectError> {
        let (client, database) = client(uri).await?;
        let store = Self {
            accounts: database.collection(COLLECTION),
            bindings: Bindings::new(&database),
            client,
        };
        store.probe(uri).await?;
        Ok(store)
    }

    async fn probe(&self, uri: &MongoUri) -> Result<(), ConnectError> {
        let probing = self.accounts.find_one(doc! {}).into_future();
        match tokio::time::timeout(CONNECT_TIMEOUT, probing).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(ConnectError::unreachable(uri, &error)),
            Err(_) => return Err(ConnectError::no_answer(uri)),
        }
        tokio::join!(self.index_names(), self.bindings.index_persons());
        Ok(())
    }

    /// Accounts are looked up by `_id` and by `name`; without an index the latter reads
    /// the whole collection. Not unique: a legacy collection may break that.
    async fn index_names(&self) {
        let missing = "no index on account names: logins will be slow";
        index(&self.accounts, doc! { "name": 1 }, missing).await;
    }

    /// Inserts unless there is a document of this name, under whatever `_id`, in one
    /// operation of the server.
    async fn insert(&self, account: &NewAccount) -> Result<bool, Error> {
        let name = account.name.as_str();
        let hosts: Vec<String> = account.address.iter().map(ToString::to_string).collect();
        let document = doc! {
            "_id": name,
            "name": name,
            "password": account.password.expose(),
            "hostlist": hosts,
        };
        let inserting = self
            .accounts
            .update_one(by_name(account.name), doc! { "$setOnInsert": document })
            .upsert(true);
        match inserting.await {
            Ok(result) => Ok(result.upserted_id.is_some()),
            Err(error) if is_duplicate(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes the person from a name that has no account.
    ///
    /// Reads the binding first: each account is older than what is bound to it, so one that is
    /// not there now has left it, and what is bound meanwhile has another serial.
    async fn free(&self, name: Username) -> Result<(), Error> {
        let left = self.bindings.read(name).await?;
        let Some(left) = left.filter(|left| !left.is_free()) else {
            return Ok(());
        };
        let primary = SelectionCriteria::ReadPreference(ReadPreference::Primary);
        let finding = self.accounts.find_one(by_name(name));
        if finding.selection_criteria(primary).await?.is_none() {
            self.bindings.keep(&left.freed()).await?;
        }
        Ok(())
    }

    async fn update_password(&self, filter: Document, new: &StoredPassword) -> Result<bool, Error> {
        let update = doc! { "$set": { "password": new.expose() } };
        Ok(self
            .accounts
            .update_one(filter, update)
            .await?
            .matched_count
            > 0)
    }

    /// A legacy document may lack `name`, or have an `_id` that is not a name: the name is the
    /// one of the two that is text.
    async fn page(&self, after: Option<String>, limit: u32) -> Result<Vec<String>, Error> {
        let pipeline = [
            doc! { "$project": { "_id": 0, "n": { "$ifNull": ["$name", "$_id"] } } },
            doc! { "$match": { "n": { "$type": "string", "$gt": after.unwrap_or_default() } } },
            doc! { "$group": { "_id": "$n" } },
            doc! { "$sort": { "_id": 1 } },
            doc! { "$limit": i64::from(limit) },
        ];
        let found: Vec<Document> = self
            .accounts
            .aggregate(pipeline)
            .await?
            .try_collect()
            .await?;
        Ok(found
            .iter()
            .filter_map(|row| row.get_str("_id").ok().map(str::to_owned))
            .collect())
    }
}

impl Store for MongoStore {
    fn register(&self, account: NewAccount) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(in_time(async move {
            self.free(account.name).await?;
            self.insert(&account).await
        }))
    }

    fn find(&self, name: Username) -> BoxFuture<'_, Result<Option<StoredPassword>, StoreError>> {
        Box::pin(in_time(async move {
            let document = self.accounts.find_one(by_name(name)).await?;
            Ok(document.and_then(password_of))
        }))
    }

    fn replace_password(
        &self,
        name: Username,
        old: StoredPassword,
        new: StoredPassword,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(in_time(async move {
            let mut filter = by_name(name);
            filter.insert("password", old.expose());
            self.update_password(filter, &new).await
        }))
    }

    fn set_password(
        &self,
        name: Username,
        new: StoredPassword,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(in_time(async move {
            self.update_password(by_name(name), &new).await
        }))
    }

    fn remove(&self, name: Username) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(in_time(async move {
            let deleted = self.accounts.delete_many(by_name(name)).await?;
            // In this order: what fails in between is made up for when the command is repeated.
            self.bindings.reset(name).await?;
            Ok(deleted.deleted_count > 0)
        }))
    }

    fn names(
        &self,
        after: Option<String>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        Box::pin(in_time(self.page(after, limit)))
    }

    fn binding(&self, name: Username) -> BoxFuture<'_, Result<Option<StoredBinding>, StoreError>> {
        Box::pin(in_time(self.bindings.read(name)))
    }

    fn binding_of(
        &self,
        person: PersonKey,
    ) -> BoxFuture<'_, Result<Option<StoredBinding>, StoreError>> {
        Box::pin(in_time(self.bindings.read_of(person)))
    }

    fn bind(&self, new: StoredBinding) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(in_time(async move { self.bindings.keep(&new).await }))
    }

    fn serials(
        &self,
        names: Vec<Username>,
    ) -> BoxFuture<'_, Result<Vec<(Username, u64)>, StoreError>> {
        Box::pin(in_time(async move { self.bindings.serials(&names).await }))
    }

    fn claim_key(&self, key: Fingerprint) -> BoxFuture<'_, Result<Fingerprint, StoreError>> {
        Box::pin(in_time(self.bindings.claim_key(key)))
    }

    /// The driver has its own tasks, and starts them again.
    fn ended(&self) -> BoxFuture<'_, &'static str> {
        Box::pin(std::future::pending())
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            shut_down(&self.client).await;
        })
    }
}

/// Makes an index that is not there yet. One over many documents may take longer than a call, and
/// waits for a member that is down: it is made meanwhile.
async fn index(collection: &Collection<Document>, keys: Document, missing: &str) {
    let index = IndexModel::builder().keys(keys).build();
    let making = collection.create_index(index).into_future();
    if let Err(error) = in_time(making).await {
        tracing::warn!(reason = %error, "{missing}");
    }
}

/// A client for the database that the URI names, whose writes a majority acknowledges.
///
/// # Errors
/// If the URI is invalid, or its servers cannot be looked up within [`CONNECT_TIMEOUT`]. It
/// connects when it is first used.
pub(crate) async fn client(uri: &MongoUri) -> Result<(Client, Database), ConnectError> {
    let bad_uri = |reason| ConnectError::BadUri {
        uri: uri.redacted(),
        reason: Box::new(reason),
    };
    let no_servers = |reason| ConnectError::NoServers {
        uri: uri.redacted(),
        reason,
    };
    // Asks a name server if the URI begins with mongodb+srv.
    let parsing = tokio::time::timeout(CONNECT_TIMEOUT, ClientOptions::parse(uri.expose()));
    let mut options = match parsing.await {
        Ok(Ok(options)) => options,
        Ok(Err(error)) if matches!(*error.kind, ErrorKind::DnsResolve { .. }) => {
            return Err(no_servers(describe(&error)));
        }
        Ok(Err(error)) => return Err(bad_uri(error)),
        Err(_) => return Err(no_servers(format!("no answer within {CONNECT_TIMEOUT:?}"))),
    };
    options
        .app_name
        .get_or_insert_with(|| "p2pchat-registry".to_owned());
    options.connect_timeout = Some(SELECTION_TIMEOUT);
    options.server_selection_timeout = Some(SELECTION_TIMEOUT);
    let durable = WriteConcern::builder()
        .w(Acknowledgment::Majority)
        .journal(true)
        .w_timeout(CALL_TIMEOUT)
        .build();
    options.write_concern = Some(durable);
    let database = options.default_database.clone();
    let client = Client::with_options(options).map_err(bad_uri)?;
    let database = client.database(database.as_deref().unwrap_or(DEFAULT_DATABASE));
    Ok((client, database))
}

/// Closes the client's connections.
pub(crate) async fn shut_down(client: &Client) {
    let closing = client.clone().shutdown();
    if tokio::time::timeout(CLOSE_TIMEOUT, closing).await.is_err() {
        tracing::warn!("MongoDB connections did not close in time");
    }
}

/// The documents of an account.
fn by_name(name: Username) -> Document {
    doc! { "$or": [{ "_id": name.as_str() }, { "name": name.as_str() }] }
}

/// A document without a password in text is an account without a login.
fn password_of(mut document: Document) -> Option<StoredPassword> {
    match document.remove("password") {
        Some(Bson::String(password)) => Some(StoredPassword::new(password)),
        _ => Some(StoredPassword::new(String::new())),
    }
}

/// Runs a call with its deadline.
pub(crate) async fn in_time<T>(
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(CALL_TIMEOUT, call).await {
        Ok(answer) => answer.map_err(|error| StoreError::mongo(&error)),
        Err(_) => Err(StoreError::Timeout(CALL_TIMEOUT)),
    }
}

pub(crate) fn is_duplicate(error: &Error) -> bool {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(failure)) => failure.code == DUPLICATE_KEY,
        ErrorKind::Command(failure) => failure.code == DUPLICATE_KEY,
        _ => false,
    }
}

/// The error of the driver, on one line. Server errors may quote the document, and with it
/// a password: of those, only the code is kept.
fn describe(error: &Error) -> String {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(failure)) => {
            format!("the server refused the write (code {})", failure.code)
        }
        ErrorKind::Write(WriteFailure::WriteConcernError(failure)) => {
            format!(
                "a majority did not acknowledge the write (code {})",
                failure.code
            )
        }
        ErrorKind::Command(failure) => format!("{} (code {})", failure.code_name, failure.code),
        ErrorKind::ServerSelection { message, .. } => last_failure(message).to_owned(),
        kind => kind.to_string().replace(['\n', '\r'], " "),
    }
}

/// The reason of the last failed attempt, from a message of the driver about all servers. The
/// whole message if it does not have the known form.
fn last_failure(message: &str) -> &str {
    let reason = message.split_once("Error: Kind: ").map(|(_, rest)| rest);
    let reason = reason.and_then(|rest| rest.split_once(", labels: "));
    reason.map_or(message, |(reason, _)| reason)
}
