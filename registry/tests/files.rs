//! When file descriptors run out.

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::support::client::{Client, SEARCH, request};
use crate::support::program::{Program, command};
use crate::support::stores::Fresh;

const HERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const FLOODER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

/// The program under a limit of file descriptors that it cannot raise.
fn limited(files: u64, store: &str) -> Command {
    let program = command();
    let mut limited = Command::new("sh");
    limited
        .args(["-c", &format!("ulimit -n {files} && exec \"$0\" \"$@\"")])
        .arg(program.get_program())
        .args(["--store", store]);
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited
}

#[test]
fn it_takes_no_more_connections_than_fit_and_says_so() {
    let fresh = Fresh::sqlite();
    let program = Program::start_with(&mut limited(84, &fresh.name()));
    let mut bob = Client::connect_from(HERE, program.tcp);
    bob.register_and_login("bob", "pw");
    let idle: Vec<_> = (0..60)
        .map(|_| Client::connect_from(FLOODER, program.tcp))
        .collect();
    Client::connect_from(Ipv4Addr::new(127, 0, 0, 3), program.tcp).register_and_login("ann", "pw");
    assert_eq!(bob.status(SEARCH, "bob", "ann"), 22);
    drop(idle);
    let (_, _, log) = program.stop("TERM");
    assert!(
        log.contains("there are file descriptors for 20 connections only")
            && log.contains("--max-connections"),
        "{log}"
    );
    assert!(!log.contains("not_accepted"), "they never ran out: {log}");
}

/// Leaves a running program the file descriptors that it uses, and no other.
fn leave_none(program: &Program) {
    let pid = program.pid();
    let used: HashSet<u64> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .file_name()
                .to_str()
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect();
    // The system gives the lowest that is free, if it is below the limit.
    let free = (0..).find(|number| !used.contains(number));
    let limit = Rlimit {
        current: free,
        maximum: free,
    };
    let pid = Pid::from_raw(i32::try_from(pid).unwrap());
    prlimit(pid, Resource::Nofile, limit).unwrap();
}

#[test]
fn when_they_run_out_users_are_served_on_and_newcomers_later() {
    let fresh = Fresh::sqlite();
    let program = Program::start(&fresh.name());
    let mut users: Vec<_> = (0..3)
        .map(|_| Client::connect_from(HERE, program.tcp))
        .collect();
    for (n, user) in users.iter_mut().enumerate() {
        user.register_and_login(&format!("user{n}"), "pw");
    }
    leave_none(&program);
    let mut newcomer = Client::connect_from(FLOODER, program.tcp);
    newcomer.send(&request(SEARCH, "x", "user0"));
    for _ in 0..50 {
        for user in &mut users {
            assert_eq!(user.status(SEARCH, "x", "user1"), 22);
        }
    }
    assert!(
        newcomer.is_waiting(),
        "there is no descriptor to accept it with"
    );
    users.pop();
    assert_eq!(newcomer.head()[..2], [2, 22], "now there is");
    let (_, _, log) = program.stop("TERM");
    assert!(log.contains("cannot accept connections"), "{log}");
}
