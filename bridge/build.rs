//! Makes a release build embed the current web UI.

/// The folder that `trunk build` writes the web UI to.
const DIST: &str = "../dist";

fn main() {
    // The folder is watched and not the files in it: a new file has a new name. A folder
    // that is missing counts as changed, so each release build looks for it again. A debug
    // build reads the folder at run time.
    if std::env::var_os("CARGO_CFG_DEBUG_ASSERTIONS").is_none() {
        println!("cargo::rerun-if-changed={DIST}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
