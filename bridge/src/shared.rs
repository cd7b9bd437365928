//! The state that all connections of a bridge share.

use std::sync::atomic::AtomicBool;

use p2pchat_profile::Profile;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::assets::Assets;
use crate::gate::Gate;
use crate::limits::Limits;
use crate::secret::Secret;

/// The state that all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) gate: Gate,
    pub(crate) secret: Secret,
    pub(crate) assets: Assets,
    pub(crate) limits: Limits,
    /// The profile that each page joins as a front end.
    pub(crate) profile: Profile,
    /// Whether the bridge stops because the peer has.
    pub(crate) peer_stopped: AtomicBool,
    /// Cancelled when the bridge stops.
    pub(crate) stop: CancellationToken,
    /// The tasks of all connections.
    pub(crate) tasks: TaskTracker,
}
