//! One text to a group: a connection to each member, as the protocol has it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use p2pchat_model::{Call, Command as Ask, ConversationId};
use p2pchat_protocol::{CONTACT_PORT, ChatList, Contact, MESSAGE_PORT, MESSAGE_PORT_UNPRIVILEGED};
use p2pchat_protocol::{Message, Username};
use p2pchat_testkit::{Peer, Registry, SOON};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::Context;
use super::text::PAUSE;
use crate::load::connect;
use crate::row::{Reach, Row, Unit};
use crate::sample::{Sample, Times, side_by_side};
use crate::servers;
use crate::talkers::{BareSay, accept, join, joined, member};

/// How many members there are.
const MEMBERS: [usize; 5] = [1, 10, 100, 300, 1000];
/// How many texts make one measurement.
const TEXTS: usize = 20;

/// From one `p2pchat --json` to all, against as many bare ones at a time.
///
/// # Errors
/// If a program does not start, or loses a text.
pub(super) async fn group(context: &Context) -> Result<Vec<Row>> {
    let store = context.new_store();
    let registry = servers::registry(&context.programs, context.home(), &store).await?;
    let mut rows = Vec::new();
    let mut first = 0;
    for members in MEMBERS {
        let group = Group::listen(first, members).await?;
        first += members;
        let mut ann = chat_with(context, &registry, &group, &format!("ann{members}")).await?;
        let mut say = BareSay::start(&group.addresses)?;
        let pair = side_by_side(
            context.rounds,
            async || ours(&group, &mut ann).await,
            async || bare(&group, &mut say).await,
        )
        .await?;
        rows.push(Row {
            what: format!("one text to {members} members"),
            against: "as many bare ones at a time".to_owned(),
            unit: Unit::Seconds,
            ours: pair.ours.p50,
            limit: pair.limit.p50,
            reach: Reach::AtMost(1.3),
        });
        ann.kill().await?;
    }
    Ok(rows)
}

/// Members that are nothing but a socket each.
pub(super) struct Group {
    addresses: Vec<SocketAddr>,
    heard: Arc<Semaphore>,
    /// Ends when it is dropped: the sockets are needed elsewhere.
    _listening: JoinSet<()>,
}

impl Group {
    /// So many from the member of this number on.
    ///
    /// # Errors
    /// If one cannot listen.
    pub(super) async fn listen(first: usize, members: usize) -> Result<Self> {
        let heard = Arc::new(Semaphore::new(0));
        let mut addresses = Vec::with_capacity(members);
        let mut listening = JoinSet::new();
        for number in first..first + members {
            let listener = listen(number).await?;
            addresses.push(listener.local_addr()?);
            let heard = Arc::clone(&heard);
            listening.spawn(async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    if stream.read_exact(&mut [0; Message::LEN]).await.is_ok() {
                        heard.add_permits(1);
                    }
                }
            });
        }
        Ok(Self {
            addresses,
            heard,
            _listening: listening,
        })
    }

    /// Waits until all have heard what was said.
    async fn heard(&self) -> Result<()> {
        let members = u32::try_from(self.addresses.len())?;
        let all = timeout(SOON, self.heard.acquire_many(members)).await;
        let heard = || format!("{} of {members} heard it", self.heard.available_permits());
        all.with_context(heard)??.forget();
        Ok(())
    }
}

async fn ours(group: &Group, ann: &mut Peer) -> Result<Sample> {
    let say = Call::new(Ask::Say {
        conversation: ConversationId::OPEN,
        text: "x".repeat(80),
        reply_to: None,
    });
    let mut times = Times::default();
    for _ in 0..TEXTS {
        // What became of the text before is told meanwhile.
        let _ = timeout(PAUSE, ann.skip_updates()).await;
        let began = Instant::now();
        ann.send(&say).await?;
        tokio::select! {
            heard = group.heard() => heard?,
            ended = ann.skip_updates() => ended.and_then(|()| bail!("p2pchat has ended"))?,
        }
        times.record(began.elapsed());
    }
    Ok(Sample::new(&times, Duration::from_secs(1)))
}

async fn bare(group: &Group, say: &mut BareSay) -> Result<Sample> {
    let mut times = Times::default();
    for _ in 0..TEXTS {
        sleep(PAUSE).await;
        let began = Instant::now();
        say.say().await?;
        group.heard().await?;
        times.record(began.elapsed());
    }
    Ok(Sample::new(&times, Duration::from_secs(1)))
}

/// At the port of messages, or where those listen who may not have it.
async fn listen(number: usize) -> Result<TcpListener> {
    let address = member(number);
    match TcpListener::bind((address, MESSAGE_PORT)).await {
        Ok(listener) => Ok(listener),
        Err(_) => Ok(TcpListener::bind((address, MESSAGE_PORT_UNPRIVILEGED)).await?),
    }
}

/// A peer that accepted the request of the first member, who brought the others along.
///
/// # Errors
/// If it does not start, or hears of no request.
pub(super) async fn chat_with(
    context: &Context,
    registry: &Registry,
    group: &Group,
    name: &str,
) -> Result<Peer> {
    let mut ann = join(&context.programs, context.home(), registry, name).await?;
    let mut members = ChatList::default();
    let peers = group.addresses.iter().map(|address| match address {
        SocketAddr::V4(address) => servers::peer(*address.ip()),
        SocketAddr::V6(address) => anyhow::bail!("{address} is no address of a peer"),
    });
    let peers = peers.collect::<Result<Vec<_>>>()?;
    for &peer in &peers[1..] {
        members.push(peer)?;
    }
    let request = Contact::Request {
        from: Username::new("first")?,
        members,
    };
    let mut bytes = Vec::new();
    request.encode(&mut bytes);
    let to = SocketAddr::from((ann.address, CONTACT_PORT));
    let mut stream = connect(peers[0].ip(), to).await?;
    stream.write_all(&bytes).await?;
    stream.shutdown().await?;
    accept(&mut ann).await?;
    for _ in &peers {
        joined(&mut ann).await?;
    }
    Ok(ann)
}
