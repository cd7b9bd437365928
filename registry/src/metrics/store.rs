//! Latency and availability of the account store: [`StoreMetrics`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use p2pchat_protocol::Username;
use p2pchat_protocol::v2::{Fingerprint, PersonKey};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::Metrics;
use crate::store::{NewAccount, Store, StoreError, StoredBinding, StoredPassword};

/// How long the store may be silent before the registry is not ready. It is asked for
/// something more often than that ([`PROBE_INTERVAL`]); less would call one slow call an
/// outage.
pub const SILENCE: Duration = Duration::from_secs(5);
/// How often the store is probed while no request needs it.
pub const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// The bounds of the histogram, in seconds: SQLite answers within the first, a commit of a
/// replica set within the middle ones, and the last is the deadline of a call.
const BUCKETS: [f64; 13] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
];
/// The operations that a running registry uses: exposed from the start.
const OPERATIONS: [&str; 7] = [FIND, REGISTER, REPLACE, BINDING, BINDING_OF, BIND, SERIALS];
const BINDING: &str = "binding";
const BINDING_OF: &str = "binding_of";
const BIND: &str = "bind";
const SERIALS: &str = "serials";
const FIND: &str = "find";
const REGISTER: &str = "register";
const REPLACE: &str = "replace_password";

/// Operation and result of a call.
type Labels = [(&'static str, &'static str); 2];
/// A histogram for each operation and result.
type Calls = Family<Labels, Histogram, fn() -> Histogram>;

/// The times of the store's calls, and when it last answered.
#[derive(Debug)]
pub struct StoreMetrics {
    calls: Calls,
    last: Mutex<Last>,
}

#[derive(Debug)]
struct Last {
    /// When it last answered, or was opened.
    answered: Instant,
    /// Why it did not since then.
    error: Option<String>,
}

impl Default for StoreMetrics {
    fn default() -> Self {
        let calls = Calls::new_with_constructor(|| Histogram::new(BUCKETS));
        for operation in OPERATIONS {
            drop(calls.get_or_create(&labels(operation, "ok")));
        }
        let last = Last {
            answered: Instant::now(),
            error: None,
        };
        Self {
            calls,
            last: Mutex::new(last),
        }
    }
}

impl StoreMetrics {
    /// Exposes the histograms.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "store_operation",
            "Time that a call of the account store took",
            Unit::Seconds,
            self.calls.clone(),
        );
    }

    /// How long ago the store last answered.
    #[must_use]
    pub fn silence(&self) -> Duration {
        self.last().answered.elapsed()
    }

    /// Whether the store answered recently.
    ///
    /// # Errors
    /// Since when it does not, and why.
    pub fn readiness(&self) -> Result<(), String> {
        let last = self.last();
        let silence = last.answered.elapsed();
        if silence < SILENCE {
            return Ok(());
        }
        let reason = last.error.as_deref().unwrap_or("no answer at all");
        let seconds = silence.as_secs();
        Err(format!(
            "the account store has not answered for {seconds} s: {reason}"
        ))
    }

    fn note<T>(&self, operation: &'static str, took: Duration, answer: &Result<T, StoreError>) {
        let result = match answer {
            Ok(_) => "ok",
            Err(StoreError::Busy) => "busy",
            Err(StoreError::Timeout(_)) => "timeout",
            Err(StoreError::Closed) => "closed",
            Err(StoreError::Sqlite(_) | StoreError::Mongo(_)) => "failed",
        };
        let calls = self.calls.get_or_create(&labels(operation, result));
        calls.observe(took.as_secs_f64());
        drop(calls);
        let mut last = self.last();
        match answer {
            Ok(_) => {
                last.answered = Instant::now();
                last.error = None;
            }
            Err(error) => last.error = Some(error.to_string()),
        }
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn labels(operation: &'static str, result: &'static str) -> Labels {
    [("operation", operation), ("result", result)]
}

/// A store whose calls are measured.
#[derive(Debug)]
struct Measured {
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
}

/// Wraps `store` so that its calls are measured.
#[must_use]
pub fn measured(store: Arc<dyn Store>, metrics: &Arc<Metrics>) -> Arc<dyn Store> {
    Arc::new(Measured {
        store,
        metrics: Arc::clone(metrics),
    })
}

impl Measured {
    fn timed<'a, T: Send + 'a>(
        &'a self,
        operation: &'static str,
        call: BoxFuture<'a, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        Box::pin(async move {
            let began = Instant::now();
            let answer = call.await;
            (self.metrics.store).note(operation, began.elapsed(), &answer);
            answer
        })
    }
}

impl Store for Measured {
    fn register(&self, account: NewAccount) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.timed(REGISTER, self.store.register(account))
    }

    fn find(&self, name: Username) -> BoxFuture<'_, Result<Option<StoredPassword>, StoreError>> {
        self.timed(FIND, self.store.find(name))
    }

    fn replace_password(
        &self,
        name: Username,
        old: StoredPassword,
        new: StoredPassword,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.timed(REPLACE, self.store.replace_password(name, old, new))
    }

    fn set_password(
        &self,
        name: Username,
        new: StoredPassword,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.timed("set_password", self.store.set_password(name, new))
    }

    fn remove(&self, name: Username) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.timed("remove", self.store.remove(name))
    }

    fn names(
        &self,
        after: Option<String>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        self.timed("names", self.store.names(after, limit))
    }

    fn binding(&self, name: Username) -> BoxFuture<'_, Result<Option<StoredBinding>, StoreError>> {
        self.timed(BINDING, self.store.binding(name))
    }

    fn binding_of(
        &self,
        person: PersonKey,
    ) -> BoxFuture<'_, Result<Option<StoredBinding>, StoreError>> {
        self.timed(BINDING_OF, self.store.binding_of(person))
    }

    fn bind(&self, new: StoredBinding) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.timed(BIND, self.store.bind(new))
    }

    fn serials(
        &self,
        names: Vec<Username>,
    ) -> BoxFuture<'_, Result<Vec<(Username, u64)>, StoreError>> {
        self.timed(SERIALS, self.store.serials(names))
    }

    fn claim_key(&self, key: Fingerprint) -> BoxFuture<'_, Result<Fingerprint, StoreError>> {
        self.timed("claim_key", self.store.claim_key(key))
    }

    fn ended(&self) -> BoxFuture<'_, &'static str> {
        self.store.ended()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.store.close()
    }
}
