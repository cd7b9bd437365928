//! Three registries over a replica set of three: what one is told all show, and what
//! becomes of that when a part of it is killed or cut off.
//!
//! One of the registries reaches the database through a proxy whose cable can be cut, and
//! knows one member alone.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use p2pchat_testkit::Programs;

use crate::Report;

mod devices;
mod faults;
mod people;
mod presence;
mod site;
mod user;

/// How long a user stays online without a Hello here, in seconds. It is short so that the
/// run is; the shares of it are those of any other.
const TIMEOUT: Duration = Duration::from_secs(8);
/// How much later than all must be so, and how long two may disagree.
const LIMIT: Duration = Duration::from_secs(2);

/// How a cluster is tried.
#[derive(Debug, Args)]
pub struct Options {
    /// How many users log in, here and there
    #[arg(long, default_value_t = 200)]
    pub users: usize,
    /// How often the primary is killed
    #[arg(long, default_value_t = 5)]
    pub primaries: usize,
    /// How long the set goes without its primary before it elects another, in
    /// milliseconds
    #[arg(long, default_value_t = 10_000)]
    pub election_timeout: u64,
}

/// Runs all scenes, one after the other, each with users of its own.
///
/// # Errors
/// If a program is not built or not there, or a registry answers what makes no sense.
pub async fn run(programs: &Programs, options: &Options) -> Result<Report> {
    let mut report = Report::new(format!(
        "cluster: three registries over a replica set of three, {} users",
        options.users
    ));
    let election = Duration::from_millis(options.election_timeout);
    let mut site = site::Site::start(programs, election).await?;
    presence::spread(&site, options.users, &mut report).await?;
    presence::moves(&site, &mut report).await?;
    presence::stops(&site, &mut report).await?;
    devices::killed_registry(&mut site, &mut report).await?;
    people::pushed(&site, &mut report).await?;
    let names = people::races(&mut site, options.primaries, &mut report).await?;
    people::one_binding(&site, &names, &mut report).await?;
    faults::killed_registry(&mut site, &mut report).await?;
    faults::rolling_restart(&mut site, &mut report).await?;
    faults::cut_off(&site, &mut report).await?;
    faults::killed_primary(&mut site, options.primaries, &mut report).await?;
    people::one_binding(&site, &names, &mut report).await?;
    presence::same_everywhere(&site, &mut report).await?;
    Ok(report)
}
