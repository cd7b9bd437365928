//! Whatever happens while someone is away is on their screen when they are back, also if who did
//! it is gone by then: another one has it for them.

use std::collections::BTreeMap;

use anyhow::Result;
use p2pchat_model::{Command, ConversationId, MessageId, PersonKey, PostState};
use p2pchat_testkit::{MongoDb, Person, Screen, agree, require_mongodb};

use crate::Place;

/// Those who are in all groups, and someone who is added, removed and leaves.
const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// What happens while someone is away.
struct Round {
    act: Act,
    writer: &'static str,
    absent: &'static str,
    /// Whether the registry is killed before it, and comes back when someone has to return.
    without_registry: bool,
}

/// All of it, in this order.
const ROUNDS: [Round; 11] = [
    round(Act::Message, "alice", "bob", false),
    round(Act::Reply, "bob", "carol", true),
    round(Act::Edit, "alice", "bob", true),
    round(Act::Reaction, "carol", "alice", true),
    round(Act::Add, "alice", "bob", false),
    round(Act::Remove, "alice", "carol", true),
    round(Act::Add, "alice", "carol", false),
    round(Act::Leave, "dave", "bob", true),
    round(Act::Rename, "alice", "carol", false),
    round(Act::MakeOwner, "alice", "carol", true),
    round(Act::Delete, "alice", "bob", false),
];

