//! The events of the node: what is to be looked at, and what is told at once.

use p2pchat_model::{DatedChange, Event, MessageId, Named, Notice};
use p2pchat_protocol::v2::conversation::{ConversationId as Id, EntryId};
use p2pchat_protocol::v2::peer::Ephemeral;
use p2pchat_protocol::v2::{DeviceKey, PersonKey};
use tokio::time::Instant;

use super::batch::About;
use super::look;
use super::shown::conversation_id;
use super::task::{Errand, Task};
use crate::conversations::{self as node, Mark, Store, View};
use crate::machine::FromChats;
use crate::shell::clock::wall;

impl Task {
    pub(super) async fn note(&mut self, event: node::Event) {
        use node::Event as From;
        let about = match event {
            From::Opened(id) | From::Requested(id) | From::Membership(id) => {
                (id, About::membership())
            }
            From::Entries {
                conversation,
                person,
                entries,
            } => {
                let mut about = entries_of(Some(person), entries);
                // What the user writes changes nothing of what is unread, which takes long to count
                // where there is a lot.
                about.chat = person != self.me;
                (conversation, about)
            }
            From::Delivered {
                conversation,
                join,
                range,
                ..
            } => {
                let mut about = About::default();
                about.delivered.push((join, range));
                (conversation, about)
            }
            From::LogEnded {
                conversation,
                join,
                lost,
            } => {
                let mut about = About::chat();
                about.ended.push(join);
                about.lost = lost;
                (conversation, about)
            }
            From::Ephemeral {
                conversation,
                person,
                what,
            } => return self.live(conversation, person, what).await,
            From::Connected(person, device) => return self.connected(person, device).await,
            From::Disconnected(_, device) => {
                self.connected.remove(&device);
                return self.send(FromChats::Disconnected { device }).await;
            }
            From::ClockCorrected(true) => return self.notice(Notice::ClockWrong).await,
            From::ClockCorrected(false) => return,
            From::Broken(Some(_)) => return self.notice(Notice::ChatsBroken).await,
            From::Broken(None) => return self.notice(Notice::ChatsMended).await,
        };
        self.batch.add(about.0, about.1);
    }

    async fn connected(&mut self, person: PersonKey, device: DeviceKey) {
        self.connected.insert(device, person);
        self.send(FromChats::Connected { device }).await;
        let handle = self.handle.clone();
        self.errands.spawn(async move {
            let marks = handle.read(move |view: &View<'_>| look::read_marks(view, &person));
            if let Ok(marks) = marks.await {
                let marks = marks.into_iter();
                let marks = marks.map(|(id, place)| (id, Ephemeral::Read(place)));
                let _ = handle.tell_person(person, marks.collect()).await;
            }
            Errand::Done
        });
    }

    /// What a member does at this moment, or the user at another device.
    async fn live(&mut self, id: Id, person: PersonKey, what: Ephemeral) {
        match what {
            Ephemeral::Typing if person == self.me => {}
            Ephemeral::Typing => {
                if self.live.types(id, person, Instant::now()) {
                    self.tell_typing(id, person, true).await;
                }
            }
            Ephemeral::Read(place) if person == self.me => {
                let handle = self.handle.clone();
                self.errands.spawn(async move {
                    let _ = handle.mark(id, Mark::Read(place)).await;
                    let about = About {
                        read: true,
                        ..About::chat()
                    };
                    Errand::Changed(id, about)
                });
            }
            Ephemeral::Read(place) => {
                let message = Store::id_of(&place);
                self.live.has_read(id, person, message, Instant::now());
            }
        }
    }

    /// Tells what has changed by the time alone.
    pub(super) async fn tell_live(&mut self) {
        let now = Instant::now();
        for (id, person) in self.live.expire(now) {
            self.tell_typing(id, person, false).await;
        }
        self.keep_marks(now);
        for (id, change) in self.invited.due(now) {
            let at = wall();
            self.changed(id, DatedChange { at, change }).await;
        }
        if self.look_again.is_some_and(|at| at <= now) {
            self.look_again = None;
            for (id, entries) in std::mem::take(&mut self.ahead) {
                let entries = entries.into_iter().collect();
                self.batch.add(id, entries_of(None, entries));
            }
        }
    }

    /// Keeps how far others have read, and then tells it.
    fn keep_marks(&mut self, now: Instant) {
        let marks = self.live.marks(now);
        if marks.is_empty() {
            return;
        }
        let handle = self.handle.clone();
        self.errands.spawn(async move {
            let kept = marks.iter().map(|(id, person, message)| {
                (*id, Mark::ReadBy(*person, Store::place_of(*message)))
            });
            if let Err(error) = handle.mark_all(kept).await {
                tracing::debug!(%error, "it is not kept how far others have read");
            }
            Errand::ReadBy(marks)
        });
    }

    pub(super) async fn tell_marks(&self, marks: Vec<(Id, PersonKey, MessageId)>) {
        for (id, person, message) in marks {
            self.event(Event::ReadBy {
                conversation: conversation_id(&id),
                who: self.named(person),
                message,
            })
            .await;
        }
    }

    pub(super) async fn tell_typing(&self, id: Id, person: PersonKey, on: bool) {
        self.event(Event::Typing {
            conversation: conversation_id(&id),
            who: self.named(person),
            on,
        })
        .await;
    }

    fn named(&self, key: PersonKey) -> Named {
        Named {
            key,
            name: None,
            you: key == self.me,
        }
    }
}

fn entries_of(by: Option<PersonKey>, entries: Vec<EntryId>) -> About {
    About {
        entries: entries.into_iter().map(|entry| (by, entry)).collect(),
        ..About::chat()
    }
}
