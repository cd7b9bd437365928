//! A disk that is full, or read-only: what users and the operator are told, and that
//! nothing is damaged by it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use p2pchat_model::{Command, ConversationId, Event, MessageId, Notice, PeerAddr};
use p2pchat_protocol::{Request, Response};
use p2pchat_testkit::{Peer, Programs, Registry, SOON, Session, own_address};
use tempfile::TempDir;
use tokio::time::sleep;

use super::history::{log_in as log_in_peer, recall};
use super::small_disk::SmallDisk;
use super::writers::{password, username};
use super::{LIFTED, check_file, listed};
use crate::Report;

/// The name of the account file on the disk.
const ACCOUNTS: &str = "accounts.sqlite3";
/// How many want an account while the disk is full.
const LATE: usize = 5;

/// How long p2pchat waits before it tries again to write to its history, and a bit.
const RETRY: Duration = Duration::from_millis(10_500);

/// Options of the run: none.
#[derive(Debug, Args)]
pub struct Options {}

/// Runs a registry, and then a p2pchat, on a disk that is full for a while.
///
/// # Errors
/// If a program is not built, or the system allows no mount namespace.
pub async fn run(programs: &Programs, _options: &Options) -> Result<Report> {
    let home = TempDir::new()?;
    let disk = SmallDisk::new().await?;
    let mut report = Report::new("full-disk: a registry and a history without room to write");
    let scene = Scene {
        programs: disk.programs(programs)?,
        home: home.path(),
        disk: &disk,
    };
    let registry = scene.registry().await?;
    scene.full_disk(&registry, &mut report).await?;
    scene.killed_while_full(registry, &mut report).await?;
    scene.read_only(&mut report).await?;
    history(programs, &disk, &mut report).await?;
    Ok(report)
}

struct Scene<'a> {
    /// Within the disk's namespace.
    programs: Programs,
    home: &'a Path,
    disk: &'a SmallDisk,
}

impl Scene<'_> {
    async fn registry(&self) -> Result<Registry> {
        let store = self.disk.path(ACCOUNTS);
        let store = store.to_str().context("a path that is text")?;
        Registry::start(&self.programs, self.home, store, LIFTED).await
    }

    /// The lines of the registry's log that hold these words.
    fn logged(&self, words: &str) -> Result<Vec<String>> {
        let log = fs::read_to_string(self.home.join("registry.log"))?;
        let lines = log.lines().filter(|line| line.contains(words));
        Ok(lines.map(str::to_owned).collect())
    }

    async fn full_disk(&self, registry: &Registry, report: &mut Report) -> Result<()> {
        let mut session = Session::connect(own_address(), registry.tcp).await?;
        ensure!(register(&mut session, "early").await? == Response::Registered);
        self.disk.fill()?;
        for n in 0..LATE {
            let answer = register(&mut session, &format!("late{n}")).await?;
            report.check(
                matches!(answer, Response::ServerError { .. }),
                format!("with a full disk, Register was answered {answer:?}"),
            );
        }
        let answer = log_in(&mut session, "early").await?;
        report.check(
            answer == Response::LoggedIn,
            format!("with a full disk, Login was answered {answer:?}"),
        );
        let (username, target) = (username("early"), username("early"));
        let answer = session.ask(&Request::Search { username, target }).await?;
        report.check(
            matches!(answer, Response::Found(_)),
            format!("with a full disk, Search was answered {answer:?}"),
        );
        let told = self.logged("cannot be written")?;
        let says_what_to_do = |line: &String| {
            line.contains(ACCOUNTS) && line.contains("full") && line.contains("make room")
        };
        report.check(
            told.len() == 1 && told.iter().all(says_what_to_do),
            format!("of a full disk the log says {told:?}"),
        );
        self.disk.make_room()?;
        let answer = register(&mut session, "late0").await?;
        report.check(
            answer == Response::Registered,
            format!("with room again, Register was answered {answer:?}"),
        );
        report.check(
            self.logged("can be written again")?.len() == 1,
            "the log does not say that the file can be written again",
        );
        Ok(())
    }

    /// Kills the registry and starts it while the disk is full. It may not start then,
    /// if it says why.
    async fn killed_while_full(&self, registry: Registry, report: &mut Report) -> Result<()> {
        self.disk.fill()?;
        registry.kill().await?;
        let registry = match self.registry().await {
            Ok(registry) => {
                report.figure("started with a full disk", "yes");
                self.disk.make_room()?;
                registry
            }
            Err(_) => {
                let last = self.last_line()?;
                report.check(
                    last.contains(ACCOUNTS) && last.contains("full") && last.contains("make room"),
                    format!("why it did not start with a full disk: {last}"),
                );
                report.figure("started with a full disk", format!("no: {last}"));
                self.disk.make_room()?;
                self.registry().await?
            }
        };
        self.check_accounts(&registry, report).await?;
        registry.kill().await?;
        let store = self.disk.path(ACCOUNTS);
        let store = store.to_str().context("a path that is text")?;
        let names = listed(&self.programs, self.home, store).await?;
        // A copy, since SQLite would look for the path itself outside.
        let copy = self.home.join(ACCOUNTS);
        fs::copy(self.disk.path_outside(ACCOUNTS)?, &copy)?;
        check_file(&copy, &names, report)
    }

    async fn check_accounts(&self, registry: &Registry, report: &mut Report) -> Result<()> {
        let mut session = Session::connect(own_address(), registry.tcp).await?;
        for name in ["early", "late0"] {
            let answer = log_in(&mut session, name).await?;
            report.check(
                answer == Response::LoggedIn,
                format!("afterwards {name} was answered {answer:?}"),
            );
        }
        Ok(())
    }

    /// A registry that cannot serve its users does not start.
    async fn read_only(&self, report: &mut Report) -> Result<()> {
        self.disk.set_read_only(true).await?;
        self.check_refusal("a read-only disk", report).await?;
        self.disk.set_read_only(false).await?;
        let registry = self.registry().await?;
        self.check_accounts(&registry, report).await?;
        registry.kill().await?;
        self.disk.make_file_read_only(ACCOUNTS).await?;
        self.check_refusal("a read-only file", report).await
    }

    async fn check_refusal(&self, what: &str, report: &mut Report) -> Result<()> {
        if self.registry().await.is_ok() {
            bail!("the registry starts on {what}");
        }
        let last = self.last_line()?;
        report.check(
            last.contains(ACCOUNTS) && last.contains("Read-only") && last.contains("--store"),
            format!("why it did not start on {what}: {last}"),
        );
        report.figure(what, last);
        Ok(())
    }

    fn last_line(&self) -> Result<String> {
        let lines = self.logged("")?;
        lines.last().cloned().context("the log is empty")
    }
}