const fn round(
    act: Act,
    writer: &'static str,
    absent: &'static str,
    without_registry: bool,
) -> Round {
    Round {
        act,
        writer,
        absent,
        without_registry,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Message,
    Reply,
    Edit,
    Reaction,
    Add,
    Remove,
    Leave,
    Rename,
    MakeOwner,
    Delete,
}

impl Act {
    /// How it is asked for: in a group of alice's, and about a message of hers.
    fn command(self, group: ConversationId, message: MessageId, world: &World) -> Result<Command> {
        let conversation = group;
        Ok(match self {
            Self::Message => Command::say(conversation, "a message"),
            Self::Reply => Command::Say {
                conversation,
                text: "an answer".to_owned(),
                reply_to: Some(message),
            },
            Self::Edit => Command::Edit {
                conversation,
                message,
                text: "changed".to_owned(),
            },
            Self::Reaction => Command::React {
                conversation,
                message,
                emoji: "👍".to_owned(),
            },
            Self::Add => Command::Add {
                conversation,
                members: vec!["dave".parse()?],
                sees_all: true,
            },
            Self::Remove => Command::Remove {
                conversation,
                who: world.key_of("dave")?,
            },
            Self::Leave => Command::Leave { conversation },
            Self::Rename => Command::Rename {
                conversation,
                name: "Crew".parse()?,
            },
            Self::MakeOwner => Command::MakeOwner {
                conversation,
                who: world.key_of("bob")?,
            },
            Self::Delete => Command::Delete {
                conversation,
                message,
            },
        })
    }

    /// Whether it is to be seen.
    fn is_done(self, screen: &Screen) -> bool {
        let mut posts = screen.posts.iter();
        match self {
            Self::Message => screen.count("a message") == 1,
            Self::Reply => screen.count("an answer") == 1,
            Self::Edit => screen.count("changed") == 1,
            Self::Reaction => posts.any(|post| !post.reactions.is_empty()),
            Self::Add => screen.people.get("dave").is_some_and(|seat| !seat.asked),
            Self::Remove | Self::Leave => !screen.people.contains_key("dave"),
            Self::Rename => screen.title == "Crew",
            Self::MakeOwner => screen.people["bob"].owner,
            Self::Delete => posts.any(|post| post.state == PostState::Deleted),
        }
    }
}

struct World {
    place: Place,
    people: BTreeMap<&'static str, Person>,
    /// Owned by alice, in which all happens, and by bob.
    groups: [ConversationId; 2],
    /// Of alice and bob, and of bob and carol.
    direct: [ConversationId; 2],
    /// A message of alice's in the first group.
    target: MessageId,
    /// Whether dave is in that group.
    has_dave: bool,
}

impl World {
    async fn new(place: Place) -> Result<Self> {
        let [mut alice, mut bob] = [
            place.signed_up("alice").await?,
            place.signed_up("bob").await?,
        ];
        let mut carol = place.signed_up("carol").await?;
        let dave = place.signed_up("dave").await?;
        let team = alice.group("Team", &[bob.name, carol.name]).await?;
        let club = bob.group("Club", &[alice.name, carol.name]).await?;
        let direct = [alice.chat(bob.name).await?, bob.chat(carol.name).await?];
        alice.join(club).await?;
        for id in [team, direct[0]] {
            bob.join(id).await?;
        }
        for id in [team, club, direct[1]] {
            carol.join(id).await?;
        }
        let target = alice.say(team, "to be changed").await?;
        bob.say(club, "welcome").await?;
        let people = PEOPLE.into_iter().zip([alice, bob, carol, dave]).collect();
        let mut world = Self {
            place,
            people,
            groups: [team, club],
            direct,
            target,
            has_dave: false,
        };
        let all_in = |screen: &Screen| screen.people.len() == 3 && !screen.posts.is_empty();
        world.all_agree("at the beginning", all_in).await?;
        Ok(world)
    }

    fn person(&mut self, name: &str) -> &mut Person {
        self.people.get_mut(name).expect("one of them")
    }

    /// The key of a member of the first group.
    fn key_of(&self, name: &str) -> Result<PersonKey> {
        self.people["alice"].key_of(self.groups[0], name.parse()?)
    }

    /// Waits until those of them who are here see the same of a conversation, and it is as wanted.
    async fn agree(
        &mut self,
        names: &[&str],
        id: ConversationId,
        what: &str,
        is_wanted: impl Fn(&Screen) -> bool,
    ) -> Result<()> {
        let people = self.people.iter_mut();
        let here = people.filter(|(name, person)| person.is_here() && names.contains(name));
        let mut here: Vec<&mut Person> = here.map(|(_, person)| person).collect();
        let is_wanted = |_, screen: &Screen| is_wanted(screen);
        agree(&mut here, &[id], what, is_wanted).await?;
        Ok(())
    }

    /// Waits until those who are here see the same of all, and the first group is as wanted.
    async fn all_agree(&mut self, what: &str, is_wanted: impl Fn(&Screen) -> bool) -> Result<()> {
        let ([team, club], [with_alice, with_carol]) = (self.groups, self.direct);
        let in_team = &PEOPLE[..if self.has_dave { 4 } else { 3 }];
        self.agree(in_team, team, what, is_wanted).await?;
        for (names, id) in [
            (&PEOPLE[..3], club),
            (&PEOPLE[..2], with_alice),
            (&PEOPLE[1..3], with_carol),
        ] {
            self.agree(names, id, what, |_| true).await?;
        }
        Ok(())
    }

    /// One is away while another does something and is gone when they are back.
    async fn miss(&mut self, number: usize, round: &Round) -> Result<()> {
        let Round {
            act,
            writer,
            absent,
            without_registry,
        } = *round;
        let [team, _] = self.groups;
        let what = format!("{number}: {act:?} of {writer} without {absent}");
        println!("{what}");
        self.person(absent).kill().await?;
        if without_registry {
            self.place.kill_registry().await?;
        }
        self.person(writer).say(team, &what).await?;
        let direct = match writer {
            "carol" => self.direct[1],
            _ => self.direct[0],
        };
        if writer != "dave" {
            self.person(writer).say(direct, &what).await?;
        }
        let command = act.command(team, self.target, self)?;
        self.person(writer).call(&command).await?;
        if act == Act::Add {
            self.person("dave").join(team).await?;
        }
        self.has_dave = match act {
            Act::Add => true,
            Act::Remove | Act::Leave => false,
            _ => self.has_dave,
        };
        let is_done = |screen: &Screen| act.is_done(screen) && screen.count(&what) == 1;
        self.all_agree(&what, is_done).await?;
        // Signing out needs no registry, and ends differently.
        if number.is_multiple_of(2) {
            self.person(writer).sign_out().await?;
        }
        self.person(writer).kill().await?;
        self.place.need_registry().await?;
        self.person(absent).come().await?;
        self.all_agree(&format!("{what}, who is back"), is_done)
            .await?;
        if number + 1 == ROUNDS.len() {
            return Ok(());
        }
        self.person(writer).start().await?;
        if number.is_multiple_of(2) {
            self.person(writer).sign_in().await?;
        }
        self.all_agree(&format!("{what}, all back"), is_done).await
    }
}

async fn everything_is_missed_once(place: Place) -> Result<()> {
    let mut world = World::new(place).await?;
    for (number, round) in ROUNDS.iter().enumerate() {
        world.miss(number, round).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_sees_all_that_happened_although_its_writer_is_gone() {
    let place = Place::new().await.unwrap();
    everything_is_missed_once(place).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_sees_all_that_happened_with_accounts_in_mongodb() {
    require_mongodb!();
    let mongodb = MongoDb::find().await.unwrap();
    let homes = tempfile::tempdir().unwrap();
    let store = format!("{}/p2pchat_absence_{}", mongodb.uri(), std::process::id());
    let place = Place::with_store(homes, &store).await.unwrap();
    everything_is_missed_once(place).await.unwrap();
}

/// Nobody else carries what is said between two.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_between_two_comes_when_both_are_there() {
    let place = Place::new().await.unwrap();
    let mut alice = place.signed_up("alice").await.unwrap();
    let mut bob = place.signed_up("bob").await.unwrap();
    let mut carol = place.signed_up("carol").await.unwrap();
    let two = alice.chat(bob.name).await.unwrap();
    let group = alice.group("Team", &[bob.name, carol.name]).await.unwrap();
    for id in [two, group] {
        bob.join(id).await.unwrap();
    }
    carol.join(group).await.unwrap();
    bob.kill().await.unwrap();
    alice.say(two, "for two").await.unwrap();
    alice.say(group, "for three").await.unwrap();
    let all_in = |_, screen: &Screen| screen.count("for three") == 1;
    agree(&mut [&mut alice, &mut carol], &[group], "carol", all_in)
        .await
        .unwrap();
    alice.kill().await.unwrap();

    bob.come().await.unwrap();
    agree(&mut [&mut bob, &mut carol], &[group], "bob", all_in)
        .await
        .unwrap();
    bob.until_chat(two, "the other one", |_| true)
        .await
        .unwrap();
    let early = bob.screen(two).await.unwrap().unwrap();
    assert_eq!(early.count("for two"), 0);

    alice.come().await.unwrap();
    let is_whole = |_, screen: &Screen| screen.texts() == ["for two"];
    agree(&mut [&mut alice, &mut bob], &[two], "both", is_whole)
        .await
        .unwrap();
}
