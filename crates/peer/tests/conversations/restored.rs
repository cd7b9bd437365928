//! What was acknowledged is there after the end of a program, once.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use data_encoding::HEXLOWER;
use p2pchat_peer::conversations::{Event, Node, Options, View};
use p2pchat_protocol::v2::conversation::ConversationId;
use p2pchat_protocol::v2::conversation::talk::Talk;
use p2pchat_protocol::v2::{DeviceKey, PublicKey};
use p2pchat_secure::Identity;

use crate::world::{Device, file, group, texts};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_or_there_twice_after_a_kill() {
    let (mut ann, bob) = (Device::new().await, Device::new().await);
    let id = group(&[&ann, &bob]).await;
    let mut said = Vec::new();
    for round in 0..4 {
        let handle = ann.handle().clone();
        let (tell, mut acknowledged) = tokio::sync::mpsc::unbounded_channel();
        let writer = tokio::spawn(async move {
            for number in 0.. {
                let text = format!("{round}.{number}");
                let talk = Talk::Message { text: text.clone() };
                if handle.say(id, talk).await.is_err() {
                    return;
                }
                tell.send(text).unwrap();
            }
        });
        for _ in 0..=(7 * round) {
            said.push(acknowledged.recv().await.unwrap());
        }
        ann.kill();
        writer.await.unwrap();
        while let Ok(text) = acknowledged.try_recv() {
            said.push(text);
        }
        ann.start(false).await;
        ann.dial(&bob).await;
    }
    agree([&ann, &bob], id, said).await;
}

/// Both hold all that was acknowledged, nothing of it twice, and no log has ended.
async fn agree(devices: [&Device; 2], id: ConversationId, mut said: Vec<String>) {
    devices[0].say(id, "the end").await;
    said.push("the end".to_owned());
    for device in devices {
        let said = said.clone();
        let is_whole = move |view: &View<'_>| {
            let there = texts(view, &id);
            let set: BTreeSet<_> = there.iter().collect();
            set.len() == there.len() && said.iter().all(|text| set.contains(text))
        };
        let what = "all that was acknowledged, once";
        device.until(what, is_whole).await;
        assert_eq!(ended_logs(device).await, 0);
    }
    // What was written and not acknowledged may come later than what was said after it.
    let written = devices[0].texts(id).await;
    let is_same = move |view: &View<'_>| texts(view, &id) == written;
    devices[1].until("the same", is_same).await;
}

/// What the child is told: the folder, the group, and which device to dial.
const CHILD: &str = "P2PCHAT_TEST_NODE";

/// The child: says something as fast as it can, and prints what was acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_is_killed() {
    let Ok(told) = std::env::var(CHILD) else {
        return;
    };
    let told: Vec<_> = told.split('|').collect();
    let [folder, group, address, key] = told[..] else {
        panic!("{told:?}");
    };
    let hex = |text: &str| HEXLOWER.decode(text.as_bytes()).unwrap();
    let folder = Path::new(folder);
    let options = Options {
        identity: Identity::open(folder).unwrap(),
        store: Some(file(folder)),
        is_copy: false,
        listener: None,
    };
    let node = Node::start(options).await.unwrap();
    let key = DeviceKey(PublicKey(hex(key).try_into().unwrap()));
    let dialled = node.handle().dial(address.parse().unwrap(), key).await;
    dialled.unwrap().unwrap();
    let group = ConversationId(hex(group).try_into().unwrap());
    for number in 0.. {
        let text = format!("number {}.{number}", std::process::id());
        let talk = Talk::Message { text: text.clone() };
        node.handle().say(group, talk).await.unwrap();
        println!("acknowledged:{text}");
    }
}

/// Ends a process when the test does.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let (mut ann, bob) = (Device::new().await, Device::new().await);
    let id = group(&[&ann, &bob]).await;
    ann.stop().await;
    let told = [
        ann.folder.path().to_str().unwrap().to_owned(),
        HEXLOWER.encode(&id.0),
        bob.address.to_string(),
        HEXLOWER.encode(&bob.device().0.0),
    ];
    let mut said = Vec::new();
    for count in [1, 10, 50] {
        let child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "--nocapture",
                "restored::a_writer_that_is_killed",
            ])
            .env(CHILD, told.join("|"))
            .stdout(Stdio::piped())
            .spawn();
        let mut child = Ended(child.unwrap());
        let lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
        let lines = lines.map_while(Result::ok);
        let texts = lines.filter_map(|line| Some(line.split_once("acknowledged:")?.1.to_owned()));
        let before = said.len();
        said.extend(texts.take(count));
        assert_eq!(said.len(), before + count);
    }
    ann.start(false).await;
    ann.dial(&bob).await;
    agree([&ann, &bob], id, said).await;
}

