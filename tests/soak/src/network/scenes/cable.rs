//! Cables are cut during a chat, and put back.

use std::time::{Duration, Instant};

use anyhow::Result;
use p2pchat_model::{DeliveryState, Event, JoinedBy, LeaveReason, PeerAddr};
use p2pchat_testkit::SOON;

use super::{AT_ONCE, HUB, REGISTRY, TOLD};
use crate::network::lan::Lan;
use crate::network::reader::Reader;
use crate::network::stage::Stage;
use crate::person::Person;

/// Ann is on the registry's host, bob reads plain lines, carl has a page.
struct Chat {
    ann: Person,
    bob: Reader,
    carl: Person,
    bob_at: PeerAddr,
}

/// Bob's cable is pulled during a chat, and put back.
pub(super) async fn cable(stage: &mut Stage<'_>) -> Result<()> {
    let lan = Lan::new()?;
    let [hub, desk, attic] = [lan.host(HUB)?, lan.host(2)?, lan.host(3)?];
    let registry = stage.registry(&hub, &[])?;
    let ann = stage.person("ann", &hub, &registry)?;
    let carl = stage.page("carl", &attic, &registry)?;
    ann.registers().await?;
    carl.registers().await?;
    let chat = Chat {
        ann,
        // The last to come, whose list has all.
        bob: stage.reader("bob", &desk, &registry).await?,
        carl,
        bob_at: PeerAddr::new(desk.address)?,
    };
    chat.begin().await?;
    let cut = Instant::now();
    lan.unplug(&desk)?;
    chat.go_on_without_bob(stage, cut).await?;
    let back = Instant::now();
    lan.plug(&desk)?;
    chat.go_on_together(stage, back).await?;
    chat.check_texts(stage);
    Ok(())
}

impl Chat {
    async fn begin(&self) -> Result<()> {
        let began = Instant::now();
        self.ann.asks(self.bob_at).await?;
        self.bob.accepts(began).await?;
        self.ann.is_joined_by(self.bob_at, began, SOON).await?;
        self.ann.asks(self.carl.address).await?;
        self.carl.accepts(began).await?;
        self.bob.reads("added carl", began, SOON).await?;
        let said = self.ann.says("shall we begin?").await?;
        self.bob
            .reads("ann: shall we begin?", said, AT_ONCE)
            .await?;
        self.carl.hears("shall we begin?", said, AT_ONCE).await?;
        let said = self.bob.types("yes").await?;
        self.ann.hears("yes", said, AT_ONCE).await?;
        self.carl.hears("yes", said, AT_ONCE).await?;
        Ok(())
    }

    async fn go_on_without_bob(&self, stage: &mut Stage<'_>, cut: Instant) -> Result<()> {
        let report = &mut stage.report;
        let said = self.ann.says("bob, are you there?").await?;
        let typed = self.bob.types("is anybody there?").await?;
        let after = self
            .carl
            .hears("bob, are you there?", said, AT_ONCE)
            .await?;
        report.time("the others hear each other", after);

        let (after, state) = self
            .ann
            .delivery("bob, are you there?", self.bob_at, said, TOLD)
            .await?;
        let honest = state == DeliveryState::Failed(LeaveReason::Unreachable);
        report.check(
            honest,
            format!("a text that did not arrive counts as {state:?}"),
        );
        report.time("the sender is told that bob did not get it", after);
        let (_, reason) = self.ann.misses(self.bob_at, said, TOLD).await?;
        report.check(
            reason == LeaveReason::Unreachable,
            "bob is named, as out of reach",
        );

        let mut after = Duration::ZERO;
        for name in ["ann", "carl"] {
            let gone = format!("{name} is offline");
            after = after.max(self.bob.reads(&gone, typed, TOLD).await?);
            let lost = format!("“is anybody there?” not delivered to {name}: offline");
            after = after.max(self.bob.reads(&lost, typed, TOLD).await?);
        }
        report.time("bob is told that no one heard them", after);
        let after = self
            .bob
            .reads("cannot reach the registry", cut, REGISTRY)
            .await?;
        report.time("bob is told that the registry is gone", after);
        Ok(())
    }

