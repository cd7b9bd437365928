//! A registry on this machine: the program p2pchat-registry, as a service of the user where systemd
//! has those, else started so that it outlives this program.
//!
//! It is a program like any other: it reads its own options, from the environment and the config
//! file too, and its first line says where it listens and how it is named.

use std::env;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use p2pchat_model::PeerAddr;
use p2pchat_platform::files::private_file;
use p2pchat_platform::process::detached;
use p2pchat_protocol::REGISTRY_TCP_PORT;
use p2pchat_protocol::v2::Fingerprint;
use p2pchat_secure::Connector;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::choose::not_started;
use super::link::{Encryption, fingerprint_at};
use super::resolve::source_address;
use crate::machine::NotChosen;

/// The program.
const PROGRAM: &str = "p2pchat-registry";
/// How long it may take to listen: it makes its key and its account file at the first start.
const START_LIMIT: Duration = Duration::from_secs(20);
/// An address in no one's network (RFC 5737): what leads there leads out of this machine.
const ELSEWHERE: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 9);

/// Why no registry was started.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Started {
    /// Another program listens where it would.
    InUse(SocketAddr),
    /// Another reason, in words.
    Failed(String),
}

/// Starts the program, waits until it listens, and returns how others can name it. Its log goes to
/// this file.
pub(super) async fn start(log: Option<PathBuf>) -> Result<String, Started> {
    let failed = |what: &str| Started::Failed(what.to_owned());
    let Some(program) = find() else {
        let missing = "p2pchat-registry is not installed on this computer; install it as you have \
                       installed p2pchat, beside it or in a folder of PATH";
        return Err(failed(missing));
    };
    if has_user_manager()
        && let Some(registry) = install(&program).await
    {
        return Ok(registry);
    }
    let (log, path) = match &log {
        Some(path) => {
            let file = private_file().create(true).truncate(true).open(path);
            let file = file.map_err(|error| {
                Started::Failed(format!("cannot write {}: {error}", path.display()))
            })?;
            (Stdio::from(file), Some(path))
        }
        None => (Stdio::null(), None),
    };
    let child = Command::from(detached(&program))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn();
    let mut child = child
        .map_err(|error| Started::Failed(format!("cannot run {}: {error}", program.display())))?;
    match timeout(START_LIMIT, first_line(&mut child)).await {
        Ok(Some(line)) => named(&line).ok_or(Started::Failed(line)),
        Ok(None) => {
            // It ends this moment.
            let _ = timeout(START_LIMIT, child.wait()).await;
            Err(why(path.map(PathBuf::as_path)))
        }
        Err(_) => {
            let _ = child.start_kill();
            Err(failed("it does not answer"))
        }
    }
}

/// Whether systemd runs services of this user.
fn has_user_manager() -> bool {
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    runtime.is_some_and(|runtime| runtime.join("systemd/private").exists())
}

/// Makes it a service of this user, which comes back after a restart of the machine. `None` where
/// that is not possible: because of options in the environment, for one, which no service has.
async fn install(program: &Path) -> Option<String> {
    let mut command = Command::new(program);
    let command = command.args(["install", "--user"]).kill_on_drop(true);
    let output = command.stdin(Stdio::null()).output();
    let output = timeout(START_LIMIT, output).await.ok()?.ok()?;
    if !output.status.success() {
        tracing::info!(error = %String::from_utf8_lossy(&output.stderr), "no service");
        return None;
    }
    named(String::from_utf8_lossy(&output.stdout).lines().last()?)
}

/// The program, beside this one or in a folder of PATH.
fn find() -> Option<PathBuf> {
    let beside = env::current_exe().ok();
    let beside = beside.and_then(|path| path.parent().map(Path::to_owned));
    let path = env::var_os("PATH").unwrap_or_default();
    find_in(beside.into_iter().chain(env::split_paths(&path)))
}

fn find_in(folders: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    let name = format!("{PROGRAM}{}", env::consts::EXE_SUFFIX);
    folders
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(&name))
        .find(|path| path.is_file())
}

async fn first_line(child: &mut Child) -> Option<String> {
    let mut line = String::new();
    let read = BufReader::new(child.stdout.take()?)
        .read_line(&mut line)
        .await;
    (read.ok()? > 0).then(|| line.trim_end().to_owned())
}

/// How others can name a registry that says this of itself.
fn named(line: &str) -> Option<String> {
    let (_, argument) = line.split_once("--registry ")?;
    let (host, key) = argument.split([',', ' ']).next()?.split_once('#')?;
    let (address, port) = match host.rsplit_once(':') {
        Some((address, port)) => (address, port.parse().ok()?),
        None => (host, REGISTRY_TCP_PORT),
    };
    if address.parse::<Ipv4Addr>().is_ok() {
        return Some(format!("{host}#{key}"));
    }
    // A host name is not known on every network.
    Some(format!("{}#{key}", of_this_machine(port)))
}

