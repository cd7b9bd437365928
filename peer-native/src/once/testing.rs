//! What the tests of several subcommands share.

use p2pchat_model::{
    Call, Chat, ChatKind, ConversationId, Event, Failure, Fingerprint, Member, MessageId, Named,
    OnlineUser, Post, PostState, Problem, Receipt, Security, Timestamp, Update, User, View,
};

use super::job::{Job, Step};

/// The conversation with bob.
pub(super) fn with_bob() -> ConversationId {
    ConversationId::encrypted(&[0xb0; 32])
}

pub(super) fn named(who: &str) -> Named {
    let digit = who.chars().next().unwrap().to_string();
    Named {
        key: digit
            .repeat(64)
            .parse()
            .unwrap_or_else(|_| "0".repeat(64).parse().unwrap()),
        name: who.parse().ok(),
        you: who == "alice",
    }
}

pub(super) fn user(name: &str, last: u8) -> User {
    let name = name.parse().unwrap();
    let address = format!("127.0.0.{last}").parse().unwrap();
    OnlineUser { name, address }.into()
}

pub(super) fn chat(conversation: ConversationId, name: &str, members: &[&str]) -> Event {
    let kind = if name.is_empty() {
        ChatKind::Direct
    } else {
        ChatKind::Group
    };
    let members = members.iter().map(|who| Member {
        who: named(who),
        asked: false,
        declined: false,
        owner: false,
        trust: None,
        typing: false,
        read: None,
    });
    let chat = Box::new(Chat {
        name: name.parse().unwrap(),
        members: members.collect(),
        ..Chat::new(kind)
    });
    Event::Chat { conversation, chat }
}

pub(super) fn id(clock: u64) -> MessageId {
    MessageId::of_entry(clock, 7, 1)
}

/// A message of alice, for these people, and whether they have it.
pub(super) fn own(clock: u64, receipts: &[(&str, bool)]) -> Post {
    let receipts = receipts.iter().map(|(to, delivered)| Receipt {
        to: named(to),
        delivered: *delivered,
    });
    Post {
        conversation: with_bob(),
        id: id(clock),
        at: Timestamp(clock),
        came: None,
        from: named("alice"),
        state: PostState::Shown,
        text: "hi".to_owned(),
        edited: None,
        reply: None,
        reactions: Vec::new(),
        receipts: Some(receipts.collect()),
    }
}

/// A view of alice, whose line to the registry is encrypted and who sees bob.
pub(super) fn view(events: impl IntoIterator<Item = Event>) -> View {
    let fingerprint: Fingerprint = "ALGW-5BBC-YQD7-W3IJ-Q2IP-CEYL-PU".parse().unwrap();
    let mut view = View::default();
    view.apply(&Event::Security(Security::Encrypted { fingerprint }));
    view.apply(&Event::LoggedIn {
        at: Timestamp(0),
        name: "alice".parse().unwrap(),
    });
    view.apply(&Event::Online {
        users: vec![user("alice", 1), user("bob", 2)],
    });
    events.into_iter().for_each(|event| view.apply(&event));
    view
}

/// A job, and the view that goes with it.
pub(super) struct Run<J> {
    pub(super) job: J,
    pub(super) view: View,
}

impl<J: Job> Run<J> {
    pub(super) fn new(job: J, view: View) -> Self {
        Self { job, view }
    }

    /// Starts, and expects a call.
    #[track_caller]
    pub(super) fn first_call(&mut self) -> Call {
        call(self.job.start(&self.view))
    }

    /// What follows from an event that is no answer.
    pub(super) fn event(&mut self, event: Event) -> Step {
        self.update(None, event)
    }

    pub(super) fn answer(&mut self, to: &Call, event: Event) -> Step {
        self.update(Some(to), event)
    }

    pub(super) fn fail(&mut self, call: &Call, code: Problem) -> Step {
        let failure = Failure::new(Timestamp(0), call.command.name(), code);
        self.answer(call, Event::Failed(failure))
    }

    fn update(&mut self, re: Option<&Call>, event: Event) -> Step {
        self.view.apply(&event);
        let mut update = Update::from(event);
        update.re = re.and_then(|call| call.id.clone());
        self.job.on_update(&update, &self.view)
    }
}

#[track_caller]
pub(super) fn call(step: Step) -> Call {
    match step {
        Step::Call(call) => call,
        other => panic!("{other:?}"),
    }
}
