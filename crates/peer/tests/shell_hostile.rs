//! Attacks over real sockets on a real peer: the session stays usable while they last, what
//! they can take is bounded, and what was dropped is counted and shown.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[path = "shell_support/attacker.rs"]
mod attacker;
#[path = "shell_support/net.rs"]
mod net;

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use attacker::{Attacker, bytes, text};
use net::{OPEN, Registry, User, name, own_address};
use p2pchat_model::{Command, DropKind, DropReason, Event, Passphrase, PeerAddr, Target, View};
use p2pchat_peer::{Options, Peer, StartError};
use p2pchat_protocol::{CONTACT_PORT, Contact};

/// What a text of an honest member may take during an attack. Without one it takes some
/// milliseconds; the machine that runs this may have much else to do.
const PROMPT: Duration = Duration::from_secs(5);

/// A user under attack, and an honest member of the chat.
struct Scene {
    registry: Registry,
    user: User,
    friend: User,
    said: usize,
}

impl Scene {
    async fn new() -> Self {
        let registry = Registry::start().await;
        let mut user = registry.user("ann").await;
        let mut friend = registry.user("bob").await;
        let (from, to) = (friend.address(), user.address());
        let target = Target::Address(to);
        friend
            .send(Command::Request {
                conversation: OPEN,
                to: target,
            })
            .await;
        user.see("the request", |view| view.incoming.is_some())
            .await;
        user.send(Command::Accept {
            conversation: OPEN,
            from,
        })
        .await;
        friend.see("the member", |view| view.is_member(to)).await;
        user.see("the member", |view| view.is_member(from)).await;
        Self {
            registry,
            user,
            friend,
            said: 0,
        }
    }

    fn port(&self) -> u16 {
        self.user.view.message_port.unwrap()
    }

    /// Sees that both directions of the chat work, and commands, and in what time.
    async fn assert_usable(&mut self) {
        let began = Instant::now();
        for _ in 0..3 {
            self.said += 1;
            let words = format!("honest {}", self.said);
            self.friend.say(&words).await;
            while self.user.read().await.1 != words {}
            self.user.say(&words).await;
            while self.friend.read().await.1 != words {}
            for on in [true, false] {
                self.user.send(Command::Busy { on }).await;
                self.user.see("the answer", |view| view.busy == on).await;
            }
        }
        let took = began.elapsed() / 3;
        assert!(took < PROMPT, "it took {took:?}");
    }

