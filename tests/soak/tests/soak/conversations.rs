//! People in encrypted conversations, whose programs are killed.

use p2pchat_soak::conversations::{Options, run};
use p2pchat_testkit::Programs;

#[tokio::test(flavor = "multi_thread")]
async fn all_screens_are_the_same_after_programs_were_killed() {
    let options = Options {
        people: 3,
        kills: 12,
        rate: 33.0,
        seed: None,
    };
    let report = run(&Programs::find().unwrap(), &options).await.unwrap();
    assert!(report.is_good(), "{report}");
}
