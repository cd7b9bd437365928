//! The floods, small: each breaks what it is to break and nothing else. Nothing is timed.

use p2pchat_soak::floods::{Flood, Options, run};
use p2pchat_testkit::Programs;

async fn flood(kinds: &[Flood]) {
    let options = Options {
        only: kinds.to_vec(),
        seconds: 2,
        idle: 300,
        slow: 50,
        deaf: 50,
        crowd: 40,
        online: 50,
        untimed: true,
        // So that within these seconds some are late, and some had too many.
        registry: [
            "--request-timeout=1",
            "--response-timeout=1",
            "--registrations=10",
            "--handshake-timeout=1",
            "--handshakes=60",
            "--unknown-handshakes=100",
            "--unknown-handshake-rate=50",
        ]
        .map(str::to_owned)
        .to_vec(),
    };
    let report = run(&Programs::find().unwrap(), &options).await.unwrap();
    assert!(report.is_good(), "{report}");
}

#[tokio::test]
async fn floods_of_connections_take_no_one_offline_and_go_by() {
    flood(&[
        Flood::Idle,
        Flood::Slow,
        Flood::Deaf,
        Flood::Connections,
        Flood::Refused,
    ])
    .await;
}

#[tokio::test]
async fn floods_of_handshakes_take_no_one_offline_and_go_by() {
    flood(&[
        Flood::Handshakes,
        Flood::HandshakesOfMany,
        Flood::HalfHandshakes,
        Flood::Garbage,
        Flood::Unsigned,
    ])
    .await;
}

#[tokio::test]
async fn floods_of_datagrams_take_no_one_offline_and_go_by() {
    flood(&[Flood::Random, Flood::Almost, Flood::Foreign]).await;
}

#[tokio::test]
async fn floods_of_logins_and_registrations_take_no_one_offline_and_go_by() {
    flood(&[Flood::Guesses, Flood::Logins, Flood::Registrations]).await;
}
