//! What was stored gives the same replica again.

use std::collections::BTreeMap;
use std::fmt::Debug;

use p2pchat_conversation::log::{Named, TalkLog};
use p2pchat_conversation::replica::{Deed, Fact, Kind, Replica};
use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::roster::Act;
use p2pchat_protocol::v2::conversation::talk::Talk;
use p2pchat_protocol::v2::conversation::{ConversationId, EntryId, JoinId};
use proptest::prelude::*;

use super::super::schema::kind;
use super::super::{Change, Stored};
use super::world::{Device, World, person};

/// What the store has to give back, by the simplest means: a list.
#[derive(Default)]
struct Model {
    facts: Vec<Fact>,
    authors: BTreeMap<JoinId, PersonKey>,
    ends: BTreeMap<JoinId, u64>,
}

impl Model {
    fn store(&mut self, facts: &[Fact]) {
        for fact in facts {
            self.add(fact.clone());
        }
        let again: Vec<_> = self.again().collect();
        let ends = self.ends.clone();
        self.facts.retain(|fact| match fact {
            Fact::Talk { entry, .. } => {
                again.contains(&entry.id) || !is_beyond(&ends, &Named::from(entry))
            }
            _ => true,
        });
        let held: Vec<_> = self.held().collect();
        self.facts
            .retain(|fact| !matches!(fact, Fact::Again(id) if !held.contains(id)));
    }

    fn again(&self) -> impl Iterator<Item = EntryId> {
        self.facts.iter().filter_map(|fact| match fact {
            Fact::Again(id) => Some(*id),
            _ => None,
        })
    }

    fn held(&self) -> impl Iterator<Item = EntryId> {
        self.facts.iter().filter_map(|fact| match fact {
            Fact::Talk { entry, .. } => Some(entry.id),
            _ => None,
        })
    }

    fn add(&mut self, mut fact: Fact) {
        let (facts, authors) = (&mut self.facts, &self.authors);
        match &mut fact {
            Fact::Roster(sealed) => {
                if let Act::Create { certificate, .. } | Act::Join { certificate, .. } =
                    &sealed.entry.act
                {
                    let join = sealed.entry.id;
                    self.authors.insert(join, certificate.person);
                }
            }
            Fact::Dropped(gone) => {
                facts.retain(|fact| !matches!(fact, Fact::Roster(of) if of.entry.id == *gone));
                return;
            }
            Fact::Talk { entry, instead_of } => {
                let (join, position) = (entry.header.join, entry.header.position);
                facts.retain(|fact| match fact {
                    Fact::Talk { entry, .. } => {
                        entry.header.join != join || entry.header.position != position
                    }
                    Fact::Again(id) => Some(*id) != *instead_of,
                    _ => true,
                });
                *instead_of = None;
            }
            Fact::Erased(erased, by) => {
                for fact in facts {
                    if let Fact::Talk { entry, .. } = fact
                        && entry.id == *erased
                        && entry.header.kind != kind::ERASE
                        && authors.get(&entry.header.join) == Some(by)
                    {
                        entry.body = None;
                    }
                }
                return;
            }
            Fact::Ended { join, proof } => {
                facts.retain(|fact| !matches!(fact, Fact::Ended { join: of, .. } if of == join));
                let positions = proof.iter().map(|part| part.header.position);
                self.ends.insert(*join, positions.min().unwrap());
            }
            Fact::Floor { join, position } => facts.retain(|fact| match fact {
                Fact::Talk { entry, .. } => {
                    entry.header.join != *join || entry.header.position >= *position
                }
                _ => true,
            }),
            _ => {}
        }
        self.facts.push(fact);
    }

    fn replica(&self, id: ConversationId, kind: Kind, device: &Device) -> Replica {
        let counting = self.facts.iter().filter(|fact| match fact {
            Fact::Talk { entry, .. } => !is_beyond(&self.ends, &Named::from(entry)),
            _ => true,
        });
        // An end is found again by its proof, which may be below a floor.
        let (floors, others): (Vec<_>, Vec<_>) =
            counting.partition(|fact| matches!(fact, Fact::Floor { .. }));
        let mut replica = Replica::new(id, kind, &device.seal());
        replica.restore(others.into_iter().chain(floors).cloned());
        replica
    }
}

