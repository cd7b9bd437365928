//! Bindings: the collection `bindings`, a document
//! `{_id: name, serial, person, display_name, devices, forgotten, allows_version_1}` a name, and
//! the fingerprint of the registry's key in the collection `registry`.
//!
//! They are beside the accounts and not in them, since a legacy registry replaces a document of
//! an account as a whole.
//!
//! **Invariant:** a document is inserted once, and from then on replaced only where it has the
//! serial that was read. It is never deleted, so no serial comes twice. What is read has been
//! acknowledged by a majority, and is never older than what was read or written before: a primary
//! that has just been elected does not know at once how much a majority has, and is waited for.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::TryStreamExt;
use mongodb::action::FindOne;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, Document, Timestamp, doc};
use mongodb::error::Error;
use mongodb::options::{CollectionOptions, ReadConcern, ReadPreference, SelectionCriteria};
use mongodb::{ClientSession, Collection, Database};
use p2pchat_protocol::Username;
use p2pchat_protocol::v2::{Binding, Certificate, DeviceKey, Fingerprint, PersonKey, PublicKey};

use super::{index, is_duplicate};
use crate::store::StoredBinding;

/// The collection of the bindings.
const COLLECTION: &str = "bindings";
/// The collection of what there is once.
const REGISTRY: &str = "registry";
/// The document of the registry's key.
const KEY: &str = "key";
/// The pause before what another registry has just written is read again: until a majority has it.
const PAUSE: Duration = Duration::from_millis(20);

/// The two collections.
#[derive(Debug)]
pub(super) struct Bindings {
    database: Database,
    bindings: Collection<Document>,
    registry: Collection<Document>,
    /// The latest time of the database that an answer had.
    latest: Mutex<Option<Timestamp>>,
}

impl Bindings {
    pub(super) fn new(database: &Database) -> Self {
        // Whatever the URI says: these must not be older than what the others know.
        let options = CollectionOptions::builder()
            .read_concern(ReadConcern::majority())
            .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
            .build();
        Self {
            bindings: database.collection_with_options(COLLECTION, options.clone()),
            registry: database.collection_with_options(REGISTRY, options),
            database: database.clone(),
            latest: Mutex::default(),
        }
    }

    /// Bindings are found by `_id`, and by `person` in the order of `_id`.
    pub(super) async fn index_persons(&self) {
        let keys = doc! { "person": 1, "_id": 1 };
        index(
            &self.bindings,
            keys,
            "no index on person keys: lookups by key will be slow",
        )
        .await;
    }

    /// A session whose reads wait for what [`Bindings::note`] was told of. One alone would do one
    /// thing at a time.
    async fn session(&self) -> Result<ClientSession, Error> {
        let starting = self.database.client().start_session();
        let mut session = starting.causal_consistency(true).await?;
        let latest = *self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(latest) = latest {
            session.advance_operation_time(latest);
        }
        Ok(session)
    }

