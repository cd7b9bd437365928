//! `cargo xtask test`: every check, one after the other, summed up in one line.

mod report;
mod steps;
mod tally;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::mongod::MongoDb;
use crate::{deny, network, sbom, web};
use report::Report;

/// What to check.
#[derive(Debug, Args)]
pub struct Options {
    /// Only this step; may be given several times
    #[arg(long, value_name = "STEP")]
    only: Vec<Step>,
}

/// One of the checks, in the order in which they run: the quick ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Step {
    /// Formatting, by rustfmt
    Fmt,
    /// The web page, and what it weighs; before the lints, so that the bridge has it
    Web,
    /// Licences, sources, bans and advisories of what p2pchat is made of, by cargo-deny
    Deny,
    /// Bills of materials, which have to have all that is built
    Sbom,
    /// Lints, by clippy
    Clippy,
    /// The documentation of every item, its links included
    Doc,
    /// That the protocol and the model build for browsers
    Wasm,
    /// Bring a MongoDB (a step of its own because it can fail), then all tests
    Tests,
    /// The tests of the web page that run inside a headless Chromium
    Browser,
    /// The built programs and the web page, end to end, in a headless Chromium
    E2e,
}

/// Runs the checks. All of them run, whatever becomes of the first ones.
///
/// # Errors
/// Only if this program itself is in trouble: a check that fails is part of the report.
pub async fn run(options: &Options) -> Result<ExitCode> {
    let steps: Vec<Step> = Step::value_variants()
        .iter()
        .copied()
        .filter(|step| options.only.is_empty() || options.only.contains(step))
        .collect();
    let mut report = Report::default();
    for (index, step) in steps.iter().enumerate() {
        println!("\n[{}/{}] {}", index + 1, steps.len(), step.title());
        let start = Instant::now();
        match step {
            Step::Fmt => report.step("fmt", start, steps::fmt().await),
            Step::Web => report.step("web", start, web::build().await),
            Step::Deny => report.told("deny", start, deny::run().await),
            Step::Sbom => report.step("sbom", start, sbom::run(&sbom::Options::default()).await),
            Step::Clippy => report.step("clippy", start, steps::clippy().await),
            Step::Doc => report.step("doc", start, steps::doc().await),
            Step::Wasm => report.step("wasm", start, steps::wasm().await),
            Step::Tests => tests(&mut report).await,
            Step::Browser => report.tests("browser", start, steps::browser().await),
            Step::E2e => report.tests("e2e", start, steps::e2e().await),
        }
    }
    report.print();
    Ok(match report.is_good() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

async fn tests(report: &mut Report) {
    let start = Instant::now();
    let (mongodb, brought) = match MongoDb::bring().await {
        Ok(mongodb) => (Some(mongodb), Ok(())),
        Err(error) => (None, Err(error)),
    };
    report.step("mongod", start, brought);
    network::bring().await;
    let start = Instant::now();
    report.tests("tests", start, steps::tests(mongodb.as_ref()).await);
}

impl Step {
    fn title(self) -> &'static str {
        match self {
            Self::Fmt => "formatting",
            Self::Web => "the web page",
            Self::Deny => "what p2pchat is made of",
            Self::Sbom => "bills of materials",
            Self::Clippy => "lints",
            Self::Doc => "documentation",
            Self::Wasm => "the build for browsers",
            Self::Tests => "all tests, with a MongoDB",
            Self::Browser => "the tests of the web page, in Chromium",
            Self::E2e => "everything together, in Chromium",
        }
    }
}
