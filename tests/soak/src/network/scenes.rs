//! The scenes: each is one story, from the chat that stands to the chat that goes on.

use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;
use p2pchat_protocol::v2::registry::SILENCE;

use super::stage::Stage;

mod cable;
mod groups;
mod registry;
mod talk;
mod vanish;

/// The number of the host that the registry is on, where it is on one of three.
const HUB: u8 = 1;
/// How long a text may take on a network that has nothing wrong, on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(10);
/// How long it may take until a user is told that another one is unreachable.
const TOLD: Duration = Duration::from_secs(30);
/// How long it may take to find the registry gone, or back: it counts as gone after this silence;
/// the pause between two tries is at most 30 s, and a try takes at most 15 s.
const REGISTRY: Duration = SILENCE.saturating_add(AT_ONCE);

/// What happens to the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scene {
    /// A user's cable is pulled during a chat, and put back
    Cable,
    /// Two lose each other while both talk, and find each other again
    Pair,
    /// A host vanishes without a word, and comes back with a fresh program
    Vanish,
    /// Three packets of ten are lost
    Loss,
    /// Everything takes half a second each way
    Delay,
    /// The registry's host is cut off until no one is online any more
    Registry,
    /// The registry's host starts again, and connections to it hang
    Reboot,
    /// In an encrypted group, a cable is pulled, and put back
    GroupCable,
    /// In an encrypted group, packets are late, and one of twenty is lost
    GroupLoss,
    /// In an encrypted group, the host of who wrote last vanishes
    GroupVanish,
    /// In an encrypted group, a laptop moves to another network
    GroupMove,
    /// In an encrypted group, the program of a laptop runs on where the network is another, or none
    GroupRoam,
}

impl Scene {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Cable => "a cable is pulled",
            Self::Pair => "two are cut off from each other",
            Self::Vanish => "a host vanishes",
            Self::Loss => "30 % of all packets are lost",
            Self::Delay => "500 ms each way",
            Self::Registry => "the registry is cut off",
            Self::Reboot => "the registry's host starts again",
            Self::GroupCable => "an encrypted group, a cable is pulled",
            Self::GroupLoss => "an encrypted group, 100 ms each way and 5 % lost",
            Self::GroupVanish => "an encrypted group, a host vanishes",
            Self::GroupMove => "an encrypted group, a laptop moves",
            Self::GroupRoam => "an encrypted group, a laptop is in another network, or in none",
        }
    }

    pub(super) async fn play(self, stage: &mut Stage<'_>) -> Result<()> {
        match self {
            Self::Cable => cable::cable(stage).await,
            Self::Pair => cable::pair(stage).await,
            Self::Vanish => vanish::vanish(stage).await,
            Self::Loss => talk::loss(stage).await,
            Self::Delay => talk::delay(stage).await,
            Self::Registry => registry::registry(stage).await,
            Self::Reboot => registry::reboot(stage).await,
            Self::GroupCable => groups::cable(stage).await,
            Self::GroupLoss => groups::loss(stage).await,
            Self::GroupVanish => groups::vanish(stage).await,
            Self::GroupMove => groups::moves(stage).await,
            Self::GroupRoam => groups::roams(stage).await,
        }
    }
}

impl std::fmt::Display for Scene {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}
