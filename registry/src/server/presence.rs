//! The server's part in the presence: Hello datagrams in, users without them out, and the
//! online list.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use p2pchat_protocol::Hello;
use p2pchat_protocol::v2::{Seat, SeatState};
use tokio::net::UdpSocket;
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{Shared, peer_at};
use crate::metrics::DropReason;
use crate::presence::{OnlineList, Publisher, SessionId};
use crate::store::StoreError;

/// One byte more than a Hello has, so that a longer datagram is seen to be longer.
const BUFFER: usize = Hello::LEN + 1;
/// After how many datagrams other tasks run: some 50 µs of a flood.
const BATCH: usize = 32;
/// The pause after receiving failed, which has causes that need time (memory).
const PAUSE: Duration = Duration::from_millis(50);

/// Receives Hello datagrams until told to stop. Nothing is ever answered, and nothing is
/// allocated.
pub(super) async fn receive_hellos(socket: UdpSocket, shared: Arc<Shared>) {
    let receiving = async {
        let mut buffer = [0; BUFFER];
        loop {
            for _ in 0..BATCH {
                match socket.recv_from(&mut buffer).await {
                    Ok((length, from)) => shared.hello(&buffer[..length], from),
                    Err(error) => {
                        // Some systems report a datagram that was too long here.
                        tracing::debug!(%error, "a datagram could not be received");
                        sleep(PAUSE).await;
                    }
                }
            }
            yield_now().await;
        }
    };
    shared.stop.run_until_cancelled(receiving).await;
}

/// Takes users offline whose timeout has passed, until told to stop.
pub(super) async fn sweep(shared: Arc<Shared>) {
    let mut ticks = interval(shared.presence.sweep_interval());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shared
        .stop
        .run_until_cancelled(ticks.tick())
        .await
        .is_some()
    {
        let mut expired = 0;
        for shard in 0..shared.presence.shards() {
            for ended in shared.presence.sweep_shard(shard, shared.now()) {
                shared.ended(&ended);
                expired += 1;
            }
            // Between shards, as looking at all users may take milliseconds.
            yield_now().await;
        }
        if expired > 0 {
            tracing::debug!(expired, "users went offline without a Hello");
        }
    }
}

/// Pushes who is online to the subscribers, until told to stop.
pub(super) async fn publish(shared: Arc<Shared>) {
    let mut publisher = Publisher::new(shared.presence.feed());
    let publishing = async {
        loop {
            let next;
            (publisher, next) = turn(&shared, publisher).await;
            let wait = next.map(|next| next.saturating_sub(shared.now()));
            let until_next = async {
                match wait {
                    Some(wait) => sleep(wait).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = shared.presence.feed().work() => {}
                () = until_next => {}
            }
        }
    };
    shared.stop.run_until_cancelled(publishing).await;
}

/// Lets the publisher do what is due, and returns when it has to go on.
async fn turn(shared: &Arc<Shared>, mut publisher: Publisher) -> (Publisher, Option<Duration>) {
    if !publisher.is_slow(&shared.presence) {
        let next = publisher.turn(&shared.presence, shared.now());
        return (publisher, next);
    }
    let for_thread = Arc::clone(shared);
    let turning = tokio::task::spawn_blocking(move || {
        let next = publisher.turn(&for_thread.presence, for_thread.now());
        (publisher, next)
    });
    match turning.await {
        Ok(turned) => turned,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

impl Shared {
    /// Puts a seat online, in a cluster at all registries.
    pub(super) async fn sign_in(
        &self,
        seat: Seat,
        state: SeatState,
    ) -> Result<SessionId, StoreError> {
        match &self.cluster {
            Some(cluster) => cluster.sign_in(self, seat, state).await,
            None => Ok(self.presence.sign_in(seat, state, self.now())),
        }
    }

    fn hello(&self, datagram: &[u8], from: SocketAddr) {
        let (Ok(hello), Some(peer)) = (Hello::decode(datagram), peer_at(from)) else {
            return self.metrics.drops.count(DropReason::NoHello);
        };
        if self.presence.hello(hello.username, peer, self.now()) {
            self.metrics.hellos.inc();
        } else {
            self.metrics.drops.count(DropReason::ForeignHello);
        }
    }

    /// The online list: the one that there is if it is recent enough, else a new one.
    pub(super) async fn online_list(self: &Arc<Self>) -> Arc<OnlineList> {
        match self.presence.recent_list(self.now()) {
            Some(list) => list,
            None => self.rebuild_list().await,
        }
    }

    /// Rebuilds the online list. Requests that come meanwhile wait for the same list, and a
    /// long one is built on a thread that serves no other request.
    async fn rebuild_list(self: &Arc<Self>) -> Arc<OnlineList> {
        let asked = self.now();
        let permit = Arc::clone(&self.listing).lock_owned().await;
        // One that was begun since then is recent, however long it took.
        if let Some(list) = self.presence.recent_list(asked) {
            return list;
        }
        self.metrics.list_rebuilds.inc();
        if self.presence.is_listed_fast() {
            return self.presence.renew_list(self.now());
        }
        let shared = Arc::clone(self);
        let rebuilding = tokio::task::spawn_blocking(move || {
            let list = shared.presence.renew_list(shared.now());
            // Not before: the client may be gone, and the next one must not begin another.
            drop(permit);
            list
        });
        rebuilding.await.unwrap_or_else(|error| {
            tracing::error!(%error, "the online list could not be rebuilt");
            self.presence.latest_list()
        })
    }
}
