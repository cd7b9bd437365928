//! Peers that keep no rule: what they can take is bounded, and others' messages still arrive.

use std::time::{Duration, Instant};

use p2pchat_conversation::sync::{Frame, Have, Heads, Short, Want, What};
use p2pchat_peer::conversations::{Event, SessionError};
use p2pchat_protocol::v2::conversation::ConversationId;
use p2pchat_protocol::v2::frame::FrameDecoder;
use p2pchat_protocol::v2::peer::{ALPN, Bye, Hello, MAX_FIRST, MAX_TO_PEER, ToPeer};
use p2pchat_protocol::v2::{Certificate, Signature};
use p2pchat_secure::{Connector, Expected, HandshakeError, Identity, Secured, sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::world::{Device, LONG, group};

/// What a message of an honest member may take during an attack. Without one it takes some
/// milliseconds; the machine that runs this may have much else to do.
const PROMPT: Duration = Duration::from_secs(5);

/// An end of a connection whose other end is a node.
struct Attacker {
    stream: Secured<TcpStream>,
    decoder: FrameDecoder,
}

impl Attacker {
    /// With an encrypted connection, before the hello.
    async fn connect(identity: &Identity, to: &Device) -> Self {
        let stream = TcpStream::connect(to.address).await.unwrap();
        let connector = Connector::new(identity.device(), ALPN);
        let expected = Expected::Key(to.identity.device().public());
        Self {
            stream: connector.connect(stream, expected).await.unwrap(),
            decoder: FrameDecoder::default(),
        }
    }

    /// With a session.
    async fn meet(identity: &Identity, to: &Device) -> Self {
        let mut attacker = Self::connect(identity, to).await;
        attacker.hello(identity.certificate()).await;
        let first = attacker.next().await;
        assert!(matches!(first, Some(ToPeer::Hello(_))), "{first:?}");
        attacker
    }

    async fn hello(&mut self, certificate: Certificate) {
        let time = 1_000;
        self.send(&ToPeer::Hello(Hello { certificate, time })).await;
    }

    async fn send(&mut self, frame: &ToPeer) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        self.write(&bytes).await;
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// The next frame. `None` if there is none any more.
    async fn next(&mut self) -> Option<ToPeer> {
        let next = async {
            loop {
                let mut byte = [0];
                if self.stream.read(&mut byte).await.ok()? == 0 {
                    return None;
                }
                let mut bytes = &byte[..];
                let frame = self.decoder.next(&mut bytes, MAX_TO_PEER).unwrap();
                if let Some(frame) = frame {
                    return ToPeer::decode(&frame, sha256)
                        .unwrap()
                        .map(|(read, _)| read);
                }
            }
        };
        timeout(LONG, next).await.expect("a frame or the end")
    }

    /// What it is told last.
    async fn last(mut self) -> Option<ToPeer> {
        let mut last = None;
        while let Some(frame) = self.next().await {
            last = Some(frame);
        }
        last
    }
}

/// Two honest members of a group, who are connected.
struct Scene {
    ann: Device,
    bob: Device,
    group: ConversationId,
    said: usize,
}

impl Scene {
    async fn new() -> Self {
        let (ann, bob) = (Device::new().await, Device::new().await);
        let group = group(&[&ann, &bob]).await;
        let said = 0;
        Self {
            ann,
            bob,
            group,
            said,
        }
    }

    /// What one of them says arrives at the other.
    async fn talk(&mut self) {
        self.said += 1;
        let text = format!("message {}", self.said);
        let begun = Instant::now();
        self.bob.say(self.group, &text).await;
        let group = self.group;
        self.ann
            .until("the message", move |view| {
                crate::world::texts(view, &group).contains(&text)
            })
            .await;
        let took = begun.elapsed();
        assert!(took < PROMPT, "a message took {took:?}");
    }
}

/// A member of the group whose program keeps no rule.
async fn traitor(scene: &Scene) -> Identity {
    let mut device = Device::new().await;
    let person = device.person();
    let deed = p2pchat_conversation::replica::Deed::Add {
        person,
        sees_all: true,
    };
    let id = scene.group;
    scene.ann.handle().act(id, deed).await.unwrap();
    device.dial(&scene.ann).await;
    device
        .until("the request", move |view| view.sync.get(&id).is_some())
        .await;
    device.handle().accept(id).await.unwrap();
    scene
        .ann
        .until("the join", move |view| {
            let replica = view.sync.get(&id).unwrap();
            replica.membership().members.contains_key(&person)
        })
        .await;
    device.stop().await;
    device.identity
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_with_another_key_is_not_spoken_to() {
    let (ann, bob) = (Device::new().await, Device::new().await);
    let expected = Identity::ephemeral().certificate().device;
    let dialled = ann.handle().dial(bob.address, expected).await.unwrap();
    let Err(SessionError::Handshake(HandshakeError::OtherKey(key))) = dialled else {
        panic!("{dialled:?}");
    };
    assert_eq!(key, bob.device().0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_with_the_certificate_of_another_device_ends_the_connection() {
    let mut scene = Scene::new().await;
    let liar = Identity::ephemeral();
    let forged = Certificate {
        signature: Signature([7; 64]),
        ..liar.certificate()
    };
    for certificate in [scene.bob.identity.certificate(), forged] {
        let mut attacker = Attacker::connect(&liar, &scene.ann).await;
        attacker.hello(certificate).await;
        let last = attacker.last().await;
        assert_eq!(last, Some(ToPeer::Bye(Bye::Malformed)));
    }
    scene.talk().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_long_or_no_frame_ends_the_session() {
    let mut scene = Scene::new().await;
    let liar = Identity::ephemeral();
    let head = |length: usize, kind: u8| {
        let mut head = u32::try_from(length).unwrap().to_be_bytes().to_vec();
        head.push(kind);
        head
    };
    let mut attacker = Attacker::connect(&liar, &scene.ann).await;
    attacker.write(&head(MAX_FIRST + 1, 1)).await;
    assert_eq!(attacker.last().await, Some(ToPeer::Bye(Bye::Malformed)));

    let malformed = [head(1, 24), vec![0xff]].concat();
    let unknown = head(0, 99);
    for bytes in [head(MAX_TO_PEER + 1, 17), malformed, unknown] {
        let mut attacker = Attacker::meet(&liar, &scene.ann).await;
        attacker.write(&bytes).await;
        assert_eq!(attacker.last().await, Some(ToPeer::Bye(Bye::Malformed)));
    }
    // What is not even TLS.
    let mut stream = TcpStream::connect(scene.ann.address).await.unwrap();
    stream.write_all(&[7; 4096]).await.unwrap();
    let mut answer = Vec::new();
    let closed = timeout(LONG, stream.read_to_end(&mut answer)).await;
    // A reset or an end, and at most an alert before it.
    let _ = closed.expect("the connection is closed");
    assert!(answer.len() < 64, "{answer:?}");
    scene.talk().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_silent_do_not_keep_others_out_and_are_closed() {
    let mut scene = Scene::new().await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(scene.ann.address).await.unwrap());
    }
    // Encrypted, and then silent.
    let liar = Identity::ephemeral();
    let mute = Attacker::connect(&liar, &scene.ann).await;
    let cid = Device::new().await;
    cid.dial(&scene.ann).await;
    scene.talk().await;
    for mut stream in silent {
        let closed = timeout(LONG, stream.read_to_end(&mut Vec::new())).await;
        let _ = closed.expect("it is closed");
    }
    assert!(matches!(mute.last().await, Some(ToPeer::Hello(_)) | None));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_its_writer_did_not_sign_ends_the_session_and_is_not_kept() {
    let mut scene = Scene::new().await;
    let traitor = traitor(&scene).await;
    scene.talk().await;
    let id = scene.group;
    // What Bob said next, if Bob had.
    let bob = scene.bob.person();
    let forged = scene.bob.handle().read(move |view| {
        let replica = view.sync.get(&id).unwrap();
        let mut logs = replica.membership().logs.iter();
        let (join, _) = logs.find(|(_, log)| log.person == bob).unwrap();
        let range = 0..1;
        let mut entries = view.store.entries(&id, join, &range).unwrap();
        let mut entry = entries.remove(0);
        entry.header.position = 1;
        entry.header.previous = entry.id;
        entry.header.clock = entry.header.clock.next(entry.header.clock).unwrap();
        entry.id = entry.header.id(sha256);
        (*join, entry)
    });
    let (join, entry) = forged.await.unwrap();
    let mut attacker = Attacker::meet(&traitor, &scene.ann).await;
    let stretch = vec![entry.clone()];
    let what = What::Talk { join, stretch };
    let conversation = id;
    attacker
        .send(&ToPeer::About(Frame { conversation, what }))
        .await;
    assert_eq!(attacker.last().await, Some(ToPeer::Bye(Bye::Malformed)));
    let kept = scene
        .ann
        .handle()
        .read(move |view| view.store.entry(&id, &entry.id).unwrap());
    assert_eq!(kept.await.unwrap(), None);
    scene.talk().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_conversations_that_are_unknown_cost_a_few_questions() {
    let mut scene = Scene::new().await;
    let liar = Identity::ephemeral();
    let mut attacker = Attacker::meet(&liar, &scene.ann).await;
    for number in 0..10_000_u64 {
        let mut conversation = [0; 32];
        conversation[..8].copy_from_slice(&number.to_be_bytes());
        let what = What::Have(Have {
            people: None,
            roster: Short([1; 16]),
            heads: Heads::Digest(Short([2; 16])),
            asks: true,
        });
        let conversation = ConversationId(conversation);
        attacker
            .send(&ToPeer::About(Frame { conversation, what }))
            .await;
        if number % 2_500 == 0 {
            scene.talk().await;
        }
    }
    // All before it was dealt with when this is.
    attacker.send(&ToPeer::Ping).await;
    let mut questions = 0;
    loop {
        match attacker.next().await.unwrap() {
            ToPeer::About(Frame { what, .. }) => {
                assert_eq!(what, What::Want(Want::Roster(Vec::new())));
                questions += 1;
            }
            ToPeer::Pong => break,
            other => panic!("{other:?}"),
        }
    }
    // One after the other, and the next one after a while: none is answered.
    assert!((1..10).contains(&questions), "{questions}");
    let known = scene
        .ann
        .handle()
        .read(|view| view.sync.conversations().count());
    assert_eq!(known.await.unwrap(), 1);
    scene.talk().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_asks_and_does_not_read_delays_nobody() {
    let mut scene = Scene::new().await;
    let traitor = traitor(&scene).await;
    let text = "x".repeat(30_000);
    for _ in 0..4 {
        scene.bob.say(scene.group, &text).await;
    }
    scene.talk().await;
    let mut attacker = Attacker::meet(&traitor, &scene.ann).await;
    let conversation = scene.group;
    let what = What::Want(Want::Newest);
    let want = ToPeer::About(Frame { conversation, what });
    let mut bytes = Vec::new();
    for _ in 0..1_000 {
        want.encode(&mut bytes);
    }
    // Until it is not read from any more: what the system holds for both is far less than this.
    let mut asked = 0;
    while asked < 10_000_000
        && let Ok(written) = timeout(Duration::from_secs(1), attacker.stream.write(&bytes)).await
    {
        asked += written.unwrap();
        scene.talk().await;
    }
    assert!(asked < 10_000_000, "it was read from all the time");
    for _ in 0..10 {
        scene.talk().await;
    }
}

/// A device that was started again waits for what members hold of its log; there is nothing to wait
/// for where the log has just begun.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_says_nothing_does_not_delay_the_first_message_of_a_log() {
    let mut scene = Scene::new().await;
    let traitor = traitor(&scene).await;
    let _silent = Attacker::meet(&traitor, &scene.bob).await;
    scene.talk().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_of_long_ago_is_gone_by_only_if_no_member_has_another() {
    let scene = Scene::new().await;
    let traitor = traitor(&scene).await;
    let corrected = |event: &Event| matches!(event, Event::ClockCorrected(_));
    let mut events = scene.ann.handle().events();
    // The hello tells of a second after 1970.
    let attacker = Attacker::meet(&traitor, &scene.ann).await;
    let stranger = Attacker::meet(&Identity::ephemeral(), &scene.ann).await;
    let is_of_stranger = |event: &Event| {
        assert!(!corrected(event), "Bob's clock is right");
        matches!(event, Event::Connected(person, _) if *person != traitor.person())
    };
    Device::until_event(&mut events, "the stranger", is_of_stranger).await;
    let mut bob = scene.bob;
    bob.stop().await;
    Device::until_event(&mut events, "the correction", corrected).await;
    drop(attacker);
    Device::until_event(&mut events, "the end of it", |event| {
        *event == Event::ClockCorrected(false)
    })
    .await;
    drop(stranger);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_have_a_few_places_and_take_none_of_a_member() {
    let mut scene = Scene::new().await;
    let mut strangers = Vec::new();
    for _ in 0..20 {
        strangers.push(Attacker::meet(&Identity::ephemeral(), &scene.ann).await);
    }
    for stranger in strangers.drain(..4) {
        assert_eq!(stranger.last().await, Some(ToPeer::Bye(Bye::TooMany)));
    }
    for mut stranger in strangers {
        stranger.send(&ToPeer::Ping).await;
        assert_eq!(stranger.next().await, Some(ToPeer::Pong));
    }
    scene.talk().await;
}
