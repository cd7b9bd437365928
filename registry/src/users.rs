//! The operator commands: `p2pchat-registry users …`.
//!
//! They open the store beside a running registry and change one account each.

use std::io::{self, Write};

use anyhow::{Context, Result, bail};
use p2pchat_protocol::{Password, Username};

use crate::cli::{PasswordSource, UsersCommand};
use crate::options::StoreSpec;
use crate::password::Hasher;
use crate::store::{self, NewAccount, Opener, Store, StoredPassword};

mod ask;

/// How many names are asked for at a time.
const PAGE: u32 = 1000;

/// Does what a command says and prints what was done to `out`.
///
/// # Errors
/// If the store cannot be used, there is no such account (or is one already), or the
/// name or the password is none.
pub async fn run(command: UsersCommand, spec: &StoreSpec, out: &mut impl Write) -> Result<()> {
    let store = store::open(spec, Opener::Operator).await?;
    let done = match command {
        UsersCommand::List => list(&*store, out).await,
        UsersCommand::Add { name, source } => add(&*store, &name, &source, out).await,
        UsersCommand::Remove { name } => remove(&*store, &name, out).await,
        UsersCommand::SetPassword { name, source } => {
            set_password(&*store, &name, &source, out).await
        }
    };
    store.close().await;
    done
}

async fn list(store: &dyn Store, out: &mut impl Write) -> Result<()> {
    let mut after = None;
    loop {
        let names = store.names(after.take(), PAGE).await?;
        for name in &names {
            // A database of 2017 may hold anything; a terminal must not get it.
            let shown: String = name
                .chars()
                .map(|c| if c.is_control() { '\u{fffd}' } else { c })
                .collect();
            match writeln!(out, "{shown}") {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                written => written?,
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
    warn_about_2017(username);
    let account = NewAccount {
        name: username,
        password: new_password(source)?,
        address: None,
    };
    match store.register(account).await? {
        true => Ok(writeln!(out, "added {username}")?),
        false => bail!(taken(username)),
    }
}

async fn remove(store: &dyn Store, name: &str, out: &mut impl Write) -> Result<()> {
    let username: Username = name.parse()?;
    match store.remove(username).await? {
        true => Ok(writeln!(out, "removed {username}")?),
        false => bail!(missing(username)),
    }
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
    match store.set_password(username, new_password(source)?).await? {
        true => Ok(writeln!(out, "set the password of {username}")?),
        false => bail!(missing(username)),
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

fn warn_about_2017(name: Username) {
    if !name.is_legacy_compatible() {
        tracing::warn!(
            "clients of 2017 do not understand a name of {} bytes",
            Username::MAX
        );
    }
}

fn new_password(source: &PasswordSource) -> Result<StoredPassword> {
    let password = match &source.password_file {
        Some(file) => ask::from_file(file)?,
        None => ask::on_terminal()?,
    };
    if !password.is_legacy_compatible() {
        tracing::warn!(
            "clients of 2017 cannot log in with a password of {} bytes",
            Password::MAX
        );
    }
    Hasher::default()
        .hash(&password)
        .context("the password could not be hashed")
}
