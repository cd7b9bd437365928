//! A registry that is a member of a cluster: the built program, with its metrics.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::client::{Beacon, Client, SEARCH};
use super::http::Scrape;
use super::program::{Program, command};
use super::{SOON, wait_for};

/// How often a user who is online sends a Hello.
const HELLO: Duration = Duration::from_millis(200);

/// A member of a cluster.
pub(crate) struct Member {
    pub(crate) program: Program,
    metrics: SocketAddr,
}

impl Member {
    /// Starts one. Users leave so many seconds after their last Hello.
    pub(crate) fn start(store: &str, timeout: u32) -> Self {
        let program = Program::start_with(command().args([
            "--cluster",
            "--store",
            store,
            "--presence-timeout",
            &timeout.to_string(),
            "--metrics",
            "127.0.0.1:0",
        ]));
        let (_, rest) = program.line.split_once("metrics at http://").unwrap();
        let metrics = rest.split('/').next().unwrap().parse().unwrap();
        Self { program, metrics }
    }

    /// A client at this address.
    pub(crate) fn client(&self, from: Ipv4Addr) -> Client {
        Client::connect_from(from, self.program.tcp)
    }

    /// Where it shows a user.
    pub(crate) fn find(&self, name: &str) -> Option<Ipv4Addr> {
        find(&mut self.client(Ipv4Addr::LOCALHOST), name)
    }

    /// Waits until it shows a user there, or as offline.
    pub(crate) fn shows(&self, name: &str, at: Option<Ipv4Addr>) {
        let what = format!("{name} at {at:?}");
        wait_for(&what, SOON, || self.find(name) == at);
    }

    /// A metric of the cluster.
    pub(crate) fn value(&self, name: &str) -> f64 {
        Scrape::of(self.metrics).value(&format!("cluster_{name}"))
    }

    /// Waits until a counter is there.
    pub(crate) fn counts(&self, name: &str, least: f64) {
        wait_for(name, SOON, || self.value(name) >= least);
    }

    /// Ends it in order, and returns its log.
    pub(crate) fn log(self) -> String {
        let (status, _, log) = self.program.stop("TERM");
        assert!(status.success(), "{log}");
        assert!(!log.contains("panicked"), "{log}");
        log
    }
}

fn find(client: &mut Client, name: &str) -> Option<Ipv4Addr> {
    let answer = client.ask(SEARCH, "x", name);
    let address = std::str::from_utf8(&answer[2..17]).unwrap();
    match answer[1] {
        22 => Some(address.trim_end_matches('\0').parse().unwrap()),
        44 => None,
        other => panic!("a search was answered {other}"),
    }
}

/// A thread that does something again and again, until this is dropped.
pub(crate) struct Repeated {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Repeated {
    fn start(mut what: impl FnMut() + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                what();
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }

    /// A user who sends Hellos to a registry.
    pub(crate) fn hellos(name: &'static str, from: Ipv4Addr, to: &Member) -> Self {
        let beacon = Beacon::new(from, to.program.udp);
        Self::start(move || {
            beacon.hello(name);
            thread::sleep(HELLO);
        })
    }

    /// A client that searches for a user who never leaves, and is answered soon.
    pub(crate) fn searches(name: &'static str, from: Ipv4Addr, of: &Member) -> Self {
        let mut client = of.client(Ipv4Addr::LOCALHOST);
        Self::start(move || {
            let began = Instant::now();
            assert_eq!(find(&mut client, name), Some(from), "{name}");
            let took = began.elapsed();
            assert!(took < Duration::from_secs(2), "a search took {took:?}");
            thread::sleep(Duration::from_millis(10));
        })
    }
}

impl Drop for Repeated {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().unwrap().join();
        if !thread::panicking() {
            ended.unwrap();
        }
    }
}
