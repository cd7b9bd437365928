//! The registry's host starts anew: the connections to it are still there at one end
//! only, and the registry remembers accounts, but nobody who is online.

use std::time::Instant;

use anyhow::Result;
use p2pchat_model::DeliveryState;
use p2pchat_testkit::SOON;

use super::{AT_ONCE, HUB, REGISTRY};
use crate::network::lan::Lan;
use crate::network::stage::Stage;

pub(in super::super) async fn play(stage: &mut Stage<'_>) -> Result<()> {
    let lan = Lan::new()?;
    let [hub, desk, attic] = [lan.host(HUB)?, lan.host(2)?, lan.host(3)?];
    let registry = stage.registry(&hub, &[])?;
    let ann = stage.person("ann", &desk, &registry)?;
    let bob = stage.page("bob", &attic, &registry)?;
    let began = Instant::now();
    for person in [&ann, &bob] {
        person.registers().await?;
    }
    ann.asks(bob.address).await?;
    bob.accepts(began).await?;
    ann.is_joined_by(bob.address, began, SOON).await?;

    let off = Instant::now();
    lan.power_off(&hub)?;
    registry.kill().await?;
    let hub = lan.host(HUB)?;
    let _registry = stage.registry(&hub, &[])?;
    let said = ann.says("still here?").await?;
    bob.hears("still here?", said, AT_ONCE).await?;
    let (_, state) = ann.fate("still here?", bob.address, said, AT_ONCE).await?;
    let report = &mut stage.report;
    report.check(state == DeliveryState::Sent, "the chat goes on");
    for person in [&ann, &bob] {
        let (after, reason) = person.misses_registry(off, REGISTRY).await?;
        let name = person.name;
        report.figure(
            format!("{name} is told"),
            format!("{after:.1?}, “{reason}”"),
        );
        let after = person.is_logged_in(off, REGISTRY).await?;
        report.figure(format!("{name} is logged in again"), format!("{after:.1?}"));
    }
    for person in [&ann, &bob] {
        person.lists(&["ann", "bob"], off, REGISTRY).await?;
    }
    Ok(())
}
