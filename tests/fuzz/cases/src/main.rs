//! `p2pchat-fuzz-corpus`: between the committed inputs and the folders that fuzzers work on.

use std::path::PathBuf;
use std::process::ExitCode;

use p2pchat_fuzz_cases::{CASES, Corpus};

const USAGE: &str = "usage: p2pchat-fuzz-corpus unpack|pack FOLDER [TARGET…]
unpack  writes the committed inputs of each target into FOLDER/TARGET
pack    makes the files in FOLDER/TARGET the committed inputs; regressions stay";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(action), Some(folder)) = (arguments.next(), arguments.next()) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let folder = PathBuf::from(folder);
    let named: Vec<String> = arguments.collect();
    for (target, _) in CASES {
        if !named.is_empty() && !named.iter().any(|name| name == target) {
            continue;
        }
        let files = folder.join(target);
        let done = match action.as_str() {
            "unpack" => Corpus::read(target).and_then(|corpus| corpus.unpack(&files)),
            "pack" => Corpus::read(target).and_then(|mut corpus| {
                corpus.pack(&files)?;
                corpus.write(target)
            }),
            _ => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        };
        if let Err(error) = done {
            eprintln!("{target}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
