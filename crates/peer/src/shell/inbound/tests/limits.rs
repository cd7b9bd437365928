//! The limits on open connections and on packets.

use super::*;

#[tokio::test]
async fn one_address_cannot_take_all_connections() {
    let mut listening = listen(Kind::Texts).await;
    let greedy = own_address();
    let mut held = Vec::new();
    for _ in 0..MAX_OPEN_PER_SOURCE {
        held.push(listening.connect(greedy).await);
    }
    let mut one_more = listening.connect(greedy).await;
    // Closed in whatever way, but long before the deadline that a packet has.
    let closed = timeout(Duration::from_secs(5), end(&mut one_more)).await;
    assert_eq!(closed.expect("closed at once").unwrap_or(0), 0);
    assert_eq!(listening.inbound.dropped(), 1);

    let mut other = listening.connect(own_address()).await;
    other.write_all(&message().encode()).await.unwrap();
    assert!(matches!(listening.report().await, Report::Text { .. }));

    // One that ends makes room.
    held.pop();
    within("room", async {
        loop {
            let mut next = listening.connect(greedy).await;
            let sent = next.write_all(&message().encode()).await;
            if sent.is_ok()
                && timeout(Duration::from_millis(100), listening.reports.recv())
                    .await
                    .is_ok()
            {
                break;
            }
        }
    })
    .await;
}

/// As many connections as may be open, so many from each address.
async fn all_that_may_be_open(listening: &Listening, of_each: usize) -> Vec<TcpStream> {
    let mut held = Vec::new();
    for _ in 0..MAX_OPEN / of_each {
        let own = own_address();
        for _ in 0..of_each {
            held.push(listening.connect(own).await);
        }
    }
    held
}

#[tokio::test]
async fn clients_that_hold_connections_open_are_evicted_for_those_that_send() {
    let mut listening = listen(Kind::Texts).await;
    let mut held = all_that_may_be_open(&listening, MAX_OPEN_PER_SOURCE).await;
    let mut honest = listening.connect(own_address()).await;
    honest.write_all(&message().encode()).await.unwrap();
    let Report::Text { taken, .. } = listening.report().await else {
        panic!("no text")
    };
    taken.send(()).unwrap();
    assert_eq!(end(&mut honest).await.unwrap(), 0);
    assert_eq!(listening.inbound.dropped(), 1);
    // The one that was there first is gone.
    let ended = end(&mut held.remove(0)).await;
    assert!(ended.is_err(), "{ended:?}");
}

#[tokio::test]
async fn where_all_wait_for_the_machine_further_ones_wait_and_are_not_refused() {
    let mut listening = listen(Kind::Texts).await;
    let mut all = all_that_may_be_open(&listening, 1).await;
    for stream in &mut all {
        stream.write_all(&message().encode()).await.unwrap();
    }
    // As many as the channel holds, and so all have been read.
    within("the reports", async {
        while listening.reports.len() < listening.reports.max_capacity() {
            sleep(Duration::from_millis(5)).await;
        }
        sleep(Duration::from_millis(300)).await;
    })
    .await;
    let late = own_address();
    let mut patient = listening.connect(late).await;
    patient.write_all(&message().encode()).await.unwrap();
    let mut waiting = Vec::new();
    for _ in 0..MAX_OPEN {
        let Report::Text { from, taken, .. } = listening.report().await else {
            panic!("no text")
        };
        assert_ne!(from, late, "the bound does not hold");
        waiting.push(taken);
    }
    drop(waiting);
    let Report::Text { from, .. } = listening.report().await else {
        panic!("no text")
    };
    assert_eq!((from, listening.inbound.dropped()), (late, 0));
}

#[tokio::test]
async fn an_address_that_sends_too_fast_waits_and_loses_nothing() {
    let mut listening = listen(Kind::Texts).await;
    let own = own_address();
    let more = 10;
    let began = Instant::now();
    for _ in 0..packet_rate::BURST + more {
        let mut stream = listening.connect(own).await;
        stream.write_all(&message().encode()).await.unwrap();
        let Report::Text { taken, .. } = listening.report().await else {
            panic!("no text")
        };
        taken.send(()).unwrap();
        assert_eq!(end(&mut stream).await.unwrap(), 0);
    }
    // What came back meanwhile was not waited for.
    assert!(began.elapsed() >= packet_rate::INTERVAL * more);
    assert_eq!(listening.inbound.dropped(), 0);
}
