//! The demo without a terminal: a conversation of three peers, printed as it goes.

use std::net::Ipv4Addr;

use anyhow::{Context, Result, bail};
use p2pchat_model::{
    Command, ConversationId, DeliveryState, Event, Line, Security, Target, View, printable,
};

use super::client::Client;
use super::echo::Echo;
use super::stage::Stage;

/// Plays the conversation.
pub(super) async fn run(stage: &Stage, mut echo: Echo, [alice, bob]: [Ipv4Addr; 2]) -> Result<()> {
    println!("Three peers on this machine: alice, bob, and echo, which answers by itself.");
    println!("The name before each line is the peer that sees it.\n");
    let mut alice = Client::start(stage, "alice", alice).await?;
    let mut bob = Client::start(stage, "bob", bob).await?;
    for client in [&alice, &bob] {
        show_security(client)?;
    }
    let play = async {
        alice_meets_echo(&mut alice).await?;
        bob_joins(&mut alice, &mut bob).await?;
        bob_talks_to_both(&mut alice, &mut bob).await?;
        alice.quit().await?;
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
    request(alice, "echo").await?;
    watch(alice, "meet echo", |event| joined(event, "echo")).await?;
    say(alice, "Hi echo, are you there?").await?;
    watch(alice, "be greeted by echo", |event| said_by(event, "echo")).await
}

/// Alice, who chats with echo, asks bob: bob accepts, and the three are a group.
async fn bob_joins(alice: &mut Client, bob: &mut Client) -> Result<()> {
    request(alice, "bob").await?;
    watch(alice, "ask bob", |event| {
        matches!(event, Event::RequestSent(_))
    })
    .await?;
    watch(bob, "be asked", |event| {
        matches!(event, Event::RequestReceived(_))
    })
    .await?;
    let from = alice.address.to_string().parse()?;
    let conversation = ConversationId::OPEN;
    bob.send(&Command::Accept { conversation, from }).await?;
    watch(bob, "meet echo", |event| joined(event, "echo")).await?;
    watch(alice, "meet bob", |event| joined(event, "bob")).await?;
    say(alice, "Bob, this is echo.").await?;
    watch(bob, "hear alice", |event| said_by(event, "alice")).await?;
    // Before bob writes, echo has to know of bob: its answer shows that it does.
    watch(bob, "hear echo", |event| said_by(event, "echo")).await?;
    watch(alice, "hear echo", |event| said_by(event, "echo")).await
}

async fn bob_talks_to_both(alice: &mut Client, bob: &mut Client) -> Result<()> {
    say(bob, "Hello, both of you! 👋").await?;
    watch(alice, "hear bob", |event| said_by(event, "bob")).await?;
    watch(bob, "be greeted by echo", |event| said_by(event, "echo")).await
}

async fn say(client: &mut Client, text: &str) -> Result<()> {
    let text = text.to_owned();
    let conversation = ConversationId::OPEN;
    client
        .send(&Command::Say {
            conversation,
            text,
            reply_to: None,
        })
        .await
}

async fn request(client: &mut Client, name: &str) -> Result<()> {
    let to = Target::Name(name.parse()?);
    let conversation = ConversationId::OPEN;
    client.send(&Command::Request { conversation, to }).await
}

/// Shows what a client sees until something happens.
async fn watch(client: &mut Client, what: &str, wanted: impl Fn(&Event) -> bool) -> Result<()> {
    let name = client.name.clone();
    client
        .until(what, wanted, |event| show(&name, event))
        .await?;
    Ok(())
}

fn joined(event: &Event, name: &str) -> bool {
    match event {
        Event::MemberJoined { member, .. } => member.to_string() == name,
        _ => false,
    }
}

fn said_by(event: &Event, name: &str) -> bool {
    match event {
        Event::Message(message) => message.from.title() == name,
        _ => false,
    }
}

fn show(who: &str, event: &Event) {
    let line = match event {
        Event::Message(message) => format!("{}: {}", message.from, printable(&message.text)),
        Event::Delivered { delivery, .. } if delivery.state == DeliveryState::Sent => {
            format!("({} has it)", delivery.to)
        }
        event => match View::notice(event) {
            Some(Line::Notice { text, .. }) => format!("* {text}"),
            _ => return,
        },
    };
    println!("{who:>6} | {line}");
}
