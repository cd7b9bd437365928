//! The redirect file, which shows the page in the user's browser.
//!
//! Every user of the machine can read the command line of a process, so the URL with the
//! secret must not be on one. The browser is given a file instead, which only its owner can
//! read, and which redirects to the URL.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitStatus;

use p2pchat_platform::opener::{self, OPENER};
use tempfile::NamedTempFile;
use thiserror::Error;

/// Why the page is not shown.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The redirect file cannot be written.
    #[error("cannot write a file for it: {0}")]
    File(#[from] io::Error),
    /// There is no opener, or it does not start.
    #[error("cannot run {OPENER}: {0}")]
    Start(io::Error),
    /// The opener failed: there is no browser, or no screen to show it on.
    #[error("{OPENER} has failed: {0}")]
    Failed(ExitStatus),
}

/// The redirect file. Dropping it deletes the file.
#[derive(Debug)]
pub struct Redirect(NamedTempFile);

impl Redirect {
    /// Writes the file into this folder.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(folder: &Path, url: &str) -> Result<Self, OpenError> {
        // Created for its owner alone.
        let mut file = tempfile::Builder::new()
            .prefix("p2pchat-open-")
            .suffix(".html")
            .tempfile_in(folder)?;
        write!(
            file,
            "<!doctype html><meta charset=\"utf-8\"><title>p2pchat</title>\
             <meta http-equiv=\"refresh\" content=\"0;url={url}\">\
             <p><a href=\"{url}\">Open p2pchat</a>"
        )?;
        Ok(Self(file))
    }

    /// Opens the file in the user's browser. Calls `failed` later if the opener fails, from
    /// another thread.
    ///
    /// # Errors
    /// If the opener does not start.
    pub fn show(&self, failed: impl FnOnce(&OpenError) + Send + 'static) -> Result<(), OpenError> {
        let failed = move |status| failed(&OpenError::Failed(status));
        opener::open(self.0.path(), failed).map_err(OpenError::Start)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_file_is_for_its_owner_and_goes_away() {
        let folder = tempfile::tempdir().unwrap();
        let redirect = Redirect::write(folder.path(), "http://127.0.0.1:1/#a").unwrap();
        let text = fs::read_to_string(redirect.0.path()).unwrap();
        assert!(text.contains("url=http://127.0.0.1:1/#a\""), "{text}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(redirect.0.path())
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        drop(redirect);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
