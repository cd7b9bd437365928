//! Everything takes half a second each way, to the registry too.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use p2pchat_model::Event;

use super::talk;
use crate::network::stage::{Stage, gather};
use crate::network::wan::Wan;

const DELAY: Duration = Duration::from_millis(500);

pub(in super::super) async fn play(stage: &mut Stage<'_>) -> Result<()> {
    let wan = Wan::new(4, DELAY)?;
    let [hub, desk, attic, shed] = wan.hosts.as_slice() else {
        return None.context("a network of four has four hosts");
    };
    let registry = stage.registry(hub, &[])?;
    let ann = stage.person("ann", desk, &registry)?;
    let bob = stage.person("bob", attic, &registry)?;
    let carl = stage.page("carl", shed, &registry)?;
    let people = [&ann, &bob, &carl];
    let began = Instant::now();
    for person in people {
        person.registers().await?;
    }
    let took = began.elapsed() / 3;
    stage
        .report
        .figure("a registration and login", format!("{took:.1?}"));
    gather(people).await?;
    let took = began.elapsed();
    stage.report.figure("until all chat", format!("{took:.1?}"));
    talk::one_by_one([&ann, &bob], 3, &mut stage.report).await?;
    // A text takes 2 s, and is one at a time to each.
    talk::talk(people, stage.texts.min(5), &mut stage.report).await?;
    let left = |event: &Event| matches!(event, Event::MemberLeft { .. });
    let lost: usize = people.iter().map(|person| person.count(left)).sum();
    stage.report.check(lost == 0, "nobody is taken for gone");
    Ok(())
}
