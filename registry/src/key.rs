//! The key of the registry: where it is kept, that it is the one which its store names, and how
//! its fingerprint is shown.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use p2pchat_platform::process::host_name;
use p2pchat_protocol::REGISTRY_TCP_PORT;
use p2pchat_protocol::v2::Fingerprint;
use p2pchat_secure::{KeyFileError, SecretKey, fingerprint};
use p2pchat_settings::streams::Output;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use thiserror::Error;

use crate::options::{Options, StoreSpec};
use crate::store::{Store, StoreError};

/// What the name of the key file has at its end, beside the account file.
const SUFFIX: &str = ".key";
/// The most bytes in a QR code: version 4 at level L, which takes 41 columns and 21 rows of a
/// terminal of 80 by 24.
const MAX_QR: usize = 78;
/// Black on white, whatever the colours of the terminal: scanners do not read it inverted.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const RESET: &str = "\x1b[0m";

/// Why the registry has no key, and what to do about it.
#[derive(Debug, Error)]
pub enum KeyError {
    /// With MongoDB there is no file beside which it could be.
    #[error(
        "with MongoDB the key of the registry needs a file: name one with --key-file FILE, the same key for all registries over that database. It is made if it does not exist"
    )]
    NoFile,
    /// Its file cannot be used.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The store names another key.
    #[error(
        "the key in {path} has the fingerprint {found}, but users of these accounts know this registry by {expected}: put the key file with that fingerprint there, from another registry or a backup, or name it with --key-file"
    )]
    Other {
        /// The key file.
        path: PathBuf,
        /// The fingerprint of the key in it.
        found: Fingerprint,
        /// The fingerprint in the store.
        expected: Fingerprint,
    },
    /// The store does not answer.
    #[error("the account store does not tell which key this registry has: {0}")]
    Store(#[from] StoreError),
}

impl Options {
    /// Where the key is kept.
    ///
    /// # Errors
    /// If the options do not say.
    pub fn key_path(&self) -> Result<PathBuf, KeyError> {
        match (&self.key_file, &self.store) {
            (Some(path), _) => Ok(path.clone()),
            (None, StoreSpec::Sqlite(store)) => {
                let mut path = store.clone().into_os_string();
                path.push(SUFFIX);
                Ok(path.into())
            }
            (None, StoreSpec::Mongo(_)) => Err(KeyError::NoFile),
        }
    }
}

/// The key of a registry over this store. Makes one if there is none.
///
/// # Errors
/// If it cannot be used, or the store names another one.
pub async fn open(options: &Options, store: &dyn Store) -> Result<SecretKey, KeyError> {
    let path = options.key_path()?;
    let key = SecretKey::load_or_create(&path)?;
    let found = fingerprint(&key.public());
    // The file is there before the store names it: a kill in between costs nothing.
    match store.claim_key(found).await? {
        expected if expected == found => Ok(key),
        expected => Err(KeyError::Other {
            path,
            found,
            expected,
        }),
    }
}

/// The argument by which clients find a registry and know it: `HOST#FINGERPRINT`.
#[must_use]
pub fn argument(host: &str, key: &Fingerprint) -> String {
    format!("{host}#{}", key.as_str())
}

/// The name of this machine as clients could reach it at `tcp`: its address if that is a certain
/// one. With the port, if it is not the usual one.
#[must_use]
pub fn host(tcp: SocketAddr) -> String {
    let host = if tcp.ip().is_unspecified() {
        host_name()
    } else if tcp.is_ipv6() {
        format!("[{}]", tcp.ip())
    } else {
        tcp.ip().to_string()
    };
    match tcp.port() {
        0 | REGISTRY_TCP_PORT => host,
        port => format!("{host}:{port}"),
    }
}

/// The command `fingerprint`: prints how clients name the registry, and a QR code of that.
///
/// # Errors
/// If there is no key yet, or it cannot be read or printed.
pub fn print_fingerprint(
    options: &Options,
    host: Option<String>,
    out: &mut impl Write,
) -> Result<()> {
    let key = SecretKey::load(&options.key_path()?)
        .context("the registry makes its key when it is first started")?;
    let host = host.unwrap_or_else(|| self::host(options.tcp));
    let argument = argument(&host, &fingerprint(&key.public()));
    let code = qr_code(&argument).unwrap_or_else(|| {
        let length = argument.len();
        format!("no QR code: {length} bytes are more than the {MAX_QR} that fit on a terminal\n")
    });
    match Output::of(write!(out, "--registry {argument}\n{code}"))? {
        Output::Written | Output::Closed => Ok(()),
    }
}

/// A QR code for a terminal; `None` if the text is too long for one.
fn qr_code(text: &str) -> Option<String> {
    if text.len() > MAX_QR {
        return None;
    }
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let rows = code.render::<Dense1x2>().build();
    let rows = rows.lines();
    Some(
        rows.map(|row| format!("{BLACK_ON_WHITE}{row}{RESET}\n"))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_beside_the_account_file_unless_it_is_named() {
        let sqlite = Options::new(StoreSpec::Sqlite("a/b.sqlite3".into()));
        let path = sqlite.key_path().unwrap();
        assert_eq!(path, PathBuf::from("a/b.sqlite3.key"));
        let mut mongo = Options::new("mongodb://h".parse().unwrap());
        let error = mongo.key_path().unwrap_err().to_string();
        assert!(error.contains("--key-file"), "{error}");
        mongo.key_file = Some("k".into());
        assert_eq!(mongo.key_path().unwrap(), PathBuf::from("k"));
    }

    #[test]
    fn the_host_is_what_clients_can_name() {
        let host = |address: &str| host(address.parse().unwrap());
        assert_eq!(host("192.0.2.1:3131"), "192.0.2.1");
        assert_eq!(host("192.0.2.1:4000"), "192.0.2.1:4000");
        assert_eq!(host("[::1]:4000"), "[::1]:4000");
        assert!(!host("0.0.0.0:3131").is_empty());
        assert!(host("0.0.0.0:4000").ends_with(":4000"));
    }

    #[test]
    fn a_qr_code_is_black_on_white_and_fits_into_a_terminal() {
        let code = qr_code(&"x".repeat(MAX_QR)).unwrap();
        let rows: Vec<&str> = code.lines().collect();
        assert_eq!(rows.len(), 21);
        for row in &rows {
            let row = row.strip_prefix(BLACK_ON_WHITE).unwrap();
            assert_eq!(row.strip_suffix(RESET).unwrap().chars().count(), 41);
        }
        // Four modules of white around it, then the corner, which is black.
        let row = rows[2].strip_prefix(BLACK_ON_WHITE).unwrap();
        assert!(row.starts_with("    \u{2588}\u{2580}\u{2580}"), "{row}");
        assert_eq!(qr_code(&"x".repeat(MAX_QR + 1)), None);
    }
}
