//! The bridge that runs already: who starts a second one, by a desktop entry for instance, wants to
//! see its page.
//!
//! A lock beside the secret is held by the bridge that uses it, and says where that one listens.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use p2pchat_platform::lock::Lock;

use crate::Secret;

/// Held while this bridge runs.
#[derive(Debug)]
pub struct Running(Lock);

impl Running {
    /// Says that this bridge uses the secret in this file; `None` if another one does.
    ///
    /// # Errors
    /// If the file beside it cannot be made or locked.
    pub fn begin(secret_file: &Path) -> io::Result<Option<Self>> {
        let lock = Lock::try_take(&beside(secret_file))?;
        // Of an earlier one, which listened elsewhere.
        lock.map(|lock| lock.write(b"").map(|()| Self(lock)))
            .transpose()
    }

    /// Says where the page is. The secret in the URL is not written.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn page_is_at(&self, url: &str) -> io::Result<()> {
        let (page, _) = url.split_once('#').unwrap_or((url, ""));
        self.0.write(page.as_bytes())
    }
}

/// The URL of the page of the bridge that uses this secret; `None` while it starts.
#[must_use]
pub fn url(secret_file: &Path, secret: &Secret) -> Option<String> {
    let page = fs::read_to_string(beside(secret_file)).ok()?;
    (!page.is_empty()).then(|| format!("{page}#{}", secret.expose()))
}

fn beside(secret_file: &Path) -> PathBuf {
    let mut name = OsString::from(secret_file);
    name.push("-used");
    name.into()
}
