//! The roster against a second implementation of its rules, on random groups in which three
//! members collude and write what they like.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use p2pchat_conversation::roster::{Membership, Roster};
use p2pchat_protocol::v2::conversation::roster::{Act, Add, RosterEntry};
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId};
use p2pchat_protocol::v2::{Certificate, DeviceKey, PersonKey, PublicKey, Signature};
use serde::Deserialize;

/// A group, and what the model makes of it.
#[derive(Deserialize)]
struct Group {
    entries: Vec<Entry>,
    members: BTreeMap<String, u64>,
    in_force: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Entry {
    id: u64,
    clock: u64,
    kind: String,
    by: String,
    person: Option<String>,
    under: Option<u64>,
    add: Option<u64>,
    after: Vec<u64>,
    keeps: Vec<u64>,
    from: u64,
}

fn groups(count: usize, mistake: Option<&str>) -> Vec<Group> {
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/roster_model.py");
    let mut command = Command::new("python3");
    command.args([model, &count.to_string()]).args(mistake);
    let output = command.output();
    let output = output.expect("the model of the roster is a Python program: install python3");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let groups: Vec<_> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(groups.len(), count);
    groups
}

fn id(number: u64) -> EntryId {
    let mut id = [0; 32];
    id[24..].copy_from_slice(&number.to_be_bytes());
    EntryId(id)
}

fn ids(numbers: &[u64]) -> BTreeSet<EntryId> {
    numbers.iter().copied().map(id).collect()
}

fn person(name: &str) -> PersonKey {
    let mut key = [0; 32];
    key[..name.len()].copy_from_slice(name.as_bytes());
    PersonKey(PublicKey(key))
}

fn certificate(name: &str) -> Certificate {
    Certificate {
        device: DeviceKey(person(name).0),
        person: person(name),
        signature: Signature([0; 64]),
    }
}

impl Group {
    fn roster_entry(&self, entry: &Entry) -> RosterEntry {
        let about = || person(entry.person.as_deref().unwrap());
        let keeps = || ids(&entry.keeps);
        let act = match entry.kind.as_str() {
            "create" => Act::Create {
                certificate: certificate(&entry.by),
                salt: [0; 16],
                name: "group".parse().unwrap(),
            },
            "add" => Act::Add {
                person: about(),
                from: Clock::new(entry.from).unwrap(),
                after: ids(&entry.after),
            },
            "join" => Act::Join {
                certificate: certificate(&entry.by),
                salt: [0; 16],
                add: Some(Box::new(self.add(entry.add.unwrap()))),
            },
            "owner" => Act::Owner { person: about() },
            "resign" => Act::Resign { keeps: keeps() },
            "remove" => Act::Remove {
                person: about(),
                keeps: keeps(),
                cut: BTreeMap::new(),
            },
            "leave" => Act::Leave {
                keeps: keeps(),
                cut: BTreeMap::new(),
            },
            other => panic!("{other}"),
        };
        RosterEntry {
            id: id(entry.id),
            conversation: ConversationId([0; 32]),
            under: entry.under.map(id),
            clock: Clock::new(entry.clock).unwrap(),
            act,
        }
    }

    fn add(&self, number: u64) -> Add {
        let entry = self.entries.iter().find(|entry| entry.id == number);
        Add {
            entry: self.roster_entry(entry.unwrap()),
            bytes: Box::default(),
        }
    }

    fn evaluated(&self) -> Membership {
        let mut roster = Roster::default();
        for entry in &self.entries {
            roster.insert(self.roster_entry(entry));
        }
        roster.group()
    }

    fn agrees(&self, membership: &Membership) -> bool {
        let members = self.members.iter();
        let members = members.map(|(name, from)| (person(name), Clock::new(*from).unwrap()));
        let owners = self.in_force.iter().map(|name| person(name));
        membership.members == members.collect() && membership.owners == owners.collect()
    }
}

#[test]
fn the_roster_and_its_model_agree_on_random_groups_with_liars() {
    let groups = groups(4_000, None);
    let mut members = 0;
    for (number, group) in groups.iter().enumerate() {
        let membership = group.evaluated();
        assert!(group.agrees(&membership), "group {number}: {membership:?}");
        members += membership.members.len();
    }
    // These groups have something in them.
    assert!(members > groups.len() * 3 / 2, "{members}");
}

#[test]
fn a_mistake_in_a_rule_is_noticed() {
    for mistake in [
        "leaving-ends-adds",
        "removal-keeps-nothing",
        "from-is-not-bounded",
        "anybody-brings-back",
    ] {
        let groups = groups(1_000, Some(mistake));
        let differ = groups.iter().any(|group| !group.agrees(&group.evaluated()));
        assert!(differ, "{mistake}");
    }
}
