//! Too much of what may be said.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use p2pchat_model::{ChatChange, ConversationId as Named, Event};
use p2pchat_protocol::v2::conversation::roster::Add as Sealed;
use p2pchat_protocol::v2::conversation::talk::TalkEntry;
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, Place};
use p2pchat_protocol::v2::peer::{
    Ephemeral, Have, Heads, Item, MAX_PIECE, Short, ToPeer, Want, What,
};

use tokio::time::timeout;

use super::attacks::Ground;
use super::lies::stranger;
use super::line::Line;
use super::member::{self, Log};
use super::scene::{Scene, named};
use crate::Report;

/// How many joins there are: the limit is 64.
const SELVES: usize = 80;
/// How many entries of a flood are in one frame: as many as are taken at once unasked.
const AT_ONCE: usize = 200;
/// How long a flood waits to be asked for.
const TELL_AGAIN: Duration = Duration::from_secs(3);
/// And how often it tells of the log meanwhile.
const MAX_TOLD: usize = 20;
/// The most people a group shows who were asked by one who is no owner.
const MAX_ASKED: usize = 16;

/// Joins by the one add, each with a log that has an entry, of new devices and of this one.
pub(super) async fn selves(ground: &mut Ground) -> Result<()> {
    let id = ground.group.id;
    for number in 0..SELVES {
        let device = match number % 2 {
            0 => ground.device.clone(),
            _ => ground.device.further(),
        };
        let join = member::join(&device, id, &ground.group.add)?;
        let mut log = Log::new(id, join.entry.id);
        let entry = log.say(device.secret(), &format!("self {number}"))?;
        for line in &mut ground.group.lines {
            line.tell(id, What::Roster(vec![join.clone()])).await?;
            line.tell(id, log.stretch(vec![entry.clone()])).await?;
        }
    }
    for line in &mut ground.group.lines {
        line.settle().await?;
    }
    // Each of them has a session.
    let mut open = Vec::new();
    for _ in 0..SELVES {
        for target in ground.targets {
            open.push(Line::meet(&ground.device.further(), target.at).await);
        }
    }
    Ok(())
}

/// Pushes them all, and gives them when the roster is asked for.
pub(super) async fn invitations(ground: &mut Ground) -> Result<()> {
    let (id, key) = (ground.group.id, ground.device.secret().clone());
    let under = Some(ground.group.log.join);
    let all: Vec<Sealed> = (0..ground.many)
        .map(|_| {
            member::seal(
                &key,
                Some(id),
                under,
                member::now(),
                &member::add(stranger()),
            )
        })
        .collect::<Result<_>>()?;
    for line in &mut ground.group.lines {
        for some in all.chunks(AT_ONCE) {
            line.tell(id, What::Roster(some.to_vec())).await?;
        }
        line.came();
        line.tell(id, have(Heads::Items(Vec::new()))).await?;
        let asks = |frame: &ToPeer| is_want(frame, id, |want| matches!(want, Want::Roster(_)));
        line.until("want of the roster", asks).await?;
        for some in all.chunks(AT_ONCE) {
            line.tell(id, What::Roster(some.to_vec())).await?;
        }
        line.tell(id, What::Done).await?;
        line.settle().await?;
    }
    Ok(())
}

fn have(heads: Heads) -> What {
    What::Have(Have {
        people: None,
        roster: Short(rand::random()),
        heads,
        asks: false,
    })
}

fn is_want(frame: &ToPeer, id: ConversationId, wanted: impl Fn(&Want) -> bool) -> Option<()> {
    match frame {
        ToPeer::About(frame) if frame.conversation == id => match &frame.what {
            What::Want(want) => wanted(want).then_some(()),
            _ => None,
        },
        _ => None,
    }
}

/// Few of them are shown, and few are told.
pub(super) async fn check_invitations(
    scene: &Scene,
    group: Named,
    report: &mut Report,
) -> Result<()> {
    for person in [&scene.alice, &scene.bob] {
        let name = person.name;
        let few = |chat: &p2pchat_model::Chat| chat.members.len() <= 2 + MAX_ASKED;
        let found = person
            .finds(group, "few members", p2pchat_testkit::SOON, few)
            .await;
        report.check(found.is_ok(), format!("{found:?}"));
        let told = person.count(|event| {
            matches!(event, Event::ChatChanged { conversation, change: ChatChange::Asked { .. }, .. }
                if *conversation == group)
        });
        report.figure(format!("{name} is told of invitations"), told);
    }
    Ok(())
}

pub(super) async fn unknown(ground: &mut Ground) -> Result<()> {
    for line in &mut ground.group.lines {
        for _ in 0..ground.many {
            let id = ConversationId(rand::random());
            line.tell(id, member::unknown_have()).await?;
        }
        line.settle().await?;
        let questions = line.came().len();
        ensure!(questions < 50, "{questions} questions about nothing");
    }
    Ok(())
}

