//! What is signed wrongly, said twice, or not theirs to say.

use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use p2pchat_model::{Chat, Command, ConversationId as Named, Event};
use p2pchat_protocol::v2::conversation::roster::Act;
use p2pchat_protocol::v2::conversation::{Clock, EntryId};
use p2pchat_protocol::v2::peer::{Bye, Have, Heads, Item, Short, ToPeer, What};
use p2pchat_protocol::v2::{PersonKey, PublicKey};
use p2pchat_secure::SecretKey;
use p2pchat_testkit::SOON;

use super::attacks::{Attack, Ground};
use super::line::Line;
use super::member::{self, Log};
use super::scene::{FORGED, Scene, named};
use crate::Report;
use crate::person::posts;

/// The beginning of 2099, in milliseconds since 1970.
const YEAR_2099: u64 = 4_070_908_800_000;

/// The session is ended for what was sent.
async fn is_ended(line: Line) -> Result<()> {
    let last = line.last().await?;
    let is_told = matches!(last, Some(ToPeer::Bye(Bye::Malformed)));
    anyhow::ensure!(is_told, "the session ends with {last:?}");
    Ok(())
}

/// In the own log and in that of alice, and in the roster.
pub(super) async fn forged(ground: &mut Ground) -> Result<()> {
    let (id, bob) = (ground.group.id, ground.targets[1]);
    let other = SecretKey::generate();
    let mut own = ground.group.log.clone();
    let mut of_alice = Log::new(id, ground.group.alice);
    for (log, key) in [(&mut own, &other), (&mut of_alice, ground.device.secret())] {
        let mut line = Line::meet(&ground.device, bob.at).await?;
        named(&mut line, id).await?;
        let entry = log.say(key, FORGED)?;
        line.tell(id, log.stretch(vec![entry])).await?;
        is_ended(line).await?;
    }
    let name = FORGED.parse()?;
    let rename = Act::Rename { name };
    let under = Some(ground.group.alice);
    let key = ground.device.secret();
    let rename = member::seal(key, Some(id), under, member::now(), &rename)?;
    ground.group.lines[0] = Line::meet(&ground.device, ground.targets[0].at).await?;
    let line = &mut ground.group.lines[0];
    line.tell(id, What::Roster(vec![rename])).await?;
    line.settle().await
}

/// The roster, the log and the members of another group.
pub(super) async fn elsewhere(ground: &mut Ground) -> Result<()> {
    let create = member::create(&ground.device)?;
    let other = create.entry.conversation;
    let mut log = Log::new(other, create.entry.id);
    let entry = log.say(ground.device.secret(), FORGED)?;
    let id = ground.group.id;
    for target in ground.targets {
        let mut line = Line::meet(&ground.device, target.at).await?;
        line.tell(other, What::Roster(vec![create.clone()])).await?;
        line.tell(id, What::Roster(vec![create.clone()])).await?;
        line.tell(other, log.stretch(vec![entry.clone()])).await?;
        line.settle().await?;
        line.tell(id, log.stretch(vec![entry.clone()])).await?;
        is_ended(line).await?;
    }
    Ok(())
}

/// The first entry is the same, the second one differs.
pub(super) async fn fork(ground: &mut Ground) -> Result<()> {
    let group = &mut ground.group;
    let key = ground.device.secret();
    let first = group.log.say(key, "the same for both")?;
    let mut other = group.log.clone();
    let branches = [group.log.say(key, "left")?, other.say(key, "right")?];
    for (line, branch) in group.lines.iter_mut().zip(branches) {
        let stretch = vec![first.clone(), branch];
        line.tell(group.id, group.log.stretch(stretch)).await?;
        line.settle().await?;
    }
    Ok(())
}

pub(super) async fn check_fork(scene: &Scene, group: Named, report: &mut Report) -> Result<()> {
    for person in [&scene.alice, &scene.bob] {
        let texts = person.reads_all(group).await?;
        let is_of_branch = |text: &&String| matches!(text.as_str(), "left" | "right");
        let found = texts.iter().find(is_of_branch).cloned();
        let name = person.name;
        report.none(&format!("a branch that {name} reads"), &found);
        let found = person.shown(group).iter().find(is_of_branch).cloned();
        report.none(&format!("a branch on the screen of {name}"), &found);
    }
    Ok(())
}

pub(super) async fn future(ground: &mut Ground) -> Result<()> {
    let group = &mut ground.group;
    let key = ground.device.secret();
    let clock = Clock::from_millis(YEAR_2099);
    let entry = group.log.say_at(clock, key, FORGED)?;
    for line in &mut group.lines {
        let stretch = vec![entry.clone()];
        line.tell(group.id, group.log.stretch(stretch)).await?;
        line.settle().await?;
    }
    Ok(())
}

/// No honest entry is dated by it.
pub(super) fn check_future(scene: &Scene, report: &mut Report) -> Result<()> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let limit = u64::try_from((now + Duration::from_secs(600)).as_millis())?;
    for person in [&scene.alice, &scene.bob] {
        let is_late = |event: &Event| posts(event).any(|post| post.at.0 > limit);
        let late = person.count(is_late);
        report.zero(
            &format!("messages of {} from the future", person.name),
            late,
        );
    }
    Ok(())
}

