//! Programs and databases that are killed while they are written to.

use p2pchat_lab::{Programs, crash};

#[tokio::test]
async fn no_acknowledged_account_is_lost_when_the_registry_is_killed() {
    let options = crash::Options {
        rounds: 8,
        writers: 6,
        seed: 7,
    };
    let report = crash::run(&Programs::find().unwrap(), &options)
        .await
        .unwrap();
    assert!(report.is_good(), "{report}");
}
