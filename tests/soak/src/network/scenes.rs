//! What is played: each scene is one story, from the chat that stands to the chat that
//! goes on.

mod cable;
mod delay;
mod loss;
mod pair;
mod reboot;
mod registry;
mod talk;
mod vanish;

pub(super) use cable::play as cable;
pub(super) use delay::play as delay;
pub(super) use loss::play as loss;
pub(super) use pair::play as pair;
pub(super) use reboot::play as reboot;
pub(super) use registry::play as registry;
pub(super) use vanish::play as vanish;

use std::time::Duration;

/// The number of the host that the registry is on, where it is on one of three.
const HUB: u8 = 1;
/// How long a text may take on a network that has nothing wrong, on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(10);
/// How long anybody may be left in the dark about somebody who cannot be reached.
const TOLD: Duration = Duration::from_secs(30);
/// How long it may take to find the registry gone, or back: a question is asked every
/// 5 s and may take 15 s to be answered; the pause between two tries is 30 s at the most.
const REGISTRY: Duration = Duration::from_secs(45);
