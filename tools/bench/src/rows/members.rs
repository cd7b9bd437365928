//! One message of an encrypted conversation to many: what it costs its writer.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use p2pchat_conversation::sync::What;
use p2pchat_protocol::v2::conversation::ConversationId;
use p2pchat_protocol::v2::conversation::talk::Talk;
use p2pchat_protocol::v2::frame::FrameDecoder;
use p2pchat_protocol::v2::peer::{ALPN, MAX_TO_PEER, PING_INTERVAL, ToPeer};
use p2pchat_secure::{Acceptor, Connector, Expected, Identity, SecretKey, Secured, sha256};
use rusqlite::Connection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{interval, sleep, timeout};

use super::Context;
use crate::chain::{ENTRY, PAUSE, SIGNED, commit, open};
use crate::company::{Apart, LONG, Person, session};
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
        let (mut sent, mut limit, mut disk) = (vec![], vec![], vec![]);
        for _ in 0..context.rounds {
            sent.push(ours.talk(members).await?);
            limit.push(bare.talk(members).await?);
            disk.push(bare.talk(0).await?);
        }
        ours.writer.stop().await;
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

/// A writer, and members who are connected with them and answer nothing: what they answer is not
/// the time for a message.
struct Ours {
    writer: Person,
    conversation: ConversationId,
    /// A permit for each message that a member has.
    arrived: Arc<Semaphore>,
    // After the node that runs there.
    apart: Apart,
}

impl Ours {
    async fn start(folder: &Path, members: usize) -> Result<Self> {
        let store = Some(folder.join("writer.sqlite"));
        let starting = Person::start(Identity::ephemeral(), store);
        let (apart, writer) = Apart::with(starting).await?;
        let starting = (0..members).map(|_| Person::start(Identity::ephemeral(), None));
        let people = try_join_all(starting).await?;
        let conversation = writer.group(&people).await?;
        let arrived = Arc::new(Semaphore::new(0));
        for person in people {
            let identity = person.identity.clone();
            person.stop().await;
            let line = session(&identity, writer.address).await?;
            tokio::spawn(listen(line, Arc::clone(&arrived)));
        }
        let mut ours = Self {
            writer,
            conversation,
            arrived,
            apart,
        };
        // Until nobody is told of the group any more.
        sleep(Duration::from_secs(2)).await;
        ours.say(members).await?;
        Ok(ours)
    }

    /// The time for a message until all have it.
    async fn talk(&mut self, members: usize) -> Result<f64> {
        let mut time = Duration::ZERO;
        for _ in 0..MESSAGES {
            sleep(PAUSE).await;
            let before = self.apart.cpu()?;
            self.say(members).await?;
            time += self.apart.cpu()? - before;
        }
        Ok((time / MESSAGES).as_secs_f64())
    }

    async fn say(&mut self, members: usize) -> Result<()> {
        let text = "x".repeat(60);
        let node = self.writer.handle();
        node.say(self.conversation, Talk::Message { text }).await?;
        all(&self.arrived, members).await
    }
}

/// Waits until all members have a message.
async fn all(arrived: &Semaphore, members: usize) -> Result<()> {
    let all = arrived.acquire_many(u32::try_from(members)?);
    timeout(LONG, all)
        .await
        .context("a message was lost")??
        .forget();
    Ok(())
}

/// Counts the messages that come, and pings: who sends nothing for 45 s counts as gone.
async fn listen(mut line: Secured<TcpStream>, arrived: Arc<Semaphore>) -> Result<()> {
    let mut decoder = FrameDecoder::default();
    let (mut ping, mut pong, mut buffer) = (Vec::new(), Vec::new(), vec![0; 16 * 1024]);
    ToPeer::Ping.encode(&mut ping);
    ToPeer::Pong.encode(&mut pong);
    let mut pings = interval(PING_INTERVAL);
    loop {
        let read = tokio::select! {
            read = line.read(&mut buffer) => read?,
            _ = pings.tick() => {
                line.write_all(&ping).await?;
                line.flush().await?;
                continue;
            }
        };
        ensure!(read > 0, "the writer has closed the session");
        let mut bytes = &buffer[..read];
        while let Some(frame) = decoder.next(&mut bytes, MAX_TO_PEER)? {
            match ToPeer::decode(&frame, sha256)? {
                Some((ToPeer::Ping, _)) => {
                    line.write_all(&pong).await?;
                    line.flush().await?;
                }
                Some((ToPeer::About(about), _)) if matches!(about.what, What::Talk { .. }) => {
                    arrived.add_permits(1);
                }
                _ => {}
            }
        }
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
