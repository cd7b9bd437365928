//! What packages are for: two people chat, at their first meeting and later.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};

use anyhow::{Context, Result, ensure};
use p2pchat_model::{Command, ConversationId, Event, Standing};

use super::root::{ALICE, BOB, Root};
use super::unit::Unit;
use crate::demo::{self, Client};
use crate::process::Group;

/// What they write the first time.
const GREETINGS: [&str; 2] = ["Hello bob, here is alice.", "Hello alice!"];
/// What they write later.
const LATER: [&str; 2] = ["Are you still there?", "Yes, and so are your messages."];

/// The registry of a root, started as its unit says.
pub(super) async fn registry(root: &Root) -> Result<Group> {
    let unit = Unit::read(root, "/usr/lib/systemd/system/p2pchat-registry.service")?;
    let (group, line) = demo::start(&mut unit.start(root)?).await?;
    println!("{line}");
    Ok(group)
}

/// Makes their accounts, and lets them chat. `programs` is the folder of p2pchat.
pub(super) async fn meet(root: &Root, programs: &str) -> Result<()> {
    for (user, home) in [(ALICE, "/home/alice"), (BOB, "/home/bob")] {
        let path = root.path(&format!("{home}/password"));
        fs::write(&path, "only to try a package\n")?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        let [id, group] = user.ids();
        chown(&path, Some(id), Some(group))?;
    }
    let mut alice = start(root, programs, "alice", &["--register"]).await?;
    let mut bob = start(root, programs, "bob", &["--register"]).await?;
    let chat = open(&mut alice).await?;
    let is_asked = |event: &Event| matches!(event, Event::Chat { chat, .. } if matches!(chat.standing, Standing::Asked(_)));
    bob.until("be asked", is_asked, |_| {}).await?;
    bob.send(&Command::Join { conversation: chat }).await?;
    talk(&mut alice, &mut bob, chat, GREETINGS).await?;
    alice.quit().await?;
    bob.quit().await
}

/// Lets them chat where they have met before: their accounts are there, and what they wrote.
pub(super) async fn meet_again(root: &Root, programs: &str) -> Result<()> {
    let mut alice = start(root, programs, "alice", &[]).await?;
    let mut bob = start(root, programs, "bob", &[]).await?;
    let p2pchat = format!("{programs}/p2pchat");
    for (user, other) in [(ALICE, "bob"), (BOB, "alice")] {
        let history = [p2pchat.as_str(), "history", "--conversation", other];
        let history = root.run(user, &history).await?;
        let kept = GREETINGS.iter().all(|text| history.contains(text));
        ensure!(
            kept,
            "the history with {other} has lost something: {history}"
        );
    }
    let chat = open(&mut alice).await?;
    talk(&mut alice, &mut bob, chat, LATER).await?;
    alice.quit().await?;
    bob.quit().await
}

async fn start(root: &Root, programs: &str, name: &str, more: &[&str]) -> Result<Client> {
    let user = if name == "alice" { ALICE } else { BOB };
    let mut command = root.command(user, &format!("{programs}/p2pchat"))?;
    command
        .args(["--registry", "127.0.0.1", "--user", name])
        .args(["--password-file", &format!("{}/password", user.home())])
        .args(more);
    Client::run(name, &mut command).await
}

/// Alice's conversation with bob.
async fn open(alice: &mut Client) -> Result<ConversationId> {
    let with = "bob".parse()?;
    alice.send(&Command::Chat { with }).await?;
    let is_opened = |event: &Event| matches!(event, Event::Opened { .. });
    let opened = alice.until("open a chat", is_opened, |_| {}).await?;
    opened.conversation().context("it has no id")
}

/// Each writes a line, and the other gets it.
async fn talk(
    alice: &mut Client,
    bob: &mut Client,
    chat: ConversationId,
    [to_bob, to_alice]: [&str; 2],
) -> Result<()> {
    alice.send(&Command::say(chat, to_bob)).await?;
    let has = |event: &Event| says(event, to_bob);
    bob.until("get what alice wrote", has, |_| {}).await?;
    bob.send(&Command::say(chat, to_alice)).await?;
    let has = |event: &Event| says(event, to_alice);
    alice.until("get what bob wrote", has, |_| {}).await?;
    println!("alice: {to_bob}\nbob: {to_alice}");
    Ok(())
}

fn says(event: &Event, text: &str) -> bool {
    match event {
        Event::Post(post) => post.text == text,
        Event::Posts { posts, .. } => posts.iter().any(|post| post.text == text),
        _ => false,
    }
}
