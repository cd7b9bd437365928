//! Sees to it that a release build embeds the web UI of today.

/// Where `trunk build` puts it.
const DIST: &str = "../dist";

fn main() {
    // New files have new names, so the folder is watched, not what was embedded last. One
    // that is not there counts as changed: then each release build looks for it anew. A
    // debug build reads it when it starts.
    if std::env::var_os("CARGO_CFG_DEBUG_ASSERTIONS").is_none() {
        println!("cargo::rerun-if-changed={DIST}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
