//! One message of an encrypted conversation, from the call that says it to the event at another
//! device: signed, committed, sent over TLS, verified and committed there.

use std::time::Instant;

use anyhow::{Result, ensure};
use p2pchat_peer::conversations::Event;
use p2pchat_protocol::v2::conversation::ConversationId;
use p2pchat_protocol::v2::conversation::talk::Talk;
use p2pchat_secure::Identity;
use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;
use tokio::time::{sleep, timeout};

use super::Context;
use crate::chain::{Chain, MESSAGES, PAUSE, commits_alone, open};
use crate::company::{LONG, Person};
use crate::row::{Reach, Row, Unit};
use crate::sample::{Sample, Times, side_by_side};

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
    ann: Person,
    _bob: Person,
    conversation: ConversationId,
    events: Receiver<Event>,
}

impl Pair {
    async fn start(folder: &TempDir) -> Result<Self> {
        let store = |name| Some(folder.path().join(name));
        let ann = Person::start(Identity::ephemeral(), store("ann.sqlite")).await?;
        let bob = Person::start(Identity::ephemeral(), store("bob.sqlite")).await?;
        let conversation = ann.group(std::slice::from_ref(&bob)).await?;
        let events = bob.handle().events();
        Ok(Self {
            ann,
            _bob: bob,
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
            let node = self.ann.handle();
            let said = node.say(self.conversation, Talk::Message { text });
            let arrived = async {
                loop {
                    if let Event::Entries { entries, .. } = self.events.recv().await? {
                        return anyhow::Ok((entries, began.elapsed()));
                    }
                }
            };
            let (said, arrived) = timeout(LONG, async { tokio::join!(said, arrived) }).await?;
            let (entries, time) = arrived?;
            ensure!(entries == [said?], "another entry has arrived");
            times.record(time);
        }
        Ok(Sample::new(&times, wall.elapsed()))
    }
}
