//! Messages of one conversation as fast as they come, each stored before it is shown.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use p2pchat_conversation::sync::{MAX_PUSHES, What};
use p2pchat_peer::conversations::Event;
use p2pchat_protocol::v2::DeviceKey;
use p2pchat_protocol::v2::conversation::talk::{Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{ConversationId, EntryId};
use p2pchat_protocol::v2::peer::{Frame, ToPeer};
use p2pchat_secure::{Identity, Secured};
use tokio::io::{AsyncReadExt, AsyncWriteExt, WriteHalf, split};
use tokio::net::TcpStream;
use tokio::sync::broadcast::Receiver;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Context;
use crate::company::{Apart, LONG, Person, event, session};
use crate::kept::{Kept, check};
use crate::row::{Reach, Row, Unit};
use crate::sample::median;

/// How many members write.
const WRITERS: usize = 10;
/// How many messages each of them has written: as many as are taken at once without being asked
/// for.
const MESSAGES: usize = MAX_PUSHES as usize;
/// How many entries the bare program commits together.
const TOGETHER: usize = 64;

/// Written before, pushed by ten members at once, and read back as each is there; against
/// verifying, inserting and reading the same entries.
///
/// # Errors
/// If a node does not start, or a message does not arrive.
pub(super) async fn many(context: &Context) -> Result<Vec<Row>> {
    let folder = tempfile::tempdir_in(context.home())?;
    let store = Some(folder.path().join("reader.sqlite"));
    let starting = Person::start(Identity::ephemeral(), store);
    let (apart, reader) = Apart::with(starting).await?;
    let (beside, ()) = Apart::with(async { Ok(()) }).await?;
    let (mut ours, mut limit, mut busy, mut bare_busy) = (vec![], vec![], vec![], vec![]);
    for round in 0..context.rounds {
        let (conversation, writers) = writers(&reader).await?;
        let entries: Vec<_> = writers.iter().map(Writer::entries).collect();
        let before = apart.cpu()?;
        ours.push(push(&reader, conversation, writers).await?);
        busy.push((apart.cpu()? - before).as_secs_f64());
        let file = folder.path().join(format!("bare{round}.sqlite"));
        let before = beside.cpu()?;
        limit.push(beside.run(async move { bare(&file, &entries) }).await?);
        bare_busy.push((beside.cpu()? - before).as_secs_f64());
    }
    reader.stop().await;
    let all = (WRITERS * MESSAGES) as f64;
    let row = |what: String, unit, ours, limit, reach| Row {
        what,
        against: "verify, insert and read".to_owned(),
        unit,
        ours,
        limit,
        reach,
    };
    let messages = format!("messages of {WRITERS} members into one conversation");
    let core = format!("{messages}, time on the core for each");
    let (limit, busy, bare_busy) = (median(limit), median(busy), median(bare_busy));
    Ok(vec![
        row(
            messages,
            Unit::PerSecond,
            all / median(ours),
            all / limit,
            Reach::AtLeast(0.7),
        ),
        row(core, Unit::Seconds, busy / all, bare_busy / all, Reach::Any),
    ])
}

/// A member who has written, and is connected again.
struct Writer {
    device: DeviceKey,
    entries: Vec<TalkEntry>,
    frames: Vec<u8>,
    line: WriteHalf<Secured<TcpStream>>,
}

/// New members of a new conversation.
async fn writers(reader: &Person) -> Result<(ConversationId, Vec<Writer>)> {
    let starting = (0..WRITERS).map(|_| Person::start(Identity::ephemeral(), None));
    let people = try_join_all(starting).await?;
    let conversation = reader.group(&people).await?;
    let mut writers = Vec::new();
    for person in people {
        person.handle().set_open(false).await?;
        writers.push(Writer::after(person, conversation, reader).await?);
    }
    Ok((conversation, writers))
}

impl Writer {
    /// Writes while nobody is connected, and then leaves the node for a bare connection.
    async fn after(person: Person, conversation: ConversationId, reader: &Person) -> Result<Self> {
        let node = person.handle();
        for number in 0..MESSAGES {
            let text = format!("{number:060}");
            node.say(conversation, Talk::Message { text }).await?;
        }
        let device = person.identity.certificate().device;
        let read = node.read(move |view| {
            let replica = view.sync.get(&conversation)?;
            let mut logs = replica.membership().logs.iter();
            let (join, _) = logs.find(|(_, of)| of.device == device)?;
            view.store.entries(&conversation, join, &(0..u64::MAX)).ok()
        });
        let entries = read.await?.context("no log")?;
        ensure!(entries.len() == MESSAGES, "{} entries", entries.len());
        let mut frames = Vec::new();
        for entry in &entries {
            let (join, stretch) = (entry.header.join, vec![entry.clone()]);
            let what = What::Talk { join, stretch };
            ToPeer::About(Frame { conversation, what }).encode(&mut frames);
        }
        let identity = person.identity.clone();
        person.stop().await;
        let mut events = reader.handle().events();
        let line = connect(&identity, reader.address).await?;
        let is_there = |event: &Event| matches!(event, Event::Connected(_, it) if *it == device);
        event(&mut events, is_there).await?;
        Ok(Self {
            device,
            entries,
            frames,
            line,
        })
    }

    fn entries(&self) -> (DeviceKey, Vec<TalkEntry>) {
        (self.device, self.entries.clone())
    }
}

/// A session of which nothing is looked at.
async fn connect(identity: &Identity, to: SocketAddr) -> Result<WriteHalf<Secured<TcpStream>>> {
    let (mut read, write) = split(session(identity, to).await?);
    tokio::spawn(async move {
        let mut bytes = [0; 16 * 1024];
        while read.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
    });
    Ok(write)
}

/// How long it takes until all messages are there and were read.
async fn push(reader: &Person, conversation: ConversationId, writers: Vec<Writer>) -> Result<f64> {
    let mut events = reader.handle().events();
    let mut writing = JoinSet::new();
    let began = Instant::now();
    for mut writer in writers {
        writing.spawn(async move {
            writer.line.write_all(&writer.frames).await?;
            writer.line.flush().await?;
            anyhow::Ok(writer.line)
        });
    }
    let mut shown = 0;
    while shown < WRITERS * MESSAGES {
        let new = timeout(LONG, new_entries(&mut events)).await??;
        shown += show(reader, conversation, new).await?;
    }
    let time = began.elapsed();
    // Until here nobody has left.
    writing.join_all().await;
    Ok(time.as_secs_f64())
}

/// What has come, and all that comes with it.
async fn new_entries(events: &mut Receiver<Event>) -> Result<Vec<EntryId>> {
    let mut all = Vec::new();
    let mut next = Some(events.recv().await?);
    while let Some(event) = next {
        if let Event::Entries { entries, .. } = event {
            all.extend(entries);
        }
        next = events.try_recv().ok();
    }
    Ok(all)
}

/// Reads messages as a front end shows them.
async fn show(reader: &Person, conversation: ConversationId, new: Vec<EntryId>) -> Result<usize> {
    let read = reader.handle().read(move |view| {
        let visible = view.visible(&conversation).context("no conversation")?;
        let mut shown = 0;
        for entry in new {
            let post = view.store.post_of(&conversation, &entry, &visible)?;
            shown += usize::from(post.is_some());
        }
        anyhow::Ok(shown)
    });
    read.await?
}

/// The same of the least program.
fn bare(file: &Path, entries: &[(DeviceKey, Vec<TalkEntry>)]) -> Result<f64> {
    let mut kept = Kept::new(file, false)?;
    let began = Instant::now();
    for (device, entries) in entries {
        for entries in entries.chunks(TOGETHER) {
            entries.iter().try_for_each(|entry| check(entry, device))?;
            kept.keep(entries, device)?;
            for entry in entries {
                kept.read(&entry.id)?;
            }
        }
    }
    Ok(began.elapsed().as_secs_f64())
}
