//! The attacks: each says what is done, and what has to hold then.

use std::fmt;
use std::time::Instant;

use anyhow::Result;
use clap::ValueEnum;
use p2pchat_testkit::Device;

use super::scene::{Group, Scene, Target};
use super::{floods, lies, sessions};
use crate::Report;

/// What a member does who keeps no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Attack {
    /// Entries that their writer did not sign
    Forged,
    /// Entries of another conversation, and of none that anybody knows
    Elsewhere,
    /// Two chains of one log, one shown to each
    Fork,
    /// Entries from the year 2099
    Future,
    /// Invitations, renames, removals and messages after being removed
    Removed,
    /// Receipts for what was never taken
    Receipts,
    /// More joins than a person may have
    Selves,
    /// Invitations of people that no one knows
    Invitations,
    /// Conversations that nobody knows
    Unknown,
    /// Messages, as fast as they are read, and again when they are asked for
    Talk,
    /// Wants of everything, again and again, whose answers are not read
    Wants,
    /// Signs of writing and of reading
    Ephemeral,
    /// Frames that are huge, broken or cut in half, and silence
    Frames,
    /// Hellos with the certificates of others
    Certificates,
}

/// What an attack has.
pub(super) struct Ground {
    pub(super) device: Device,
    /// Alice and bob.
    pub(super) targets: [Target; 2],
    pub(super) group: Group,
    /// How much of everything a flood has.
    pub(super) many: usize,
}

impl Attack {
    /// What goes before.
    pub(super) async fn prepare(self, scene: &mut Scene, ground: &mut Ground) -> Result<()> {
        match self {
            Self::Removed => lies::be_removed(scene, ground).await,
            _ => Ok(()),
        }
    }

    /// Does it.
    pub(super) async fn harm(self, ground: &mut Ground) -> Result<()> {
        match self {
            Self::Forged => lies::forged(ground).await,
            Self::Elsewhere => lies::elsewhere(ground).await,
            Self::Fork => lies::fork(ground).await,
            Self::Future => lies::future(ground).await,
            Self::Removed => lies::removed(ground).await,
            Self::Receipts => lies::receipts(ground).await,
            Self::Selves => floods::selves(ground).await,
            Self::Invitations => floods::invitations(ground).await,
            Self::Unknown => floods::unknown(ground).await,
            Self::Talk => floods::talk(ground).await,
            Self::Wants => floods::wants(ground).await,
            Self::Ephemeral => floods::ephemeral(ground).await,
            Self::Frames => sessions::frames(ground).await,
            Self::Certificates => sessions::certificates(ground).await,
        }
    }

    /// Checks what has to hold after this attack, beside what always has to.
    pub(super) async fn check(
        self,
        scene: &mut Scene,
        ground: &mut Ground,
        since: Instant,
        report: &mut Report,
    ) -> Result<()> {
        let name = ground.group.name;
        match self {
            Self::Forged | Self::Removed => lies::check_roster(scene, name, self, report).await,
            Self::Fork => {
                scene.sees_end(name, since).await?;
                scene.check_told_once(name, report);
                lies::check_fork(scene, name, report).await
            }
            Self::Future => lies::check_future(scene, report),
            Self::Receipts => lies::check_receipts(scene, ground, report).await,
            Self::Invitations => floods::check_invitations(scene, name, report).await,
            Self::Ephemeral => floods::check_ephemeral(scene, since, report),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}
