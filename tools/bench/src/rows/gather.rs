//! All members of a conversation come online at once: a session for each two of them.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::future::{try_join, try_join_all};
use p2pchat_protocol::v2::conversation::ConversationId;
use p2pchat_protocol::v2::conversation::talk::Talk;
use p2pchat_protocol::v2::peer::ALPN;
use p2pchat_secure::{Acceptor, Connector, Expected, Identity, verify_certificate};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::Context;
use super::idle::raise_file_limit;
use crate::company::Person;
use crate::process;
use crate::row::{Reach, Row, Unit};
use crate::sample::median;

/// How many members there are.
const MEMBERS: usize = 64;
/// How many sessions there are.
const PAIRS: usize = MEMBERS * (MEMBERS - 1) / 2;

/// From when nobody is connected until all have told each other what they hold, against as many
/// handshakes, in which both sides verify the other's certificate once.
///
/// # Errors
/// If a node does not start, or two do not reach each other.
pub(super) async fn gather(context: &Context) -> Result<Vec<Row>> {
    raise_file_limit()?;
    let starting = (0..MEMBERS).map(|_| Person::start(Identity::ephemeral(), None));
    let members = try_join_all(starting).await?;
    let conversation = members[0].group(&members[1..]).await?;
    for member in &members {
        let text = "hello".to_owned();
        let talk = Talk::Message { text };
        member.handle().say(conversation, talk).await?;
    }
    // Once before, so that all know who is in and hold what was said; one after the other, as they
    // share a core, and what it takes to be told everything too.
    for (one, other) in pairs(&members) {
        one.dial(other).await?;
    }
    settle(&members, conversation).await?;
    let (mut ours, mut busy, mut limit, mut bare_busy) = (vec![], vec![], vec![], vec![]);
    for _ in 0..context.rounds {
        let [wall, core] = come_online(&members, conversation).await?;
        ours.push(wall);
        busy.push(core);
        let [wall, core] = handshakes(&members).await?;
        limit.push(wall);
        bare_busy.push(core);
    }
    let row = |what: String, ours, limit, reach| Row {
        what,
        against: format!("{PAIRS} handshakes"),
        unit: Unit::Seconds,
        ours: median(ours),
        limit: median(limit),
        reach,
    };
    let what = format!("{MEMBERS} members come online");
    let core = format!("{what}, time on the core");
    Ok(vec![
        row(what, ours, limit, Reach::AtMost(1.3)),
        row(core, busy, bare_busy, Reach::Any),
    ])
}

/// How long it takes, and for how long it keeps the cores busy.
async fn come_online(members: &[Person], conversation: ConversationId) -> Result<[f64; 2]> {
    for member in members {
        member.handle().set_open(false).await?;
    }
    // Until all have noticed, and told nobody any more.
    sleep(Duration::from_secs(2)).await;
    for member in members {
        member.handle().set_open(true).await?;
    }
    let (began, before) = (Instant::now(), process::cpu(std::process::id())?);
    let dialling = pairs(members).map(|(one, other)| one.dial(other));
    try_join_all(dialling).await?;
    settle(members, conversation).await?;
    measured(began, before)
}

/// Waits until all have told each other what they hold.
async fn settle(members: &[Person], conversation: ConversationId) -> Result<()> {
    let settling = members.iter().map(|member| {
        member.until("all to tell what they hold", move |view| {
            view.sync.is_settled(&conversation)
        })
    });
    try_join_all(settling).await?;
    Ok(())
}

/// Each with each.
fn pairs(members: &[Person]) -> impl Iterator<Item = (&Person, &Person)> {
    let with_number = members.iter().enumerate();
    with_number.flat_map(|(number, one)| members[number + 1..].iter().map(move |it| (one, it)))
}

async fn handshakes(members: &[Person]) -> Result<[f64; 2]> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let sides = members.iter().map(|member| {
        let key = member.identity.device();
        (Acceptor::new(key, ALPN), Connector::new(key, ALPN))
    });
    let sides: Vec<_> = sides.collect();
    let (began, before) = (Instant::now(), process::cpu(std::process::id())?);
    let mut open = Vec::with_capacity(PAIRS);
    for (number, one) in members.iter().enumerate() {
        for (other, (acceptor, _)) in members.iter().zip(&sides).skip(number + 1) {
            let dialling = async {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                let expected = Expected::Key(other.identity.device().public());
                let line = sides[number].1.connect(stream, expected).await?;
                ensure!(verify_certificate(&other.identity.certificate()));
                Ok(line)
            };
            let accepting = async {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let line = acceptor.accept(stream).await?;
                ensure!(verify_certificate(&one.identity.certificate()));
                Ok(line)
            };
            open.push(try_join(dialling, accepting).await?);
        }
    }
    measured(began, before)
}

fn measured(began: Instant, before: Duration) -> Result<[f64; 2]> {
    let wall = began.elapsed();
    let core = process::cpu(std::process::id())?.saturating_sub(before);
    Ok([wall, core].map(|time| time.as_secs_f64()))
}
