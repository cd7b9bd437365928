//! Devices of different people, and what they are waited for.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use p2pchat_conversation::message::Text;
use p2pchat_conversation::replica::{Deed, Role};
use p2pchat_peer::conversations::{Event, Handle, Node, Options, View};
use p2pchat_protocol::v2::conversation::talk::Talk;
use p2pchat_protocol::v2::conversation::{ConversationId, EntryId};
use p2pchat_protocol::v2::{DeviceKey, PersonKey};
use p2pchat_secure::Identity;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::timeout;

/// Far more than anything takes: a test that waits that long has failed.
pub(crate) const LONG: Duration = Duration::from_secs(40);

/// The store in the folder of a device.
pub(crate) fn file(folder: &Path) -> PathBuf {
    folder.join("conversations.sqlite")
}

pub(crate) struct Device {
    pub(crate) identity: Identity,
    pub(crate) folder: TempDir,
    node: Option<Node>,
    pub(crate) address: SocketAddr,
}

impl Device {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut device = Self {
            identity: Identity::open(folder.path()).unwrap(),
            folder,
            node: None,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        device.start(false).await;
        device
    }

    pub(crate) fn file(&self) -> PathBuf {
        file(self.folder.path())
    }

    pub(crate) async fn start(&mut self, is_copy: bool) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.address = listener.local_addr().unwrap();
        let options = Options {
            identity: self.identity.clone(),
            store: Some(self.file()),
            is_copy,
            listener: Some(listener),
        };
        self.node = Some(Node::start(options).await.unwrap());
    }

    pub(crate) async fn stop(&mut self) {
        self.node.take().unwrap().stop().await;
    }

    /// Ends it without a goodbye, whatever it is doing.
    pub(crate) fn kill(&mut self) {
        drop(self.node.take().unwrap());
    }

    pub(crate) fn handle(&self) -> &Handle {
        self.node.as_ref().unwrap().handle()
    }

    pub(crate) fn person(&self) -> PersonKey {
        self.identity.person()
    }

    pub(crate) fn device(&self) -> DeviceKey {
        self.identity.certificate().device
    }

    pub(crate) async fn dial(&self, other: &Self) {
        let dialled = self.handle().dial(other.address, other.device()).await;
        dialled.unwrap().unwrap();
    }

    pub(crate) async fn say(&self, id: ConversationId, text: &str) -> EntryId {
        let text = text.to_owned();
        let said = self.handle().say(id, Talk::Message { text }).await;
        said.unwrap()
    }

    /// Waits until something holds, which is looked at again whenever something happens.
    pub(crate) async fn until(
        &self,
        what: &str,
        check: impl Fn(&View<'_>) -> bool + Clone + Send + 'static,
    ) {
        let mut events = self.handle().events();
        let holds = async {
            while !self.handle().read(check.clone()).await.unwrap() {
                // Events that were missed are as good.
                let _ = events.recv().await;
            }
        };
        let is_in_time = timeout(LONG, holds).await.is_ok();
        assert!(is_in_time, "waited too long for: {what}");
    }

    pub(crate) async fn texts(&self, id: ConversationId) -> Vec<String> {
        self.handle()
            .read(move |view| texts(view, &id))
            .await
            .unwrap()
    }

    pub(crate) async fn until_texts(&self, id: ConversationId, expected: &[&str]) {
        let expected: Vec<_> = expected.iter().map(|text| (*text).to_owned()).collect();
        let what = format!("{expected:?}");
        self.until(&what, move |view| texts(view, &id) == expected)
            .await;
    }

    pub(crate) async fn until_delivered(&self, id: ConversationId, entry: EntryId) {
        self.until("everybody to hold it", move |view| {
            waiting_for(view, &id, &entry).is_some_and(|waiting| waiting.is_empty())
        })
        .await;
    }

    /// Who is not known to hold an own entry.
    pub(crate) async fn waiting_for(&self, id: ConversationId, entry: EntryId) -> Vec<PersonKey> {
        let waiting = self
            .handle()
            .read(move |view| waiting_for(view, &id, &entry));
        waiting.await.unwrap().unwrap()
    }

    pub(crate) async fn until_event(
        events: &mut tokio::sync::broadcast::Receiver<Event>,
        what: &str,
        is_it: impl Fn(&Event) -> bool,
    ) {
        let came = async { while !is_it(&events.recv().await.unwrap()) {} };
        let is_in_time = timeout(LONG, came).await.is_ok();
        assert!(is_in_time, "waited too long for: {what}");
    }
}

pub(crate) fn texts(view: &View<'_>, id: &ConversationId) -> Vec<String> {
    let Some(visible) = view.visible(id) else {
        return Vec::new();
    };
    let posts = view.store.page(id, None, 10_000, &visible).unwrap().posts;
    let shown = posts.iter().map(|post| match post.message().unwrap().text {
        Text::Shown(text) => text.to_owned(),
        other => format!("{other:?}"),
    });
    shown.collect()
}

fn waiting_for(view: &View<'_>, id: &ConversationId, entry: &EntryId) -> Option<Vec<PersonKey>> {
    let replica = view.sync.get(id)?;
    let mut joins = replica.membership().logs.keys();
    let (join, position) = joins.find_map(|join| {
        let position = replica.log(join)?.find(entry)?;
        Some((*join, position))
    })?;
    Some(replica.waiting_for(&join, position))
}

/// A group of all of these, who are in and connected with the first.
pub(crate) async fn group(devices: &[&Device]) -> ConversationId {
    let (first, others) = devices.split_first().unwrap();
    let name = "friends".parse().unwrap();
    let id = first.handle().create_group(name).await.unwrap();
    for other in others {
        let person = other.person();
        let deed = Deed::Add {
            person,
            sees_all: true,
        };
        first.handle().act(id, deed).await.unwrap();
        other.dial(first).await;
        let is_asked = move |view: &View<'_>| {
            let replica = view.sync.get(&id);
            replica.is_some_and(|replica| matches!(replica.own_role(), Role::Invited(_)))
        };
        other.until("the request", is_asked).await;
        other.handle().accept(id).await.unwrap();
        let is_in = move |view: &View<'_>| {
            let replica = view.sync.get(&id).unwrap();
            replica.membership().members.contains_key(&person)
        };
        for device in devices.iter().filter(|it| it.person() != person) {
            if device
                .handle()
                .read(move |view| view.sync.get(&id).is_some())
                .await
                .unwrap()
            {
                device.until("the join", is_in).await;
            }
        }
    }
    id
}
