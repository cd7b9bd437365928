//! Where scenes are played: namespaces that the system lets anybody make, in which he is
//! root, and which are gone with their first process.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Output};

use p2pchat_testkit::{tool, tool_command};
use rustix::process::geteuid;
use thiserror::Error;

/// The programs of the system that scenes take, and the packages of Debian that have them.
const TOOLS: [(&str, &str); 3] = [
    ("unshare", "util-linux"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
];
/// A network, a list of processes, and a list of mounts of one's own. Process 1 of the
/// list is the one that is run, and takes all others with it when it ends.
const OWN: [&str; 6] = [
    "--net",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
];
/// To be root inside without being it outside.
const AS_ROOT: [&str; 2] = ["--user", "--map-root-user"];
/// What scenes do, in short: it works, or says why not.
const TRY: &str = "ip link add lan type bridge && ip link add one type veth peer name two \
    && nft add table bridge lan && unshare --net true";

/// Why no scene can be played on this system.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a real network cannot be tried here: {0}")]
pub struct Impossible(String);

/// A way to run programs in a network of their own.
#[derive(Debug, Clone)]
pub struct Sandbox {
    flags: Vec<&'static str>,
}

impl Sandbox {
    /// Finds out what the system lets this user do.
    ///
    /// # Errors
    /// If that is not enough; says why, and what to do.
    pub fn find() -> Result<Self, Impossible> {
        if !cfg!(target_os = "linux") {
            return Err(Impossible("network namespaces are Linux's alone".into()));
        }
        for (name, package) in TOOLS {
            if tool(name).is_none() {
                let missing =
                    format!("{name} is missing; on Debian or Ubuntu: apt install {package}");
                return Err(Impossible(missing));
            }
        }
        let mut sandboxes = vec![[&AS_ROOT[..], &OWN].concat()];
        if geteuid().is_root() {
            sandboxes.push(OWN.to_vec());
        }
        let mut reason = String::new();
        for flags in sandboxes {
            let sandbox = Self { flags };
            match sandbox.attempt() {
                Ok(()) => return Ok(sandbox),
                Err(said) => reason = said,
            }
        }
        Err(Impossible(format!(
            "the system lets this user make no network namespaces ({reason}); root may, and \
             others where user namespaces are not switched off (see the sysctls \
             user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns)"
        )))
    }

    fn attempt(&self) -> Result<(), String> {
        let Output { status, stderr, .. } = self
            .command(Path::new("sh"))
            .and_then(|mut command| Ok(command.args(["-c", TRY]).output()?))
            .map_err(|error| format!("{error:#}"))?;
        match status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&stderr).trim().replace('\n', "; ")),
        }
    }

    /// A command that runs a program in there.
    ///
    /// # Errors
    /// If the system lacks what that takes.
    pub fn command(&self, program: &Path) -> anyhow::Result<Command> {
        let mut command = tool_command("unshare")?;
        command.args(&self.flags).arg(program).env("PATH", path());
        Ok(command)
    }
}

/// The caller's, and where programs for the administrator are.
fn path() -> OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin");
    path
}
