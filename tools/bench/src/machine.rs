//! What machine the figures are from.

use std::fs;
use std::process::Command;
use std::time::Duration;

/// How long it is looked whether something else runs.
const LOOK: Duration = Duration::from_millis(500);

/// Processor, cores, memory and system, in one sentence; what cannot be found out is
/// left out.
#[must_use]
pub fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let mut parts = vec![format!("{cores} cores")];
    parts.extend(after("/proc/cpuinfo", "model name").map(|name| format!("of {name}")));
    let kibibytes = after("/proc/meminfo", "MemTotal")
        .and_then(|text| text.trim_end_matches(" kB").trim().parse::<u64>().ok());
    parts.extend(kibibytes.map(|size| format!("with {} GiB of memory", size.div_ceil(1 << 20))));
    let kernel = Command::new("uname").arg("-sr").output().ok();
    let kernel = kernel.and_then(|output| String::from_utf8(output.stdout).ok());
    parts.extend(kernel.map(|text| format!("on {}", text.trim())));
    parts.extend(rustc().map(|rustc| format!("with {rustc}")));
    format!("The machine: {}.", parts.join(" "))
}

/// The share of the time of all cores that programs take now, while this one waits: what
/// is measured shares the cores with them. `None` if the system does not tell.
#[must_use]
pub fn busy() -> Option<f64> {
    let [idle, all] = times()?;
    std::thread::sleep(LOOK);
    let [later_idle, later_all] = times()?;
    // Ticks stay far below 2^52: exact.
    let (idle, all) = ((later_idle - idle) as f64, (later_all - all) as f64);
    (all > 0.0).then(|| 1.0 - idle / all)
}

/// How many ticks the cores were idle so far, and how many there were.
fn times() -> Option<[u64; 2]> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let ticks = stat.lines().next()?.split_whitespace().skip(1);
    let ticks: Vec<u64> = ticks.map_while(|tick| tick.parse().ok()).collect();
    // The fourth is idle, the fifth waits for a disk.
    let idle = ticks.get(3)? + ticks.get(4)?;
    Some([idle, ticks.iter().sum()])
}

/// The compiler, as it calls itself.
#[must_use]
pub fn rustc() -> Option<String> {
    let output = Command::new("rustc").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned())
}

/// What stands behind the colon of the first line that begins so.
fn after(file: &str, begin: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(begin))?;
    let (_, value) = line.split_once(':')?;
    Some(value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cores_are_busy_for_a_part_of_the_time() {
        if let Some(busy) = busy() {
            assert!((0.0..=1.0).contains(&busy), "{busy}");
        }
    }

    #[test]
    fn the_machine_has_a_core_at_least() {
        assert!(describe().starts_with("The machine: "));
        assert!(describe().contains(" cores"), "{}", describe());
    }
}
