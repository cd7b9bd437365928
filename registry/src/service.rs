//! The commands `install` and `uninstall`: the registry as a service.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use p2pchat_platform::process::user_id;
use p2pchat_secure::{SecretKey, fingerprint};
use p2pchat_settings::options::{Environment, Places, read_in};
use p2pchat_settings::service::{
    Installation, Manager, Scope, Service, ServiceError, carry_out, check_options, show,
};

use crate::key;
use crate::options::{Cli, Options, StoreSpec, WhichService};

/// The registry as a service.
const SERVICE: Service = Service {
    name: "p2pchat-registry",
    system_unit: include_str!("../../ops/p2pchat-registry.service"),
    user_unit: include_str!("../../ops/p2pchat-registry-user.service"),
    root: "/",
};

/// Where the options of a service of the system are, as its unit has it.
const SYSTEM_OPTIONS: &str = "/etc/p2pchat/registry.env";

/// Where those of a service of a user are.
const USER_OPTIONS: &str = "the section [registry] of ~/.config/p2pchat/config.toml";

/// What systemd puts in place of `%S` in a unit of the system.
const STATE: &str = "/var/lib";

/// How long the service may take until it listens.
const START: Duration = Duration::from_secs(15);

/// How often it is tried. There is no event to wait for: another process makes the key.
const PAUSE: Duration = Duration::from_millis(100);

/// What stands beside an account file, by the end of its name.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", ".lock"];

/// Makes the registry a service, or brings that up to date, and starts it. The last line that is
/// printed is the command by which users reach it.
///
/// # Errors
/// If it cannot be one, or does not start.
pub fn install(
    which: &WhichService,
    own: &Options,
    places: &Places,
    out: &mut impl Write,
) -> Result<()> {
    let scope = scope(which);
    let file = match scope {
        Scope::System => SYSTEM_OPTIONS,
        Scope::User => USER_OPTIONS,
    };
    check_options::<Cli>(places, scope, file)?;
    let installation = Installation::new(SERVICE, scope, Manager::of_system())?;
    let steps = installation.install();
    if which.dry_run {
        return Ok(show(&steps, out)?);
    }
    installation.find_manager()?;
    let options = match scope {
        Scope::System => {
            let file = fs::read_to_string(SYSTEM_OPTIONS).unwrap_or_default();
            options_of_unit(&installation.unit(), &file)?
        }
        Scope::User => own.clone(),
    };
    options.check()?;
    if !installation.is_there() {
        check_port(options.tcp)?;
    }
    carry_out(&steps)?;
    let argument = wait_until_it_listens(&options)?;
    for line in installation.advice() {
        writeln!(out, "{line}")?;
    }
    writeln!(
        out,
        "People on this network chat with:\np2pchat --registry {argument}"
    )?;
    Ok(())
}

/// Stops and removes the service. `purge` deletes accounts and key.
///
/// # Errors
/// If that does not work.
pub fn uninstall(
    which: &WhichService,
    purge: bool,
    own: &Options,
    out: &mut impl Write,
) -> Result<()> {
    let scope = scope(which);
    let installation = Installation::new(SERVICE, scope, Manager::of_system())?;
    let data = match scope {
        Scope::System => Vec::new(),
        Scope::User => data(own)?,
    };
    let steps = installation.uninstall(purge);
    if which.dry_run {
        show(&steps, out)?;
        for path in data.iter().filter(|_| purge) {
            writeln!(out, "would remove {}", path.display())?;
        }
        return Ok(());
    }
    installation.find_manager()?;
    if installation.is_there() {
        carry_out(&steps)?;
        writeln!(out, "p2pchat-registry is no service any more.")?;
    } else {
        writeln!(out, "p2pchat-registry was no service.")?;
        if scope == Scope::System {
            return Ok(());
        }
    }
    if purge {
        delete(&data)?;
        writeln!(out, "Its accounts and its key are deleted.")?;
    } else {
        let place = match data.first() {
            Some(path) => path.display().to_string(),
            None => format!("{STATE}/p2pchat-registry"),
        };
        writeln!(out, "Its accounts and its key are still there: {place}")?;
    }
    Ok(())
}