fn is_beyond(ends: &BTreeMap<JoinId, u64>, entry: &Named) -> bool {
    let end = ends.get(&entry.header.join);
    end.is_some_and(|end| entry.header.position >= *end)
}

/// Compares the store of each device with the list of what it was given, and with what runs.
fn check(world: &World) {
    for device in &world.devices {
        let mut models: BTreeMap<_, Model> = BTreeMap::new();
        for (id, facts) in &device.stored {
            models.entry(*id).or_default().store(facts);
        }
        let restored = device.store.restore().unwrap();
        assert_eq!(restored.left_out, 0);
        assert_eq!(restored.conversations.len(), models.len());
        for Stored {
            id, kind, facts, ..
        } in restored.conversations
        {
            let mut replica = Replica::new(id, kind, &device.seal());
            replica.restore(facts);
            let expected = models[&id].replica(id, kind, device);
            assert_alike(&replica, &expected);
            let live = device.sync.get(&id).unwrap();
            assert_same(&replica, live);
            // What was never held, but for a proof without its body, cannot be written again.
            let is_stored = |lost: &&EntryId| device.store.entry(&id, lost).unwrap().is_some();
            let again: Vec<_> = live.again().iter().filter(is_stored).collect();
            assert_eq!(replica.again().iter().collect::<Vec<_>>(), again);
        }
    }
}

/// Compares what has no comparison. Panics with the first line that differs.
fn assert_alike(left: &impl Debug, right: &impl Debug) {
    let [left, right] = [format!("{left:#?}"), format!("{right:#?}")];
    let (mut left, mut right) = (left.lines(), right.lines());
    let mut above = Vec::new();
    loop {
        let lines = (left.next(), right.next());
        let context = above.iter().rev().take(12).rev();
        assert_eq!(
            lines.0,
            lines.1,
            "behind {:#?}",
            context.collect::<Vec<_>>()
        );
        let Some(line) = lines.0 else { break };
        above.push(line);
    }
}

