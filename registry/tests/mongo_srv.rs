//! MongoDB by a `mongodb+srv://` URI: a name server says where it is.
//!
//! The driver asks the name servers of the system, at port 53. So the program runs in a mount
//! namespace of its own, where `/etc/resolv.conf` names the server of this test.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::thread;

use p2pchat_testkit::{require_mongodb, skip};

use crate::support::client::{Client, LOGIN, REGISTER};
use crate::support::mongod::{TestDatabase, first_host};
use crate::support::program::{Program, command, refusal, text};

const DOMAIN: &str = "accounts.p2pchat.test";
const HOST: &str = "one.accounts.p2pchat.test";
const SRV: u16 = 33;
const TXT: u16 = 16;
/// For a program that must not take those of another.
const PORTS: [&str; 4] = ["--tcp", "127.0.0.1:0", "--udp", "127.0.0.1:0"];
/// Options that the name server adds to the URI.
const OPTIONS: &str = "authSource=admin";

/// A name server. It ends with the test program.
struct NameServer {
    address: Ipv4Addr,
}

impl NameServer {
    /// Knows that `DOMAIN` is the MongoDB at this port of `HOST`. `None` if this user may not
    /// listen on port 53.
    fn start(port: u16) -> Option<Self> {
        let pid = std::process::id().to_be_bytes();
        let address = Ipv4Addr::new(127, 53, pid[2], pid[3].max(1));
        let socket = UdpSocket::bind((address, 53)).ok()?;
        thread::spawn(move || {
            let mut query = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut query) {
                let answer = answer(&query[..length], port);
                socket.send_to(&answer, from).unwrap();
            }
        });
        Some(Self { address })
    }
}

/// The answer to a query with one question.
fn answer(query: &[u8], port: u16) -> Vec<u8> {
    let mut labels = Vec::new();
    let mut at = 12;
    while query[at] != 0 {
        let end = at + 1 + usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..end]).to_lowercase());
        at = end;
    }
    let question = &query[12..at + 5];
    let kind = u16::from_be_bytes([query[at + 1], query[at + 2]]);
    let record = match (kind, labels.join(".")) {
        (SRV, name) if name == format!("_mongodb._tcp.{DOMAIN}") => {
            let mut record = [[0, 0], [0, 0], port.to_be_bytes()].concat();
            for label in HOST.split('.') {
                record.push(label.len() as u8);
                record.extend(label.as_bytes());
            }
            record.push(0);
            record
        }
        (TXT, name) if name == DOMAIN => [&[OPTIONS.len() as u8], OPTIONS.as_bytes()].concat(),
        _ => Vec::new(),
    };
    let found = !record.is_empty();
    // The id; an answer with authority, recursion and no error, or "no such name".
    let mut answer = query[..2].to_vec();
    answer.extend([0x85, if found { 0x80 } else { 0x83 }, 0, 1]);
    answer.extend([0, u8::from(found), 0, 0, 0, 0]);
    answer.extend(question);
    if found {
        // The name of the question, its kind and class, and a minute.
        answer.extend([0xc0, 12]);
        answer.extend(&question[question.len() - 4..]);
        answer.extend([0, 0, 0, 60]);
        answer.extend((record.len() as u16).to_be_bytes());
        answer.extend(record);
    }
    answer
}

/// The program where this is its name server and `HOST` this machine; `None` where there are
/// no such namespaces.
fn with_name_server(folder: &Path, server: Ipv4Addr, host: &str) -> Option<Command> {
    let resolver = folder.join("resolv.conf");
    fs::write(&resolver, format!("nameserver {server}\n")).unwrap();
    let hosts = folder.join("hosts");
    fs::write(&hosts, format!("127.0.0.1 localhost\n{host} {HOST}\n")).unwrap();
    let unshare = || {
        let mut unshare = Command::new("unshare");
        let script = "mount --bind \"$0\" /etc/resolv.conf && mount --bind \"$1\" /etc/hosts \
                      && shift && exec \"$@\"";
        unshare.args(["--mount", "sh", "-c", script, text(&resolver), text(&hosts)]);
        unshare
    };
    let output = unshare().arg("true").output().ok()?;
    if !output.status.success() {
        return None;
    }
    let program = command();
    let mut unshare = unshare();
    unshare.arg(program.get_program());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => unshare.env(name, value),
            None => unshare.env_remove(name),
        };
    }
    Some(unshare)
}

#[test]
fn a_name_server_says_where_the_accounts_are() {
    require_mongodb!();
    let database = TestDatabase::new();
    let unused = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let (host, _) = first_host(&database.uri, unused);
    let (host, port) = host.rsplit_once(':').unwrap();
    let Some(server) = NameServer::start(port.parse().unwrap()) else {
        return skip("port 53 takes the rights of an administrator");
    };
    let folder = tempfile::tempdir().unwrap();
    let Some(mut command) = with_name_server(folder.path(), server.address, host) else {
        return skip("mount namespaces take the rights of an administrator");
    };
    // Without the last option it would be TLS.
    let uri = format!("mongodb+srv://{DOMAIN}/{}?tls=false", database.name());
    let program = Program::start_with(command.args(["--store", &uri]));
    let shown = format!("accounts in mongodb+srv://{DOMAIN}/{}\n", database.name());
    assert!(program.line.ends_with(&shown), "{}", program.line);
    let mut client = Client::connect(program.tcp);
    assert_eq!(client.status(REGISTER, "alice", "pw"), 20);
    assert_eq!(client.status(LOGIN, "alice", "pw"), 21);
    let stored = database.with(async |accounts| {
        let counting = accounts.count_documents(mongodb::bson::doc! { "name": "alice" });
        counting.await.unwrap()
    });
    assert_eq!(stored, 1, "it is the database of this test");
    drop(program);

    let mut command = with_name_server(folder.path(), server.address, host).unwrap();
    let unknown = "mongodb+srv://user:hush@other.p2pchat.test/db";
    let error = refusal(command.args(PORTS).args(["--store", unknown]));
    let about = "the servers of mongodb+srv://user:***@other.p2pchat.test/db cannot be looked up";
    assert!(error.contains(about), "{error}");
    assert!(error.contains("mongodb://HOST:PORT"), "{error}");
}

#[test]
fn a_name_server_that_does_not_answer_is_named_in_time() {
    let pid = std::process::id().to_be_bytes();
    let address = Ipv4Addr::new(127, 54, pid[2], pid[3].max(1));
    let Ok(_silent) = UdpSocket::bind((address, 53)) else {
        return skip("port 53 takes the rights of an administrator");
    };
    let folder = tempfile::tempdir().unwrap();
    let Some(mut command) = with_name_server(folder.path(), address, "127.0.0.1") else {
        return skip("mount namespaces take the rights of an administrator");
    };
    let began = std::time::Instant::now();
    let uri = "mongodb+srv://u:hush@a.b.test/";
    let error = refusal(command.args(PORTS).args(["--store", uri]));
    assert!(began.elapsed().as_secs() < 7, "{:?}", began.elapsed());
    assert!(error.contains("cannot be looked up"), "{error}");
    assert!(!error.contains("hush"), "{error}");
}