fn scope(which: &WhichService) -> Scope {
    // There is no service of the system but by systemd.
    let is_root = user_id() == Some(0) && Manager::of_system() == Manager::Systemd;
    if is_root && !which.user {
        Scope::System
    } else {
        Scope::User
    }
}

/// The options that a unit and its file of variables give.
fn options_of_unit(unit: &str, file: &str) -> Result<Options> {
    let mut variables: HashMap<String, OsString> = HashMap::new();
    let of_unit = unit
        .lines()
        .filter_map(|line| line.strip_prefix("Environment="));
    // The file wins, as with systemd.
    for line in of_unit.chain(file.lines().map(str::trim)) {
        if let Some((name, value)) = line.split_once('=') {
            let value = value.trim_matches(['"', '\'']).replace("%S", STATE);
            variables.insert(name.to_owned(), value.into());
        }
    }
    let environment = Environment {
        variables,
        ..Environment::default()
    };
    let given = read_in::<Cli>(["p2pchat-registry"], &environment);
    Ok(given
        .context("the options of the service are wrong")?
        .options
        .options)
}

/// An error if another program listens where the service would.
fn check_port(address: SocketAddr) -> Result<()> {
    match TcpListener::bind(address) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "another program listens at {address}, perhaps a registry that was started by hand: \
             stop it first"
        ),
        _ => Ok(()),
    }
}

/// Waits until the registry listens and has a key. Returns how users name it.
fn wait_until_it_listens(options: &Options) -> Result<String> {
    let path = options.key_path()?;
    let give_up = Instant::now() + START;
    loop {
        if TcpStream::connect_timeout(&reached(options.tcp), START).is_ok()
            && let Ok(key) = SecretKey::load(&path)
        {
            let host = key::host(options.tcp);
            return Ok(key::argument(&host, &fingerprint(&key.public())));
        }
        if Instant::now() > give_up {
            bail!(
                "the service was started, but does not listen at {} after {} seconds: its log says \
                 why",
                options.tcp,
                START.as_secs()
            );
        }
        thread::sleep(PAUSE);
    }
}

/// The address at which this machine reaches what listens at `address`.
fn reached(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// The files of accounts and key of a user. A database is left alone.
fn data(options: &Options) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if let StoreSpec::Sqlite(store) = &options.store {
        for end in BESIDE {
            let mut path = store.clone().into_os_string();
            path.push(end);
            files.push(path.into());
        }
        files.push(options.key_path()?);
    }
    Ok(files)
}

fn delete(files: &[impl AsRef<Path>]) -> Result<(), ServiceError> {
    for path in files {
        let path = path.as_ref();
        match fs::remove_file(path) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                let path = path.to_owned();
                return Err(ServiceError::File { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_variables_wins_over_the_unit() {
        let options = |file: &str| options_of_unit(SERVICE.system_unit, file);
        let plain = options("").unwrap();
        let folder = Path::new("/var/lib/p2pchat-registry");
        assert_eq!(plain.key_path().unwrap(), folder.join("registry.key"));
        assert_eq!(
            plain.store,
            StoreSpec::Sqlite(folder.join("accounts.sqlite3"))
        );
        assert_eq!(plain.tcp.port(), 3131);
        let own = options("# ours\nP2PCHAT_TCP=\"127.0.0.1:4000\"\nP2PCHAT_KEY_FILE=/k\n").unwrap();
        assert_eq!(own.key_path().unwrap(), Path::new("/k"));
        assert_eq!(own.tcp.port(), 4000);
        let error = options("P2PCHAT_TCP=x\n").unwrap_err();
        assert!(format!("{error:#}").contains("P2PCHAT_TCP=x"), "{error:#}");
    }

    #[test]
    fn what_listens_everywhere_is_reached_here() {
        let reached = |address: &str| reached(address.parse().unwrap()).to_string();
        assert_eq!(reached("0.0.0.0:3131"), "127.0.0.1:3131");
        assert_eq!(reached("[::]:3131"), "[::1]:3131");
        assert_eq!(reached("192.0.2.1:3131"), "192.0.2.1:3131");
    }
}
