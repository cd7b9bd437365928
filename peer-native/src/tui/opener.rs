//! Links are opened by what the user prefers for them.

use p2pchat_platform::opener::{has_screen, open};
use tokio::sync::mpsc;

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
    pub(super) fn open(&self, link: &str) {
        let failed = {
            let (tell, link) = (self.tell.clone(), link.to_owned());
            // With as many there, one more says nothing new.
            move || _ = tell.try_send(link)
        };
        let later = failed.clone();
        if !has_screen() || open(link, move |_| later()).is_err() {
            failed();
        }
    }

    /// A link that could not be opened. Cancel-safe.
    pub(super) async fn failed(&mut self) -> Option<String> {
        self.failed.recv().await
    }
}
