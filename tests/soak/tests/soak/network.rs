//! Hosts in network namespaces. Where the system allows none, the test is skipped, and says so.

use p2pchat_soak::network::{Options, Sandbox, run};
use p2pchat_testkit::{Programs, skip};

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(
    not(target_os = "linux"),
    ignore = "network namespaces are Linux's alone"
)]
async fn chats_go_on_whatever_happens_to_the_network() {
    if let Err(impossible) = Sandbox::find() {
        return skip(&format!("network: {impossible}"));
    }
    let options = Options {
        scenes: Vec::new(),
        texts: 5,
        show: false,
        inside: None,
    };
    let report = run(&Programs::find().unwrap(), &options).await.unwrap();
    assert!(report.is_good(), "{report}");
    // Read in the log of a run that went well, too.
    println!("{report}");
}
