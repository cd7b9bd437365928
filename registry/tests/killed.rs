//! `kill -9`: what was acknowledged is there afterwards.

use std::thread;
use std::time::Duration;

use crate::support::client::{Client, LOGIN, REGISTER, request};
use crate::support::program::Program;
use crate::support::stores::Fresh;

#[test]
fn an_account_outlives_kill_9_right_after_its_acknowledgement() {
    let fresh = Fresh::sqlite();
    for round in 0..3 {
        let program = Program::start(&fresh.name());
        let mut client = Client::connect(program.tcp);
        assert_eq!(client.status(REGISTER, &format!("user{round}"), "pw"), 20);
        program.kill();
        let program = Program::start(&fresh.name());
        let mut client = Client::connect(program.tcp);
        assert_eq!(client.status(LOGIN, &format!("user{round}"), "pw"), 21);
        program.kill();
    }
}

/// Registers names until the connection dies, and returns those that were acknowledged.
fn register_until_cut(mut client: Client, worker: usize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for n in 0.. {
        let name = format!("w{worker}n{n}");
        client.send_or_fail(&request(REGISTER, &name, "pw"));
        match client.try_head(Duration::from_secs(20)) {
            Some(head) if head[1] == 20 => acknowledged.push(name),
            Some(head) => panic!("{name} was answered {}", head[1]),
            None => break,
        }
    }
    acknowledged
}

#[test]
fn no_acknowledged_account_of_many_is_lost_by_kill_9() {
    let fresh = Fresh::sqlite();
    let program = Program::start(&fresh.name());
    let address = program.tcp;
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let client = Client::connect(address);
            thread::spawn(move || register_until_cut(client, worker))
        })
        .collect();
    thread::sleep(Duration::from_millis(700));
    program.kill();
    let acknowledged: Vec<String> = workers
        .into_iter()
        .flat_map(|worker| worker.join().unwrap())
        .collect();
    assert!(
        acknowledged.len() > 4,
        "{} were acknowledged",
        acknowledged.len()
    );

    let program = Program::start(&fresh.name());
    let mut client = Client::connect(program.tcp);
    for name in acknowledged {
        assert_eq!(client.status(LOGIN, &name, "pw"), 21, "{name}");
    }
}
