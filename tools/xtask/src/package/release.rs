//! What all packages of a release have in common.

use std::collections::BTreeMap;
use std::env;

use anyhow::{Context, Result};
use jiff::Timestamp;
use tokio::process::Command;

use super::VERSION;
use super::bills::Bills;
use super::build::Built;
use super::documents::Documents;
use super::kit::Kit;
use super::licences;
use super::targets::Target;
use crate::cargo::root;
use crate::paths::Builder;
use crate::process;

/// A release: of a version, from a commit.
#[derive(Debug)]
pub(super) struct Release {
    /// The version of all programs.
    pub(super) version: &'static str,
    /// When the commit was made, in seconds since 1970. The time of everything.
    pub(super) time: u64,
    /// The same, as AppStream has it: `2026-11-29`.
    pub(super) date: String,
    /// The same, as mails have it.
    pub(super) mail_date: String,
    /// Where things are on this machine.
    pub(super) builder: Builder,
    /// The tools.
    pub(super) kit: Kit,
    /// What writes the bills of materials.
    pub(super) bills: Bills,
    /// Manual pages and completions.
    pub(super) documents: Documents,
    /// The notices of Rust's standard library.
    pub(super) of_rust: Vec<u8>,
    /// The licence texts, by the target that they are of.
    licences: BTreeMap<&'static str, String>,
}

impl Release {
    /// Finds out what it is, and brings the tools.
    ///
    /// # Errors
    /// If there is no commit, or a tool cannot be brought.
    pub(super) async fn prepare() -> Result<Self> {
        let time = commit_time().await?;
        let day = Timestamp::from_second(time.try_into()?)?;
        Ok(Self {
            version: VERSION,
            time,
            date: day.strftime("%Y-%m-%d").to_string(),
            mail_date: day.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string(),
            builder: Builder::find().await?,
            kit: Kit::bring().await?,
            bills: Bills::bring(time).await?,
            documents: Documents::default(),
            of_rust: licences::of_rust().await?,
            licences: BTreeMap::new(),
        })
    }

    /// Makes what goes beside the programs.
    ///
    /// # Errors
    /// If a tool or a program does not do its part.
    pub(super) async fn describe(&mut self, built: &[Built]) -> Result<()> {
        self.documents = Documents::write(built).await?;
        process::step("collecting licences");
        for built in built {
            let text = licences::of(built.target, &self.kit).await?;
            self.licences.insert(built.target.triple, text);
        }
        Ok(())
    }

    /// The licence texts for a target.
    ///
    /// # Errors
    /// If they have not been collected.
    pub(super) fn licences(&self, target: &Target) -> Result<&str> {
        let text = self.licences.get(target.triple);
        text.map(String::as_str).context("no licences yet")
    }
}

/// When the commit was made, in seconds since 1970: what `SOURCE_DATE_EPOCH` says, or git.
///
/// # Errors
/// If there is neither.
pub(super) async fn commit_time() -> Result<u64> {
    let time = match env::var("SOURCE_DATE_EPOCH") {
        Ok(time) => time,
        Err(_) => git(&["log", "-1", "--format=%ct"]).await?,
    };
    let time = time.trim().parse();
    time.context("SOURCE_DATE_EPOCH is not a number of seconds")
}

async fn git(arguments: &[&str]) -> Result<String> {
    let mut git = Command::new("git");
    git.args(arguments).current_dir(root());
    process::output(&mut git)
        .await
        .context("without git, SOURCE_DATE_EPOCH has to say when the source was made")
}
