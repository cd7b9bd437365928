//! Opens the page in the user's browser.
//!
//! Every user of the machine can read the command line of a process, so the URL with the
//! secret must not be on one. The browser gets a file instead, which only its owner can
//! read, and which redirects to the URL.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::secret::own_file;

/// The file with the redirect; removed on drop.
#[derive(Debug)]
pub struct Redirect {
    path: PathBuf,
}

impl Redirect {
    /// Writes the file into this folder and opens it in the user's browser, without waiting
    /// for that.
    ///
    /// # Errors
    /// If it cannot be written, or there is no program to open pages with.
    pub fn open(folder: &Path, url: &str) -> io::Result<Self> {
        let redirect = Self::write(folder, url)?;
        redirect.show()?;
        Ok(redirect)
    }

    fn write(folder: &Path, url: &str) -> io::Result<Self> {
        let name = format!("p2pchat-open-{}.html", std::process::id());
        let path = folder.join(name);
        // Left by a killed process that had the same id.
        let _ = fs::remove_file(&path);
        let mut file = own_file(&path)?;
        let redirect = Self { path };
        write!(
            file,
            "<!doctype html><meta charset=\"utf-8\"><title>p2pchat</title>\
             <meta http-equiv=\"refresh\" content=\"0;url={url}\">\
             <p><a href=\"{url}\">Open p2pchat</a>"
        )?;
        Ok(redirect)
    }

    fn show(&self) -> io::Result<()> {
        let program = if cfg!(target_os = "macos") {
            "open"
        } else {
            "xdg-open"
        };
        let mut opener = Command::new(program)
            .arg(&self.path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        // Waiting for its end keeps it from staying as a zombie.
        std::thread::Builder::new()
            .name("opener".to_owned())
            .spawn(move || opener.wait())?;
        Ok(())
    }
}

impl Drop for Redirect {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_for_its_owner_and_goes_away() {
        let folder = tempfile::tempdir().unwrap();
        let redirect = Redirect::write(folder.path(), "http://127.0.0.1:1/#a").unwrap();
        let text = fs::read_to_string(&redirect.path).unwrap();
        assert!(text.contains("url=http://127.0.0.1:1/#a\""), "{text}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&redirect.path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        drop(redirect);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
