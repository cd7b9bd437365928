//! Three people in an encrypted group, two of them also in a direct conversation: what was
//! written while someone was away waits for them by name, and arrives once, in one order.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use p2pchat_model::{ConversationId, Event};
use p2pchat_testkit::Registry;

use super::{AT_ONCE, HUB, REGISTRY};
use crate::network::lan::{Host, Lan};
use crate::network::stage::Stage;
use crate::network::wan::Wan;
use crate::person::Person;
use crate::{Durations, Report};

/// How long it may take until two find each other again: the registry has to be reached, tell of
/// them, and a dial that hangs has to end.
const TOGETHER: Duration = Duration::from_secs(90);
/// How many packets of a hundred are lost.
const PERCENT: u8 = 5;
/// How long everything takes one way.
const DELAY: Duration = Duration::from_millis(100);
/// Where the third one is, and where they move to.
const ATTIC: u8 = 3;
const CAFE: u8 = 7;
const STATION: u8 = 8;

/// Their conversations.
#[derive(Clone, Copy)]
struct Circle {
    group: ConversationId,
    /// Of ann and bob.
    direct: ConversationId,
}

impl Circle {
    /// All of them register, and meet.
    async fn begin([ann, bob, carl]: [&Person; 3]) -> Result<Self> {
        for person in [ann, bob, carl] {
            person.registers().await?;
        }
        let direct = ann.begins_chat("bob").await?;
        bob.joins(direct).await?;
        let group = ann.begins_group("friends", &["bob", "carl"]).await?;
        for person in [bob, carl] {
            person.joins(group).await?;
        }
        for person in [ann, bob, carl] {
            person.counts_members(group, 3).await?;
        }
        Ok(Self { group, direct })
    }

    /// One writes, the others get it.
    async fn say(
        self,
        from: &Person,
        text: &str,
        to: &[&Person],
        limit: Duration,
    ) -> Result<Duration> {
        let since = from.writes(self.group, text).await?;
        let mut last = Duration::ZERO;
        for person in to {
            last = last.max(person.gets(self.group, text, since, limit).await?);
        }
        Ok(last)
    }

    /// All have the same texts in the same order, each once.
    async fn agree(self, people: &[&Person], count: usize, report: &mut Report) -> Result<()> {
        let mut first = None;
        for person in people {
            let (name, texts) = (person.name, person.reads_all(self.group).await?);
            report.check(
                texts.len() == count,
                format!("{name} reads {count} texts: {texts:?}"),
            );
            let first = first.get_or_insert_with(|| texts.clone());
            report.check(
                texts == *first,
                format!("{name} reads {texts:?}, others {first:?}"),
            );
            // On the screen since the start, where nothing was read again.
            let shown = person.shown(self.group);
            report.check(
                texts.ends_with(&shown) || shown == texts,
                format!("{name} is shown {shown:?} of {texts:?}"),
            );
        }
        Ok(())
    }
}

/// Bob's cable is pulled, all go on writing, and it is put back.
pub(super) async fn cable(stage: &mut Stage<'_>) -> Result<()> {
    let lan = Lan::new()?;
    let [hub, desk, attic] = [lan.host(HUB)?, lan.host(2)?, lan.host(ATTIC)?];
    let registry = stage.registry(&hub, &[])?;
    let ann = stage.person("ann", &hub, &registry)?;
    let bob = stage.person("bob", &desk, &registry)?;
    let carl = stage.person("carl", &attic, &registry)?;
    let circle = Circle::begin([&ann, &bob, &carl]).await?;
    circle.say(&bob, "hello", &[&ann, &carl], AT_ONCE).await?;

    lan.unplug(&desk)?;
    let cut = Instant::now();
    let after = circle.say(&ann, "one", &[&carl], AT_ONCE).await?;
    stage.report.time("the others get a text", after);
    circle.say(&carl, "two", &[&ann], AT_ONCE).await?;
    bob.writes(circle.group, "three").await?;
    ann.writes(circle.direct, "four").await?;
    ann.waits_for("one", &["bob"], cut, AT_ONCE).await?;
    carl.waits_for("two", &["bob"], cut, AT_ONCE).await?;
    bob.waits_for("three", &["ann", "carl"], cut, AT_ONCE)
        .await?;
    ann.waits_for("four", &["bob"], cut, AT_ONCE).await?;
    // Until the sessions are gone, too.
    let after = ann.lists(&["ann", "carl"], cut, TOGETHER).await?;
    stage.report.time("bob is not online any more", after);

    let back = Instant::now();
    lan.plug(&desk)?;
    let mut after = Duration::ZERO;
    for text in ["one", "two"] {
        after = after.max(bob.gets(circle.group, text, back, TOGETHER).await?);
    }
    after = after.max(bob.gets(circle.direct, "four", back, TOGETHER).await?);
    for person in [&ann, &carl] {
        after = after.max(person.gets(circle.group, "three", back, TOGETHER).await?);
    }
    stage.report.time("all have everything", after);
    for (person, text) in [
        (&ann, "one"),
        (&ann, "four"),
        (&carl, "two"),
        (&bob, "three"),
    ] {
        person.waits_for(text, &[], back, TOGETHER).await?;
    }
    circle
        .agree(&[&ann, &bob, &carl], 4, &mut stage.report)
        .await
}