/// Two in a group. The first has said "one" and "two", and then their folder was put back to before
/// "two": nothing there tells of that.
async fn put_back() -> (Device, Device, ConversationId) {
    let (mut ann, bob) = (Device::new().await, Device::new().await);
    let id = group(&[&ann, &bob]).await;
    ann.say(id, "one").await;
    ann.stop().await;
    let copy = ann.folder.path().join("copy");
    fs::copy(ann.file(), &copy).unwrap();
    ann.start(false).await;
    ann.dial(&bob).await;
    let last = ann.say(id, "two").await;
    ann.until_delivered(id, last).await;
    ann.stop().await;

    fs::copy(&copy, ann.file()).unwrap();
    ann.start(false).await;
    (ann, bob, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_entry_after_a_start_waits_for_what_others_hold_of_ones_own_log() {
    let (ann, bob, id) = put_back().await;
    ann.dial(&bob).await;
    ann.say(id, "three").await;
    for device in [&ann, &bob] {
        device.until_texts(id, &["one", "two", "three"]).await;
        assert_eq!(ended_logs(device).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_entry_after_a_start_waits_for_someone_to_connect() {
    let (ann, bob, id) = put_back().await;
    // It is asked for before anybody is dialled.
    tokio::join!(ann.say(id, "three"), ann.dial(&bob));
    for device in [&ann, &bob] {
        device.until_texts(id, &["one", "two", "three"]).await;
        assert_eq!(ended_logs(device).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_be_written_is_waited_for() {
    let (ann, bob) = (Device::new().await, Device::new().await);
    let id = group(&[&ann, &bob]).await;
    let mut events = ann.handle().events();
    let other = rusqlite::Connection::open(ann.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let handle = ann.handle().clone();
    let text = "in the end".to_owned();
    let said = tokio::spawn(async move { handle.say(id, Talk::Message { text }).await });
    Device::until_event(&mut events, "the bad news", |event| {
        matches!(event, Event::Broken(Some(_)))
    })
    .await;
    assert!(!said.is_finished());
    assert_eq!(bob.texts(id).await, [""; 0]);
    other.execute_batch("COMMIT").unwrap();
    said.await.unwrap().unwrap();
    Device::until_event(&mut events, "the good news", |event| {
        *event == Event::Broken(None)
    })
    .await;
    bob.until_texts(id, &["in the end"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_was_put_back_writes_on_in_a_new_log() {
    let (mut ann, bob) = (Device::new().await, Device::new().await);
    let id = group(&[&ann, &bob]).await;
    ann.say(id, "one").await;
    ann.stop().await;
    let copy = ann.folder.path().join("copy");
    fs::copy(ann.file(), &copy).unwrap();
    ann.start(false).await;
    ann.dial(&bob).await;
    ann.say(id, "two").await;
    let last = ann.say(id, "three").await;
    ann.until_delivered(id, last).await;
    ann.stop().await;

    fs::copy(&copy, ann.file()).unwrap();
    ann.start(true).await;
    assert_eq!(ann.texts(id).await, ["one"]);
    // Before it has heard of the others.
    ann.say(id, "four").await;
    ann.dial(&bob).await;
    for device in [&ann, &bob] {
        device
            .until_texts(id, &["one", "two", "three", "four"])
            .await;
    }
    assert_eq!(ended_logs(&bob).await, 0);
}

/// How many logs are known to end: none is, as long as no position is used twice.
async fn ended_logs(device: &Device) -> usize {
    let ended = device.handle().read(|view| {
        let replicas = view.sync.conversations();
        let logs = replicas.flat_map(|replica| {
            let joins = replica.membership().logs.keys();
            joins.filter_map(|join| replica.log(join)?.end())
        });
        logs.count()
    });
    ended.await.unwrap()
}
