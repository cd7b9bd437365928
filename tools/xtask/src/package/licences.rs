//! The licence texts of everything that is linked into the programs and the page.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::kit::Kit;
use super::targets::Target;
use crate::cargo::cargo;
use crate::{process, tools};

/// What stands between two texts.
const LINE: &str =
    "\n--------------------------------------------------------------------------------\n\n";
/// The packages of cargo that are handed out, with the page, which is inside the bridge.
const PACKAGES: [&str; 3] = ["registry", "peer-native", "bridge"];
const PAGE: &str = "peer-web";

/// The crates that each text is of, by the name of the licence and the text.
type Texts = BTreeMap<(String, String), BTreeSet<String>>;

/// All texts for a target, to be read by people.
///
/// # Errors
/// If a crate has a licence that `packaging/about.toml` does not have, or no text.
pub(super) async fn of(target: &Target, kit: &Kit) -> Result<String> {
    // cargo-about asks cargo about all systems, and not the network.
    process::output(cargo().args(["fetch", "--locked"])).await?;
    let mut texts = Texts::new();
    for package in PACKAGES {
        add(&mut texts, &of_crates(package, target.triple, kit).await?)?;
    }
    add(&mut texts, &of_crates(PAGE, tools::WASM, kit).await?)?;
    ensure!(!texts.is_empty(), "cargo-about has found no licence");
    let mut all = "p2pchat is made from the work of others. What is linked into its programs and \
                   into its page, and the licence of each, comes here. SQLite, which is inside \
                   libsqlite3-sys, is in the public domain.\n"
        .to_owned();
    for ((licence, text), crates) in &texts {
        let crates: Vec<&str> = crates.iter().map(String::as_str).collect();
        let crates = crates.join(", ");
        all += &format!("{LINE}{licence}: {crates}\n\n{}\n", text.trim_end());
    }
    for (what, path) in of_toolchain(target, kit) {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        all += &format!("{LINE}{what}\n\n{}\n", text.trim_end());
    }
    Ok(all)
}

/// The notices of Rust's standard library, which is in every program.
///
/// # Errors
/// If the toolchain came without them.
pub(super) async fn of_rust() -> Result<Vec<u8>> {
    let path = tools::sysroot()
        .await?
        .join("share/doc/rust/COPYRIGHT-library.html");
    fs::read(&path).with_context(|| format!("Rust came without {}", path.display()))
}

/// What the linker adds.
fn of_toolchain(target: &Target, kit: &Kit) -> Vec<(&'static str, PathBuf)> {
    let zig = kit.zig_folder().join("ziglang");
    let mut all = vec![(
        "The runtime of zig, which has linked the programs",
        zig.join("LICENSE"),
    )];
    if target.triple.ends_with("musl") {
        all.push(("musl, the C library", zig.join("lib/libc/musl/COPYRIGHT")));
    }
    if target.is_windows() {
        all.push((
            "mingw-w64, the C library",
            zig.join("lib/libc/mingw/COPYING"),
        ));
    }
    all
}

async fn of_crates(package: &str, triple: &str, kit: &Kit) -> Result<Value> {
    let output = tempfile::NamedTempFile::new()?;
    let mut about = kit.about();
    about
        .args([
            "generate",
            "--offline",
            "--locked",
            "--fail",
            "--format=json",
        ])
        .args(["--config", "packaging/about.toml", "--target", triple])
        .args(["--manifest-path", &format!("{package}/Cargo.toml")])
        .arg("--output-file")
        .arg(output.path());
    process::output(&mut about).await?;
    read(output.path())
}

fn read(path: &Path) -> Result<Value> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

fn add(texts: &mut Texts, found: &Value) -> Result<()> {
    let licences = found["licenses"].as_array().context("no licences")?;
    for licence in licences {
        let word = |name: &str| licence[name].as_str().with_context(|| format!("no {name}"));
        let key = (word("name")?.to_owned(), word("text")?.to_owned());
        let crates = texts.entry(key).or_default();
        for user in licence["used_by"].as_array().context("used by nothing")? {
            let (name, version) = (&user["crate"]["name"], &user["crate"]["version"]);
            let (name, version) = name.as_str().zip(version.as_str()).context("no crate")?;
            crates.insert(format!("{name} {version}"));
        }
    }
    for user in licences
        .iter()
        .filter_map(|licence| licence["used_by"].as_array())
    {
        for user in user {
            add_files(texts, &user["crate"])?;
        }
    }
    Ok(())
}

/// Adds what cargo-about leaves out, as it wants one text for each licence: notices, and all
/// terms of a crate that brings code of other languages (`links` in its manifest), such as ring.
fn add_files(texts: &mut Texts, package: &Value) -> Result<()> {
    let manifest = package["manifest_path"].as_str().context("no manifest")?;
    let folder = Path::new(manifest).parent().context("no folder")?;
    let wanted: &[&str] = if package["links"].is_null() {
        &["notice"]
    } else {
        &["notice", "licen", "copying"]
    };
    for file in files_named(folder, wanted)? {
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let name = file.strip_prefix(folder)?.display();
        let (package, version) = (&package["name"], &package["version"]);
        let of = package.as_str().zip(version.as_str()).context("no crate")?;
        let crates = texts.entry((format!("{name} of {}", of.0), text));
        crates.or_default().insert(format!("{} {}", of.0, of.1));
    }
    Ok(())
}

/// The files in a folder, and in those inside it, whose names begin with one of these words.
fn files_named(folder: &Path, wanted: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_lowercase();
        let is_source = [".rs", ".c", ".h"].iter().any(|end| name.ends_with(end));
        if entry.file_type()?.is_dir() {
            found.extend(files_named(&entry.path(), wanted)?);
        } else if !is_source && wanted.iter().any(|word| name.starts_with(word)) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn package(name: &str, folder: &Path, links: &Value) -> Value {
        let manifest = folder.join("Cargo.toml");
        json!({ "name": name, "version": "1.0.0", "manifest_path": manifest, "links": links })
    }

    fn found(name: &str, text: &str, folder: &Path) -> Value {
        json!({ "licenses": [{
            "name": "MIT License", "text": text,
            "used_by": [{ "crate": package(name, folder, &Value::Null) }],
        }]})
    }

    #[test]
    fn a_text_of_several_crates_is_there_once_and_names_them() {
        let folder = tempfile::tempdir().unwrap();
        let mut texts = Texts::new();
        for (name, text) in [("a", "x"), ("b", "x"), ("c", "y"), ("a", "x")] {
            add(&mut texts, &found(name, text, folder.path())).unwrap();
        }
        let crates: Vec<_> = texts.values().map(BTreeSet::len).collect();
        assert_eq!(crates, [2, 1]);
        assert!(add(&mut texts, &json!({})).is_err());
    }
    #[test]
    fn all_terms_are_kept_of_a_crate_that_brings_c_and_else_the_notices() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("third_party");
        fs::create_dir(&inside).unwrap();
        fs::write(inside.join("LICENSE"), "of others").unwrap();
        fs::write(folder.path().join("license.rs"), "code").unwrap();
        fs::write(folder.path().join("NOTICE"), "thanks").unwrap();
        for (links, number) in [(json!("ring"), 2), (Value::Null, 1)] {
            let mut texts = Texts::new();
            add_files(&mut texts, &package("a", folder.path(), &links)).unwrap();
            assert_eq!(texts.len(), number, "{texts:?}");
        }
    }
}