    /// Waits until so much was counted.
    async fn see_dropped(&mut self, tried: DropKind, why: DropReason, count: u64) {
        let enough = move |view: &View| dropped(view, tried, why) >= count;
        let give_up = Instant::now() + Duration::from_secs(20);
        while !enough(&self.user.view) {
            assert!(Instant::now() < give_up, "{:?}", self.user.view.dropped);
            self.user.send(Command::Refresh).await;
            self.user
                .hear("the list", |event| {
                    matches!(event, Event::Online { .. }).then_some(())
                })
                .await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn end(self) {
        self.user.stop().await;
        self.friend.stop().await;
    }
}

fn dropped(view: &View, tried: DropKind, why: DropReason) -> u64 {
    let counts = view.dropped.iter();
    let wanted = counts.filter(|known| (known.tried, known.why) == (tried, why));
    wanted.map(|known| known.count).sum()
}

/// Addresses where nobody is.
fn made_up(count: u32) -> Vec<PeerAddr> {
    (0..count)
        .map(|n| PeerAddr::new(Ipv4Addr::from(0x7ff0_0000 + n)).unwrap())
        .collect()
}

/// A notify of a newcomer, with a chat_list as raw lines.
fn notify(newcomer: &str, lines: &[&str]) -> Vec<u8> {
    let mut packet = vec![1];
    packet.extend(format!("{newcomer:\0<15}").bytes());
    packet.extend(b"New User\0\0");
    packet.extend(
        lines
            .iter()
            .flat_map(|line| format!("{line}\n").into_bytes()),
    );
    packet
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_without_end_and_addresses_that_are_none_bring_in_nobody() {
    let mut scene = Scene::new().await;
    let (mallory, to) = (Attacker::new(), scene.user.address());
    mallory.join(&mut scene.user).await;
    let own = to.to_string();
    let long: Vec<String> = made_up(5000).iter().map(ToString::to_string).collect();
    let long: Vec<&str> = long.iter().map(String::as_str).collect();
    let bad = ["0.0.0.0", "255.255.255.255", "224.0.0.1", "0.1.2.3"];
    for address in bad {
        mallory.send(to, CONTACT_PORT, &notify(address, &[])).await;
        mallory
            .send(to, CONTACT_PORT, &notify(&own, &[address]))
            .await;
    }
    mallory
        .send(to, CONTACT_PORT, &notify(&own, &[&own, &own]))
        .await;
    mallory.send(to, CONTACT_PORT, &notify(&own, &long)).await;
    // Nothing but line ends, until the other side has had enough.
    mallory
        .send(to, CONTACT_PORT, &notify(&own, &[""; 100_000]))
        .await;
    scene
        .see_dropped(DropKind::Connection, DropReason::Malformed, 10)
        .await;
    assert_eq!(
        scene.user.view.open().members.len(),
        2,
        "{:?}",
        scene.user.view.open().members
    );
    scene.assert_usable().await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_requests_come_up_three_times() {
    let mut scene = Scene::new().await;
    let (mallory, to) = (Attacker::new(), scene.user.address());
    let request = bytes(&Contact::Request {
        from: name("mallory"),
        members: [].into_iter().collect(),
    });
    let flood = mallory.flood(to, CONTACT_PORT, &request, 64);
    let mut seen = 0;
    while flood.sent() < 3000 {
        scene.assert_usable().await;
        if scene.user.view.incoming.is_some() {
            seen += 1;
            let from = mallory.own;
            scene
                .user
                .send(Command::Reject {
                    conversation: OPEN,
                    from,
                })
                .await;
            scene
                .user
                .see("no request", |view| view.incoming.is_none())
                .await;
        }
    }
    drop(flood);
    // One more every 20 seconds; this takes less than a minute.
    assert!((1..=6).contains(&seen), "{seen} came up");
    scene
        .see_dropped(DropKind::Connection, DropReason::TooMuch, 1000)
        .await;
    scene
        .see_dropped(DropKind::Request, DropReason::TooMuch, 10)
        .await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_who_notify_and_write_get_nowhere() {
    let mut scene = Scene::new().await;
    let (to, port) = (scene.user.address(), scene.port());
    let contact = notify("127.240.0.1", &["127.240.0.2"]);
    let words = text("bob", "I am bob, believe me");
    let floods: Vec<_> = (0..4)
        .map(|_| Attacker::new())
        .flat_map(|stranger| {
            [
                stranger.flood(to, CONTACT_PORT, &contact, 4),
                stranger.flood(to, port, &words, 4),
            ]
        })
        .collect();
    while floods.iter().map(attacker::Flood::sent).sum::<u64>() < 1000 {
        scene.assert_usable().await;
    }
    drop(floods);
    scene
        .see_dropped(DropKind::Text, DropReason::Stranger, 100)
        .await;
    scene
        .see_dropped(DropKind::Notify, DropReason::Stranger, 100)
        .await;
    assert_eq!(scene.user.view.open().members.len(), 1);
    assert!(
        scene.user.view.open().lines.len() < 200,
        "{}",
        scene.user.view.open().lines.len()
    );
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_send_nothing_or_half_a_packet_hold_up_no_one() {
    let mut scene = Scene::new().await;
    let (to, port) = (scene.user.address(), scene.port());
    let mut held = Vec::new();
    for _ in 0..20 {
        let silent = Attacker::new();
        for half in [&[][..], b"half a text"] {
            for port in [port, CONTACT_PORT] {
                for _ in 0..10 {
                    if let Ok(mut stream) = silent.connect(to, port).await {
                        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, half).await;
                        held.push(stream);
                    }
                }
            }
        }
    }
    assert!(held.len() >= 500, "{}", held.len());
    scene.assert_usable().await;
    // A chat request finds its way past them too.
    let third = scene.registry.user("cem").await;
    let target = Target::Address(to);
    third
        .send(Command::Request {
            conversation: OPEN,
            to: target,
        })
        .await;
    scene
        .user
        .see("the request", |view| view.incoming.is_some())
        .await;
    // 400 at each of two ports, where no more than 128 are open.
    scene
        .see_dropped(DropKind::Connection, DropReason::TooMuch, 500)
        .await;
    drop(held);
    third.stop().await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_who_never_reads_delays_nobody() {
    let mut scene = Scene::new().await;
    let mallory = Attacker::new();
    let never = mallory.never_read().await;
    mallory.join(&mut scene.user).await;
    scene
        .friend
        .see("the third", |view| view.is_member(mallory.own))
        .await;
    scene.assert_usable().await;
    let long = "all work and no play ".repeat(700);
    scene.user.say(&long).await;
    scene.assert_usable().await;
    never.abort();
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_who_floods_the_chat_is_slowed_to_what_can_be_borne() {
    let mut scene = Scene::new().await;
    let (mallory, to, port) = (Attacker::new(), scene.user.address(), scene.port());
    mallory.join(&mut scene.user).await;
    let began = Instant::now();
    let flood = mallory.flood(to, port, &text("mallory", "spam"), 100);
    while flood.sent() < 5000 {
        scene.assert_usable().await;
    }
    let lasted = began.elapsed();
    drop(flood);
    scene
        .see_dropped(DropKind::Connection, DropReason::TooMuch, 1000)
        .await;
    let spam = scene.user.view.open().lines.iter().filter(
        |line| matches!(line, p2pchat_model::Line::Message(message) if message.text == "spam"),
    );
    // A burst of 200, and 20 a second.
    let bound = 200.0 + 20.0 * (lasted + began.elapsed()).as_secs_f64();
    assert!(
        (spam.clone().count() as f64) < bound,
        "{} of {bound}",
        spam.count()
    );

    // The user blocks the attacker.
    let who = Target::Address(mallory.own);
    scene.user.send(Command::Block { who }).await;
    scene
        .user
        .see("the attacker gone", |view| !view.is_member(mallory.own))
        .await;
    mallory.send(to, port, &text("mallory", "spam")).await;
    scene
        .see_dropped(DropKind::Text, DropReason::Blocked, 1)
        .await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn made_up_members_are_few_and_hold_up_nobody() {
    let mut scene = Scene::new().await;
    let (mallory, to) = (Attacker::new(), scene.user.address());
    mallory.join(&mut scene.user).await;
    for some in made_up(2000).chunks(200) {
        let contact = Contact::Notify {
            newcomer: some[0],
            members: some.iter().copied().collect(),
        };
        mallory.contact(to, &contact).await;
        scene.assert_usable().await;
    }
    scene
        .see_dropped(DropKind::Newcomer, DropReason::TooMuch, 1000)
        .await;
    assert!(scene.user.view.open().members.len() <= 2 + 64);
    assert!(
        scene.user.view.open().lines.len() < 400,
        "{}",
        scene.user.view.open().lines.len()
    );
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_survive_a_restart_and_a_broken_list_stops_the_start() {
    let registry = Registry::start().await;
    let file = registry.folder.path().join("blocks.sqlite3");
    let options = || Options {
        blocks: Some(file.clone()),
        ..registry.options()
    };
    let (account, password) = (name("ann"), Passphrase::new("secret").unwrap());
    let mut ann = User::start(options()).await;
    ann.send(Command::register(account, password.clone())).await;
    ann.see("the session", |view| view.account.is_some()).await;
    let who = Target::Name(name("mallory"));
    ann.send(Command::Block { who }).await;
    ann.see("the block", |view| view.blocked == [who]).await;
    ann.stop().await;

    let mut ann = User::start(options()).await;
    ann.send(Command::login(account, password)).await;
    ann.see("the block", |view| view.blocked == [who]).await;
    let mallory = Attacker { own: own_address() };
    let request = Contact::Request {
        from: name("mallory"),
        members: [].into_iter().collect(),
    };
    mallory.contact(ann.address(), &request).await;
    ann.see("the count", |view| {
        dropped(view, DropKind::Request, DropReason::Blocked) == 1
    })
    .await;
    assert_eq!(ann.view.incoming, None);
    ann.stop().await;

    std::fs::write(&file, "scrambled ".repeat(1000)).unwrap();
    let error = Peer::start(options(), None).await.unwrap_err();
    assert!(matches!(error, StartError::Blocks { .. }), "{error}");
    assert!(error.to_string().contains("blocks.sqlite3"), "{error}");
    assert!(std::fs::read(&file).unwrap().starts_with(b"scrambled"));
}
