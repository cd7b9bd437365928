//! Profiles that are copied, and older states of them that are put back: nothing that was said is
//! lost anywhere, and nothing is said under another one's place.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use p2pchat_model::{ConversationId, Notice};
use p2pchat_testkit::{Person, SOON, Screen, agree};
use tokio::time::timeout;

use crate::Place;

/// Alice with her conversations, and the others in them.
struct Scene {
    place: Place,
    alice: Person,
    bob: Person,
    carol: Person,
    /// Of all three.
    group: ConversationId,
    /// Of alice and bob.
    two: ConversationId,
}

impl Scene {
    async fn new() -> Result<Self> {
        let place = Place::new().await?;
        let mut alice = place.signed_up("alice").await?;
        let mut bob = place.signed_up("bob").await?;
        let mut carol = place.signed_up("carol").await?;
        let group = alice.group("Team", &[bob.name, carol.name]).await?;
        let two = alice.chat(bob.name).await?;
        for id in [group, two] {
            bob.join(id).await?;
        }
        carol.join(group).await?;
        let mut scene = Self {
            place,
            alice,
            bob,
            carol,
            group,
            two,
        };
        scene.say("first").await?;
        scene.all_see(&["first"]).await?;
        Ok(scene)
    }

    /// Alice says something in both conversations.
    async fn say(&mut self, text: &str) -> Result<()> {
        for id in [self.group, self.two] {
            self.alice.say(id, text).await?;
        }
        Ok(())
    }

    /// Waits until everybody sees these texts in this order, and nothing else, in both.
    async fn all_see(&mut self, texts: &[&str]) -> Result<()> {
        let has_all = |_, screen: &Screen| screen.texts() == texts;
        let Self {
            alice, bob, carol, ..
        } = self;
        agree(&mut [alice, bob, carol], &[self.group], "group", has_all).await?;
        let Self { alice, bob, .. } = self;
        agree(&mut [alice, bob], &[self.two], "two", has_all).await?;
        Ok(())
    }
}

/// Waits until someone is told that their profile is a copy.
async fn is_told(person: &mut Person) -> Result<()> {
    let is_it = |notice: &Notice| *notice == Notice::ProfileCopied;
    while !person.notices.iter().any(is_it) {
        timeout(SOON, person.next()).await.context("not told")??;
    }
    Ok(())
}

/// Copies the files of a folder into another one. Those that are there already stay the same files,
/// with another content; those that are not in `from` are removed.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(to).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() && !from.join(entry.file_name()).exists() {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (kind, to) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &to);
        } else if kind.is_file() {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_says_so_and_neither_it_nor_the_original_hides_what_the_other_said() {
    let mut scene = Scene::new().await.unwrap();
    scene.alice.stop().await.unwrap();
    let elsewhere = scene.place.folder().join("elsewhere");
    copy(&scene.alice.home, &elsewhere.join("alice"));

    scene.alice.come().await.unwrap();
    assert_eq!(scene.alice.notices, [], "it is where it was");
    scene.say("original").await.unwrap();
    scene.all_see(&["first", "original"]).await.unwrap();
    scene.alice.stop().await.unwrap();

    let (programs, ports) = (&scene.place.programs, scene.place.ports);
    let copied = Person::new(programs, &elsewhere, "alice", ports).unwrap();
    let original = std::mem::replace(&mut scene.alice, copied);
    scene.alice.come().await.unwrap();
    is_told(&mut scene.alice).await.unwrap();
    scene.say("copy").await.unwrap();
    let texts = ["first", "original", "copy"];
    scene.all_see(&texts).await.unwrap();
    scene.alice.stop().await.unwrap();

    let copied = std::mem::replace(&mut scene.alice, original);
    scene.alice.come().await.unwrap();
    scene.say("original again").await.unwrap();
    let texts = ["first", "original", "copy", "original again"];
    scene.all_see(&texts).await.unwrap();
    assert_eq!(scene.alice.notices, [], "it is where it was");
    scene.alice.stop().await.unwrap();

    // Told once: it is a place of its own now.
    scene.alice = copied;
    scene.alice.come().await.unwrap();
    scene.say("copy again").await.unwrap();
    let texts = ["first", "original", "copy", "original again", "copy again"];
    scene.all_see(&texts).await.unwrap();
    assert_eq!(scene.alice.notices, []);
}

/// The folder as it was after "first", and what was said since.
async fn with_older_folder(scene: &mut Scene) -> std::path::PathBuf {
    scene.alice.stop().await.unwrap();
    let older = scene.place.folder().join("older");
    copy(&scene.alice.profile(), &older);
    scene.alice.come().await.unwrap();
    for text in ["second", "third"] {
        scene.say(text).await.unwrap();
    }
    scene.all_see(&["first", "second", "third"]).await.unwrap();
    scene.alice.stop().await.unwrap();
    older
}

/// In a way that nobody can see from the files.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_folder_that_is_put_back_waits_for_what_others_hold() {
    let mut scene = Scene::new().await.unwrap();
    let older = with_older_folder(&mut scene).await;
    copy(&older, &scene.alice.profile());
    fs::remove_dir_all(scene.alice.home.join(".local/state/p2pchat")).unwrap();
    scene.alice.come().await.unwrap();
    assert_eq!(scene.alice.notices, [], "nothing tells");
    scene.say("fourth").await.unwrap();
    let texts = ["first", "second", "third", "fourth"];
    scene.all_see(&texts).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_folder_of_other_files_is_told_and_goes_on_behind_what_was_said() {
    let mut scene = Scene::new().await.unwrap();
    let older = with_older_folder(&mut scene).await;
    let folder = scene.alice.profile();
    fs::rename(&folder, folder.with_extension("newer")).unwrap();
    copy(&older, &folder);
    scene.alice.come().await.unwrap();
    is_told(&mut scene.alice).await.unwrap();
    scene.say("fourth").await.unwrap();
    let texts = ["first", "second", "third", "fourth"];
    scene.all_see(&texts).await.unwrap();
}

/// Nobody is there who could tell; the mark outside of the profile does.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_from_an_older_folder_while_nobody_is_there_hides_nothing() {
    let mut scene = Scene::new().await.unwrap();
    let older = with_older_folder(&mut scene).await;
    scene.bob.stop().await.unwrap();
    scene.carol.stop().await.unwrap();
    copy(&older, &scene.alice.profile());
    scene.alice.come().await.unwrap();
    is_told(&mut scene.alice).await.unwrap();
    scene.say("fourth").await.unwrap();
    scene.bob.come().await.unwrap();
    scene.carol.come().await.unwrap();
    let texts = ["first", "second", "third", "fourth"];
    scene.all_see(&texts).await.unwrap();
    scene.say("fifth").await.unwrap();
    let texts = ["first", "second", "third", "fourth", "fifth"];
    scene.all_see(&texts).await.unwrap();
}
