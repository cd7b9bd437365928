//! The registry's host is cut off, or starts again.

use std::time::{Duration, Instant};

use anyhow::Result;
use p2pchat_model::{DeliveryState, PeerAddr};
use p2pchat_testkit::SOON;

use super::{AT_ONCE, HUB, REGISTRY, TOLD};
use crate::network::lan::Lan;
use crate::network::reader::Reader;
use crate::network::stage::Stage;
use crate::person::Person;

/// How long the registry takes a user for online without a sign of life: as short as
/// the 15 s between two of them allow.
const PRESENCE: &str = "20";

/// Bob reads plain lines, and never has anything to do with ann's cable.
struct Chat {
    ann: Person,
    bob: Reader,
    bob_at: PeerAddr,
    carl: Person,
}

/// The registry's host, on which ann is too, is cut off for so long that the registry takes
/// the others for gone. They go on chatting.
pub(super) async fn registry(stage: &mut Stage<'_>) -> Result<()> {
    let lan = Lan::new()?;
    let [hub, desk, attic] = [lan.host(HUB)?, lan.host(2)?, lan.host(3)?];
    let registry = stage.registry(&hub, &["--presence-timeout", PRESENCE])?;
    let ann = stage.person("ann", &hub, &registry)?;
    let carl = stage.person("carl", &attic, &registry)?;
    ann.registers().await?;
    carl.registers().await?;
    let chat = Chat {
        ann,
        // The last to come, whose list has all.
        bob: stage.reader("bob", &desk, &registry).await?,
        bob_at: PeerAddr::new(desk.address)?,
        carl,
    };
    chat.begin().await?;
    let cut = Instant::now();
    lan.cut_off(&hub)?;
    chat.go_on(stage, cut).await?;
    let back = Instant::now();
    lan.rejoin(&hub)?;
    chat.be_online_again(stage, back).await
}

impl Chat {
    async fn begin(&self) -> Result<()> {
        let began = Instant::now();
        self.carl.asks(self.bob_at).await?;
        self.bob.accepts(began).await?;
        self.carl.is_joined_by(self.bob_at, began, SOON).await?;
        self.carl.asks(self.ann.address).await?;
        self.ann.accepts(began).await?;
        self.bob.reads("added ann", began, SOON).await?;
        Ok(())
    }

    async fn go_on(&self, stage: &mut Stage<'_>, cut: Instant) -> Result<()> {
        let report = &mut stage.report;
        let (after, reason) = self.carl.misses_registry(cut, REGISTRY).await?;
        report.figure("the others are told", format!("{after:.1?}, “{reason}”"));
        let told = "cannot reach the registry 10.0.0.1:3131: ";
        self.bob.reads(told, cut, REGISTRY).await?;

        let typed = self.bob.types("carl, is the registry gone?").await?;
        let after = self
            .carl
            .hears("carl, is the registry gone?", typed, AT_ONCE)
            .await?;
        report.time("a text without the registry", after);
        let said = self.carl.says("yes, but we are not").await?;
        self.bob
            .reads("carl: yes, but we are not", said, AT_ONCE)
            .await?;
        let (_, state) = self
            .carl
            .delivery("yes, but we are not", self.bob_at, said, AT_ONCE)
            .await?;
        report.check(state == DeliveryState::Sent, "it is marked as sent");
        let gone = "ann is offline";
        self.bob.reads(gone, typed, TOLD).await?;
        let after = self
            .ann
            .lists(&["ann"], cut, Duration::from_secs(60))
            .await?;
        report.time("the registry takes them for gone", after);
        Ok(())
    }

    async fn be_online_again(&self, stage: &mut Stage<'_>, back: Instant) -> Result<()> {
        let report = &mut stage.report;
        let typed = self.bob.types("ann, are you back?").await?;
        self.ann.hears("ann, are you back?", back, TOLD).await?;
        self.bob
            .reads("ann is back in the chat", typed, TOLD)
            .await?;
        let said = self.ann.says("yes").await?;
        self.bob.reads("ann: yes", said, AT_ONCE).await?;
        let after = self.carl.hears("yes", back, TOLD).await?;
        report.time("all chat again", after);

        self.bob
            .reads("connected to the registry 10.0.0.1:3131", back, REGISTRY)
            .await?;
        let all = ["ann", "bob", "carl"];
        let mut after = self.bob.reads("signed in as bob", back, REGISTRY).await?;
        // Ann, who is on the registry's host, was never cut off from it.
        after = after.max(self.carl.is_logged_in(back, REGISTRY).await?);
        for person in [&self.ann, &self.carl] {
            after = after.max(person.lists(&all, back, REGISTRY).await?);
        }
        report.time("all are online again", after);
        Ok(())
    }
}

/// The registry's host starts again: the connections to it are still there at one end only,
/// and the registry remembers accounts, but no one who is online.
pub(super) async fn reboot(stage: &mut Stage<'_>) -> Result<()> {
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
    let (_, state) = ann
        .delivery("still here?", bob.address, said, AT_ONCE)
        .await?;
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
        report.time(format!("{name} is logged in again"), after);
    }
    for person in [&ann, &bob] {
        person.lists(&["ann", "bob"], off, REGISTRY).await?;
    }
    Ok(())
}