/// Five packets of a hundred are lost, and everything takes a tenth of a second each way.
pub(super) async fn loss(stage: &mut Stage<'_>) -> Result<()> {
    let wan = Wan::new(4, DELAY)?;
    let [hub, desk, attic, shed] = wan.hosts.as_slice() else {
        return None.context("a network of four has four hosts");
    };
    let registry = stage.registry(hub, &[])?;
    let ann = stage.person("ann", desk, &registry)?;
    let bob = stage.person("bob", attic, &registry)?;
    let carl = stage.person("carl", shed, &registry)?;
    let people = [&ann, &bob, &carl];
    wan.lose(PERCENT)?;
    let circle = Circle::begin(people).await?;
    let began = Instant::now();
    for number in 1..=stage.texts {
        for person in people {
            let text = format!("{}#{number}", person.name);
            person.writes(circle.group, &text).await?;
        }
        ann.writes(circle.direct, &format!("direct#{number}"))
            .await?;
    }
    let mut times = Durations::default();
    for writer in people {
        for number in 1..=stage.texts {
            let text = format!("{}#{number}", writer.name);
            for reader in people.iter().filter(|reader| reader.name != writer.name) {
                times.add(reader.gets(circle.group, &text, began, TOGETHER).await?);
            }
            writer.waits_for(&text, &[], began, TOGETHER).await?;
        }
    }
    for number in 1..=stage.texts {
        let text = format!("direct#{number}");
        bob.gets(circle.direct, &text, began, TOGETHER).await?;
    }
    let all = 3 * stage.texts;
    let report = &mut stage.report;
    report.figure(format!("{all} texts at once arrive"), times);
    circle.agree(&people, all, report).await
}

/// Bob's host loses its power while carl is cut off: carl gets what bob wrote from ann. Then bob
/// comes back, and gets what was written meanwhile.
pub(super) async fn vanish(stage: &mut Stage<'_>) -> Result<()> {
    let lan = Lan::new()?;
    let [hub, desk, attic] = [lan.host(HUB)?, lan.host(2)?, lan.host(ATTIC)?];
    let registry = stage.registry(&hub, &[])?;
    let ann = stage.person("ann", &hub, &registry)?;
    let bob = stage.person("bob", &desk, &registry)?;
    let carl = stage.person("carl", &attic, &registry)?;
    let circle = Circle::begin([&ann, &bob, &carl]).await?;
    circle.say(&carl, "hello", &[&ann, &bob], AT_ONCE).await?;

    lan.cut_off(&attic)?;
    circle.say(&bob, "last words", &[&ann], AT_ONCE).await?;
    lan.power_off(&desk)?;
    drop(bob);
    let back = Instant::now();
    lan.rejoin(&attic)?;
    let after = carl
        .gets(circle.group, "last words", back, TOGETHER)
        .await?;
    stage
        .report
        .time("a third gets them from the second", after);
    let gone = Instant::now();
    circle.say(&ann, "still here", &[&carl], TOGETHER).await?;
    ann.writes(circle.direct, "are you well?").await?;
    ann.waits_for("still here", &["bob"], gone, TOGETHER)
        .await?;

    let bob = stage.comes_back("bob", &lan.host(2)?, &registry).await?;
    circle.catch_up(&bob, "still here", &ann, stage).await?;
    circle.say(&bob, "back", &[&ann, &carl], TOGETHER).await?;
    circle
        .agree(&[&ann, &bob, &carl], 4, &mut stage.report)
        .await
}

impl Circle {
    /// Who was away has the newest text, and what was written to them alone.
    async fn catch_up(
        self,
        person: &Person,
        text: &str,
        writer: &Person,
        stage: &mut Stage<'_>,
    ) -> Result<()> {
        let since = Instant::now();
        person.finds_text(self.group, text, TOGETHER).await?;
        let alone = "are you well?";
        person.finds_text(self.direct, alone, TOGETHER).await?;
        let after = since.elapsed();
        stage.report.time("who comes back has everything", after);
        writer.is_delivered(text, TOGETHER).await?;
        writer.is_delivered(alone, TOGETHER).await
    }
}