/// Alice removes the attacker.
pub(super) async fn be_removed(scene: &mut Scene, ground: &mut Ground) -> Result<()> {
    let conversation = ground.group.name;
    let who = ground.device.person();
    scene
        .alice
        .ask(Command::Remove { conversation, who })
        .await?;
    for person in [&scene.alice, &scene.bob] {
        person.counts_members(conversation, 2).await?;
    }
    Ok(())
}

pub(super) async fn removed(ground: &mut Ground) -> Result<()> {
    let group = &mut ground.group;
    let (id, key) = (group.id, ground.device.secret());
    let own = Some(group.log.join);
    let bob = ground.targets[1].person;
    let name = FORGED.parse()?;
    let acts = [
        Act::Rename { name },
        member::add(stranger()),
        Act::Owner {
            person: ground.device.person(),
        },
        Act::Remove {
            person: bob,
            keeps: std::collections::BTreeSet::new(),
            cut: std::collections::BTreeMap::new(),
        },
    ];
    let sealed = acts.map(|act| member::seal(key, Some(id), own, member::now(), &act));
    let mut sealed = sealed.into_iter().collect::<Result<Vec<_>>>()?;
    // By the add that the removal has ended.
    sealed.push(member::join(&ground.device, id, &group.add)?);
    let entry = group.log.say(key, FORGED)?;
    for target in ground.targets {
        let mut line = Line::meet(&ground.device, target.at).await?;
        line.tell(id, What::Roster(sealed.clone())).await?;
        line.tell(id, group.log.stretch(vec![entry.clone()]))
            .await?;
        line.settle().await?;
        let talk = line.came().into_iter().find(|frame| match frame {
            ToPeer::About(frame) => matches!(frame.what, What::Talk { .. }),
            _ => false,
        });
        anyhow::ensure!(talk.is_none(), "who was removed is sent talk");
    }
    Ok(())
}

/// A person that no one knows.
pub(super) fn stranger() -> PersonKey {
    PersonKey(PublicKey(rand::random()))
}

/// The group has its name, its owner and its honest members.
pub(super) async fn check_roster(
    scene: &Scene,
    group: Named,
    attack: Attack,
    report: &mut Report,
) -> Result<()> {
    let others = if attack == Attack::Removed { 1 } else { 2 };
    for person in [&scene.alice, &scene.bob] {
        let is_alice = person.name == "alice";
        let is_right = |chat: &Chat| {
            let owners = chat.members.iter().filter(|member| member.owner).count();
            chat.members.len() == others
                && chat.owner == is_alice
                && owners == usize::from(!is_alice)
                && !chat.name.as_str().contains(FORGED)
        };
        let what = "right roster";
        let found = person.finds(group, what, SOON, is_right).await;
        report.check(found.is_ok(), format!("{found:?}"));
    }
    Ok(())
}

/// Of all that alice has said, and of more.
pub(super) async fn receipts(ground: &mut Ground) -> Result<()> {
    let id = ground.group.id;
    let item = |next, newest| Item {
        join: ground.group.alice,
        lowest: 0,
        has_older: false,
        next,
        newest: Short(newest),
        clock: Clock::ZERO,
        end: None,
    };
    let mut items: Vec<_> = (0..200).map(|next| item(next, rand::random())).collect();
    items.push(item(u64::MAX, [0; 16]));
    let have = Have {
        people: None,
        roster: Short([0; 16]),
        heads: Heads::Items(items),
        asks: false,
    };
    let line = &mut ground.group.lines[0];
    line.tell(id, What::Have(have)).await?;
    line.settle().await
}

/// What alice said waits for the attacker, until they tell truly that they have it.
pub(super) async fn check_receipts(
    scene: &Scene,
    ground: &mut Ground,
    report: &mut Report,
) -> Result<()> {
    let (group, attacker) = (ground.group.name, ground.device.person());
    let is_delivered = |event: &Event| {
        let mut receipts = posts(event)
            .filter(|post| post.conversation == group)
            .flat_map(|post| post.receipts.iter().flatten());
        receipts.any(|receipt| receipt.to.key == attacker && receipt.delivered)
    };
    let delivered = scene.alice.count(is_delivered);
    report.zero("receipts that were believed", delivered);

    let since = Instant::now();
    scene.alice.writes(group, "received").await?;
    let line = &mut ground.group.lines[0];
    let join = ground.group.alice;
    let newest = |frame: &ToPeer| match frame {
        ToPeer::About(frame) => match &frame.what {
            What::Talk { join: of, stretch } if *of == join => {
                let last = stretch.last()?;
                let text = last.body.as_deref()?;
                text.ends_with(b"received").then_some(last.clone())
            }
            _ => None,
        },
        _ => None,
    };
    let entry = line.until("message", newest).await?;
    let EntryId(hash) = entry.id;
    let item = Item {
        join,
        lowest: entry.header.position,
        has_older: false,
        next: entry.header.position + 1,
        newest: Short(*hash.first_chunk().context("a hash is longer")?),
        clock: entry.header.clock,
        end: None,
    };
    let have = Have {
        people: None,
        roster: Short([0; 16]),
        heads: Heads::Items(vec![item]),
        asks: false,
    };
    line.tell(ground.group.id, What::Have(have)).await?;
    let seen = |event: &Event| is_delivered(event).then_some(());
    scene.alice.sees(since, "true receipt", SOON, seen).await?;
    Ok(())
}
