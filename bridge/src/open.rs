//! The redirect file, which shows the page in the user's browser.
//!
//! Every user of the machine can read the command line of a process, so the URL with the
//! secret must not be on one. The browser is given a file instead, which only its owner can
//! read, and which redirects to the URL.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::NamedTempFile;

/// The redirect file. Dropping it deletes the file.
#[derive(Debug)]
pub struct Redirect(NamedTempFile);

impl Redirect {
    /// Writes the file into this folder and opens it in the user's browser, without waiting
    /// for that.
    ///
    /// # Errors
    /// If the file cannot be written, or there is no program to open pages with.
    pub fn open(folder: &Path, url: &str) -> io::Result<Self> {
        let redirect = Self::write(folder, url)?;
        redirect.show()?;
        Ok(redirect)
    }

    fn write(folder: &Path, url: &str) -> io::Result<Self> {
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

    fn show(&self) -> io::Result<()> {
        let program = if cfg!(target_os = "macos") {
            "open"
        } else {
            "xdg-open"
        };
        let mut opener = Command::new(program)
            .arg(self.0.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        // Without a wait, the ended process would stay as a zombie.
        std::thread::Builder::new()
            .name("opener".to_owned())
            .spawn(move || opener.wait())?;
        Ok(())
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
