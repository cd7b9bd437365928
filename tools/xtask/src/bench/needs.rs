//! What the measurements need besides the programs. What cannot be brought is said; then
//! its row says that it was skipped.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};
use tokio::process::Command;

use super::Quantity;
use crate::cargo::root;
use crate::mongod::MongoDb;
use crate::{apt, e2e, tools, web};

/// What there is.
#[derive(Debug)]
pub(super) struct Needs {
    mongodb: Option<MongoDb>,
    browser: Option<Browser>,
}

/// What the rows of the page need.
#[derive(Debug)]
struct Browser {
    node: PathBuf,
    chromium: PathBuf,
    /// The folder of a built yew hello world.
    hello: PathBuf,
}

impl Needs {
    /// Brings what these quantities need.
    ///
    /// # Errors
    /// If the page does not build.
    pub(super) async fn bring(quantities: &[Quantity]) -> Result<Self> {
        let wanted = |any: &[Quantity]| quantities.iter().any(|one| any.contains(one));
        if wanted(&[Quantity::Redis]) && !is_there("redis-server") {
            said("Redis", apt::install(&["redis-server"]).await);
        }
        let mongodb = match wanted(&[Quantity::Mongo, Quantity::Cluster]) {
            true => said("MongoDB", MongoDb::bring().await),
            false => None,
        };
        let browser = match wanted(&[Quantity::Browser, Quantity::Page]) {
            true => said("a browser", Browser::bring().await),
            false => None,
        };
        if browser.is_some() {
            // Before the bridge, which has the page inside.
            web::ensure().await?;
        }
        Ok(Self { mongodb, browser })
    }

    /// Tells `p2pchat-bench` where it all is.
    pub(super) fn tell(&self, command: &mut Command) {
        if let Some(mongodb) = &self.mongodb {
            mongodb.tell(command);
        }
        if let Some(browser) = &self.browser {
            command
                .env("P2PCHAT_BENCH_NODE", &browser.node)
                .env("P2PCHAT_BENCH_HELLO", &browser.hello)
                .env("E2E_CHROMIUM", &browser.chromium);
        }
    }
}

impl Browser {
    async fn bring() -> Result<Self> {
        let chromium = tools::chromium().await?;
        e2e::libraries(&root().join("tests/e2e")).await?;
        Ok(Self {
            chromium,
            node: tools::node().await?,
            hello: web::hello().await?,
        })
    }
}

/// valgrind, which counts instructions.
///
/// # Errors
/// If it is missing and cannot be installed.
pub(super) async fn valgrind() -> Result<()> {
    match is_there("valgrind") {
        true => Ok(()),
        false => apt::install(&["valgrind"]).await.context(
            "valgrind is missing. Install it; on Debian or Ubuntu: apt-get install valgrind",
        ),
    }
}

fn said<T>(what: &str, brought: Result<T>) -> Option<T> {
    brought
        .inspect_err(|error| println!("nothing is measured that needs {what} ({error:#})"))
        .ok()
}

fn is_there(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