    async fn go_on_together(&self, stage: &mut Stage<'_>, back: Instant) -> Result<()> {
        let report = &mut stage.report;
        let said = self.ann.says("bob, are you back?").await?;
        let after = self
            .bob
            .reads("ann: bob, are you back?", back, TOLD)
            .await?;
        report.time("bob hears the others again", after);
        let (_, state) = self
            .ann
            .delivery("bob, are you back?", self.bob_at, said, TOLD)
            .await?;
        report.check(
            state == DeliveryState::Sent,
            "the first text after it is sent",
        );
        let (_, by) = self.ann.is_joined_by(self.bob_at, said, TOLD).await?;
        report.check(by == JoinedBy::Back, "bob is back in the chat, ann reads");
        self.bob
            .reads("ann is back in the chat", back, TOLD)
            .await?;

        let typed = self.bob.types("yes, it was the cable").await?;
        self.ann.hears("yes, it was the cable", typed, TOLD).await?;
        self.carl
            .hears("yes, it was the cable", typed, TOLD)
            .await?;
        // By themselves, or by what ann says of them: whichever comes first.
        let carl_is_back = ["carl is back in the chat", "added carl"];
        self.bob.reads_one_of(&carl_is_back, back, TOLD).await?;
        let after = self.bob.reads("signed in as bob", back, REGISTRY).await?;
        report.time("bob is logged in again", after);
        Ok(())
    }

    fn check_texts(&self, stage: &mut Stage<'_>) {
        let report = &mut stage.report;
        for person in [&self.ann, &self.carl] {
            let heard = person.heard_from(self.bob_at);
            report.check(
                heard == ["yes", "yes, it was the cable"],
                format!("{} heard of bob {heard:?}", person.name),
            );
        }
        let mut read = self.bob.lines_with("ann: ");
        // Not the lines that say what was not delivered to ann.
        read.retain(|line| line.starts_with("ann: "));
        report.check(
            read == ["ann: shall we begin?", "ann: bob, are you back?"],
            format!("bob read of ann {read:?}"),
        );
        let left = |event: &Event| matches!(event, Event::MemberLeft { .. });
        report.check(self.ann.count(left) == 1, "ann is told once");
        report.check(self.carl.count(left) == 0, "carl noticed nothing");
    }
}

/// Two chat, and the cable between them is cut. Both go on talking, so each takes the other
/// out of the chat; when the cable is back it is as if nothing had been.
pub(super) async fn pair(stage: &mut Stage<'_>) -> Result<()> {
    let lan = Lan::new()?;
    let [hub, desk] = [lan.host(HUB)?, lan.host(2)?];
    let registry = stage.registry(&hub, &[])?;
    let ann = stage.reader("ann", &hub, &registry).await?;
    let bob = stage.reader("bob", &desk, &registry).await?;
    let asked = bob.types("/request ann").await?;
    ann.accepts(asked).await?;
    bob.reads("ann accepted and joined the chat", asked, SOON)
        .await?;

    lan.cut_off(&desk)?;
    for (speaker, listener) in [(&ann, "bob"), (&bob, "ann")] {
        let typed = speaker.types("hello?").await?;
        let gone = format!("{listener} is offline");
        let after = speaker.reads(&gone, typed, TOLD).await?;
        let lost = format!("“hello?” not delivered to {listener}: offline");
        speaker.reads(&lost, typed, TOLD).await?;
        let name = speaker.name;
        stage.report.time(format!("{name} is told"), after);
    }
    let asked = ann.types("/who").await?;
    ann.reads("In your chat: bob (offline)", asked, AT_ONCE)
        .await?;
    let typed = ann.types("are you back?").await?;

    let back = Instant::now();
    lan.rejoin(&desk)?;
    let after = bob.reads("are you back?", back, TOLD).await?;
    stage.report.time("what was said last arrives", after);
    ann.reads("bob is back in the chat", typed, TOLD).await?;
    bob.reads("ann is back in the chat", typed, TOLD).await?;
    let typed = bob.types("I am").await?;
    ann.reads("bob: I am", typed, AT_ONCE).await?;
    for reader in [&ann, &bob] {
        let asks = reader.lines_with("; /accept").len();
        let expected = usize::from(reader.name == "ann");
        stage
            .report
            .check(asks == expected, "no one has to ask again");
    }
    Ok(())
}
