//! One text, from the command of one program to the event of another.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use p2pchat_model::{Call, Command as Ask, ConversationId, Event, Target};
use p2pchat_testkit::{Peer, Registry, SOON, own_address};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{sleep, timeout};

use super::Context;
use crate::row::{Reach, Row, Unit};
use crate::sample::{Sample, Times, side_by_side};
use crate::servers::{self, on_its_core};
use crate::talkers::{BareSay, accept, join, joined};

/// How many texts, or calls, make one measurement.
const TEXTS: u32 = 100;
/// How long it is quiet between two: people type no faster, and a peer that is sent
/// hundreds a second defends itself.
pub(super) const PAUSE: Duration = Duration::from_millis(60);
/// Where the bare receiver listens; any port does.
const PORT: u16 = 0;

/// `p2pchat --json` to `p2pchat --json`, against connect, write 111 bytes, close, read.
///
/// # Errors
/// If a program does not start, or loses a text.
pub(super) async fn text(context: &Context) -> Result<Vec<Row>> {
    let store = context.new_store();
    let registry = servers::registry(&context.programs, context.home(), &store).await?;
    let (mut ann, mut bob) = pair(context, &registry).await?;
    let mut hear = Hear::start().await?;
    let mut say = BareSay::start(&[hear.address])?;
    let pair = side_by_side(
        context.rounds,
        async || ours(&mut ann, &mut bob).await,
        async || bare(&mut say, &mut hear).await,
    )
    .await?;
    let row = |what: &str, ours, limit| Row {
        what: what.to_owned(),
        against: "connect, write, close, read".to_owned(),
        unit: Unit::Seconds,
        ours,
        limit,
        reach: Reach::Any,
    };
    let calls = calls(context, &registry, &mut ann).await?;
    Ok(vec![
        row("one text", pair.ours.p50, pair.limit.p50),
        row("one text, p99", pair.ours.p99, pair.limit.p99),
        calls,
    ])
}

/// A call to its `done`, in a program that is attached, against the one that runs the peer.
async fn calls(context: &Context, registry: &Registry, owner: &mut Peer) -> Result<Row> {
    let home = context.home().join("ann");
    let start = || Peer::start(&context.programs, &home, registry, own_address(), &[]);
    let mut attached = on_its_core(start)?;
    let pair = side_by_side(
        context.rounds,
        async || call(&mut attached).await,
        async || call(owner).await,
    )
    .await?;
    Ok(Row {
        what: "a call to its `done`, attached".to_owned(),
        against: "the same in the program of the peer".to_owned(),
        unit: Unit::Seconds,
        ours: pair.ours.p50,
        limit: pair.limit.p50,
        reach: Reach::Any,
    })
}

async fn call(peer: &mut Peer) -> Result<Sample> {
    let mut times = Times::default();
    for number in 0..TEXTS {
        let busy = Ask::Busy {
            on: number.is_multiple_of(2),
        };
        let began = Instant::now();
        let answers = peer.call(&busy).await?;
        times.record(began.elapsed());
        answers.map_err(|failure| anyhow::Error::msg(failure.message))?;
    }
    Ok(Sample::new(&times, Duration::from_secs(1)))
}

/// Two who are in one chat.
pub(super) async fn pair(context: &Context, registry: &Registry) -> Result<(Peer, Peer)> {
    let mut ann = join(&context.programs, context.home(), registry, "ann").await?;
    let mut bob = join(&context.programs, context.home(), registry, "bob").await?;
    let to = Target::new("bob").map_err(anyhow::Error::msg)?;
    let conversation = ConversationId::OPEN;
    ann.ask(&Ask::Request { conversation, to }).await?;
    accept(&mut bob).await?;
    joined(&mut ann).await?;
    joined(&mut bob).await?;
    Ok((ann, bob))
}

pub(super) async fn ours(ann: &mut Peer, bob: &mut Peer) -> Result<Sample> {
    let mut times = Times::default();
    for number in 0..TEXTS {
        sleep(PAUSE).await;
        let text = format!("text {number} {}", "x".repeat(60));
        let began = Instant::now();
        let conversation = ConversationId::OPEN;
        ann.send(&Call::new(Ask::Say {
            conversation,
            text,
            reply_to: None,
        }))
        .await?;
        let hears = |event: &Event| matches!(event, Event::Message(_)).then_some(());
        bob.event_with("text", SOON, hears).await?;
        times.record(began.elapsed());
        // So that what comes next is the next text's.
        let sent = |event: &Event| matches!(event, Event::Delivered { .. }).then_some(());
        ann.event_with("delivery", SOON, sent).await?;
    }
    Ok(Sample::new(&times, Duration::from_secs(1)))
}

/// Says texts to the bare receiver.
///
/// # Errors
/// If one is lost.
pub(super) async fn bare(say: &mut BareSay, hear: &mut Hear) -> Result<Sample> {
    let mut times = Times::default();
    for _ in 0..TEXTS {
        sleep(PAUSE).await;
        let began = Instant::now();
        say.say().await?;
        let line = timeout(SOON, hear.lines.next_line()).await;
        line.context("a bare text was lost")??;
        times.record(began.elapsed());
    }
    Ok(Sample::new(&times, Duration::from_secs(1)))
}

/// The bare receiver. Killed on drop.
pub(super) struct Hear {
    _child: Child,
    pub(super) address: SocketAddr,
    pub(super) lines: Lines<BufReader<ChildStdout>>,
}

impl Hear {
    /// Starts it.
    ///
    /// # Errors
    /// If it does not start.
    pub(super) async fn start() -> Result<Self> {
        let at = SocketAddr::from((own_address(), PORT)).to_string();
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bare", "hear", &at]);
        command.kill_on_drop(true).stdout(Stdio::piped());
        let mut child = on_its_core(|| Ok(command.spawn()?))?;
        let stdout = child.stdout.take().context("no output to read")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = timeout(SOON, lines.next_line())
            .await
            .context("no line")??;
        Ok(Self {
            address: line.context("it ended at once")?.parse()?,
            lines,
            _child: child,
        })
    }
}
