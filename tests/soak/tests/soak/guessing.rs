//! Guessing, small.

use p2pchat_soak::guessing::{Options, run};
use p2pchat_testkit::Programs;

#[tokio::test]
async fn the_clock_tells_no_names_and_guesses_are_few_and_lock_nobody_out() {
    let options = Options {
        logins: 40,
        addresses: 30,
        seconds: 3,
        seed: 1,
    };
    let report = run(&Programs::find().unwrap(), &options).await.unwrap();
    println!("{report}");
    assert!(report.is_good(), "{report}");
}
