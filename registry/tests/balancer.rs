//! Three registries behind nginx, as compose.yaml has them: in a network of their own, with
//! the files of `ops/`, and clients in another.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use p2pchat_registry::metrics::DropReason;
use p2pchat_testkit::{Namespace, skip};
use tokio::runtime::Runtime;

use crate::ops;
use crate::support::client::{Beacon, Client, LOGIN, REGISTER, SEARCH};
use crate::support::program::text;
use crate::support::server::TestServer;
use crate::support::{SOON, wait_for};

const BALANCER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const ALICE: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
const BOB: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 3);
const REGISTRIES: u8 = 3;

/// What nginx says of the balancer's configuration; `None` where there is none that could.
pub(crate) fn check(folder: &Path) -> Option<Output> {
    let file = configure(folder);
    let output = ops::run("nginx", &["-t", "-p", text(folder), "-c", text(&file)])?;
    if String::from_utf8_lossy(&output.stderr).contains("unknown directive \"stream\"") {
        skip("nginx is installed without its stream module");
        return None;
    }
    Some(output)
}

/// Puts the balancer's configuration into a folder, as nginx takes it here.
fn configure(folder: &Path) -> PathBuf {
    // In some systems what passes on streams is a module of its own.
    let module = Path::new("/usr/lib/nginx/modules/ngx_stream_module.so");
    let load = format!("load_module {};\n", module.display());
    let load = if module.is_file() { &load } else { "" };
    let content = ops::read("ops/nginx.conf").replace("/tmp/", &format!("{}/", text(folder)));
    let file = folder.join("nginx.conf");
    std::fs::write(&file, format!("daemon off;\n{load}{content}")).unwrap();
    file
}

/// The two networks, with a cable between them.
fn networks() -> anyhow::Result<[Namespace; 2]> {
    let [inside, outside] = [Namespace::new()?, Namespace::new()?];
    inside.ip(&format!(
        "link set lo up\n\
         link add front type veth peer name cable netns {}\n\
         address add {BALANCER}/24 dev front\nlink set front up\n",
        outside.path()
    ))?;
    outside.ip(&format!(
        "link set lo up\naddress add {ALICE}/24 dev cable\naddress add {BOB}/24 dev cable\n\
         link set cable up\n"
    ))?;
    Ok([inside, outside])
}

/// nginx in a network. Ended on drop.
struct Nginx(Child);

impl Nginx {
    fn start(inside: &Namespace, folder: &Path) -> Self {
        let file = configure(folder);
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let mut command = Command::new("nginx");
        command
            .args(["-p", text(folder), "-c", text(&file)])
            .stdout(Stdio::null())
            .stderr(log);
        Self(inside.inside(|| command.spawn().unwrap()).unwrap())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Not killed: it has to end its workers.
        crate::support::signal(self.0.id(), "TERM");
        self.0.wait().unwrap();
    }
}

fn registry(inside: &Namespace, number: u8) -> TestServer {
    let at = |port| SocketAddr::from((Ipv4Addr::new(127, 0, 1, number), port));
    let start =
        || TestServer::start_with(|options| (options.tcp, options.udp) = (at(13131), at(15151)));
    inside.inside(start).unwrap()
}

#[test]
#[cfg_attr(
    not(target_os = "linux"),
    ignore = "network namespaces are Linux's alone"
)]
fn behind_the_balancer_users_keep_their_addresses_and_go_on_with_the_next_registry() {
    let folder = tempfile::tempdir().unwrap();
    if check(folder.path()).is_none() {
        return;
    }
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let [inside, outside] = match networks() {
        Ok(networks) => networks,
        Err(error) => return skip(&format!("balancer: {error:#}")),
    };
    let routes = ops::path("ops/balancer-routes.sh");
    let routing = || Command::new("sh").arg(&routes).status().unwrap();
    assert!(inside.inside(routing).unwrap().success());
    let mut registries: Vec<TestServer> = (1..=REGISTRIES)
        .map(|number| registry(&inside, number))
        .collect();
    let _nginx = Nginx::start(&inside, folder.path());
    let connect = |from| {
        let connecting = || Client::try_connect_from(from, (BALANCER, 3131).into());
        outside.inside(connecting).unwrap()
    };
    wait_for("the balancer", SOON, || connect(ALICE).is_ok());

    for (name, address) in [("alice", ALICE), ("bob", BOB)] {
        let mut client = connect(address).unwrap();
        client.register_and_login(name, "pw");
        assert_eq!(client.online(), [format!("{name}-{address}")]);
    }
    // Each datagram of its own socket may reach another registry; all reach one.
    for _ in 0..10 {
        let beacon = outside.inside(|| Beacon::new(ALICE, (BALANCER, 5151).into()));
        beacon.unwrap().hello("alice");
    }
    let heard = |registries: &[TestServer]| -> u64 {
        let of = |server: &TestServer| {
            server.metrics.hellos.get() + server.turned_away(DropReason::ForeignHello)
        };
        registries.iter().map(of).sum()
    };
    wait_for("ten Hellos", SOON, || heard(&registries) == 10);
    let counted: u64 = registries
        .iter()
        .map(|server| server.metrics.hellos.get())
        .sum();
    assert!(
        (1..10).contains(&counted),
        "{counted}: one of them knows alice at her address"
    );

    drop(registries.remove(0));
    for n in 0..6 {
        let name = format!("carl{n}");
        let mut client = connect(BOB).unwrap();
        assert_eq!(client.status(REGISTER, &name, "pw"), 20);
        assert_eq!(client.status(LOGIN, &name, "pw"), 21);
        assert_eq!(client.status(SEARCH, &name, &name), 22);
    }
}
