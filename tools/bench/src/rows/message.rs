//! One message of an encrypted conversation, from the call that says it to the event at another
//! device: signed, committed, sent over TLS, verified and committed there.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use p2pchat_conversation::replica::{Deed, Role};
use p2pchat_peer::conversations::{Event, Handle, Node, Options};
use p2pchat_protocol::v2::conversation::ConversationId;
use p2pchat_protocol::v2::conversation::talk::Talk;
use p2pchat_protocol::v2::peer::ALPN;
use p2pchat_protocol::v2::{PublicKey, Signature};
use p2pchat_secure::{Acceptor, Connector, Expected, Identity, SecretKey, Secured, sha256, verify};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast::Receiver;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::Context;
use crate::row::{Reach, Row, Unit};
use crate::sample::{Sample, Times, side_by_side};

/// How many messages make one measurement.
const MESSAGES: usize = 100;
/// How long it is quiet between two: of one who says more than 20 a second the rest is asked for in
/// its turn.
const PAUSE: Duration = Duration::from_millis(55);
/// The bytes of an entry with a text of 60 letters: header, signature and body.
const ENTRY: usize = 150 + 64 + 76;
/// Far more than one takes.
const SOON: Duration = Duration::from_secs(20);

/// Node to node, against the chain of what has to be done one after the other; the commit alone
/// beside it.
///
/// # Errors
/// If the nodes do not start, or a message does not arrive.
pub(super) async fn message(context: &Context) -> Result<Vec<Row>> {
    let folder = tempfile::tempdir_in(context.home())?;
    let mut nodes = Pair::start(&folder).await?;
    let mut chain = Chain::start(folder.path()).await?;
    let pair = side_by_side(
        context.rounds,
        async || nodes.talk().await,
        async || chain.run().await,
    )
    .await?;
    let store = open(&folder.path().join("alone.sqlite"))?;
    let commits = side_by_side(
        context.rounds,
        async || chain.run().await,
        async || commits_alone(&store),
    )
    .await?;
    let row = |what: &str, against: &str, ours, limit, reach| Row {
        what: what.to_owned(),
        against: against.to_owned(),
        unit: Unit::Seconds,
        ours,
        limit,
        reach,
    };
    let bare = "sign, commit, TLS, verify, commit";
    let (ours, limit) = (pair.ours, pair.limit);
    Ok(vec![
        row(
            "one message, node to node",
            bare,
            ours.p50,
            limit.p50,
            Reach::AtMost(1.3),
        ),
        row(
            "one message, node to node, p99",
            bare,
            ours.p99,
            limit.p99,
            Reach::AtMost(1.5),
        ),
        row(
            bare,
            "one commit on this disk",
            commits.ours.p50,
            commits.limit.p50,
            Reach::Any,
        ),
    ])
}

/// Two nodes that are in one conversation and connected.
struct Pair {
    nodes: [Node; 2],
    conversation: ConversationId,
    events: Receiver<Event>,
}

impl Pair {
    async fn start(folder: &TempDir) -> Result<Self> {
        let identities = [Identity::ephemeral(), Identity::ephemeral()];
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let options = |number: usize, listener| Options {
            identity: identities[number].clone(),
            store: Some(folder.path().join(format!("node{number}.sqlite"))),
            is_copy: false,
            listener,
        };
        let nodes = [
            Node::start(options(0, Some(listener))).await?,
            Node::start(options(1, None)).await?,
        ];
        let [ann, bob] = nodes.each_ref().map(Node::handle);
        let conversation = ann.create_group("bench".parse()?).await?;
        let (person, sees_all) = (identities[1].person(), true);
        ann.act(conversation, Deed::Add { person, sees_all })
            .await?;
        let mut asked = bob.events();
        bob.dial(address, identities[0].certificate().device)
            .await??;
        wait_for(&mut asked, |event| matches!(event, Event::Requested(_))).await?;
        bob.accept(conversation).await?;
        until_member(ann, conversation).await?;
        let events = bob.events();
        Ok(Self {
            nodes,
            conversation,
            events,
        })
    }

