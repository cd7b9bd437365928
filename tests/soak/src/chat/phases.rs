//! The phases of the run: users gather, talk while faults are injected, gather again, and
//! their histories are read.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use p2pchat_model::DeliveryState;

use super::Options;
use super::faults::Faults;
use super::ledger::User;
use super::measure::Load;
use super::schedule::Schedule;
use super::world::{Activity, World};
use crate::Report;

/// How long it may take until all are logged in and in their groups: a base, and a time for
/// each user.
const GATHER: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(1)];
/// How often each says something while groups are gathered: members learn only by that that another
/// has left.
const CALL_EACH: Duration = Duration::from_secs(10);
/// How long texts may be under way when nothing happens any more.
const DRAIN: Duration = Duration::from_secs(60);
/// How often progress is printed.
const TOLD_EACH: Duration = Duration::from_secs(60);
/// The part of the time after which programs have what they need to run.
const WARM_UP: f64 = 0.1;

/// Brings all users online and into their groups.
pub(super) async fn gather(world: &mut World, when: &str, report: &mut Report) -> Result<()> {
    let began = Instant::now();
    let users = world.people.0.len();
    let [base, each] = GATHER;
    let limit = base + each * u32::try_from(users).context("there are not that many users")?;
    let mut activity = Activity {
        talk: Some(Schedule::for_each(users, CALL_EACH)),
        gather: true,
        ..Activity::default()
    };
    let all_is_well = |world: &World| {
        world.site.registry().is_some()
            && world.people.all_see_each_other()
            && world.plan.is_carried_out(&world.people)
    };
    let gathered = world.go_on(limit, &mut activity, all_is_well).await?;
    let took = began.elapsed();
    report.time(format!("until all were in their groups, {when}"), took);
    report.check(
        gathered,
        format!("not all were online and in their groups {when}"),
    );
    Ok(())
}

/// The main part: users chat while harm is done.
pub(super) async fn chat(world: &mut World, options: &Options, report: &mut Report) -> Result<()> {
    let (began, load) = (Instant::now(), Load::now());
    let before = world.ledger.counts();
    let length = Duration::try_from_secs_f64(options.minutes * 60.0)?;
    let second = Duration::from_secs(1);
    let mut activity = Activity {
        talk: Some(Schedule::for_each(1, second).faster(options.rate)),
        at_length: true,
        gather: true,
        harm: Some(Faults::new(&world.people, options.harm)),
    };
    let warm_up = length.mul_f64(WARM_UP);
    talk(world, warm_up, &mut activity).await?;
    world.measured.begin(&world.people, world.site.registry());
    talk(world, length - warm_up, &mut activity).await?;
    let took = began.elapsed();
    let after = world.ledger.counts();
    let [texts, lines] = [0, 1].map(|at| {
        let rate = (after[at] - before[at]) as f64 / took.as_secs_f64();
        format!("{rate:.1} a second")
    });
    report.figure("texts said, on average", texts);
    report.figure("lines shown to others, on average", lines);
    report.figure("processors busy, on average", load.since_then());
    Ok(())
}

/// Lets people talk for so long, and prints progress each minute.
async fn talk(world: &mut World, length: Duration, activity: &mut Activity) -> Result<()> {
    let end = Instant::now() + length;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        world
            .go_on(left.min(TOLD_EACH), activity, |_| false)
            .await?;
        let [texts, lines] = world.ledger.counts();
        let seconds = left.saturating_sub(TOLD_EACH).as_secs();
        eprintln!("{texts} texts said, {lines} lines shown, {seconds} s to go");
    }
}

/// Each user sends one more text, which has to reach all in the group.
pub(super) async fn last_round(world: &mut World, report: &mut Report) -> Result<()> {
    let mut quiet = Activity::default();
    let nothing_is_under_way = |world: &World| !world.ledger.is_anything_under_way();
    world.go_on(DRAIN, &mut quiet, nothing_is_under_way).await?;
    let users = 0..world.people.0.len();
    let mut said: Vec<(User, u32)> = Vec::new();
    for user in users {
        said.push((user, world.say(user, 3)));
        let pause = Duration::from_millis(20);
        world.go_on(pause, &mut quiet, |_| false).await?;
    }
    let all_said = |world: &World| said.iter().all(|text| world.ledger.texts[text].said);
    world
        .go_on(DRAIN, &mut quiet, |world| {
            all_said(world) && nothing_is_under_way(world)
        })
        .await?;
    let (mut due, mut arrived) = (0, 0);
    for (user, number) in said {
        let text = &world.ledger.texts[&(user, number)];
        for other in world.plan.others(user) {
            due += 1;
            let is_sent = text.deliveries_to.get(&other) == Some(&DeliveryState::Sent);
            arrived += usize::from(is_sent && world.ledger.has_whole(other, user, number));
        }
    }
    report.figure(
        "last round: each sends one text to the group",
        format!("{arrived} of {due} arrived"),
    );
    report.check(
        arrived == due && due > 0,
        format!("only {arrived} of {due} texts of the last round arrived"),
    );
    Ok(())
}

/// Reads all histories, from its end to its beginning.
pub(super) async fn audit(world: &mut World, report: &mut Report) -> Result<()> {
    (0..world.people.0.len()).for_each(|user| world.audit(user));
    let is_done = |world: &World| world.auditing.iter().all(Option::is_none);
    let done = world
        .go_on(DRAIN * 2, &mut Activity::default(), is_done)
        .await?;
    report.check(done, "not all histories could be read to their beginning");
    Ok(())
}
