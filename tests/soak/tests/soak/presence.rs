//! Who is online, pushed. Nothing is timed.

use p2pchat_soak::presence::{Options, run};
use p2pchat_testkit::Programs;

#[tokio::test(flavor = "multi_thread")]
async fn everyone_who_watches_is_told_who_comes_and_goes() {
    let options = Options {
        watchers: 40,
        rounds: 3,
        burst: 20,
        untimed: true,
    };
    let report = run(&Programs::find().unwrap(), &options).await.unwrap();
    assert!(report.is_good(), "{report}");
}
