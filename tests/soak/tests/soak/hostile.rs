//! Members who keep no rule, each attack once, with smaller floods.

use p2pchat_soak::hostile::{Options, run};
use p2pchat_testkit::Programs;

#[tokio::test(flavor = "multi_thread")]
async fn members_who_keep_no_rule_delay_nobody_and_nothing_forged_is_shown() {
    let options = Options {
        attacks: Vec::new(),
        many: 1_000,
    };
    let report = run(&Programs::find().unwrap(), &options).await.unwrap();
    // Read in the log of a run that went well, too.
    println!("{report}");
    assert!(report.is_good(), "{report}");
}