    /// Takes note of the time of an answer.
    fn note(&self, session: &ClientSession) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = (*latest).max(session.operation_time());
    }

    pub(super) async fn read(&self, name: Username) -> Result<Option<StoredBinding>, Error> {
        self.found(self.bindings.find_one(by_name(name))).await
    }

    /// The first by name that is bound to a person.
    pub(super) async fn read_of(&self, person: PersonKey) -> Result<Option<StoredBinding>, Error> {
        let of_person = doc! { "person": binary(&person.0.0) };
        let finding = self.bindings.find_one(of_person);
        self.found(finding.sort(doc! { "_id": 1 })).await
    }

    async fn found(&self, finding: FindOne<'_, Document>) -> Result<Option<StoredBinding>, Error> {
        let mut session = self.session().await?;
        let found = finding.session(&mut session).await?;
        self.note(&session);
        found
            .map(|document| {
                from_document(&document).ok_or_else(|| {
                    let name = document.get_str("_id").unwrap_or_default();
                    Error::custom(format!("the binding of {name:?} cannot be read"))
                })
            })
            .transpose()
    }

    /// Compare-and-swap. `false` only once [`Bindings::read`] shows what another has kept.
    pub(super) async fn keep(&self, new: &StoredBinding) -> Result<bool, Error> {
        let name = new.binding.name;
        let before = new.binding.serial.saturating_sub(1);
        loop {
            if self.try_to_keep(new).await? {
                return Ok(true);
            }
            let there = self.read(name).await?;
            if there.map_or(0, |there| there.binding.serial) != before {
                return Ok(false);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn try_to_keep(&self, new: &StoredBinding) -> Result<bool, Error> {
        let mut session = self.session().await?;
        let is_kept = self.try_in(&mut session, new).await?;
        self.note(&session);
        Ok(is_kept)
    }

    async fn try_in(
        &self,
        session: &mut ClientSession,
        new: &StoredBinding,
    ) -> Result<bool, Error> {
        let document = to_document(new);
        if new.binding.serial == 1 {
            let inserting = self.bindings.insert_one(document);
            return inserted(inserting.session(session).await);
        }
        let mut before = by_name(new.binding.name);
        before.insert("serial", serial(new.binding.serial.saturating_sub(1)));
        let replacing = self.bindings.replace_one(before, document);
        let replaced = replacing.session(session).await?;
        Ok(replaced.matched_count > 0)
    }

    /// Takes the person from a name, if it has one: the account is gone.
    pub(super) async fn reset(&self, name: Username) -> Result<(), Error> {
        while let Some(there) = self.read(name).await? {
            if there.is_free() || self.keep(&there.freed()).await? {
                break;
            }
        }
        Ok(())
    }

    pub(super) async fn serials(&self, names: &[Username]) -> Result<Vec<(Username, u64)>, Error> {
        let names: Vec<&str> = names.iter().map(Username::as_str).collect();
        let mut session = self.session().await?;
        let finding = self.bindings.find(doc! { "_id": { "$in": names } });
        let finding = finding.projection(doc! { "serial": 1 });
        let mut cursor = finding.session(&mut session).await?;
        let found: Vec<Document> = cursor.stream(&mut session).try_collect().await?;
        self.note(&session);
        let serials = found.iter().filter_map(|document| {
            let name = document.get_str("_id").ok()?.parse().ok()?;
            Some((name, serial_of(document)?))
        });
        Ok(serials.collect())
    }

    pub(super) async fn claim_key(&self, key: Fingerprint) -> Result<Fingerprint, Error> {
        let document = doc! { "_id": KEY, "fingerprint": key.as_str() };
        loop {
            if inserted(self.registry.insert_one(document.clone()).await)? {
                return Ok(key);
            }
            if let Some(there) = self.registry.find_one(doc! { "_id": KEY }).await? {
                let fingerprint = there.get_str("fingerprint").ok();
                let fingerprint = fingerprint.and_then(|text| text.parse().ok());
                return fingerprint.ok_or_else(|| {
                    Error::custom("the fingerprint of the registry's key cannot be read")
                });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn inserted<T>(result: Result<T, Error>) -> Result<bool, Error> {
    match result {
        Ok(_) => Ok(true),
        Err(error) if is_duplicate(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn by_name(name: Username) -> Document {
    doc! { "_id": name.as_str() }
}

fn serial(serial: u64) -> i64 {
    i64::try_from(serial).unwrap_or(i64::MAX)
}

fn serial_of(document: &Document) -> Option<u64> {
    u64::try_from(document.get_i64("serial").ok()?).ok()
}

fn binary(bytes: &[u8]) -> Bson {
    Bson::Binary(Binary {
        subtype: BinarySubtype::Generic,
        bytes: bytes.to_vec(),
    })
}

fn to_document(stored: &StoredBinding) -> Document {
    let binding = &stored.binding;
    let devices = binding.devices.iter();
    let devices: Vec<Bson> = devices.map(|device| binary(&device.to_bytes())).collect();
    let forgotten = stored.forgotten.iter();
    let forgotten: Vec<Bson> = forgotten.map(|device| binary(&device.0.0)).collect();
    let mut document = doc! {
        "_id": binding.name.as_str(),
        "serial": serial(binding.serial),
        "display_name": binding.display_name.as_str(),
        "devices": devices,
        "forgotten": forgotten,
        "allows_version_1": stored.allows_version_1,
    };
    if let Some(person) = &binding.person {
        document.insert("person", binary(&person.0.0));
    }
    document
}

/// `None` if no registry wrote it.
fn from_document(document: &Document) -> Option<StoredBinding> {
    let key = |bytes: &[u8]| PublicKey::try_from(bytes).ok();
    let person = match document.get("person") {
        None => None,
        Some(Bson::Binary(bytes)) => Some(PersonKey(key(&bytes.bytes)?)),
        Some(_) => return None,
    };
    let devices = all(document, "devices", Certificate::from_bytes)?;
    let forgotten = all(document, "forgotten", |bytes| key(bytes).map(DeviceKey))?;
    Some(StoredBinding {
        binding: Binding {
            name: document.get_str("_id").ok()?.parse().ok()?,
            serial: serial_of(document)?,
            person,
            display_name: document.get_str("display_name").ok()?.parse().ok()?,
            devices,
        },
        forgotten,
        allows_version_1: document.get_bool("allows_version_1").ok()?,
    })
}

fn all<T>(document: &Document, field: &str, read: impl Fn(&[u8]) -> Option<T>) -> Option<Vec<T>> {
    let array = document.get_array(field).ok()?.iter();
    let items = array.map(|item| match item {
        Bson::Binary(bytes) => read(&bytes.bytes),
        _ => None,
    });
    items.collect()
}