/// What is seen of a replica that was restored is what was seen before.
fn assert_same(restored: &Replica, live: &Replica) {
    assert_eq!(restored.kind(), live.kind());
    assert_eq!(restored.membership(), live.membership());
    assert_eq!(restored.roster_facts(), live.roster_facts());
    for join in live.membership().logs.keys() {
        let (restored_log, live_log) = (restored.log(join), live.log(join));
        let is_nothing = live_log.is_none_or(|log| log.is_empty() && log.end().is_none());
        if restored_log.is_some() || !is_nothing {
            assert_alike(&restored_log, &live_log);
        }
        for position in 0..40 {
            for person in [1, 2].map(person) {
                let got = |of: &Replica| of.has_got(&person, join, position);
                assert_eq!(got(restored), got(live));
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Say,
    Reply(usize),
    Edit(usize),
    Erase(usize),
    React(usize),
    Settle,
    Switch,
    Copy,
    Restart,
    Remove,
    Leave,
    Rename,
    Retire,
    Forget(u64),
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let at = any::<usize>();
    let step = prop_oneof![
        6 => Just(Step::Say),
        1 => at.prop_map(Step::Reply),
        3 => at.prop_map(Step::Edit),
        2 => at.prop_map(Step::Erase),
        1 => at.prop_map(Step::React),
        4 => Just(Step::Settle),
        2 => Just(Step::Switch),
        1 => Just(Step::Copy),
        1 => Just(Step::Restart),
        1 => Just(Step::Remove),
        1 => Just(Step::Leave),
        1 => Just(Step::Rename),
        1 => Just(Step::Retire),
        1 => (0..4_u64).prop_map(Step::Forget),
    ];
    prop::collection::vec((any::<usize>(), step), 1..40)
}

/// Goes a step. Gives the text that was written.
fn go(world: &mut World, at: usize, step: &Step, said: &mut Vec<EntryId>) -> Option<String> {
    let at = at % world.devices.len();
    let word = format!("w{}", said.len());
    let text = word.clone();
    let target = |index: &usize| {
        let index = index.checked_rem(said.len())?;
        Some(said[index])
    };
    let talk = match step {
        Step::Say => Some(Talk::Message { text }),
        Step::Reply(to) => target(to).map(|to| Talk::Reply { to, text }),
        Step::Edit(of) => target(of).map(|of| Talk::Edit { of, text }),
        Step::Erase(of) => target(of).map(|of| Talk::Erase { of }),
        Step::React(to) => target(to).map(|to| Talk::Reaction {
            to,
            emoji: "👍".to_owned(),
        }),
        _ => None,
    };
    if let Some(talk) = talk {
        let again = world.replica(at).again().first().copied();
        said.extend(world.say_instead(at, &talk, again));
        return Some(word);
    }
    match step {
        Step::Settle => world.settle(),
        Step::Switch => world.switch(at),
        Step::Copy if world.devices.len() < 4 => world.copy(at),
        Step::Restart => world.restart(at),
        Step::Remove => world.act(at, &Deed::Remove(person(2))),
        Step::Leave => world.act(at, &Deed::Leave),
        Step::Rename => world.act(at, &Deed::Rename("others".parse().unwrap())),
        Step::Retire => {
            let effects = world.devices[at].sync.retire();
            world.perform(at, effects);
        }
        Step::Forget(position) => forget(world, at, *position),
        _ => {}
    }
    None
}

/// Stores a floor for a log of others, and starts the program again: so the replica knows it.
fn forget(world: &mut World, at: usize, position: u64) {
    let replica = world.replica(at);
    let mut logs = replica.membership().logs.iter();
    let other = logs.find(|(_, of)| of.person != replica.person());
    let Some((join, _)) = other.map(|(join, of)| (*join, *of)) else {
        return;
    };
    let facts = vec![Fact::Floor { join, position }];
    let group = world.group;
    let device = &mut world.devices[at];
    let change = Change::Facts(group, facts.clone());
    device.store.commit(&[change]).unwrap();
    device.stored.push((group, facts));
    world.restart(at);
}

/// What is found is what is shown, but for a message whose last edit is beyond the cut of a member
/// who was removed.
fn check_search(world: &World, words: &[String]) {
    for at in 0..world.devices.len() {
        let mut uncut = world.visible(at);
        for (join, limit) in &mut uncut.limits {
            *limit = world.replica(at).log(join).map_or(0, TalkLog::limit);
        }
        let uncut = world.texts_in(at, &uncut);
        let mut shown = world.texts(at);
        shown.retain(|text| uncut.contains(text));
        for word in words {
            let found = world.found(at, &format!("{word} "));
            let expected: Vec<_> = shown.iter().filter(|text| *text == word).collect();
            let exact: Vec<_> = found.iter().filter(|text| *text == word).collect();
            assert_eq!(exact, expected);
            let is_longer = |text: &&String| text.starts_with(word.as_str());
            assert!(found.iter().all(|text| is_longer(&text)), "{found:?}");
        }
        let check = "INSERT INTO talk_text (talk_text) VALUES ('integrity-check')";
        let store = &world.devices[at].store;
        store.connection.execute(check, []).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_was_stored_gives_the_same_replica(steps in steps()) {
        let mut world = World::new();
        let mut said = Vec::new();
        let mut words = Vec::new();
        for (at, step) in &steps {
            words.extend(go(&mut world, *at, step, &mut said));
        }
        check(&world);
        check_search(&world, &words);
    }
}

#[test]
fn a_fork_is_stored_with_its_proof_and_what_has_to_be_written_again() {
    let mut world = World::new();
    world.message(1, "before");
    world.settle();
    world.switch(1);
    world.copy(1);
    world.message(2, "written by the copy");
    world.settle();
    world.message(1, "written by the original");
    world.switch(1);
    world.settle();
    let ends = |at: usize| {
        let logs = world.replica(at).membership().logs.keys();
        let ends = logs.filter_map(|join| world.replica(at).log(join)?.end());
        ends.count()
    };
    assert_eq!([ends(0), ends(1)], [1, 1]);
    assert_eq!(world.replica(1).again().len(), 1);
    let again = *world.replica(1).again().first().unwrap();
    let lost = world.devices[1].store.entry(&world.group, &again).unwrap();
    let lost = lost.unwrap();
    let talk = Talk::decode(lost.header.kind, &lost.body.unwrap()).unwrap();
    check(&world);
    world.say_instead(1, &talk, Some(again));
    world.settle();
    check(&world);
    let store = &world.devices[1].store;
    assert_eq!(store.entry(&world.group, &again).unwrap(), None);
    assert!(
        world
            .texts(0)
            .contains(&"written by the original".to_owned())
    );
}
