//! What machine the figures are from.

use std::fs;
use std::process::Command;

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
    fn the_machine_has_a_core_at_least() {
        assert!(describe().starts_with("The machine: "));
        assert!(describe().contains(" cores"), "{}", describe());
    }
}
