//! Checks of how much a machine holds.

use super::super::peers::Running;
use super::super::sabotage::Sabotage;
use super::super::world::World;
use super::{Verdict, ensure};

impl World {
    /// Whatever others send, and however long a machine runs, it holds no more of
    /// anything than the limit that it names.
    pub(crate) fn what_is_held_is_bounded(&self, running: &Running) -> Verdict {
        let holdings = running.machine.usage();
        let hoards = usize::from(self.mix.sabotage == Some(Sabotage::Hoard)) * 1_000_000;
        assert!(!holdings.is_empty(), "nothing is looked at");
        holdings.iter().try_for_each(|holding| {
            ensure(holding.count + hoards <= holding.limit, || {
                format!(
                    "holds {} {}, {} are allowed",
                    holding.count, holding.what, holding.limit
                )
            })
        })
    }
}
