//! What those who watch a registry are told: health, readiness, metrics.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Output;
use std::time::{Duration, Instant};

use p2pchat_registry::Options;
use p2pchat_registry::metrics::http::{CONNECTION_TIMEOUT, MAX_CONNECTIONS};
use p2pchat_testkit::{Mongod, require_mongod};
use tokio::runtime::Runtime;

use crate::support::client::{Beacon, Client, LOGIN, REGISTER, SEARCH, request};
use crate::support::http::{Scrape, ask, get};
use crate::support::program::{Program, command, refusal};
use crate::support::server::TestServer;
use crate::support::stores::Fresh;
use crate::support::{SOON, wait_for};

const ANY: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

fn watched() -> (TestServer, SocketAddr) {
    let server = TestServer::start_with(|options| options.metrics = Some(ANY.into()));
    let at = server.watched.unwrap();
    (server, at)
}

#[test]
fn requests_are_counted_by_type_and_status() {
    let (server, at) = watched();
    let before = Scrape::of(at);
    assert_eq!(
        before.value(r#"requests_total{type="login",status="21"}"#),
        0.0
    );
    let mut alice = Client::connect(server.tcp);
    alice.register_and_login("alice", "pw");
    assert_eq!(alice.status(LOGIN, "alice", "wrong"), 41);
    assert_eq!(alice.status(SEARCH, "alice", "alice"), 22);
    assert_eq!(alice.status(SEARCH, "alice", "bob"), 44);
    assert_eq!(alice.status(SEARCH, "alice", "bob"), 44);
    assert_eq!(alice.status(REGISTER, "a b", "pw"), 42);
    assert_eq!(alice.online().len(), 1);
    let after = Scrape::of(at);
    for (labels, count) in [
        (r#"type="register",status="20""#, 1.0),
        (r#"type="register",status="42""#, 1.0),
        (r#"type="login",status="21""#, 1.0),
        (r#"type="login",status="41""#, 1.0),
        (r#"type="search",status="22""#, 1.0),
        (r#"type="search",status="44""#, 2.0),
        (r#"type="all_online",status="24""#, 1.0),
        (r#"type="logout",status="25""#, 0.0),
    ] {
        assert_eq!(
            after.value(&format!("requests_total{{{labels}}}")),
            count,
            "{labels}"
        );
    }
    assert_eq!(after.value("users_online"), 1.0);
    assert_eq!(after.value("connections_open"), 1.0);
    assert_eq!(after.value("list_rebuilds_total"), 1.0);
    assert_eq!(after.value("ready"), 1.0);
}

#[test]
fn refusals_are_counted_by_reason_and_are_not_hellos() {
    let (server, at) = watched();
    Client::connect(server.tcp).register_and_login("alice", "pw");
    let home = Beacon::new(Ipv4Addr::LOCALHOST, server.udp);
    let stranger = Beacon::new(ELSEWHERE, server.udp);
    stranger.hello("alice");
    stranger.hello("alice");
    stranger.send(b"not a hello");
    home.hello("alice");
    let foreign = r#"drops_total{reason="foreign_hello"}"#;
    wait_for("all datagrams", SOON, || {
        let now = Scrape::of(at);
        now.value("hellos_total") + now.sum("drops_total") >= 4.0
    });
    let after = Scrape::of(at);
    assert_eq!(after.value(foreign), 2.0);
    assert_eq!(after.value(r#"drops_total{reason="no_hello"}"#), 1.0);
    assert_eq!(after.value("hellos_total"), 1.0);
    let mut odd = Client::connect(server.tcp);
    odd.send(&request(77, "x", "y"));
    assert_eq!(odd.head()[..2], [77, 48]);
    let answered = r#"requests_total{type="unknown",status="48"}"#;
    assert_eq!(Scrape::of(at).value(answered), 1.0);
}

#[test]
fn the_store_and_the_hashing_threads_are_measured() {
    let (server, at) = watched();
    let registered = r#"store_operation_seconds_count{operation="register",result="ok"}"#;
    assert_eq!(Scrape::of(at).value(registered), 0.0);
    Client::connect(server.tcp).register_and_login("alice", "pw");
    let after = Scrape::of(at);
    assert_eq!(after.value(registered), 1.0);
    let sum = r#"store_operation_seconds_sum{operation="register",result="ok"}"#;
    let most = r#"store_operation_seconds_bucket{le="+Inf",operation="register",result="ok"}"#;
    assert!(after.value(sum) > 0.0, "a durable write takes time");
    assert_eq!(after.value(most), 1.0);
    assert!(after.value("hash_workers") >= 1.0);
    // Who is answered may be faster than the thread that answered.
    let is_idle = || Scrape::of(at).value("hash_workers_busy") == 0.0;
    wait_for("threads that do nothing", SOON, is_idle);
    assert_eq!(after.value("hash_queue_length"), 0.0);
    assert_eq!(after.value("hash_queue_max"), 512.0);
    assert_eq!(after.value("connections_max"), 10_000.0);
}

#[test]
fn each_metric_says_what_it_is_and_is_called_as_prometheus_wants() {
    let (server, at) = watched();
    server.metrics.cluster().synced(Duration::from_millis(1));
    let scrape = Scrape::of(at);
    assert!(scrape.families.len() >= 20, "{:?}", scrape.families);
    let mut families: Vec<&str> = (scrape.families.keys())
        .map(|name| name.strip_suffix("_total").unwrap_or(name))
        .collect();
    families.sort_unstable();
    let mut helps: Vec<&String> = scrape.helps.iter().collect();
    helps.sort();
    assert_eq!(families, helps, "each has a HELP and a TYPE");
    for name in scrape.names() {
        let is_legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(name.starts_with("p2pchat_registry_") && name.chars().all(is_legal));
        let ends = ["", "_bucket", "_sum", "_count"];
        let families = ends.iter().filter_map(|end| name.strip_suffix(end));
        let mut kinds = families.filter_map(|family| scrape.families.get(family));
        let is_right = match kinds.next().unwrap().as_str() {
            "counter" => name.ends_with("_total"),
            "gauge" | "histogram" => !name.ends_with("_total"),
            kind => panic!("{name} is a {kind}"),
        };
        assert!(is_right, "{name} of {:?}", scrape.families);
    }
    let histograms = scrape
        .families
        .iter()
        .filter(|(_, kind)| *kind == "histogram");
    assert!(
        histograms
            .into_iter()
            .all(|(name, _)| name.ends_with("_seconds"))
    );
}

#[test]
fn nothing_of_a_user_is_in_the_metrics() {
    let (server, at) = watched();
    let mut client = Client::connect_from(ELSEWHERE, server.tcp);
    client.register_and_login("mallory", "opensesame");
    let text = get(at, "/metrics").body;
    for secret in ["mallory", "opensesame", "127.0.0.3"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_registry_is_not_ready_while_its_store_is_away() {
    require_mongod!();
    let runtime = Runtime::new().unwrap();
    let mut mongod = runtime.block_on(Mongod::start(&[])).unwrap();
    let mut options = Options::on_loopback(mongod.uri().parse().unwrap());
    options.metrics = Some(ANY.into());
    let server = TestServer::start_on(options);
    let at = server.watched.unwrap();
    let page = get(at, "/readyz");
    assert_eq!((page.status, page.body.as_str()), (200, "ready\n"));

    runtime.block_on(mongod.kill()).unwrap();
    wait_for("503", SOON, || get(at, "/readyz").status == 503);
    let page = get(at, "/readyz");
    assert!(
        page.body
            .starts_with("not ready: the account store has not answered for "),
        "{}",
        page.body
    );
    assert_eq!(page.body.lines().count(), 1, "{}", page.body);
    assert_eq!(get(at, "/healthz").status, 200, "the process is well");
    let away = Scrape::of(at);
    assert_eq!(away.value("ready"), 0.0);
    let all = away.sum("store_operation_seconds_count");
    let failed = all - away.sum(r#"store_operation_seconds_count{operation="find",result="ok"}"#);
    assert!(failed > 0.0, "{away:?}");

    runtime.block_on(mongod.restart()).unwrap();
    wait_for("200", SOON * 2, || get(at, "/readyz").status == 200);
    assert_eq!(Scrape::of(at).value("ready"), 1.0);
    Client::connect(server.tcp).register_and_login("alice", "pw");
}

#[test]
fn one_of_several_is_not_ready_before_it_hears_the_others() {
    let (server, at) = watched();
    assert!(
        !get(at, "/metrics").body.contains("cluster"),
        "it is the only one"
    );
    let cluster = server.metrics.cluster();
    let page = get(at, "/readyz");
    assert_eq!(page.status, 503);
    assert!(page.body.contains("change stream"), "{}", page.body);
    cluster.synced(Duration::from_millis(250));
    cluster.database_is_up(true);
    cluster.hellos_written.inc_by(3);
    cluster.waiting_writes.set(2);
    assert_eq!(get(at, "/readyz").status, 200);
    let well = Scrape::of(at);
    assert_eq!(well.value("cluster_stream_up"), 1.0);
    assert_eq!(well.value("cluster_database_up"), 1.0);
    assert_eq!(well.value("cluster_stream_lag_seconds"), 0.25);
    assert_eq!(well.value("cluster_hellos_written_total"), 3.0);
    assert_eq!(well.value("cluster_waiting_writes"), 2.0);
    cluster.stream_broke();
    assert_eq!(get(at, "/readyz").status, 503);
    let broken = Scrape::of(at);
    assert_eq!(broken.value("cluster_stream_up"), 0.0);
    assert!(
        broken.value("cluster_stream_lag_seconds") > 0.25,
        "it grows"
    );
}

#[test]
fn a_registry_that_stops_says_that_it_is_not_ready() {
    let (mut server, at) = watched();
    let mut alice = Client::connect(server.tcp);
    alice.register_and_login("alice", "pw");
    // Logins in the queue keep the server from ending at once: a second of work or more.
    let logins: Vec<u8> = request(LOGIN, "alice", "pw").repeat(2);
    let mut busy: Vec<Client> = (0..60).map(|_| Client::connect(server.tcp)).collect();
    busy.iter_mut().for_each(|client| client.send(&logins));
    let waiting = || Scrape::of(at).value("hash_queue_length") > 0.0;
    wait_for("a queue of passwords", SOON, waiting);
    server.begin_to_stop();
    wait_for("503", SOON, || {
        let page = get(at, "/readyz");
        page.status == 503 && page.body.contains("stops")
    });
}

#[test]
fn only_what_there_is_may_be_read_and_nothing_written() {
    let (_server, at) = watched();
    assert_eq!(get(at, "/healthz").body, "ok\n");
    assert_eq!(get(at, "/").status, 404);
    assert_eq!(get(at, "/metrics/x").status, 404);
    let page = ask(
        at,
        "POST /metrics HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n",
    );
    assert_eq!(page.status, 405);
    assert!(page.head.contains("allow: get, head"), "{}", page.head);
    let page = ask(at, "HEAD /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert_eq!((page.status, page.body.as_str()), (200, ""));
    assert!(page.head.contains("content-length: "), "{}", page.head);
}

#[test]
fn a_page_whose_name_resolves_to_loopback_does_not_read_the_metrics() {
    let (_server, at) = watched();
    let host = |host: &str| {
        ask(
            at,
            &format!("GET /metrics HTTP/1.1\r\nhost: {host}\r\n\r\n"),
        )
    };
    for name in [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:80",
        "",
    ] {
        let page = host(name);
        assert_eq!(page.status, 421, "{name}");
        assert!(!page.body.contains("users_online"), "{name}");
    }
    // Also through a port that is forwarded.
    for name in ["127.0.0.1", "localhost:9000", "[::1]:9000", "10.0.0.1"] {
        assert_eq!(host(name).status, 200, "{name}");
    }
    assert_eq!(ask(at, "GET /readyz HTTP/1.0\r\n\r\n").status, 200);
}

#[test]
fn a_silent_connection_to_the_metrics_is_closed_soon() {
    let (_server, at) = watched();
    let connect = |_| TcpStream::connect_timeout(&at, SOON).unwrap();
    let mut silent: Vec<TcpStream> = (0..MAX_CONNECTIONS).map(connect).collect();
    let began = Instant::now();
    assert_eq!(get(at, "/healthz").status, 200);
    assert!(
        began.elapsed() < CONNECTION_TIMEOUT * 3,
        "{:?}",
        began.elapsed()
    );
    for stream in &mut silent {
        stream.set_read_timeout(Some(SOON)).unwrap();
        let mut rest = Vec::new();
        // Closed in order or not; but closed.
        let ended = stream.read_to_end(&mut rest);
        let is_timeout = |error: &std::io::Error| error.kind() == std::io::ErrorKind::WouldBlock;
        assert!(!ended.is_err_and(|error| is_timeout(&error)));
    }
}

#[test]
fn the_line_says_where_the_metrics_are() {
    let fresh = Fresh::sqlite();
    let store = fresh.name();
    let args = ["--store", &store, "--metrics", "127.0.0.1:0"];
    let program = Program::start_with(command().args(args));
    let (_, rest) = program.line.split_once(", metrics at http://").unwrap();
    let (address, rest) = rest.split_once("/metrics, accounts in ").unwrap();
    assert_eq!(rest.trim_end(), store);
    let at: SocketAddr = address.parse().unwrap();
    assert_ne!(at.port(), 0);
    assert_eq!(get(at, "/readyz").status, 200);
    let (status, ..) = program.stop("TERM");
    assert!(status.success());
}

#[test]
fn metrics_for_others_need_to_be_asked_for_twice() {
    let fresh = Fresh::sqlite();
    let store = fresh.name();
    let args = ["--store", &store, "--metrics", "0.0.0.0:0"];
    let ports = ["--tcp", "127.0.0.1:0", "--udp", "127.0.0.1:0"];
    let error = refusal(command().args(args).args(ports));
    assert!(
        error.contains("0.0.0.0:0") && error.contains("--expose-metrics"),
        "{error}"
    );
    let program = Program::start_with(command().args(args).arg("--expose-metrics"));
    assert!(
        program.line.contains("metrics at http://0.0.0.0:"),
        "{}",
        program.line
    );
}

#[test]
fn a_port_for_metrics_that_is_taken_is_named() {
    let fresh = Fresh::sqlite();
    let taken = TcpListener::bind(ANY).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = command();
    command.args(["--tcp", "127.0.0.1:0", "--udp", "127.0.0.1:0"]);
    command.args(["--store", &fresh.name(), "--metrics", &address]);
    let error = refusal(&mut command);
    assert!(
        error.contains(&format!("metrics {address} is taken"))
            && error.contains("another with --metrics"),
        "{error}"
    );
}

/// `p2pchat-registry ready`, told where the metrics are.
fn ready(at: &str) -> Output {
    let mut command = command();
    command.env("P2PCHAT_METRICS", at).arg("ready");
    command.output().unwrap()
}

#[test]
fn a_health_check_needs_the_program_alone() {
    let (server, at) = watched();
    let at = at.to_string();
    wait_for("the registry", SOON, || ready(&at).status.success());
    assert_eq!(ready(&at).stdout, b"ready\n");
    // What the registry has not seen for a while it does not answer for.
    server.metrics.cluster();
    let lost = ready(&at);
    assert_eq!((lost.status.code(), lost.stdout), (Some(1), Vec::new()));
    let error = String::from_utf8(lost.stderr).unwrap();
    assert!(
        error.starts_with("p2pchat-registry: not ready: "),
        "{error}"
    );
    drop(server);
    let error = String::from_utf8(ready(&at).stderr).unwrap();
    assert!(error.contains(&format!("cannot ask {at}: ")), "{error}");
}

#[test]
fn a_health_check_waits_two_seconds_at_most() {
    let silent = TcpListener::bind(ANY).unwrap();
    let at = silent.local_addr().unwrap().to_string();
    let started = Instant::now();
    let error = String::from_utf8(ready(&at).stderr).unwrap();
    assert!(error.contains(&format!("{at} does not answer")), "{error}");
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    let mut nowhere = command();
    let error = refusal(nowhere.arg("ready"));
    assert!(error.contains("P2PCHAT_METRICS"), "{error}");
}
