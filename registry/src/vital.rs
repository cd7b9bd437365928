//! Tasks and threads without which the registry is of no use: [`Vital`].
//!
//! Where one of them ends by itself, by a panic or otherwise, the registry must not live on
//! half dead: nothing would tell a supervisor to start it again. So each of them holds a
//! [`Hold`], and [`Server::run`](crate::Server::run) stops when one is let go.

use std::sync::{Arc, OnceLock};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A set of tasks and threads, and which of them ended first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vital {
    first: Arc<OnceLock<&'static str>>,
    ended: CancellationToken,
}

impl Vital {
    /// For a task or thread to keep until it ends. `name` is for people.
    pub(crate) fn hold(&self, name: &'static str) -> Hold {
        Hold {
            name,
            vital: self.clone(),
        }
    }

    /// Starts a task that holds.
    pub(crate) fn spawn(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> VitalTask {
        let hold = self.hold(name);
        let task = async move {
            task.await;
            drop(hold);
        };
        VitalTask {
            name,
            handle: tokio::spawn(task),
        }
    }

    /// Waits until one of them has ended, and returns its name.
    pub(crate) async fn ended(&self) -> &'static str {
        self.ended.cancelled().await;
        self.first.get().copied().unwrap_or_default()
    }
}

/// Kept by a task or thread as long as it lives. Its drop, by a panic too, tells the end.
#[derive(Debug)]
pub(crate) struct Hold {
    name: &'static str,
    vital: Vital,
}

impl Drop for Hold {
    fn drop(&mut self) {
        // The first one counts: others may end because of it.
        let _ = self.vital.first.set(self.name);
        self.vital.ended.cancel();
    }
}

/// A task that holds.
#[derive(Debug)]
pub(crate) struct VitalTask {
    name: &'static str,
    handle: JoinHandle<()>,
}

impl VitalTask {
    /// Waits for its end.
    pub(crate) async fn join(self) {
        if let Err(error) = self.handle.await {
            tracing::error!(%error, "the {} failed", self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::time::Duration;

    use super::*;

    async fn first(vital: &Vital) -> &'static str {
        let ended = tokio::time::timeout(Duration::from_secs(30), vital.ended());
        ended.await.expect("the end is told")
    }

    #[tokio::test]
    async fn a_task_that_panics_or_returns_is_told_by_name() {
        for panics in [true, false] {
            let vital = Vital::default();
            let other = vital.spawn("other", pending());
            let task = vital.spawn("sweep", async move { assert!(!panics, "on purpose") });
            assert_eq!(first(&vital).await, "sweep");
            task.join().await;
            other.handle.abort();
            other.join().await;
            assert_eq!(first(&vital).await, "sweep", "the first one counts");
        }
    }

    #[tokio::test]
    async fn a_thread_that_panics_is_told() {
        let vital = Vital::default();
        let hold = vital.hold("hashing thread");
        let thread = std::thread::spawn(move || {
            let _hold = hold;
            panic!("on purpose");
        });
        assert_eq!(first(&vital).await, "hashing thread");
        assert!(thread.join().is_err());
    }
}
