//! Which core runs what: servers on the first, all of ours and of the limit alike; what
//! loads them on the others. A server that shares its core with its load is measured
//! together with the scheduler.

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Who runs on a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What is measured.
    Server,
    /// What loads it, and measures.
    Load,
}

/// Moves this thread, and with it whatever it starts from now on, to the cores of a
/// side. On a machine with one core both sides share it.
///
/// # Errors
/// If the system refuses.
pub fn to(side: Side) -> Result<()> {
    let cores = cores()?;
    let (first, others) = cores.split_first().context("no core to run on")?;
    let mut set = CpuSet::new();
    match side {
        Side::Server => set.set(*first),
        Side::Load if others.is_empty() => set.set(*first),
        Side::Load => others.iter().for_each(|core| set.set(*core)),
    }
    sched_setaffinity(None, &set).context("cannot choose the cores to run on")
}

/// The cores that this process was given when it began.
fn cores() -> Result<Vec<usize>> {
    use std::sync::OnceLock;
    static CORES: OnceLock<Vec<usize>> = OnceLock::new();
    if let Some(cores) = CORES.get() {
        return Ok(cores.clone());
    }
    let set = sched_getaffinity(None).context("cannot tell the cores to run on")?;
    let cores = (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core));
    Ok(CORES.get_or_init(|| cores.collect()).clone())
}
