//! Links are opened by what the user prefers for them.

use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

/// The program that opens a link with what the user prefers for it, and its first arguments.
const OPENER: &[&str] = if cfg!(target_os = "macos") {
    &["open"]
} else if cfg!(windows) {
    &["rundll32", "url.dll,FileProtocolHandler"]
} else {
    &["xdg-open"]
};
/// How long an opener may take to fail. One that ends later was the browser itself, which the
/// user has closed.
const FAILS_WITHIN: Duration = Duration::from_secs(30);
/// How many links may wait to be told that they were not opened.
const MAX_FAILED: usize = 8;

/// Opens links, and tells of those that could not be opened.
pub(super) struct Opener {
    tell: mpsc::Sender<String>,
    failed: mpsc::Receiver<String>,
}

impl Opener {
    pub(super) fn new() -> Self {
        let (tell, failed) = mpsc::channel(MAX_FAILED);
        Self { tell, failed }
    }

    /// Opens a link. Without a screen for a browser it is not tried: a browser in the terminal
    /// would take this one.
    pub(super) fn open(&self, link: String) {
        if !has_screen() || self.start(&link).is_err() {
            // With as many there, one more says nothing new.
            let _ = self.tell.try_send(link);
        }
    }

    fn start(&self, link: &str) -> io::Result<()> {
        let [program, arguments @ ..] = OPENER else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let mut opener = Command::new(program)
            .args(arguments)
            .arg(link)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let (began, tell, link) = (Instant::now(), self.tell.clone(), link.to_owned());
        let waiting = move || match opener.wait() {
            Ok(status) if !status.success() && began.elapsed() < FAILS_WITHIN => {
                let _ = tell.try_send(link);
            }
            _ => {}
        };
        // Not only to hear of a failure: the ended process would stay as a zombie.
        let name = "opener".to_owned();
        std::thread::Builder::new().name(name).spawn(waiting)?;
        Ok(())
    }

    /// A link that could not be opened. Cancel-safe.
    pub(super) async fn failed(&mut self) -> Option<String> {
        self.failed.recv().await
    }
}

/// Whether a browser has a screen to be shown on: not over SSH, for one.
fn has_screen() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(any(windows, target_os = "macos")) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}
