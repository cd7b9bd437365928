//! The operator commands: `p2pchat-registry users …`.
//!
//! They open the store beside a running registry and change one account each.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use p2pchat_protocol::v2::{DeviceKey, Passphrase};
use p2pchat_protocol::{Password, Username};
use p2pchat_settings::streams::{self, Output, first_line};
use zeroize::Zeroizing;

use crate::options::{PasswordSource, StoreSpec, UsersCommand};
use crate::password::Hasher;
use crate::store::{self, NewAccount, Opener, Store, StoredBinding, StoredPassword};

/// How many names are read from the store at a time.
const PAGE: u32 = 1000;

/// Does what a command says and prints what was done to `out`.
///
/// # Errors
/// If the store cannot be used, the account does not exist (or exists already), or the name
/// or the password is invalid.
pub async fn run(command: UsersCommand, spec: &StoreSpec, out: &mut impl Write) -> Result<()> {
    let store = store::open(spec, Opener::Operator).await?;
    let done = match command {
        UsersCommand::List => list(&*store, out).await,
        UsersCommand::Add { name, source } => add(&*store, &name, &source, out).await,
        UsersCommand::Remove { name } => remove(&*store, &name, out).await,
        UsersCommand::SetPassword { name, source } => {
            set_password(&*store, &name, &source, out).await
        }
        UsersCommand::Devices { name } => devices(&*store, &name, out).await,
        UsersCommand::ForgetDevice { name, device } => {
            forget_device(&*store, &name, &device, out).await
        }
        UsersCommand::ResetKey { name } => reset_key(&*store, &name, out).await,
    };
    store.close().await;
    done
}