/// The name of a registry that listens at all addresses of this machine.
fn of_this_machine(port: u16) -> String {
    let own = source_address(ELSEWHERE).map_or(Ipv4Addr::LOCALHOST, PeerAddr::ip);
    name(SocketAddr::new(own.into(), port))
}

fn name(at: SocketAddr) -> String {
    match at.port() {
        REGISTRY_TCP_PORT => at.ip().to_string(),
        _ => at.to_string(),
    }
}

/// Why the program has ended, by the last line of its log.
fn why(log: Option<&Path>) -> Started {
    let text = log.map(std::fs::read_to_string).and_then(Result::ok);
    let last = text.as_deref().and_then(|text| text.lines().last());
    let last = last.unwrap_or("p2pchat-registry has ended at once");
    let words = last.split(|c: char| c.is_whitespace() || c == ';' || c == ',');
    let mut addresses = words.filter_map(|word| word.trim_end_matches(':').parse().ok());
    match addresses.next() {
        Some(at) if last.contains("is taken") => Started::InUse(at),
        _ => Started::Failed(last.trim_start_matches("p2pchat-registry: ").to_owned()),
    }
}

/// Looks at what listens at this address of this machine: a registry, its name and its key.
pub(super) async fn look(
    at: SocketAddr,
    own: PeerAddr,
    connector: Connector,
) -> Result<(String, Fingerprint), NotChosen> {
    let taken = || not_started(format!("port {} is taken by another program", at.port()));
    let (to, name) = match at.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => {
            let here = SocketAddrV4::new(Ipv4Addr::LOCALHOST, at.port());
            (here, of_this_machine(at.port()))
        }
        IpAddr::V4(ip) => (SocketAddrV4::new(ip, at.port()), name(at)),
        IpAddr::V6(_) => return Err(taken()),
    };
    let encryption = Encryption {
        connector,
        expected: None,
    };
    let key = fingerprint_at(own, to, &encryption).await;
    let key = key.map_err(|_| taken())?;
    Ok((format!("{name}#{}", key.as_str()), key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_says_how_the_registry_is_named() {
        let line = |tcp: &str, host: &str| {
            format!(
                "p2pchat-registry: listening on tcp {tcp} and udp 0.0.0.0:5151, for clients with \
                 --registry {host}#ABCD, metrics at http://127.0.0.1:1/metrics, accounts in a"
            )
        };
        let certain = named(&line("127.0.0.9:4000", "127.0.0.9:4000"));
        assert_eq!(certain.as_deref(), Some("127.0.0.9:4000#ABCD"));
        // In place of the host name that only this machine may know.
        let any = named(&line("0.0.0.0:3131", "laptop")).unwrap();
        let (host, key) = any.split_once('#').unwrap();
        assert!(host.parse::<Ipv4Addr>().is_ok(), "{any}");
        assert_eq!(key, "ABCD");
        assert_eq!(named("something else"), None);
        let service = named("p2pchat --registry 192.0.2.7#ABCD");
        assert_eq!(service.as_deref(), Some("192.0.2.7#ABCD"));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_service_is_named_by_its_last_line_and_one_that_cannot_be_is_none() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        for (script, named) in [
            (
                "echo for all:; echo p2pchat --registry 192.0.2.7#$1$2",
                Some("192.0.2.7#install--user"),
            ),
            ("echo p2pchat --registry 192.0.2.7#A; exit 2", None),
        ] {
            // Written by another process: one that is open for writing cannot be run.
            let make = format!(
                "printf '#!/bin/sh\\n%s\\n' '{script}' > {}",
                program.display()
            );
            let made = std::process::Command::new("sh")
                .args(["-c", &make])
                .status();
            assert!(made.unwrap().success());
            std::fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).unwrap();
            assert_eq!(install(&program).await.as_deref(), named, "{script}");
        }
    }

    #[test]
    fn a_program_that_ends_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let why = |text: &str| {
            std::fs::write(&log, text).unwrap();
            why(Some(&log))
        };
        let words =
            "p2pchat-registry: TCP 0.0.0.0:3131 is taken by another program; stop it, or choose";
        assert_eq!(why(words), Started::InUse("0.0.0.0:3131".parse().unwrap()));
        let failed = |text: &str| Started::Failed(text.to_owned());
        let full = "the disk is full";
        assert_eq!(
            why(&format!("INFO\np2pchat-registry: {full}")),
            failed(full)
        );
        assert_eq!(why(""), failed("p2pchat-registry has ended at once"));
    }

    #[test]
    fn the_program_is_found_in_the_first_folder_that_has_it() {
        let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let paths = || folders.iter().map(|folder| folder.path().to_owned());
        assert_eq!(find_in(paths()), None);
        let name = format!("{PROGRAM}{}", env::consts::EXE_SUFFIX);
        for folder in &folders[1..] {
            std::fs::write(folder.path().join(&name), "").unwrap();
        }
        assert_eq!(find_in(paths()), Some(folders[1].path().join(&name)));
        // What is in the current folder is not meant by it.
        assert_eq!(find_in([PathBuf::from(".")].into_iter()), None);
    }
}
