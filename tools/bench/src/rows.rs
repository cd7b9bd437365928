//! What is measured, each in a module of its own.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use p2pchat_testkit::Programs;
use tempfile::TempDir;

use crate::row::Row;

mod browser;
mod catch_up;
mod chat;
mod cluster;
mod crowd;
mod earlier;
mod gather;
mod group;
mod hello;
mod idle;
mod key_logins;
mod lookup;
mod many;
mod members;
mod message;
mod online;
mod page;
mod passwords;
mod pushed;
mod search;
mod seen;
mod start;
mod text;
mod unpinned;

/// Which quantity to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Search, with 1, 50 and 1,000 connections, against a bare server
    Search,
    /// Search with nothing pinned, against bare servers with a thread a core and with one
    SearchUnpinned,
    /// Several registries over a replica set, against one, and what they cost the database
    Cluster,
    /// Hello datagrams against a bare receiver
    Hello,
    /// All Online with 10, 1,000 and 100,000 users, against a bare server
    Online,
    /// The memory of 10,000 idle sessions, against a bare server's
    Idle,
    /// Registrations and logins, against Argon2id alone
    Passwords,
    /// Logins by key with a new connection each, against bare TLS handshakes
    KeyLogins,
    /// Lookups on open sessions of version 2, against a bare TLS echo
    Lookup,
    /// What is pushed to a client of version 2 in an hour, against the polling of version 1;
    /// memory of an idle session, against a bare TLS connection
    Pushed,
    /// One login, and 100, seen by 1,000 others, against bare TLS writes
    Seen,
    /// This registry against one that was built earlier, from the folder that
    /// P2PCHAT_BENCH_EARLIER names
    Earlier,
    /// From start to listening, against `/bin/true`
    Start,
    /// One text from program to program, against connect, write, close, read
    Text,
    /// One message of an encrypted conversation from node to node, against signing, two commits, TLS
    /// and verifying alone
    Message,
    /// One message of an encrypted conversation from program to program, against the same, and
    /// against one text of version 1
    Chat,
    /// One message of an encrypted conversation to 8 and 64 members, the time that its writer is on
    /// the core, against signing, one commit and as many TLS writes
    Members,
    /// Messages a second of 10 members of one conversation, each stored before it is shown, against
    /// verifying, inserting and reading them
    Many,
    /// 100,000 entries for one who was away, against hashing and inserting them; and how soon the
    /// newest page is there
    CatchUp,
    /// The memory of a peer for 100 sessions, 100 conversations and 1,000 people, against bare TLS
    /// connections
    Crowd,
    /// 64 members of a conversation come online, against bare handshakes
    Gather,
    /// One text to 10, 100 and 1,000 members, against as many bare ones
    Group,
    /// One text from browser page to browser page, and one encrypted message, against a WebSocket
    /// echo and a bare text, or signing, two commits, TLS and verifying
    Browser,
    /// What the page weighs, and how soon it can be used, against a yew hello world
    Page,
}

impl What {
    /// Its name on the command line.
    ///
    /// # Panics
    /// Never: none is hidden.
    #[must_use]
    pub fn name(self) -> String {
        let value = self.to_possible_value().expect("none is hidden");
        value.get_name().to_owned()
    }
}

/// What all measurements need.
#[derive(Debug)]
pub struct Context {
    /// The built programs.
    pub programs: Programs,
    /// How often each side is measured; the medians count.
    pub rounds: usize,
    /// For how long each time.
    pub time: Duration,
    home: TempDir,
}

impl Context {
    /// With a folder of its own for stores and logs.
    ///
    /// # Errors
    /// If there can be no such folder.
    pub fn new(rounds: usize, time: Duration) -> Result<Self> {
        Ok(Self {
            programs: Programs::find()?,
            rounds,
            time,
            home: tempfile::tempdir().context("no folder for what is measured")?,
        })
    }

    /// Where servers have their logs.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The path of an account file that is not there yet.
    #[must_use]
    pub fn new_store(&self) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = self.home().join(format!("accounts{number}.sqlite3"));
        path.display().to_string()
    }
}

/// Measures one quantity.
///
/// # Errors
/// [`Missing`](crate::row::Missing), or what went wrong where a server does not start or fails under its load.
pub async fn measure(what: What, context: &Context) -> Result<Vec<Row>> {
    match what {
        What::Search => search::search(context).await,
        What::SearchUnpinned => unpinned::search(context).await,
        What::Cluster => cluster::cluster(context).await,
        What::Hello => hello::hello(context).await,
        What::Online => online::online(context).await,
        What::Idle => idle::idle(context).await,
        What::Passwords => passwords::passwords(context).await,
        What::KeyLogins => key_logins::key_logins(context).await,
        What::Lookup => lookup::lookup(context).await,
        What::Pushed => pushed::pushed(context).await,
        What::Seen => seen::seen(context).await,
        What::Earlier => earlier::earlier(context).await,
        What::Start => start::start(context).await,
        What::Text => text::text(context).await,
        What::Message => message::message(context).await,
        What::Chat => chat::chat(context).await,
        What::Members => members::members(context).await,
        What::Many => many::many(context).await,
        What::CatchUp => catch_up::catch_up(context).await,
        What::Crowd => crowd::crowd(context).await,
        What::Gather => gather::gather(context).await,
        What::Group => group::group(context).await,
        What::Browser => browser::browser(context).await,
        What::Page => page::page(context).await,
    }
}
