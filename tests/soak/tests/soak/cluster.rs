//! Three registries over a replica set.

use p2pchat_soak::cluster::{Options, run};
use p2pchat_testkit::{Programs, require_mongod};

#[tokio::test(flavor = "multi_thread")]
async fn several_registries_show_the_same_whatever_part_is_killed_or_cut_off() {
    require_mongod!();
    let options = Options {
        users: 12,
        primaries: 1,
        election_timeout: 2000,
    };
    let report = run(&Programs::find().unwrap(), &options).await.unwrap();
    assert!(report.is_good(), "{report}");
}
