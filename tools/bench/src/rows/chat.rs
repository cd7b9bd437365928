//! One message of an encrypted conversation, from the command of one program to the event of
//! another.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use p2pchat_model::{Command as Ask, ConversationId, Event};
use p2pchat_protocol::Username;
use p2pchat_testkit::{Peer, SOON};
use tokio::time::timeout;

use super::{Context, text};
use crate::chain::{Chain, MESSAGES, PAUSE, commits_alone, open};
use crate::row::{Reach, Row, Unit};
use crate::sample::{Sample, Times, medians};
use crate::servers;

/// `p2pchat --json` to `p2pchat --json`, against the chain of what has to be done one after the
/// other, and against one text of version 1 between the same two programs.
///
/// # Errors
/// If a program does not start, or a message does not arrive.
pub(super) async fn chat(context: &Context) -> Result<Vec<Row>> {
    let store = context.new_store();
    let registry = servers::registry(&context.programs, context.home(), &store).await?;
    let (mut ann, mut bob) = text::pair(context, &registry).await?;
    let direct = direct(&mut ann, &mut bob).await?;
    let folder = tempfile::tempdir_in(context.home())?;
    let mut chain = Chain::start(folder.path()).await?;
    let alone = open(&folder.path().join("alone.sqlite"))?;
    let mut samples: [Vec<Sample>; 4] = Default::default();
    for _ in 0..context.rounds {
        samples[0].push(talk(direct, &mut ann, &mut bob).await?);
        samples[1].push(chain.run().await?);
        samples[2].push(text::ours(&mut ann, &mut bob).await?);
        samples[3].push(commits_alone(&alone)?);
    }
    let [ours, chain, text, commit] = samples.each_ref().map(|samples| medians(samples));
    let row = |what: &str, against: &str, ours, limit, reach| Row {
        what: what.to_owned(),
        against: against.to_owned(),
        unit: Unit::Seconds,
        ours,
        limit,
        reach,
    };
    let message = "one message, program to program";
    let late = "one message, program to program, p99";
    let bare = "sign, commit, TLS, verify, commit";
    let old = "one text of version 1";
    let disk = "one commit on this disk";
    Ok(vec![
        row(message, bare, ours.p50, chain.p50, Reach::AtMost(1.3)),
        row(late, bare, ours.p99, chain.p99, Reach::AtMost(1.5)),
        row(message, old, ours.p50, text.p50, Reach::AtMost(0.75)),
        row(late, old, ours.p99, text.p99, Reach::Any),
        row(bare, disk, chain.p50, commit.p50, Reach::Any),
    ])
}

/// The direct conversation of two.
async fn direct(ann: &mut Peer, bob: &mut Peer) -> Result<ConversationId> {
    let with = Username::new("bob")?;
    let answers = ann.call(&Ask::Chat { with }).await?;
    let answers = answers.map_err(|failure| anyhow::Error::msg(failure.message))?;
    let opened = answers.iter().find_map(|update| match *update.event {
        Event::Opened { conversation } => Some(conversation),
        _ => None,
    });
    let conversation = opened.context("no conversation was opened")?;
    let is_asked = |event: &Event| match event {
        Event::Chat {
            conversation: of, ..
        } => (*of == conversation).then_some(()),
        _ => None,
    };
    bob.event_with("request", SOON, is_asked).await?;
    let joined = bob.call(&Ask::Join { conversation }).await?;
    joined.map_err(|failure| anyhow::Error::msg(failure.message))?;
    // Until both hold both joins.
    say(conversation, ann, bob, "hello").await?;
    Ok(conversation)
}

async fn talk(conversation: ConversationId, ann: &mut Peer, bob: &mut Peer) -> Result<Sample> {
    let mut times = Times::default();
    for number in 0..MESSAGES {
        // What became of the message before is read meanwhile: a program that nobody reads stands
        // still.
        let _ = timeout(PAUSE, ann.skip_updates()).await;
        let text = format!("{number:060}");
        times.record(say(conversation, ann, bob, &text).await?);
    }
    Ok(Sample::new(&times, Duration::from_secs(1)))
}

async fn say(
    conversation: ConversationId,
    ann: &mut Peer,
    bob: &mut Peer,
    text: &str,
) -> Result<Duration> {
    let began = Instant::now();
    ann.ask(&Ask::say(conversation, text)).await?;
    let hears = |event: &Event| match event {
        Event::Post(post) => (post.text == text).then(|| began.elapsed()),
        _ => None,
    };
    let time = bob.event_with("message", SOON, hears).await?;
    // So that what comes next is the next message's.
    let said = |event: &Event| matches!(event, Event::Said { .. }).then_some(());
    ann.event_with("answer", SOON, said).await?;
    Ok(time)
}