    async fn talk(&mut self) -> Result<Sample> {
        let mut times = Times::default();
        let wall = Instant::now();
        for number in 0..MESSAGES {
            sleep(PAUSE).await;
            let text = format!("{number:060}");
            let began = Instant::now();
            let said = self.nodes[0]
                .handle()
                .say(self.conversation, Talk::Message { text });
            let arrived = async {
                loop {
                    if let Event::Entries(_, entries) = self.events.recv().await? {
                        return anyhow::Ok((entries, began.elapsed()));
                    }
                }
            };
            let (said, arrived) = timeout(SOON, async { tokio::join!(said, arrived) }).await?;
            let (entries, time) = arrived?;
            ensure!(entries == [said?], "another entry has arrived");
            times.record(time);
        }
        Ok(Sample::new(&times, wall.elapsed()))
    }
}

async fn until_member(node: &Handle, conversation: ConversationId) -> Result<()> {
    let mut events = node.events();
    let has_two = move || {
        node.read(move |view| {
            let replica = view.sync.get(&conversation);
            replica.is_some_and(|replica| {
                matches!(replica.own_role(), Role::Member(_))
                    && replica.membership().members.len() == 2
            })
        })
    };
    while !has_two().await? {
        timeout(SOON, events.recv()).await??;
    }
    Ok(())
}

async fn wait_for(events: &mut Receiver<Event>, is_it: impl Fn(&Event) -> bool) -> Result<()> {
    timeout(SOON, async {
        while !is_it(&events.recv().await?) {}
        anyhow::Ok(())
    })
    .await?
}

/// What has to happen for a message that is durable before it is sent and before it is shown, and
/// nothing else.
struct Chain {
    key: SecretKey,
    store: Connection,
    line: Secured<TcpStream>,
    arrived: mpsc::Receiver<Instant>,
}

impl Chain {
    async fn start(folder: &Path) -> Result<Self> {
        let (key, other) = (SecretKey::generate(), SecretKey::generate());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (tell, arrived) = mpsc::channel(1);
        let receiver = ChainEnd {
            writer: key.public(),
            acceptor: Acceptor::new(&other, ALPN),
            store: open(&folder.join("chain1.sqlite"))?,
            tell,
        };
        // If it fails, nothing arrives, which is noticed.
        tokio::spawn(receiver.run(listener));
        let connector = Connector::new(&key, ALPN);
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let line = connector
            .connect(stream, Expected::Key(other.public()))
            .await?;
        let store = open(&folder.join("chain0.sqlite"))?;
        Ok(Self {
            key,
            store,
            line,
            arrived,
        })
    }

    async fn run(&mut self) -> Result<Sample> {
        let mut times = Times::default();
        let wall = Instant::now();
        for number in 0..MESSAGES {
            sleep(PAUSE).await;
            let mut entry = format!("{number:0ENTRY$}").into_bytes();
            let began = Instant::now();
            let signature = self.key.sign(&sha256(&entry));
            entry.extend(signature.0);
            commit(&self.store, &entry)?;
            self.line.write_all(&entry).await?;
            self.line.flush().await?;
            let arrived = timeout(SOON, self.arrived.recv()).await?;
            let arrived = arrived.context("the receiver has ended")?;
            times.record(arrived.duration_since(began));
        }
        Ok(Sample::new(&times, wall.elapsed()))
    }
}

/// The other end of the chain.
struct ChainEnd {
    writer: PublicKey,
    acceptor: Acceptor,
    store: Connection,
    tell: mpsc::Sender<Instant>,
}

impl ChainEnd {
    async fn run(self, listener: TcpListener) -> Result<()> {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let mut line = self.acceptor.accept(stream).await?;
        let mut entry = [0; ENTRY + Signature::LEN];
        loop {
            line.read_exact(&mut entry).await?;
            let (bytes, signature) = entry.split_at(ENTRY);
            let signature = Signature(signature.try_into()?);
            if !verify(&self.writer, &sha256(bytes), &signature) {
                bail!("a wrong signature");
            }
            commit(&self.store, &entry)?;
            self.tell.send(Instant::now()).await?;
        }
    }
}

fn commits_alone(store: &Connection) -> Result<Sample> {
    let mut times = Times::default();
    let wall = Instant::now();
    for _ in 0..MESSAGES {
        let began = Instant::now();
        commit(store, &[7; ENTRY + Signature::LEN])?;
        times.record(began.elapsed());
    }
    Ok(Sample::new(&times, wall.elapsed()))
}

fn open(path: &Path) -> Result<Connection> {
    let store = Connection::open(path)?;
    store.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE entry (position INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;",
    )?;
    Ok(store)
}

fn commit(store: &Connection, entry: &[u8]) -> Result<()> {
    let mut insert = store.prepare_cached("INSERT INTO entry (bytes) VALUES (?1)")?;
    insert.execute([entry])?;
    Ok(())
}
