//! The memory of a peer who is in many conversations with many people.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use p2pchat_conversation::replica::Role;
use p2pchat_model::{Command as Ask, Event as Told};
use p2pchat_peer::conversations::Event;
use p2pchat_protocol::CONTACT_PORT;
use p2pchat_protocol::v2::DeviceKey;
use p2pchat_protocol::v2::peer::ALPN;
use p2pchat_secure::{Connector, Expected, Identity};
use p2pchat_testkit::{Peer, own_memory};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Context;
use super::idle::raise_file_limit;
use crate::company::{LONG, Person};
use crate::load::source;
use crate::row::{Reach, Row, Unit};
use crate::secured::{bind_to, device, greeting, secured};
use crate::servers::{self, Bare, fill, name};
use crate::talkers::{come_back, join};

/// How many conversations there are, in each of which one other is connected.
const CONVERSATIONS: usize = 100;
/// How many others are in each.
const MEMBERS: usize = 10;
/// What all of it may take beyond bare connections, in bytes.
const MORE: f64 = 8.0 * 1024.0 * 1024.0;
/// Until all have told each other what there is to tell.
const QUIET: Duration = Duration::from_secs(5);

/// A built program with as many sessions and conversations, against as many connections of a bare
/// server.
///
/// # Errors
/// If a program does not start, or someone does not get in.
pub(super) async fn crowd(context: &Context) -> Result<Vec<Row>> {
    raise_file_limit()?;
    let people: Vec<_> = (0..CONVERSATIONS * MEMBERS)
        .map(|_| Identity::ephemeral())
        .collect();
    let store = context.new_store();
    fill(&store, people.len()).await?;
    bind_to(&store, people.iter().map(Identity::certificate)).await?;
    let registry = servers::registry(&context.programs, context.home(), &store).await?;
    // Who signs up has had the memory for a password.
    let signed_up = join(&context.programs, context.home(), &registry, "ann").await?;
    signed_up.kill().await?;
    let mut ann = come_back(&context.programs, context.home(), &registry, "ann").await?;
    let pid = ann.pid()?;
    let before = own_memory(pid)?;
    let at = Place::of(&ann, &people[0]).await?;
    let mut connected = Vec::new();
    for (number, members) in people.chunks(MEMBERS).enumerate() {
        connected.push(begin(&mut ann, at, number * MEMBERS, members).await?);
    }
    let _ = timeout(QUIET, ann.skip_updates()).await;
    let after = own_memory(pid)?;
    let row = |what: &str, against: &str, ours, limit, reach| Row {
        what: what.to_owned(),
        against: against.to_owned(),
        unit: Unit::Bytes,
        ours,
        limit,
        reach,
    };
    let grown = after.saturating_sub(before) as f64;
    Ok(vec![
        row(
            "memory of a peer for 100 sessions, 100 conversations, 1000 people",
            "100 bare TLS connections",
            grown,
            bare().await?,
            Reach::MoreByAtMost(MORE),
        ),
        row(
            "all memory of that peer",
            "before",
            after as f64,
            before as f64,
            Reach::Any,
        ),
    ])
}

/// Where a program is dialled.
#[derive(Clone, Copy)]
struct Place {
    address: SocketAddr,
    device: DeviceKey,
}

impl Place {
    /// Whichever device listens at the address of a program.
    async fn of(peer: &Peer, caller: &Identity) -> Result<Self> {
        let address = SocketAddr::from((peer.address, CONTACT_PORT));
        let connector = Connector::new(caller.device(), ALPN);
        let stream = TcpStream::connect(address).await?;
        let line = connector.connect(stream, Expected::Any).await?;
        let device = DeviceKey(line.peer());
        Ok(Self { address, device })
    }
}

/// A new group, whose members all join it. One of them stays connected.
async fn begin(ann: &mut Peer, at: Place, first: usize, members: &[Identity]) -> Result<Person> {
    let names = (first..first + members.len()).map(name).collect();
    let group = Ask::Group {
        name: "bench".parse()?,
        members: names,
    };
    let made = ann.call(&group).await?;
    made.map_err(|failure| anyhow::Error::msg(failure.message))?;
    let joining = members.iter().map(|identity| joins(identity, at));
    let mut joined = timeout(LONG, try_join_all(joining)).await??;
    let joins = |event: &Told| match event {
        Told::Chat { chat, .. } => {
            let is_in = chat.members.len() == members.len()
                && chat.members.iter().all(|member| !member.asked);
            is_in.then_some(())
        }
        _ => None,
    };
    ann.event_with("all members", LONG, joins).await?;
    let stays = joined.pop().context("nobody has joined")?;
    for person in joined {
        person.stop().await;
    }
    Ok(stays)
}

/// Someone accepts what they are asked.
async fn joins(identity: &Identity, at: Place) -> Result<Person> {
    let person = Person::start(identity.clone(), None).await?;
    let node = person.handle();
    let mut events = node.events();
    node.dial(at.address, at.device).await??;
    let group = loop {
        if let Event::Requested(group) = events.recv().await? {
            break group;
        }
    };
    node.accept(group).await?;
    person
        .until("the own join", move |view| {
            let replica = view.sync.get(&group);
            replica.is_some_and(|replica| matches!(replica.own_role(), Role::Member(_)))
        })
        .await?;
    Ok(person)
}

/// The memory of a bare server for as many connections.
async fn bare() -> Result<f64> {
    let length = greeting().to_string();
    let sizes = ["--greeting", &length, "--request", "1", "--length", "1"];
    let bare = Bare::start(&[&["tls-answer"], &sizes[..]].concat()).await?;
    let before = own_memory(bare.pid)?;
    let mut open = Vec::new();
    for number in 0..CONVERSATIONS {
        let mut stream = secured(source(number), bare.address, &device(number)).await?;
        stream.read_exact(&mut vec![0; greeting()]).await?;
        open.push(stream);
    }
    // Memory stays far below 2^52 bytes: exact.
    Ok(own_memory(bare.pid)?.saturating_sub(before) as f64)
}