/// Carl's laptop is closed, and opened in another network: with another address.
pub(super) async fn moves(stage: &mut Stage<'_>) -> Result<()> {
    let lan = Lan::new()?;
    let [hub, desk, attic] = [lan.host(HUB)?, lan.host(2)?, lan.host(ATTIC)?];
    let registry = stage.registry(&hub, &[])?;
    let ann = stage.person("ann", &hub, &registry)?;
    let bob = stage.person("bob", &desk, &registry)?;
    let carl = stage.person("carl", &attic, &registry)?;
    let circle = Circle::begin([&ann, &bob, &carl]).await?;
    circle.say(&carl, "hello", &[&ann, &bob], AT_ONCE).await?;

    lan.power_off(&attic)?;
    drop(carl);
    circle.say(&ann, "bon voyage", &[&bob], AT_ONCE).await?;
    let carl = stage
        .comes_back("carl", &lan.host(CAFE)?, &registry)
        .await?;
    let moved = Instant::now();
    carl.finds_text(circle.group, "bon voyage", TOGETHER)
        .await?;
    stage
        .report
        .time("they have what was written", moved.elapsed());
    let after = circle
        .say(&carl, "arrived", &[&ann, &bob], TOGETHER)
        .await?;
    stage.report.time("a text from there arrives", after);
    let after = circle
        .say(&bob, "welcome", &[&ann, &carl], TOGETHER)
        .await?;
    stage.report.time("a text to there arrives", after);
    circle
        .agree(&[&ann, &bob, &carl], 4, &mut stage.report)
        .await
}

/// Carl's program runs on while the laptop is taken to another network; and it is started where
/// there is none, and read and written in, until there is one.
pub(super) async fn roams(stage: &mut Stage<'_>) -> Result<()> {
    let lan = Lan::new()?;
    let [hub, desk, mut laptop] = [lan.host(HUB)?, lan.host(2)?, lan.host(ATTIC)?];
    let registry = stage.registry(&hub, &[])?;
    let ann = stage.person("ann", &hub, &registry)?;
    let bob = stage.person("bob", &desk, &registry)?;
    let carl = stage.roamer("carl", &laptop, &registry)?;
    let circle = Circle::begin([&ann, &bob, &carl]).await?;
    circle.say(&carl, "hello", &[&ann, &bob], AT_ONCE).await?;

    let moved = Instant::now();
    laptop.move_to(CAFE)?;
    let after = carl.is_at(laptop.address, moved, TOGETHER).await?;
    stage.report.time("the new address is found", after);
    let after = circle
        .say(&ann, "in a cafe?", &[&bob, &carl], TOGETHER)
        .await?;
    stage.report.time("a text to there arrives", after);
    let after = circle.say(&carl, "yes", &[&ann, &bob], TOGETHER).await?;
    stage.report.time("a text from there arrives", after);

    drop(carl);
    laptop.leave()?;
    let away = Instant::now();
    let carl = stage.roamer("carl", &laptop, &registry)?;
    stage.is_signed_in(&carl, away).await?;
    carl.finds_text(circle.group, "yes", AT_ONCE).await?;
    circle.agree(&[&carl], 3, &mut stage.report).await?;
    carl.writes(circle.group, "on a train").await?;
    carl.waits_for("on a train", &["ann", "bob"], away, AT_ONCE)
        .await?;
    let back = Instant::now();
    laptop.move_to(STATION)?;
    let after = carl.is_at(laptop.address, back, TOGETHER).await?;
    stage.report.time("an address is found", after);
    for person in [&ann, &bob] {
        let after = person
            .gets(circle.group, "on a train", back, TOGETHER)
            .await?;
        stage.report.time("a text of the train arrives", after);
    }
    circle
        .agree(&[&ann, &bob, &carl], 4, &mut stage.report)
        .await
}

impl Stage<'_> {
    /// A user whose program is started again, with the profile that it had.
    async fn comes_back(
        &mut self,
        name: &'static str,
        host: &Host,
        registry: &Registry,
    ) -> Result<Person> {
        let on = Instant::now();
        let person = self.person(name, host, registry)?;
        self.is_signed_in(&person, on).await?;
        Ok(person)
    }

    /// Waits until a user is signed in whose program was started at this time.
    async fn is_signed_in(&mut self, person: &Person, on: Instant) -> Result<()> {
        // The first that it is told may be the view.
        let signed_in = |event: &Event| match event {
            Event::LoggedIn { .. } => Some(()),
            Event::View(snapshot) => snapshot.view.account.map(drop),
            _ => None,
        };
        let (after, ()) = person.sees(on, "login", REGISTRY, signed_in).await?;
        self.report
            .time(format!("{} is signed in again", person.name), after);
        Ok(())
    }
}
