//! What was dropped before it came to the machine: counted here, and told to the machine
//! now and then, so that a flood of connections is no flood of reports.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use p2pchat_model::{DropKind, DropReason, PeerAddr};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::machine::Input;

/// How long counts are gathered before they are told.
const GATHERED: Duration = Duration::from_millis(500);
/// How many counts are gathered; what comes from further addresses is counted together.
const MAX_COUNTS: usize = 64;

type Counts = BTreeMap<(Option<PeerAddr>, DropKind, DropReason), u64>;

/// Counts until somebody asks.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Tally(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    counts: Mutex<Counts>,
    news: Notify,
}

impl Tally {
    /// Counts one.
    pub(super) fn count(&self, from: Option<PeerAddr>, tried: DropKind, why: DropReason) {
        let mut counts = self.lock();
        let known = counts.contains_key(&(from, tried, why));
        let from = from.filter(|_| known || counts.len() < MAX_COUNTS);
        *counts.entry((from, tried, why)).or_default() += 1;
        self.0.news.notify_one();
    }

    /// What was counted since it was last asked for, once there is something.
    pub(super) async fn gathered(&self) -> Vec<Input> {
        self.0.news.notified().await;
        sleep(GATHERED).await;
        let counts = std::mem::take(&mut *self.lock());
        let inputs = counts.into_iter();
        inputs
            .map(|((from, tried, why), count)| Input::Dropped {
                from,
                tried,
                why,
                count,
            })
            .collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
