//! `p2pchat-soak`: runs one run, prints its report, and exits with 0 only if all checks held.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use p2pchat_soak::{Report, chat, cluster, crash, floods, guessing, hostile, network, presence};
use p2pchat_testkit::Programs;

/// Long and hostile runs of the built programs, which lie beside this one.
///
/// `cargo xtask soak` builds what is needed and starts them.
#[derive(Debug, Parser)]
#[command(name = "p2pchat-soak", max_term_width = 90)]
enum Run {
    /// Let many people chat for long, while programs are killed and connections are cut
    Chat(chat::Options),
    /// Run three registries over a replica set, and kill or cut off each part of it
    Cluster(cluster::Options),
    /// Kill the registry again and again while people register on its own store
    Crash(crash::Options),
    /// Flood the registry in every way, and measure how another client is served meanwhile
    Floods(floods::Options),
    /// Leave the registry, and a user's history, without room on their disk
    FullDisk(crash::full_disk::Options),
    /// Guess passwords: by the clock, and as many as the registry takes
    Guessing(guessing::Options),
    /// Let a member of encrypted groups lie, flood and break off, while the others chat
    Hostile(hostile::Options),
    /// Kill p2pchat again and again while it is shown texts
    HistoryCrash(crash::history::Options),
    /// Kill a single mongod again and again under a running registry
    MongoCrash(crash::mongo::Options),
    /// Kill the primary of a replica set again and again under a running registry
    ReplicaSet(crash::mongo::ReplicaSetOptions),
    /// Let users come and go while many watch
    Presence(presence::Options),
    /// Chat between hosts in network namespaces, and pull their cables
    Network(network::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Run::parse()).await {
        Ok(report) => {
            println!("{report}");
            if report.is_good() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("p2pchat-soak: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(run: Run) -> Result<Report> {
    let programs = Programs::find()?;
    match run {
        Run::Chat(options) => chat::run(&programs, &options).await,
        Run::Cluster(options) => cluster::run(&programs, &options).await,
        Run::Crash(options) => crash::run(&programs, &options).await,
        Run::Floods(options) => floods::run(&programs, &options).await,
        Run::FullDisk(options) => crash::full_disk::run(&programs, &options).await,
        Run::Guessing(options) => guessing::run(&programs, &options).await,
        Run::Hostile(options) => hostile::run(&programs, &options).await,
        Run::HistoryCrash(options) => crash::history::run(&programs, &options).await,
        Run::MongoCrash(options) => crash::mongo::run(&programs, &options).await,
        Run::ReplicaSet(options) => crash::mongo::run_replica_set(&programs, &options).await,
        Run::Presence(options) => presence::run(&programs, &options).await,
        Run::Network(options) => network::run(&programs, &options).await,
    }
}
