//! Members who keep no rule, against the built programs and over real connections.
//!
//! Two people are in a group with someone whose program lies, floods and breaks off. During
//! each attack, in a group of its own, the two go on writing to each other: every message arrives
//! in time, nothing forged is shown, what breaks a rule is told once, and the programs do not grow.

mod attacks;
mod floods;
mod lies;
mod line;
mod member;
mod scene;
mod sessions;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use p2pchat_testkit::Programs;
use tokio::sync::watch;
use tokio::time::sleep;

pub use attacks::Attack;

use crate::{Durations, Report};
use attacks::Ground;
use scene::Scene;

/// How long the honest pause between two messages. Of one who writes 20 a second for long, not all
/// are taken at once.
const PACE: Duration = Duration::from_millis(100);

/// Options of the run.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Only this attack; may be given several times
    #[arg(long = "attack", value_name = "ATTACK")]
    pub attacks: Vec<Attack>,
    /// How many entries, conversations or frames a flood has
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000)]
    pub many: usize,
}

/// Carries out the attacks, one after the other, on the same programs.
///
/// # Errors
/// If a program is not built, ends, or says nothing any more.
pub async fn run(programs: &Programs, options: &Options) -> Result<Report> {
    let mut report = Report::new(format!("hostile members, floods of {}", options.many));
    let mut scene = Scene::new(programs).await?;
    let attacks = match options.attacks.as_slice() {
        [] => Attack::value_variants(),
        attacks => attacks,
    };
    for attack in attacks {
        let mut part = Report::new(attack.to_string());
        let played = play(*attack, &mut scene, options.many, &mut part).await;
        if let Err(error) = played.with_context(|| attack.to_string()) {
            part.check(false, format!("{error:#}"));
        }
        report.include(part);
    }
    let is_all = attacks.len() == Attack::value_variants().len();
    for name in ["alice", "bob"].into_iter().filter(|_| is_all) {
        let is_logged = scene.is_logged(name, "what peers sent does not count")?;
        report.check(is_logged, format!("what {name} dropped is in the log"));
    }
    Ok(report)
}

async fn play(attack: Attack, scene: &mut Scene, many: usize, report: &mut Report) -> Result<()> {
    let group = scene.group().await?;
    scene.times = Durations::default();
    scene.exchange(group.name, report).await?;
    let name = group.name;
    let since = Instant::now();
    let mut ground = Ground {
        device: scene.device.clone(),
        targets: scene.targets,
        group,
        many,
    };
    attack.prepare(scene, &mut ground).await?;
    let (done, mut is_done) = watch::channel(false);
    let harm = async {
        let harmed = attack.harm(&mut ground).await;
        done.send_replace(true);
        harmed
    };
    // They talk all the time, and once more when it is over.
    let talk = async {
        while !*is_done.borrow_and_update() {
            scene.exchange(name, report).await?;
            sleep(PACE).await;
        }
        scene.exchange(name, report).await
    };
    let (harmed, talked) = tokio::join!(harm, talk);
    talked?;
    harmed.context("the attack itself")?;
    report.time("took", since.elapsed());
    report.figure("a message between the honest", &scene.times);
    attack.check(scene, &mut ground, since, report).await?;
    report.figure("most memory so far in MiB", scene.memory()?);
    scene.check(report)
}
