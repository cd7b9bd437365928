//! Three packets of ten are lost, of every kind and in both directions.

use std::time::Instant;

use anyhow::Result;
use p2pchat_model::Event;

use super::{HUB, talk};
use crate::network::lan::Lan;
use crate::network::stage::{Stage, gather};

const PERCENT: u8 = 30;

pub(in super::super) async fn play(stage: &mut Stage<'_>) -> Result<()> {
    let lan = Lan::new()?;
    let [hub, desk, attic] = [lan.host(HUB)?, lan.host(2)?, lan.host(3)?];
    let registry = stage.registry(&hub, &[])?;
    let ann = stage.person("ann", &hub, &registry)?;
    let bob = stage.person("bob", &desk, &registry)?;
    let carl = stage.page("carl", &attic, &registry)?;
    let people = [&ann, &bob, &carl];
    for person in people {
        person.registers().await?;
    }
    lan.lose(PERCENT)?;
    let began = Instant::now();
    gather(people).await?;
    let took = began.elapsed();
    stage.report.figure("until all chat", format!("{took:.1?}"));
    talk::one_by_one([&bob, &carl], stage.texts / 2, &mut stage.report).await?;
    talk::talk(people, stage.texts, &mut stage.report).await?;
    let left = |event: &Event| matches!(event, Event::MemberLeft { .. });
    let lost: usize = people.iter().map(|person| person.count(left)).sum();
    stage.report.figure("members taken for gone", lost);
    Ok(())
}
