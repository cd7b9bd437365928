//! The inputs that fuzzing found worth keeping, and those that once failed, in seconds.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use p2pchat_fuzz_cases::CASES;

/// The panics of this process, whatever thread or task they were in: an abort in a fuzz
/// target, but a task that panics is noticed by nobody here.
static PANICS: AtomicUsize = AtomicUsize::new(0);

fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let default = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.fetch_add(1, Ordering::SeqCst);
            default(info);
        }));
    });
}

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// One test and not one a target: a panic in a task of one would fail another.
#[test]
fn every_kept_input_holds() {
    count_panics();
    let mut failed = Vec::new();
    for (name, case) in CASES {
        let mut inputs = files(&fuzz_folder().join("corpus").join(name));
        assert!(!inputs.is_empty(), "no corpus of {name}");
        inputs.extend(files(&fuzz_folder().join("regressions").join(name)));
        for path in inputs {
            let input = fs::read(&path).unwrap();
            let panics = PANICS.load(Ordering::SeqCst);
            let ended = panic::catch_unwind(AssertUnwindSafe(|| case(&input)));
            if ended.is_err() || PANICS.load(Ordering::SeqCst) > panics {
                failed.push(path);
            }
        }
    }
    assert!(failed.is_empty(), "these do not hold: {failed:#?}");
}

/// Whoever adds a case has to add its target, and the other way round.
#[test]
fn every_target_has_its_case() {
    let mut targets: Vec<_> = files(&fuzz_folder().join("fuzz_targets"))
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let mut cases: Vec<_> = CASES.iter().map(|(name, _)| (*name).to_owned()).collect();
    targets.sort();
    cases.sort();
    assert_eq!(targets, cases);
    for folder in ["corpus", "regressions"] {
        for path in files(&fuzz_folder().join(folder)) {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            assert!(cases.contains(&name), "{folder}/{name} is of no target");
        }
    }
}
