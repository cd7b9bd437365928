//! The inputs that fuzzing found worth keeping, and those that once failed, in seconds.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeSet;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use p2pchat_fuzz_cases::{CASES, Corpus};

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

/// One test and not one a target: a panic in a task of one would fail another.
#[test]
fn every_kept_input_holds() {
    count_panics();
    let mut failed = Vec::new();
    for (name, case) in CASES {
        let corpus = Corpus::read(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!corpus.inputs.is_empty(), "no corpus of {name}");
        for input in corpus.inputs.iter().chain(corpus.regressions.values()) {
            let panics = PANICS.load(Ordering::SeqCst);
            let ended = panic::catch_unwind(AssertUnwindSafe(|| case(&input.0)));
            if ended.is_err() || PANICS.load(Ordering::SeqCst) > panics {
                failed.push((name, input.0.escape_ascii().to_string()));
            }
        }
    }
    assert!(failed.is_empty(), "these do not hold: {failed:#?}");
}

/// Every target has its case and its corpus, and the other way round.
#[test]
fn targets_cases_and_corpora_belong_together() {
    let cases: BTreeSet<_> = CASES.iter().map(|(name, _)| (*name).to_owned()).collect();
    for folder in ["fuzz_targets", "corpus"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(folder);
        let files = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path());
        let names = files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned());
        assert_eq!(names.collect::<BTreeSet<_>>(), cases);
    }
}
