//! What someone gets who was away for 100,000 entries.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use p2pchat_conversation::log::TalkLog;
use p2pchat_conversation::replica::Replica;
use p2pchat_protocol::v2::DeviceKey;
use p2pchat_protocol::v2::conversation::talk::{Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{ConversationId, EntryId};
use p2pchat_secure::Identity;
use tempfile::TempDir;
use tokio::time::timeout;

use super::Context;
use crate::company::{Apart, LONG, Person};
use crate::kept::{Kept, check_hashes};
use crate::row::{Reach, Row, Unit};
use crate::sample::median;

/// How many entries were written meanwhile, and by how many members.
const ENTRIES: usize = 100_000;
const WRITERS: usize = 10;
/// How many are committed together by the bare program: as many as come in one piece.
const TOGETHER: usize = 220;
/// How many messages a page has, and when it has to be there.
const PAGE: usize = 100;
const SOON: f64 = 0.3;

/// From the call of the one who comes back until all is there and stored, against hashing and
/// inserting the same entries; and until the newest page is there.
///
/// # Errors
/// If a node does not start, or an entry does not arrive.
pub(super) async fn catch_up(context: &Context) -> Result<Vec<Row>> {
    let folder = tempfile::tempdir_in(context.home())?;
    let past = Past::make(folder).await?;
    let (mut whole, mut page, mut limit, mut words) = (vec![], vec![], vec![], vec![]);
    for round in 0..context.rounds {
        let [until_page, until_whole] = past.come_back(round).await?;
        page.push(until_page);
        whole.push(until_whole);
        for (has_words, times) in [(false, &mut limit), (true, &mut words)] {
            times.push(past.bare(has_words).await?);
        }
    }
    let row = |what: &str, against: &str, unit, ours, limit, reach| Row {
        what: what.to_owned(),
        against: against.to_owned(),
        unit,
        ours,
        limit,
        reach,
    };
    let rate = |times| ENTRIES as f64 / median(times);
    let whole = rate(whole);
    let what = "100000 entries for one who was away";
    Ok(vec![
        row(
            what,
            "hash and insert",
            Unit::PerSecond,
            whole,
            rate(limit),
            Reach::AtLeast(0.7),
        ),
        row(
            what,
            "hash, insert and index the words",
            Unit::PerSecond,
            whole,
            rate(words),
            Reach::Any,
        ),
        row(
            "the newest 100 of them",
            "300 ms",
            Unit::Seconds,
            median(page),
            SOON,
            Reach::Below(SOON),
        ),
    ])
}

/// What was written while someone was away.
struct Past {
    folder: TempDir,
    conversation: ConversationId,
    /// Who has all of it.
    holder: Person,
    /// Who was away, and their store as it was then.
    away: Identity,
    kept: PathBuf,
    newest: EntryId,
    logs: Vec<(DeviceKey, Vec<TalkEntry>)>,
}

impl Past {
    async fn make(folder: TempDir) -> Result<Self> {
        let file = |name: &str| folder.path().join(name);
        let holder = Person::start(Identity::ephemeral(), Some(file("holder.sqlite"))).await?;
        let (away, kept) = (Identity::ephemeral(), file("away.sqlite"));
        let person = Person::start(away.clone(), Some(kept.clone())).await?;
        let conversation = holder.group(std::slice::from_ref(&person)).await?;
        person.stop().await;
        for _ in 0..WRITERS {
            write(&holder, conversation).await?;
        }
        let logs = logs(&holder, conversation).await?;
        let last = logs.iter().flat_map(|(_, entries)| entries.last());
        let newest = last.max_by_key(|entry| entry.header.clock);
        Ok(Self {
            newest: newest.context("no entry")?.id,
            folder,
            conversation,
            holder,
            away,
            kept,
            logs,
        })
    }

    /// How long it takes until the newest page is there, and until all is.
    async fn come_back(&self, round: usize) -> Result<[f64; 2]> {
        let store = self.folder.path().join(format!("back{round}.sqlite"));
        std::fs::copy(&self.kept, &store)?;
        let starting = Person::start(self.away.clone(), Some(store));
        let (_apart, person) = Apart::with(starting).await?;
        let began = Instant::now();
        person.dial(&self.holder).await?;
        let until_page = timeout(LONG, self.newest_page(&person, began)).await??;
        let conversation = self.conversation;
        person
            .until("all entries", move |view| {
                held(view.sync.get(&conversation)) == ENTRIES
            })
            .await?;
        let until_whole = began.elapsed();
        person.stop().await;
        Ok([until_page, until_whole].map(|time| time.as_secs_f64()))
    }

    async fn newest_page(&self, person: &Person, began: Instant) -> Result<Duration> {
        let mut events = person.handle().events();
        loop {
            let page = person.handle().page(self.conversation, None, PAGE).await?;
            let newest = page.posts.last().map(|post| post.entry.id);
            if page.posts.len() == PAGE && newest == Some(self.newest) {
                return Ok(began.elapsed());
            }
            // Events that were missed are as good.
            let _ = events.recv().await;
        }
    }

    async fn bare(&self, has_words: bool) -> Result<f64> {
        let folder = tempfile::tempdir_in(self.folder.path())?;
        let logs = self.logs.clone();
        let (apart, ()) = Apart::with(async { Ok(()) }).await?;
        apart
            .run(async move { bare(&folder.path().join("bare.sqlite"), has_words, &logs) })
            .await
    }
}

/// How many entries a conversation has.
fn held(replica: Option<&Replica>) -> usize {
    let logs = replica.into_iter().flat_map(|replica| {
        let logs = replica.membership().logs.keys();
        logs.filter_map(|join| replica.log(join))
    });
    logs.map(TalkLog::len).sum()
}

/// One more member writes their part, and leaves.
async fn write(holder: &Person, conversation: ConversationId) -> Result<()> {
    let before = holder.handle();
    let before = before.read(move |view| held(view.sync.get(&conversation)));
    let before = before.await?;
    let writer = Person::start(Identity::ephemeral(), None).await?;
    // What the others have written before does not matter to them, and would take its time.
    holder.bring(conversation, &writer, false).await?;
    writer.handle().set_open(false).await?;
    for number in 0..ENTRIES / WRITERS {
        let text = format!("{number:010} Lorem ipsum dolor sit amet, consectetur elit");
        let node = writer.handle();
        node.say(conversation, Talk::Message { text }).await?;
    }
    writer.handle().set_open(true).await?;
    writer.dial(holder).await?;
    let all = before + ENTRIES / WRITERS;
    holder
        .until("what they have written", move |view| {
            held(view.sync.get(&conversation)) == all
        })
        .await?;
    writer.stop().await;
    Ok(())
}

/// All entries, by the device that wrote them.
async fn logs(
    holder: &Person,
    conversation: ConversationId,
) -> Result<Vec<(DeviceKey, Vec<TalkEntry>)>> {
    let read = holder.handle().read(move |view| {
        let replica = view.sync.get(&conversation).context("no conversation")?;
        let logs = replica.membership().logs.iter();
        let logs = logs.map(|(join, of)| {
            let entries = view.store.entries(&conversation, join, &(0..u64::MAX))?;
            anyhow::Ok((of.device, entries))
        });
        logs.collect()
    });
    read.await?
}

fn bare(file: &Path, has_words: bool, logs: &[(DeviceKey, Vec<TalkEntry>)]) -> Result<f64> {
    let mut kept = Kept::new(file, has_words)?;
    let began = Instant::now();
    for (device, entries) in logs {
        for entries in entries.chunks(TOGETHER) {
            entries.iter().try_for_each(check_hashes)?;
            kept.keep(entries, device)?;
        }
    }
    Ok(began.elapsed().as_secs_f64())
}
