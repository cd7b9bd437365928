//! The demo without a terminal: conversations of three peers, printed as they go.

use std::net::Ipv4Addr;

use anyhow::{Context, Result, bail};
use p2pchat_model::{
    ChatChange, Command, ConversationId, Event, Line, Security, Standing, View, printable, wording,
};

use super::client::Client;
use super::echo::Echo;
use super::stage::Stage;

/// Plays the conversations.
pub(super) async fn run(stage: &Stage, mut echo: Echo, [alice, bob]: [Ipv4Addr; 2]) -> Result<()> {
    println!("Three peers on this machine: alice, bob, and echo, which answers by itself.");
    println!("The name before each line is the peer that sees it.\n");
    let play = async {
        let mut alice = Client::start(stage, "alice", alice).await?;
        let mut bobs = Client::start(stage, "bob", bob).await?;
        for client in [&alice, &bobs] {
            show_security(client)?;
        }
        alice_meets_echo(&mut alice).await?;
        let lunch = they_make_a_group(&mut alice, &mut bobs).await?;
        println!("\nbob's computer is switched off; alice writes, and then hers is too.\n");
        bobs.quit().await?;
        say(&mut alice, lunch, "See you at noon, bob!").await?;
        watch(&mut alice, "hear echo", |event| {
            says(event, "alice wrote: See you at noon, bob!")
        })
        .await?;
        alice.quit().await?;
        println!("\nbob comes back. echo, who was there, passes on what bob has missed.\n");
        let mut bob = Client::start(stage, "bob", bob).await?;
        watch(&mut bob, "get what came meanwhile", |event| {
            says(event, "See you at noon, bob!")
        })
        .await?;
        bob.quit().await
    };
    tokio::select! {
        result = play => result?,
        result = echo.live() => result.context("echo has stopped")?,
    }
    println!("\nThe demo has ended. Nothing is left running, and nothing was kept.");
    Ok(())
}

/// What users see all the time: whether the registry hears them alone.
fn show_security(client: &Client) -> Result<()> {
    let Security::Encrypted { fingerprint } = client.security else {
        bail!("{} speaks to the registry unencrypted", client.name);
    };
    let (who, words) = (&client.name, client.security.words());
    println!("{who:>6} | * {words}, its fingerprint is {fingerprint}");
    Ok(())
}

async fn alice_meets_echo(alice: &mut Client) -> Result<()> {
    let with = "echo".parse()?;
    let direct = open(alice, &Command::Chat { with }).await?;
    say(alice, direct, "Hi echo, are you there?").await?;
    watch(alice, "be greeted by echo", |event| said_by(event, "echo")).await
}

/// Alice makes a group; bob accepts to be in it.
async fn they_make_a_group(alice: &mut Client, bob: &mut Client) -> Result<ConversationId> {
    let group = Command::Group {
        name: "Lunch".parse()?,
        members: vec!["bob".parse()?, "echo".parse()?],
    };
    let lunch = open(alice, &group).await?;
    watch(bob, "be asked", is_request).await?;
    bob.send(&Command::Join {
        conversation: lunch,
    })
    .await?;
    watch(alice, "meet bob", |event| joined(event, "bob")).await?;
    say(bob, lunch, "Hello, both of you! 👋").await?;
    watch(alice, "hear bob", |event| said_by(event, "bob")).await?;
    watch(bob, "be greeted by echo", |event| said_by(event, "echo")).await?;
    Ok(lunch)
}

/// Begins a conversation.
async fn open(client: &mut Client, command: &Command) -> Result<ConversationId> {
    client.send(command).await?;
    let is_opened = |event: &Event| matches!(event, Event::Opened { .. });
    let name = client.name.clone();
    let opened = client
        .until("open it", is_opened, |event| show(&name, event))
        .await?;
    opened.conversation().context("it has no id")
}

async fn say(client: &mut Client, conversation: ConversationId, text: &str) -> Result<()> {
    client.send(&Command::say(conversation, text)).await
}

/// Shows what a client sees until something happens.
async fn watch(client: &mut Client, what: &str, wanted: impl Fn(&Event) -> bool) -> Result<()> {
    let name = client.name.clone();
    client
        .until(what, wanted, |event| show(&name, event))
        .await?;
    Ok(())
}

fn is_request(event: &Event) -> bool {
    matches!(event, Event::Chat { chat, .. } if matches!(chat.standing, Standing::Asked(_)))
}

fn joined(event: &Event, name: &str) -> bool {
    match event {
        Event::ChatChanged {
            change: ChatChange::Joined(who),
            ..
        } => who.to_string() == name,
        _ => false,
    }
}

fn said_by(event: &Event, name: &str) -> bool {
    matches!(event, Event::Post(post) if post.from.to_string() == name)
}

fn says(event: &Event, text: &str) -> bool {
    match event {
        Event::Post(post) => post.text == text,
        Event::Posts { posts, .. } => posts.iter().any(|post| post.text == text),
        _ => false,
    }
}

fn show(who: &str, event: &Event) {
    let line = match event {
        Event::Post(post) => format!("{}: {}", post.from, printable(wording::chat::text(post))),
        Event::Posts { posts, .. } => match posts.last() {
            Some(post) => format!("{}: {}", post.from, printable(wording::chat::text(post))),
            None => return,
        },
        Event::PostChanged(post) if post.receipts.as_ref().is_some_and(|all| !all.is_empty()) => {
            match post.waits_for().next() {
                Some(who) => format!("(Waiting for {who})"),
                None => format!("({})", wording::chat::DELIVERED),
            }
        }
        Event::Chat { chat, .. } => match chat.standing {
            Standing::Asked(by) => format!("* {}", wording::chat::asks(by, chat)),
            Standing::In | Standing::Out => return,
        },
        event => match View::notice(event) {
            Some(Line::Notice { text, .. }) => format!("* {text}"),
            _ => return,
        },
    };
    println!("{who:>6} | {line}");
}