/// Pushes all of a log, and then gives it piece by piece to both.
pub(super) async fn talk(ground: &mut Ground) -> Result<()> {
    let group = &mut ground.group;
    let key = ground.device.secret();
    let log: Vec<TalkEntry> = (0..ground.many)
        .map(|number| group.log.say(key, &format!("flood {number}")))
        .collect::<Result<_>>()?;
    for line in &mut group.lines {
        for stretch in log.chunks(AT_ONCE) {
            line.tell(group.id, group.log.stretch(stretch.to_vec()))
                .await?;
        }
        line.settle().await?;
    }
    let [alice, bob] = &mut group.lines;
    let (a, b) = tokio::join!(
        give(alice, group.id, &group.log, &log),
        give(bob, group.id, &group.log, &log)
    );
    a.and(b)
}

/// Gives what is asked for, until it is known that they have it all.
async fn give(line: &mut Line, id: ConversationId, of: &Log, log: &[TalkEntry]) -> Result<()> {
    let Some(last) = log.last() else {
        return Ok(());
    };
    let next = last.header.position + 1;
    let item = Item {
        join: of.join,
        lowest: 0,
        has_older: false,
        next,
        newest: Short::from(last.id),
        clock: last.header.clock,
        end: None,
    };
    let all = What::Have(Have {
        people: None,
        roster: Short(rand::random()),
        heads: Heads::Items(vec![item]),
        // Who has it all says so.
        asks: true,
    });
    line.tell(id, all.clone()).await?;
    let asks = |frame: &ToPeer| match frame {
        ToPeer::About(frame) if frame.conversation == id => match &frame.what {
            What::Have(have) => match &have.heads {
                Heads::Items(items) => {
                    let has_all =
                        |item: &Item| item.join == of.join && item.lowest == 0 && item.next == next;
                    items.iter().any(has_all).then_some(None)
                }
                Heads::Digest(_) => None,
            },
            What::Want(want) => Some(Some(want.clone())),
            _ => None,
        },
        _ => None,
    };
    let mut told = 0;
    loop {
        // Who has nothing to give is not asked again before they tell again.
        let asked = timeout(TELL_AGAIN, line.until("want of the log", asks)).await;
        let want = match asked {
            Ok(asked) => match asked? {
                Some(want) => want,
                None => return Ok(()),
            },
            Err(_) => {
                told += 1;
                ensure!(told < MAX_TOLD, "nobody asks for the log");
                line.tell(id, all.clone()).await?;
                continue;
            }
        };
        let range = match want {
            Want::Newest => Some(0..next),
            Want::Log { join, range } if join == of.join => Some(range),
            _ => None,
        };
        if let Some(range) = range {
            let (begin, end) = (usize::try_from(range.start)?, usize::try_from(range.end)?);
            let mut room = MAX_PIECE;
            let newest = log[begin..end.min(log.len())].iter().rev();
            let mut piece: Vec<_> = newest
                .take_while(|entry| {
                    let size = entry.to_bytes().len();
                    let fits = size <= room;
                    room = room.saturating_sub(size);
                    fits
                })
                .cloned()
                .collect();
            piece.reverse();
            line.tell(id, of.stretch(piece)).await?;
        }
        line.tell(id, What::Done).await?;
    }
}

/// On further sessions, whose answers pile up.
pub(super) async fn wants(ground: &mut Ground) -> Result<()> {
    let (id, alice) = (ground.group.id, ground.group.alice);
    let wants = [
        Want::Newest,
        Want::Roster(Vec::new()),
        Want::Log {
            join: alice,
            range: 0..u64::MAX,
        },
        Want::Proof(alice),
    ];
    for target in ground.targets {
        let mut line = Line::meet(&ground.device.further(), target.at).await?;
        named(&mut line, id).await?;
        for number in 0..ground.many {
            let want = wants[number % wants.len()].clone();
            line.tell(id, What::Want(want)).await?;
        }
        // A ping is not answered as long as so much is on its way.
        let mut answers = 0;
        let is_enough = |frame: &ToPeer| {
            let is_done = matches!(frame, ToPeer::About(frame) if frame.what == What::Done);
            answers += usize::from(is_done);
            (answers >= ground.many / 2).then_some(())
        };
        line.until("answers", is_enough).await?;
    }
    Ok(())
}

pub(super) async fn ephemeral(ground: &mut Ground) -> Result<()> {
    let conversation = ground.group.id;
    let device = ground.device.key();
    for line in &mut ground.group.lines {
        for number in 0..ground.many {
            let clock = Clock::from_millis(u64::try_from(number)?);
            let what = match number % 2 {
                0 => Ephemeral::Typing,
                _ => Ephemeral::Read(Place {
                    clock,
                    device,
                    position: u64::MAX,
                }),
            };
            line.send(&ToPeer::Ephemeral { conversation, what }).await?;
        }
        line.settle().await?;
    }
    Ok(())
}

/// A front end is told of few.
pub(super) fn check_ephemeral(scene: &Scene, since: Instant, report: &mut Report) -> Result<()> {
    let seconds = usize::try_from(since.elapsed().as_secs())?;
    for person in [&scene.alice, &scene.bob] {
        let told = person.count(|event| matches!(event, Event::Typing { .. }));
        let name = person.name;
        report.figure(format!("{name} is told of writing"), told);
        report.check(
            told <= 10 + 2 * seconds,
            format!("{name} is told {told} times of writing"),
        );
        let read = person.count(|event| matches!(event, Event::ReadBy { .. }));
        report.check(
            read <= 100,
            format!("{name} is told {read} times of reading"),
        );
    }
    Ok(())
}