/// A history on a disk that is full: what is sent is shown, and kept once there is room.
async fn history(programs: &Programs, disk: &SmallDisk, report: &mut Report) -> Result<()> {
    let home = TempDir::new()?;
    let store = home.path().join("accounts.sqlite3");
    let store = store.to_str().context("a path that is text")?;
    let registry = Registry::start(programs, home.path(), store, LIFTED).await?;
    let start = |programs: &Programs, profile: &str, more: &[&str]| {
        let home = home.path().join(profile);
        std::fs::create_dir_all(&home)?;
        Peer::start(programs, &home, &registry, own_address(), more)
    };
    let file = disk.path("history.sqlite3");
    let more = ["--history", file.to_str().context("a path that is text")?];
    let mut reader = start(&disk.programs(programs)?, "reader", &more)?;
    log_in_peer(&mut reader, "reader").await?;
    let mut speaker = start(programs, "speaker", &["--no-history"])?;
    log_in_peer(&mut speaker, "speaker").await?;
    let to = PeerAddr::new(reader.address)?;
    tokio::try_join!(speaker.request(to), reader.accept())?;

    say(&mut speaker, &mut reader, "before").await?;
    disk.fill()?;
    let mut texts = vec!["before".to_owned()];
    // What the file has room for itself is still kept.
    while texts.len() < 1000 {
        let text = format!("while {}", texts.len());
        let notice = say(&mut speaker, &mut reader, &text).await?;
        texts.push(text);
        if notice == Some(Notice::HistoryBroken) {
            break;
        }
    }
    disk.make_room()?;
    sleep(RETRY).await;
    let mended = say(&mut speaker, &mut reader, "after").await?;
    texts.push("after".to_owned());
    report.check(
        mended == Some(Notice::HistoryMended { lost: 0 }),
        format!("with room again, the user was told {mended:?}"),
    );
    let kept = recall(&mut reader, MessageId::new(0)).await?;
    let mut kept: Vec<String> = kept.into_iter().map(|kept| kept.text).collect();
    kept.sort_unstable();
    texts.sort_unstable();
    report.figure("texts said around a full disk", texts.len());
    report.check(
        kept == texts,
        format!("of {texts:?} there are kept {kept:?}"),
    );
    Ok(())
}

/// Sends a text, waits until it is shown, and returns what the reader was told about the
/// history with it.
async fn say(speaker: &mut Peer, reader: &mut Peer, text: &str) -> Result<Option<Notice>> {
    let said = Command::Say {
        conversation: ConversationId::OPEN,
        text: text.to_owned(),
        reply_to: None,
    };
    speaker.ask(&said).await?;
    let shown = |event: &Event| match event {
        Event::Message(message) => (message.text == text).then_some(()),
        _ => None,
    };
    reader.event_with("text", SOON, shown).await?;
    // Everything that belongs to the text comes before the answer to this.
    reader.ask(&Command::Busy { on: false }).await?;
    let mut told = None;
    let answer = |event: &Event| {
        if let Event::Notice { what, .. } = event {
            told = Some(*what);
        }
        matches!(event, Event::Busy { .. }).then_some(())
    };
    reader.event_with("answer", SOON, answer).await?;
    Ok(told)
}

async fn register(session: &mut Session, name: &str) -> Result<Response> {
    let (username, password) = (username(name), password(name));
    session.ask(&Request::Register { username, password }).await
}

async fn log_in(session: &mut Session, name: &str) -> Result<Response> {
    let (username, password) = (username(name), password(name));
    session.ask(&Request::Login { username, password }).await
}
