//! A history on a disk that is full: what is said is shown, and kept when there is room.

use std::time::Duration;

use anyhow::{Context, Error, Result};
use p2pchat_model::{Command, Event, MessageId, Notice, Target};
use p2pchat_testkit::{Peer, Programs, Registry, SOON, own_address};
use tempfile::TempDir;
use tokio::time::sleep;

use super::super::LIFTED;
use super::super::history::{log_in, recall};
use super::super::small_disk::SmallDisk;
use crate::Report;

/// How long p2pchat waits before it tries again to write to its history, and a bit.
const RETRY: Duration = Duration::from_millis(10_500);

pub(super) async fn run(programs: &Programs, disk: &SmallDisk, report: &mut Report) -> Result<()> {
    let home = TempDir::new()?;
    let store = home.path().join("accounts.sqlite3");
    let store = store.to_str().context("a path that is text")?;
    let registry = Registry::start(programs, home.path(), store, LIFTED).await?;
    let start = |programs: &Programs, more: &[&str]| {
        Peer::start(programs, home.path(), &registry, own_address(), more)
    };
    let file = disk.path("history.sqlite3");
    let more = ["--history", file.to_str().context("a path that is text")?];
    let mut reader = start(&disk.programs(programs)?, &more)?;
    log_in(&mut reader, "reader").await?;
    let mut speaker = start(programs, &["--no-history"])?;
    log_in(&mut speaker, "speaker").await?;
    meet(&mut speaker, &mut reader).await?;

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
    let kept = recall(&mut reader, MessageId(0)).await?;
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

/// Brings the two together in a chat.
async fn meet(speaker: &mut Peer, reader: &mut Peer) -> Result<()> {
    let to = Target::new(&reader.address.to_string()).map_err(Error::msg)?;
    speaker.ask(&Command::Request { to }).await?;
    let asks = |event: &Event| match event {
        Event::RequestReceived(request) => Some(request.from.address),
        _ => None,
    };
    let from = reader.event_with("request", SOON, asks).await?;
    reader.ask(&Command::Accept { from }).await?;
    let joins = |event: &Event| matches!(event, Event::MemberJoined { .. }).then_some(());
    speaker.event_with("member", SOON, joins).await
}

/// Says something, waits until it is shown, and returns what the reader was told about
/// his history with it.
async fn say(speaker: &mut Peer, reader: &mut Peer, text: &str) -> Result<Option<Notice>> {
    let said = Command::Say {
        text: text.to_owned(),
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
        if let Event::Notice { notice, .. } = event {
            told = Some(*notice);
        }
        matches!(event, Event::Busy { .. }).then_some(())
    };
    reader.event_with("answer", SOON, answer).await?;
    Ok(told)
}
