//! One message of an encrypted conversation to many: what it costs its writer.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use p2pchat_peer::conversations::Event;
use p2pchat_protocol::v2::conversation::ConversationId;
use p2pchat_protocol::v2::conversation::talk::Talk;
use p2pchat_protocol::v2::peer::ALPN;
use p2pchat_secure::{Acceptor, Connector, Expected, Identity, SecretKey, Secured, sha256};
use rusqlite::Connection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast::Receiver;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{sleep, timeout};

use super::Context;
use crate::chain::{ENTRY, PAUSE, SIGNED, commit, open};
use crate::company::{Apart, LONG, Person, event};
use crate::row::{Reach, Row, Unit};
use crate::sample::median;

/// How many members there are besides the writer.
const MEMBERS: [usize; 2] = [8, 64];
/// How many messages make one measurement.
const MESSAGES: u32 = 50;

/// The time that the writer's threads are on the core, against signing, one commit and as many
/// bare writes.
///
/// # Errors
/// If a node does not start, or a message does not arrive.
pub(super) async fn members(context: &Context) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for members in MEMBERS {
        let folder = tempfile::tempdir_in(context.home())?;
        let mut ours = Ours::start(folder.path(), members).await?;
        let mut bare = Bare::start(folder.path(), members).await?;
        let (mut sent, mut answered, mut limit, mut disk) = (vec![], vec![], vec![], vec![]);
        for _ in 0..context.rounds {
            let [until_all_have_it, with_answers] = ours.talk().await?;
            sent.push(until_all_have_it);
            answered.push(with_answers);
            limit.push(bare.talk(members).await?);
            disk.push(bare.talk(0).await?);
        }
        let (limit, disk) = (median(limit), median(disk));
        let row = |what, against: &str, ours, limit, reach| Row {
            what,
            against: against.to_owned(),
            unit: Unit::Seconds,
            ours,
            limit,
            reach,
        };
        let writes = "sign, one commit, as many TLS writes";
        rows.extend([
            row(
                format!("one message to {members} members, writer's time on the core"),
                writes,
                median(sent),
                limit,
                Reach::AtMost(1.3),
            ),
            row(
                format!("the same with what {members} members answer"),
                writes,
                median(answered),
                limit,
                Reach::Any,
            ),
            row(
                format!("sign, one commit, {members} TLS writes"),
                "sign, one commit",
                limit,
                disk,
                Reach::Any,
            ),
        ]);
    }
    Ok(rows)
}

/// A writer, and members who are connected with them alone.
struct Ours {
    apart: Apart,
    writer: Person,
    _members: Vec<Person>,
    conversation: ConversationId,
    events: Vec<Receiver<Event>>,
}

impl Ours {
    async fn start(folder: &Path, members: usize) -> Result<Self> {
        let store = Some(folder.join("writer.sqlite"));
        let starting = Person::start(Identity::ephemeral(), store);
        let (apart, writer) = Apart::with(starting).await?;
        let starting = (0..members).map(|_| Person::start(Identity::ephemeral(), None));
        let members = try_join_all(starting).await?;
        let conversation = writer.group(&members).await?;
        let mut ours = Self {
            apart,
            writer,
            conversation,
            events: members.iter().map(|it| it.handle().events()).collect(),
            _members: members,
        };
        // Until all have told each other who is in.
        ours.say("hello").await?;
        sleep(Duration::from_secs(2)).await;
        Ok(ours)
    }

    /// The time for a message until all have it, and with all that they answer.
    async fn talk(&mut self) -> Result<[f64; 2]> {
        let before = self.apart.cpu()?;
        let mut until_all_have_it = Duration::ZERO;
        for _ in 0..MESSAGES {
            sleep(PAUSE).await;
            let before = self.apart.cpu()?;
            self.say(&"x".repeat(60)).await?;
            until_all_have_it += self.apart.cpu()? - before;
        }
        let all = self.apart.cpu()? - before;
        Ok([until_all_have_it, all].map(|time| (time / MESSAGES).as_secs_f64()))
    }

    async fn say(&mut self, text: &str) -> Result<()> {
        let text = text.to_owned();
        let node = self.writer.handle();
        node.say(self.conversation, Talk::Message { text }).await?;
        let arriving = self
            .events
            .iter_mut()
            .map(|events| event(events, |event| matches!(event, Event::Entries(..))));
        try_join_all(arriving).await?;
        Ok(())
    }
}

/// The least that a writer does, and connections to members who only read.
struct Bare {
    apart: Apart,
    writer: Arc<Mutex<Writer>>,
    read: Arc<Semaphore>,
}

struct Writer {
    key: SecretKey,
    store: Connection,
    lines: Vec<Secured<TcpStream>>,
}

impl Bare {
    async fn start(folder: &Path, members: usize) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let read = Arc::new(Semaphore::new(0));
        tokio::spawn(take(listener, Arc::clone(&read)));
        let store = open(&folder.join("bare.sqlite"))?;
        let starting = Writer::start(store, address, members);
        let (apart, writer) = Apart::with(starting).await?;
        let writer = Arc::new(Mutex::new(writer));
        Ok(Self {
            apart,
            writer,
            read,
        })
    }

    async fn talk(&mut self, members: usize) -> Result<f64> {
        let mut time = Duration::ZERO;
        for _ in 0..MESSAGES {
            sleep(PAUSE).await;
            let before = self.apart.cpu()?;
            let writer = Arc::clone(&self.writer);
            self.apart
                .run(async move { writer.lock().await.say(members).await })
                .await?;
            let all = self.read.acquire_many(u32::try_from(members)?);
            timeout(LONG, all)
                .await
                .context("a message was lost")??
                .forget();
            time += self.apart.cpu()? - before;
        }
        Ok((time / MESSAGES).as_secs_f64())
    }
}

impl Writer {
    async fn start(store: Connection, address: SocketAddr, members: usize) -> Result<Self> {
        let key = SecretKey::generate();
        let connector = Connector::new(&key, ALPN);
        let mut lines = Vec::new();
        for _ in 0..members {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            lines.push(connector.connect(stream, Expected::Any).await?);
        }
        Ok(Self { key, store, lines })
    }

    async fn say(&mut self, members: usize) -> Result<()> {
        let mut entry = vec![b'x'; ENTRY];
        let signature = self.key.sign(&sha256(&entry));
        entry.extend(signature.0);
        commit(&self.store, &entry)?;
        for line in &mut self.lines[..members] {
            line.write_all(&entry).await?;
            line.flush().await?;
        }
        Ok(())
    }
}

/// Takes connections, and what is written to each.
async fn take(listener: TcpListener, read: Arc<Semaphore>) -> Result<()> {
    let acceptor = Acceptor::new(&SecretKey::generate(), ALPN);
    loop {
        let (stream, _) = listener.accept().await?;
        let mut line = acceptor.accept(stream).await?;
        let read = Arc::clone(&read);
        tokio::spawn(async move {
            let mut entry = [0; SIGNED];
            while line.read_exact(&mut entry).await.is_ok() {
                read.add_permits(1);
            }
        });
    }
}
