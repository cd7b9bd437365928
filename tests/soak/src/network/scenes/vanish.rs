//! Bob's host loses its power: no end, no reset, nothing. It comes back with a fresh
//! program; the second time before anyone has noticed.

use std::time::Instant;

use anyhow::Result;
use p2pchat_model::{DropKind, Event, PeerAddr};
use p2pchat_testkit::{Registry, SOON};

use super::{AT_ONCE, HUB, REGISTRY, TOLD};
use crate::network::lan::{Host, Lan};
use crate::network::reader::Reader;
use crate::network::stage::Stage;
use crate::person::Person;

const DESK: u8 = 2;

/// Those who stay: ann reads plain lines.
struct Others {
    lan: Lan,
    registry: Registry,
    ann: Reader,
    ann_at: PeerAddr,
    carl: Person,
}

/// Bob's host loses its power twice.
pub(super) async fn vanish(stage: &mut Stage<'_>) -> Result<()> {
    let lan = Lan::new()?;
    let [hub, desk, attic] = [lan.host(HUB)?, lan.host(DESK)?, lan.host(3)?];
    let registry = stage.registry(&hub, &[])?;
    let bob = stage.person("bob", &desk, &registry)?;
    let carl = stage.person("carl", &attic, &registry)?;
    bob.registers().await?;
    carl.registers().await?;
    let others = Others {
        // The last to come, whose list has all.
        ann: stage.reader("ann", &hub, &registry).await?,
        ann_at: PeerAddr::new(hub.address)?,
        carl,
        registry,
        lan,
    };
    others.invite(&bob).await?;
    others.invite(&others.carl).await?;

    others.lan.power_off(&desk)?;
    drop(bob);
    others.notice(stage).await?;
    let (desk, bob) = others.start_again(stage).await?;
    others.invite(&bob).await?;
    others.talk_to(&bob).await?;

    others.lan.power_off(&desk)?;
    drop(bob);
    let (_desk, bob) = others.start_again(stage).await?;
    others.find_out(stage, &bob).await
}

impl Others {
    async fn invite(&self, guest: &Person) -> Result<()> {
        let asked = self.ann.types(&format!("/request {}", guest.name)).await?;
        guest.accepts(asked).await?;
        let joined = format!("{} accepted and joined the chat", guest.name);
        self.ann.reads(&joined, asked, SOON).await?;
        Ok(())
    }

    async fn notice(&self, stage: &mut Stage<'_>) -> Result<()> {
        let typed = self.ann.types("bob, what do you say?").await?;
        let gone = "bob is offline";
        let after = self.ann.reads(gone, typed, TOLD).await?;
        let lost = "“bob, what do you say?” not delivered to bob: offline";
        self.ann.reads(lost, typed, TOLD).await?;
        stage
            .report
            .time("the sender is told that bob is gone", after);
        self.carl
            .hears("bob, what do you say?", typed, AT_ONCE)
            .await?;
        let asked = self.ann.types("/request bob").await?;
        // By now ann's program knows bob's key.
        let question = "bob has an encrypted p2pchat";
        self.ann.reads(question, asked, AT_ONCE).await?;
        self.ann.types("/allow bob").await?;
        let asked = self.ann.types("/request bob").await?;
        let reads = "bob is offline or cannot be reached";
        let after = self.ann.reads(reads, asked, TOLD).await?;
        stage.report.time("who asks bob is told", after);
        Ok(())
    }

    /// The machine is switched on again, and bob logs in.
    async fn start_again(&self, stage: &mut Stage<'_>) -> Result<(Host, Person)> {
        let on = Instant::now();
        let desk = self.lan.host(DESK)?;
        let bob = stage.person("bob", &desk, &self.registry)?;
        bob.logs_in().await?;
        let after = bob.lists(&["ann", "bob", "carl"], on, REGISTRY).await?;
        stage
            .report
            .time("bob is back and sees who is online", after);
        Ok((desk, bob))
    }

    async fn talk_to(&self, bob: &Person) -> Result<()> {
        let typed = self.ann.types("welcome back").await?;
        bob.hears("welcome back", typed, AT_ONCE).await?;
        self.carl.hears("welcome back", typed, AT_ONCE).await?;
        let said = self.carl.says("we missed you").await?;
        bob.hears("we missed you", said, AT_ONCE).await?;
        let said = bob.says("the power was gone").await?;
        self.ann
            .reads("bob: the power was gone", said, AT_ONCE)
            .await?;
        self.carl.hears("the power was gone", said, AT_ONCE).await?;
        Ok(())
    }

    /// Bob's new program does not know the chat, and says so.
    async fn find_out(&self, stage: &mut Stage<'_>, bob: &Person) -> Result<()> {
        let typed = self.ann.types("bob, again?").await?;
        let after = self.ann.reads("bob has left the chat", typed, TOLD).await?;
        let lost = "“bob, again?” not delivered to bob: they have left the chat";
        self.ann.reads(lost, typed, TOLD).await?;
        stage
            .report
            .time("the sender is told that bob started again", after);
        self.carl.hears("bob, again?", typed, AT_ONCE).await?;
        let heard = bob.heard_from(self.ann_at);
        stage.report.check(
            heard.is_empty(),
            format!("bob heard {heard:?} of a chat without bob"),
        );
        bob.sees(
            typed,
            "word of what was not shown",
            TOLD,
            |event| match event {
                Event::Dropped(dropped) if dropped.tried == DropKind::Text => Some(()),
                _ => None,
            },
        )
        .await?;
        Ok(())
    }
}
