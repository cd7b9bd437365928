//! People who chat while programs are killed and connections are cut.

#[tokio::test]
async fn nothing_is_lost_or_shown_twice_while_programs_are_killed() {
    let options = chat::Options {
        peers: 12,
        bridges: Some(2),
        minutes: 0.25,
        rate: 10.0,
        // In so short a time.
        harm: 30.0,
        seed: 7,
    };
    let report = chat::run(&Programs::find().unwrap(), &options)
        .await
        .unwrap();
    assert!(report.is_good(), "{report}");
}
use p2pchat_soak::chat;
use p2pchat_testkit::Programs;
