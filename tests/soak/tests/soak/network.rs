//! Hosts in network namespaces. Where the system makes none the test says so, and counts
//! as skipped.

use std::io::{Write, stdout};

use p2pchat_soak::Programs;
use p2pchat_soak::network::{Impossible, Options, Sandbox, run};

/// Tells `cargo xtask test`, which counts it, and whoever reads along.
#[expect(
    clippy::explicit_write,
    reason = "what `println` writes is kept back of a test that does not fail"
)]
fn skip(why: &Impossible) {
    writeln!(stdout(), "\nskipped: network: {why}").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(
    not(target_os = "linux"),
    ignore = "network namespaces are Linux's alone"
)]
async fn chats_go_on_whatever_happens_to_the_network() {
    if let Err(impossible) = Sandbox::find() {
        return skip(&impossible);
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
