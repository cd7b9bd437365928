//! Which core runs what: servers on the first, all of ours and of the limit alike; what
//! loads them on the others. A server that shares its core with its load is measured
//! together with the scheduler.

use anyhow::Result;

/// Who runs on a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What is measured.
    Server,
    /// What loads it, and measures.
    Load,
    /// What needs the whole machine: a compiler.
    All,
}

/// Moves this thread, and with it whatever it starts from now on, to the cores of a
/// side. On a machine with one core all sides share it.
///
/// # Errors
/// If the system refuses.
#[cfg(target_os = "linux")]
pub fn to(side: Side) -> Result<()> {
    use anyhow::Context;
    use rustix::thread::{CpuSet, sched_setaffinity};

    let cores = cores()?;
    let (first, others) = cores.split_first().context("no core to run on")?;
    let mut set = CpuSet::new();
    if side != Side::Load || others.is_empty() {
        set.set(*first);
    }
    if side != Side::Server {
        others.iter().for_each(|core| set.set(*core));
    }
    sched_setaffinity(None, &set).context("cannot choose the cores to run on")
}

/// Other systems than Linux have no such call.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn to(_: Side) -> Result<()> {
    anyhow::bail!("only Linux lets programs choose the cores that they run on")
}

/// The cores that this process was given when it began.
#[cfg(target_os = "linux")]
fn cores() -> Result<Vec<usize>> {
    use anyhow::Context;
    use rustix::thread::{CpuSet, sched_getaffinity};
    use std::sync::OnceLock;

    static CORES: OnceLock<Vec<usize>> = OnceLock::new();
    if let Some(cores) = CORES.get() {
        return Ok(cores.clone());
    }
    let set = sched_getaffinity(None).context("cannot tell the cores to run on")?;
    let cores = (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core));
    Ok(CORES.get_or_init(|| cores.collect()).clone())
}
