//! Two chat, and the cable between them is cut. Both go on talking, so each takes the
//! other out of the chat; when the cable is back it is as if nothing had been.

use std::time::Instant;

use anyhow::Result;
use p2pchat_testkit::SOON;

use super::{AT_ONCE, HUB, TOLD};
use crate::network::lan::Lan;
use crate::network::stage::Stage;

pub(in super::super) async fn play(stage: &mut Stage<'_>) -> Result<()> {
    let lan = Lan::new()?;
    let [hub, desk] = [lan.host(HUB)?, lan.host(2)?];
    let registry = stage.registry(&hub, &[])?;
    let ann = stage.reader("ann", &hub, &registry).await?;
    let bob = stage.reader("bob", &desk, &registry).await?;
    let asked = bob.types("/request ann").await?;
    ann.accepts(asked).await?;
    bob.reads("ann accepted and is in the chat", asked, SOON)
        .await?;

    lan.cut_off(&desk)?;
    for (speaker, listener) in [(&ann, "bob"), (&bob, "ann")] {
        let typed = speaker.types("hello?").await?;
        let gone = format!("{listener} cannot be reached and is out of the chat until a text");
        let after = speaker.reads(&gone, typed, TOLD).await?;
        let lost = format!("{listener} did not get “hello?”: out of reach");
        speaker.reads(&lost, typed, TOLD).await?;
        let name = speaker.name;
        stage
            .report
            .figure(format!("{name} is told"), format!("{after:.1?}"));
    }
    let asked = ann.types("/who").await?;
    ann.reads("nobody; out of reach: bob", asked, AT_ONCE)
        .await?;
    let typed = ann.types("are you back?").await?;

    let back = Instant::now();
    lan.rejoin(&desk)?;
    let after = bob.reads("are you back?", back, TOLD).await?;
    stage
        .report
        .figure("what was said last arrives", format!("{after:.1?}"));
    ann.reads("bob is back in the chat", typed, TOLD).await?;
    bob.reads("ann is back in the chat", typed, TOLD).await?;
    let typed = bob.types("I am").await?;
    ann.reads("bob: I am", typed, AT_ONCE).await?;
    for reader in [&ann, &bob] {
        let asks = reader.lines_with("asks for a chat").len();
        let expected = usize::from(reader.name == "ann");
        stage
            .report
            .check(asks == expected, "nobody has to ask again");
    }
    Ok(())
}
