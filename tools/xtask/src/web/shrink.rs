//! What makes the page smaller than trunk leaves it.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::INDEX;
use crate::process;
use crate::tools::Toolbox;

/// How many digits a hash has in the names by which the script of wasm-bindgen and the program
/// know each other's functions.
const DIGITS: usize = 16;
/// The first of the numbers that take the place of hashes.
const FIRST: usize = 1_000_000;

/// Shrinks the files of the page in this folder.
pub(super) async fn all(folder: &Path, files: &[PathBuf], toolbox: &Toolbox) -> Result<()> {
    join_styles(folder, &ending(files, ".css"))?;
    let scripts = ending(files, ".js");
    for script in &scripts {
        let text = fs::read_to_string(script)?;
        let names = hashes(&text);
        fs::write(script, renamed(&text, &names))?;
        let mut esbuild = toolbox.esbuild();
        esbuild.args(["--minify", "--log-level=warning", "--allow-overwrite"]);
        let outfile = format!("--outfile={}", script.display());
        process::run(esbuild.arg(outfile).arg(script)).await?;
        for program in ending(files, ".wasm") {
            fs::write(&program, renamed_bytes(fs::read(&program)?, &names))?;
        }
    }
    Ok(())
}

fn ending(files: &[PathBuf], end: &str) -> Vec<PathBuf> {
    let files = files.iter();
    let wanted = files.filter(|file| file.to_string_lossy().ends_with(end));
    wanted.cloned().collect()
}

/// Makes one style sheet of all, in the order of the page: together they compress better.
fn join_styles(folder: &Path, sheets: &[PathBuf]) -> Result<()> {
    let index = folder.join(INDEX);
    let mut page = fs::read_to_string(&index).context(INDEX)?;
    let mut placed = Vec::new();
    for sheet in sheets {
        let name = sheet.file_name().unwrap_or_default().to_string_lossy();
        if let Some(at) = page.find(&*name) {
            placed.push((at, name.into_owned(), sheet));
        }
    }
    placed.sort();
    let Some((_, first, _)) = placed.first().cloned() else {
        return Ok(());
    };
    let mut joined = String::new();
    for (_, name, sheet) in &placed {
        joined += &fs::read_to_string(sheet)?;
        fs::remove_file(sheet)?;
        if *name != first {
            page = without_tag(&page, name);
        }
    }
    let mut hasher = DefaultHasher::new();
    joined.hash(&mut hasher);
    let name = format!("style-{:016x}.css", hasher.finish());
    fs::write(folder.join(&name), joined)?;
    fs::write(index, page.replace(&first, &name))?;
    Ok(())
}

/// The page without the element that names this file.
fn without_tag(page: &str, name: &str) -> String {
    let (before, after) = page.split_once(name).unwrap_or((page, ""));
    let before = before.rfind('<').map_or(before, |at| &before[..at]);
    let after = after.split_once('>').map_or("", |(_, after)| after);
    format!("{before}{after}")
}

/// The hash of a function, and the number that takes its place.
type Renamed = (String, String);

/// The hashes in the names of functions, each once. Only functions that are called the same get
/// different numbers, so nearly all have one that compresses to nothing.
fn hashes(script: &str) -> Vec<Renamed> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (at, _) in script.match_indices('_') {
        let (before, part) = (&script[..at], &script[at + 1..]);
        let digits = part.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let hash = &part[..digits];
        let is_hash = digits == DIGITS && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
        // Those of closures are numbers already.
        let is_number = hash.starts_with("00000000");
        if is_hash && !is_number {
            let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
            let name = &before[before.trim_end_matches(is_of_name).len()..];
            let known = found.entry(name.to_owned()).or_default();
            if !known.iter().any(|known| known == hash) {
                known.push(hash.to_owned());
            }
        }
    }
    let numbered = |hashes: Vec<String>| {
        let numbered = hashes.into_iter().enumerate();
        numbered.map(|(nth, hash)| (hash, number(nth)))
    };
    found.into_values().flat_map(numbered).collect()
}

/// With numbers in place of the hashes, which do not compress.
fn renamed(script: &str, hashes: &[Renamed]) -> String {
    hashes
        .iter()
        .fold(script.to_owned(), |script, (hash, number)| {
            script.replace(hash, number)
        })
}

/// The same of a program: the numbers are as long as the hashes.
fn renamed_bytes(mut program: Vec<u8>, hashes: &[Renamed]) -> Vec<u8> {
    for at in 1..program.len().saturating_sub(DIGITS) {
        if program[at - 1] != b'_' {
            continue;
        }
        let place = &mut program[at..at + DIGITS];
        let mut hashes = hashes.iter();
        if let Some((_, number)) = hashes.find(|(hash, _)| hash.as_bytes() == place) {
            place.copy_from_slice(number.as_bytes());
        }
    }
    program
}

/// None that is there already.
fn number(nth: usize) -> String {
    format!("{:0DIGITS$}", nth + FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn script_and_program_still_know_each_other() {
        let script = "x = {\n__wbg_a_0123456789abcdef: 1,\n__wbg_c_2123456789abcdef: 1,\n__wbg_a_1123456789abcdef: 1,\nb_0000000000000000: 2 };\n";
        let names = hashes(script);
        let expected = "x = {\n__wbg_a_0000000001000000: 1,\n__wbg_c_0000000001000000: 1,\n__wbg_a_0000000001000001: 1,\nb_0000000000000000: 2 };\n";
        assert_eq!(renamed(script, &names), expected);
        let program = renamed_bytes(b"\0\x1a__wbg_a_0123456789abcdef\0".to_vec(), &names);
        assert_eq!(program, b"\0\x1a__wbg_a_0000000001000000\0");
    }

    #[test]
    fn all_styles_are_one_in_the_order_of_the_page() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(
            path(INDEX),
            "<link href=/b.css rel=stylesheet><link href=/a.css rel=stylesheet><p>",
        )
        .unwrap();
        fs::write(path("a.css"), "a{}").unwrap();
        fs::write(path("b.css"), "b{}").unwrap();
        join_styles(folder.path(), &[path("a.css"), path("b.css")]).unwrap();
        let page = fs::read_to_string(path(INDEX)).unwrap();
        let name = page.strip_prefix("<link href=/").unwrap();
        let name = name.strip_suffix(" rel=stylesheet><p>").unwrap();
        assert_eq!(fs::read_to_string(path(name)).unwrap(), "b{}a{}");
    }
}
