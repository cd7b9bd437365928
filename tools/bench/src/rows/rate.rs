//! Texts at a rate: how long one takes from the connection it comes on to the event, while
//! so many come a second.

use std::collections::HashMap;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use p2pchat_model::Event;
use p2pchat_protocol::{ChatText, MESSAGE_PORT, MESSAGE_PORT_UNPRIVILEGED, Message, Username};
use p2pchat_testkit::{Peer, Registry, SOON};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep_until, timeout};

use super::Context;
use super::group::{Group, chat_with};
use super::text::Hear;
use crate::load::connect;
use crate::row::{Point, Reach, Row, Unit};
use crate::sample::{Sample, Times, side_by_side};
use crate::servers;
use crate::talkers::member;

/// How many texts come a second.
const RATES: [u32; 5] = [10, 100, 300, 1_000, 2_000];
/// How many members say them in turn: a peer takes 20 a second of one.
const MEMBERS: usize = 100;
/// The number of the first of them; those of `group` have lower ones.
const FIRST: usize = 2_000;
/// The fewest texts that make one measurement.
const FEWEST: u32 = 20;

/// From members that are a socket each to `p2pchat --json`, against the bare receiver.
///
/// # Errors
/// If a program does not start, or loses a text.
pub(super) async fn rate(context: &Context) -> Result<Vec<Row>> {
    let store = context.new_store();
    let registry = servers::registry(&context.programs, context.home(), &store).await?;
    let (mut ann, _group) = ann(context, &registry).await?;
    let to = message_port(ann.address).await?;
    let mut hear = Hear::start().await?;
    let bare = hear.address;
    let mut rows = Vec::new();
    for rate in RATES {
        let pair = side_by_side(
            context.rounds,
            async || ours(&mut ann, to, rate, context.time).await,
            async || {
                let sending = send(bare, rate, context.time);
                let texts = texts(rate, context.time);
                let hearing = async {
                    let mut heard = HashMap::new();
                    for number in 0..texts {
                        let line = timeout(SOON, hear.lines.next_line()).await;
                        line.context("a bare text was lost")??;
                        heard.insert(number, Instant::now());
                    }
                    Ok(heard)
                };
                both(sending, hearing).await
            },
        )
        .await?;
        rows.push(Row {
            what: format!("one text while {rate} come a second"),
            against: "bare ones, as many a second".to_owned(),
            unit: Unit::Seconds,
            ours: pair.ours.p50,
            limit: pair.limit.p50,
            reach: Reach::Any,
            point: Some(Point::new(
                "One text among many",
                "texts a second",
                usize::try_from(rate)?,
            )),
        });
    }
    Ok(rows)
}

/// Somebody in a chat with all of them.
async fn ann(context: &Context, registry: &Registry) -> Result<(Peer, Group)> {
    let group = Group::listen(FIRST, MEMBERS).await?;
    let ann = chat_with(context, registry, &group, "anna").await?;
    Ok((ann, group))
}

/// Where a peer takes texts.
async fn message_port(address: Ipv4Addr) -> Result<SocketAddr> {
    let to = SocketAddr::from((address, MESSAGE_PORT));
    match TcpStream::connect(to).await {
        Ok(_) => Ok(to),
        Err(_) => Ok((address, MESSAGE_PORT_UNPRIVILEGED).into()),
    }
}

/// How many texts are sent within that time.
fn texts(rate: u32, time: Duration) -> u32 {
    // Of two small figures.
    FEWEST.max((f64::from(rate) * time.as_secs_f64()) as u32)
}

async fn ours(ann: &mut Peer, to: SocketAddr, rate: u32, time: Duration) -> Result<Sample> {
    let hearing = async {
        let mut heard = HashMap::new();
        for _ in 0..texts(rate, time) {
            let number = |event: &Event| match event {
                Event::Message(message) => message.text.parse::<u32>().ok(),
                _ => None,
            };
            let number = ann.event_with("text", SOON, number).await?;
            heard.insert(number, Instant::now());
        }
        Ok(heard)
    };
    both(send(to, rate, time), hearing).await
}

/// By when each text was sent and when it was heard.
async fn both(
    sending: impl Future<Output = Result<Vec<Instant>>>,
    hearing: impl Future<Output = Result<HashMap<u32, Instant>>>,
) -> Result<Sample> {
    let (sent, heard) = tokio::try_join!(sending, hearing)?;
    let mut times = Times::default();
    for (number, sent) in (0..).zip(&sent) {
        let heard = heard.get(&number).context("a text was lost")?;
        times.record(heard.saturating_duration_since(*sent));
    }
    Ok(Sample::new(&times, Duration::from_secs(1)))
}

/// Sends texts, each at its time whatever became of those before; when each was due.
async fn send(to: SocketAddr, rate: u32, time: Duration) -> Result<Vec<Instant>> {
    let begin = Instant::now();
    let mut due = Vec::new();
    let mut sending = tokio::task::JoinSet::new();
    for number in 0..texts(rate, time) {
        let at = begin + Duration::from_secs_f64(f64::from(number) / f64::from(rate));
        sleep_until(at.into()).await;
        due.push(Instant::now());
        sending.spawn(say(number, to));
    }
    while let Some(said) = sending.join_next().await {
        said??;
    }
    Ok(due)
}

/// Says its number, from one of the members, and waits until it was taken.
async fn say(number: u32, to: SocketAddr) -> Result<()> {
    let from = member(FIRST + usize::try_from(number)? % MEMBERS);
    let text = ChatText::new(&number.to_string())?;
    let message = Message::new(Username::new("member")?, text);
    let mut stream = connect(from, to).await?;
    stream.write_all(&message.encode()).await?;
    stream.shutdown().await?;
    timeout(SOON, stream.read(&mut [0]))
        .await
        .context("a text was not taken")??;
    Ok(())
}