async fn list(store: &dyn Store, out: &mut impl Write) -> Result<()> {
    let mut after = None;
    loop {
        let names = store.names(after.take(), PAGE).await?;
        for name in &names {
            // A legacy database may hold anything; a terminal must not get it.
            let shown: String = name
                .chars()
                .map(|c| if c.is_control() { '\u{fffd}' } else { c })
                .collect();
            if Output::of(writeln!(out, "{shown}"))? == Output::Closed {
                return Ok(());
            }
        }
        after = names.into_iter().next_back();
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn add(
    store: &dyn Store,
    name: &str,
    source: &PasswordSource,
    out: &mut impl Write,
) -> Result<()> {
    let username: Username = name.parse()?;
    username.check_new()?;
    if store.find(username).await?.is_some() {
        bail!(taken(username));
    }
    warn_about_legacy_clients(username);
    let account = NewAccount {
        name: username,
        password: new_password(source)?,
        address: None,
    };
    if !store.register(account).await? {
        bail!(taken(username));
    }
    report(out, format_args!("added {username}"))
}

async fn remove(store: &dyn Store, name: &str, out: &mut impl Write) -> Result<()> {
    let username: Username = name.parse()?;
    if !store.remove(username).await? {
        bail!(missing(username));
    }
    report(out, format_args!("removed {username}"))
}

async fn set_password(
    store: &dyn Store,
    name: &str,
    source: &PasswordSource,
    out: &mut impl Write,
) -> Result<()> {
    let username: Username = name.parse()?;
    if store.find(username).await?.is_none() {
        bail!(missing(username));
    }
    if !store.set_password(username, new_password(source)?).await? {
        bail!(missing(username));
    }
    report(out, format_args!("set the password of {username}"))
}

async fn devices(store: &dyn Store, name: &str, out: &mut impl Write) -> Result<()> {
    let (_, stored) = binding_of(store, name).await?;
    let devices = stored.binding.devices.iter();
    let devices = devices.map(|certificate| shown(&certificate.device));
    let forgotten = stored.forgotten.iter();
    let forgotten = forgotten.map(|device| format!("{} forgotten", shown(device)));
    for line in devices.chain(forgotten) {
        if Output::of(writeln!(out, "{line}"))? == Output::Closed {
            return Ok(());
        }
    }
    Ok(())
}

async fn forget_device(
    store: &dyn Store,
    name: &str,
    device: &str,
    out: &mut impl Write,
) -> Result<()> {
    let username = change_binding(store, name, |stored| {
        let devices = &mut stored.binding.devices;
        let index = devices
            .iter()
            .position(|known| shown(&known.device) == device.to_lowercase());
        let index = index.with_context(|| {
            format!("{name} has no device {device}; users devices {name} shows all")
        })?;
        stored.forgotten.push(devices.remove(index).device);
        Ok(())
    });
    let username = username.await?;
    report(out, format_args!("forgot device {device} of {username}"))
}

async fn reset_key(store: &dyn Store, name: &str, out: &mut impl Write) -> Result<()> {
    let username = change_binding(store, name, |stored| {
        stored.binding.person = None;
        stored.binding.devices.clear();
        stored.forgotten.clear();
        stored.allows_version_1 = false;
        Ok(())
    });
    let username = username.await?;
    report(out, format_args!("reset the key of {username}"))
}

/// A device as operators see it: the first 8 bytes of its key.
fn shown(device: &DeviceKey) -> String {
    format!("{:016x}", u64::from_be_bytes(device.id().0))
}

/// Changes what a name is bound to. A registry may change it at the same time: then it is read
/// and changed again.
async fn change_binding(
    store: &dyn Store,
    name: &str,
    change: impl Fn(&mut StoredBinding) -> Result<()>,
) -> Result<Username> {
    loop {
        let (username, mut stored) = binding_of(store, name).await?;
        change(&mut stored)?;
        stored.binding.serial += 1;
        if store.bind(stored).await? {
            return Ok(username);
        }
    }
}

async fn binding_of(store: &dyn Store, name: &str) -> Result<(Username, StoredBinding)> {
    let username: Username = name.parse()?;
    match store.binding(username).await? {
        Some(stored) if stored.binding.person.is_some() => Ok((username, stored)),
        _ if store.find(username).await?.is_none() => bail!(missing(username)),
        _ => bail!(
            "{username} is bound to nobody: they have not signed in yet with a p2pchat that encrypts"
        ),
    }
}

/// Says what was done. It is done even if that cannot be written.
fn report(out: &mut impl Write, done: fmt::Arguments<'_>) -> Result<()> {
    let written = Output::of(writeln!(out, "{done}"));
    match written.with_context(|| format!("{done}, but"))? {
        Output::Written | Output::Closed => Ok(()),
    }
}

fn taken(name: Username) -> String {
    format!(
        "there is an account {name} already; to change its password, use users set-password {name}"
    )
}

fn missing(name: Username) -> String {
    format!("there is no account {name}; users list shows all")
}

fn warn_about_legacy_clients(name: Username) {
    if !name.is_legacy_compatible() {
        tracing::warn!(
            "legacy clients do not understand a name of {} bytes",
            Username::MAX
        );
    }
}

fn warn_about_version_1(password: &Passphrase) {
    let bytes = password.expose().len();
    match password.to_version_1() {
        Err(_) => tracing::warn!(
            "clients of version 1 cannot log in with a password of {bytes} bytes: they have at \
             most {}",
            Password::MAX
        ),
        Ok(password) if !password.is_legacy_compatible() => {
            tracing::warn!("legacy clients cannot log in with a password of {bytes} bytes");
        }
        Ok(_) => {}
    }
}

fn new_password(source: &PasswordSource) -> Result<StoredPassword> {
    let password = match &source.password_file {
        Some(file) => from_file(file)?,
        None => on_terminal()?,
    };
    warn_about_version_1(&password);
    Hasher::default()
        .hash(&password)
        .context("the password could not be hashed")
}

/// Reads a password from the first line of a file, or of standard input if the file is `-`.
fn from_file(path: &Path) -> Result<Passphrase> {
    if path.as_os_str() == "-" {
        return password(first_line(streams::stdin())).context("standard input");
    }
    password(File::open(path).and_then(first_line))
        .with_context(|| format!("the password file {}", path.display()))
}

fn password(line: io::Result<Zeroizing<String>>) -> Result<Passphrase> {
    Ok(Passphrase::new(&line?)?)
}

/// Asks for a password twice, without showing what is typed.
fn on_terminal() -> Result<Passphrase> {
    let prompt = |text| {
        rpassword::prompt_password(text)
            .map(Zeroizing::new)
            .context("no terminal to ask for the password on; use --password-file FILE")
    };
    let password = Passphrase::new(&prompt("Password: ")?)?;
    let again = prompt("Again: ")?;
    if again.as_str() != password.expose() {
        bail!("the two passwords differ; nothing was changed");
    }
    Ok(password)
}
