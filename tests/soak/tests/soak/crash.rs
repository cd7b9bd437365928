//! Programs and databases that are killed while they are written to.

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

#[tokio::test]
async fn no_acknowledged_account_is_lost_when_mongod_is_killed() {
    require_mongod!();
    let options = crash::mongo::Options {
        rounds: 4,
        writers: 6,
        seed: 7,
    };
    let report = crash::mongo::run(&Programs::find().unwrap(), &options)
        .await
        .unwrap();
    assert!(report.is_good(), "{report}");
}

#[tokio::test]
async fn no_acknowledged_account_is_lost_when_the_primary_of_a_replica_set_is_killed() {
    require_mongod!();
    let options = crash::mongo::ReplicaSetOptions {
        rounds: 3,
        writers: 6,
        election_timeout: 2_000,
        seed: 7,
    };
    let report = crash::mongo::run_replica_set(&Programs::find().unwrap(), &options)
        .await
        .unwrap();
    assert!(report.is_good(), "{report}");
}

#[tokio::test]
async fn every_text_that_was_shown_is_in_the_history_when_p2pchat_is_killed() {
    let options = crash::history::Options { rounds: 6, seed: 7 };
    let report = crash::history::run(&Programs::find().unwrap(), &options)
        .await
        .unwrap();
    assert!(report.is_good(), "{report}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_told_and_damages_nothing() {
    let options = crash::full_disk::Options {};
    let report = crash::full_disk::run(&Programs::find().unwrap(), &options)
        .await
        .unwrap();
    assert!(report.is_good(), "{report}");
}
use p2pchat_soak::crash;
use p2pchat_testkit::{Programs, require_mongod};
