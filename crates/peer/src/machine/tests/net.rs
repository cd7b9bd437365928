//! Machines on a network where everything arrives at once, and a registry as small as can be.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use p2pchat_model::{
    Call, Command, ConversationId, Event, FrontEndId, LeaveReason, OnlineUser, Passphrase,
    PeerAddr, RequestFailure, Target, Timestamp, Username, View,
};
use p2pchat_protocol::{ChatAnswer, Contact, Message, Request, Response};

use super::super::{
    Acknowledgement, Asked, Asker, Config, ConnId, Input, Machine, Now, Output, SendId, ToJournal,
    Usage,
};
use super::calls::Said;

pub(super) const OPEN: ConversationId = ConversationId::OPEN;

pub(super) struct Net {
    now: Duration,
    machines: BTreeMap<PeerAddr, Machine>,
    /// Without [`Event::Done`].
    seen: BTreeMap<PeerAddr, Vec<Event>>,
    /// What answered the calls of each peer's front end.
    answers: BTreeMap<(PeerAddr, Asker), Vec<Event>>,
    calls: u64,
    set_back: Duration,
    hellos: BTreeMap<PeerAddr, usize>,
    accounts: BTreeMap<Username, p2pchat_protocol::Password>,
    pub(super) online: BTreeMap<Username, PeerAddr>,
    conns: BTreeMap<ConnId, (PeerAddr, SendId)>,
    late: VecDeque<(PeerAddr, PeerAddr, Contact)>,
    /// Requests that are held: the sender, its id, the receiver, and the packet.
    late_requests: VecDeque<(PeerAddr, SendId, PeerAddr, Contact)>,
    /// The receiver and the connection of each request that arrived.
    asked: BTreeMap<(PeerAddr, SendId), (PeerAddr, ConnId)>,
    pub(super) registry_is_up: bool,
    /// Whether it answers nothing.
    pub(super) registry_is_silent: bool,
    /// The calls that were kept with their messages.
    pub(super) said: Said,
    pub(super) hold_notifies: bool,
    pub(super) hold_requests: bool,
    pub(super) unreachable: BTreeSet<PeerAddr>,
    pub(super) notifies: usize,
    /// The peer that polled the online list, each time.
    lists: Vec<PeerAddr>,
    pub(super) last_answer: Option<ChatAnswer>,
}

pub(super) fn addr(last: u8) -> PeerAddr {
    format!("10.0.0.{last}").parse().unwrap()
}

pub(super) fn password() -> Passphrase {
    "secret".parse().unwrap()
}

fn user(last: u8) -> Username {
    format!("user{last}").parse().unwrap()
}

pub(super) fn members(net: &Net, at: u8) -> Vec<PeerAddr> {
    let mut view = View::default();
    net.events(at).iter().for_each(|event| view.apply(event));
    let mut members: Vec<PeerAddr> = view
        .open()
        .members
        .iter()
        .map(|member| member.address)
        .collect();
    members.sort();
    members
}

impl Net {
    /// `count` machines, each with a user logged in.
    pub(super) fn with_users(count: u8) -> Self {
        let mut net = Self {
            now: Duration::from_secs(1),
            machines: BTreeMap::new(),
            seen: BTreeMap::new(),
            answers: BTreeMap::new(),
            calls: 0,
            set_back: Duration::ZERO,
            hellos: BTreeMap::new(),
            accounts: BTreeMap::new(),
            online: BTreeMap::new(),
            conns: BTreeMap::new(),
            late: VecDeque::new(),
            late_requests: VecDeque::new(),
            asked: BTreeMap::new(),
            registry_is_up: true,
            registry_is_silent: false,
            said: Vec::new(),
            hold_notifies: false,
            hold_requests: false,
            unreachable: BTreeSet::new(),
            notifies: 0,
            lists: Vec::new(),
            last_answer: None,
        };
        (1..=count).for_each(|last| net.add_user(last));
        net
    }

    pub(super) fn add_user(&mut self, last: u8) {
        self.add(last);
        self.command(last, Command::register(user(last), password()));
    }

    pub(super) fn add(&mut self, last: u8) {
        let machine = Machine::new(Self::config(last), self.time());
        self.machines.insert(addr(last), machine);
        self.seen.insert(addr(last), Vec::new());
        self.pump();
    }

    /// Ends a program and starts it again.
    pub(super) fn restart(&mut self, last: u8, calls: Said) {
        let machine = Machine::new(Self::config(last), self.time()).with_calls(calls);
        self.machines.insert(addr(last), machine);
        self.pump();
    }

    /// A program goes on with this view of one that has ended.
    pub(super) fn take_over(&mut self, last: u8, view: &View) {
        self.take_over_with(last, view, []);
    }

    /// The same with what was blocked.
    pub(super) fn take_over_with(
        &mut self,
        last: u8,
        view: &View,
        blocked: impl IntoIterator<Item = (Username, Target)>,
    ) {
        let machine = Machine::resume(Self::config(last), self.time(), view).with_blocks(blocked);
        self.machines.insert(addr(last), machine);
        self.pump();
    }

    fn config(last: u8) -> Config {
        Config {
            address: addr(last),
            registry: "registry".to_owned(),
            message_port: 1010,
            request_limit: Duration::from_secs(60),
            seed: last.into(),
            keys: None,
        }
    }

    /// Sets the wall clock back.
    pub(super) fn set_back(&mut self, by: Duration) {
        self.set_back += by;
    }

    pub(super) fn wall(&self) -> Timestamp {
        self.time().wall
    }

    pub(super) fn usage(&self, at: u8, what: &str) -> Usage {
        let mut usage = self.machines[&addr(at)].usage().into_iter();
        usage.find(|usage| usage.what == what).unwrap()
    }

    pub(super) fn events(&self, at: u8) -> &[Event] {
        &self.seen[&addr(at)]
    }

    pub(super) fn hellos(&self, at: u8) -> usize {
        self.hellos.get(&addr(at)).copied().unwrap_or_default()
    }

    /// How often a peer polled the online list.
    pub(super) fn lists(&self, at: u8) -> usize {
        self.lists.iter().filter(|who| **who == addr(at)).count()
    }

    pub(super) fn is_online(&self, at: u8) -> bool {
        self.online.values().any(|address| *address == addr(at))
    }

    pub(super) fn command(&mut self, at: u8, command: Command) {
        self.call(at, command);
    }

    /// Makes a call, with the next id.
    pub(super) fn call(&mut self, at: u8, command: Command) -> Asker {
        self.calls += 1;
        self.call_with_id(at, self.calls, command)
    }

    pub(super) fn call_with_id(&mut self, at: u8, id: u64, command: Command) -> Asker {
        let front_end = FrontEndId::new("front-end").unwrap();
        let asked = Asked::by(front_end, Call::with_id(id, command));
        let asker = asked.asker.clone().unwrap();
        self.input(addr(at), Input::Command(asked));
        asker
    }

    /// What answered a call so far.
    pub(super) fn answers(&self, at: u8, call: &Asker) -> &[Event] {
        let answers = self.answers.get(&(addr(at), call.clone()));
        answers.map(Vec::as_slice).unwrap_or_default()
    }

    /// Records an answer; none comes after the last.
    fn answer(&mut self, at: PeerAddr, re: Option<Asker>, event: &Event) {
        let Some(asker) = re else {
            assert_ne!(*event, Event::Done, "it is for no one");
            return;
        };
        let answers = self.answers.entry((at, asker)).or_default();
        let is_last = |event: &Event| matches!(event, Event::Done | Event::Failed(_));
        if answers.last() == Some(&Event::Done) {
            // The call was repeated.
            assert!(is_last(event), "{event:?} after {answers:?}");
        }
        answers.push(event.clone());
    }

    pub(super) fn say(&mut self, at: u8, text: &str) {
        let text = text.to_owned();
        self.command(
            at,
            Command::Say {
                conversation: OPEN,
                text,
                reply_to: None,
            },
        );
    }

    pub(super) fn request(&mut self, from: u8, to: u8) {
        let to = Target::Address(addr(to));
        self.command(
            from,
            Command::Request {
                conversation: OPEN,
                to,
            },
        );
    }

    /// One asks, the other accepts.
    pub(super) fn chat(&mut self, from: u8, to: u8) {
        self.request(from, to);
        self.command(
            to,
            Command::Accept {
                conversation: OPEN,
                from: addr(from),
            },
        );
    }

    pub(super) fn refusal(&self, at: u8) -> Option<RequestFailure> {
        self.events(at).iter().rev().find_map(|event| match event {
            Event::RequestAnswered { refusal, .. } => *refusal,
            _ => None,
        })
    }

    pub(super) fn raw_text(&mut self, from: u8, to: u8, text: &str) {
        self.raw_text_as(from, to, user(from).as_str(), text);
    }

    pub(super) fn raw_text_as(&mut self, from: u8, to: u8, name: &str, text: &str) {
        let conn = self.new_conn(addr(from), SendId(u64::MAX));
        let message = Message::new(name.parse().unwrap(), text.parse().unwrap());
        let from = addr(from);
        self.input(
            addr(to),
            Input::Text {
                conn,
                from,
                message,
            },
        );
    }

    pub(super) fn raw_contact(&mut self, from: u8, to: u8, contact: Contact) {
        let conn = self.new_conn(addr(from), SendId(u64::MAX));
        let from = addr(from);
        self.input(
            addr(to),
            Input::Contact {
                conn,
                from,
                contact,
            },
        );
    }

    pub(super) fn restart_registry(&mut self) {
        self.forget_presence();
        for address in self.addresses() {
            let reason = "connection closed".to_owned();
            self.input(address, Input::RegistryDown { reason });
        }
    }

    pub(super) fn forget_presence(&mut self) {
        self.online.clear();
    }

    pub(super) fn release_notifies(&mut self) {
        self.hold_notifies = false;
        while let Some((from, to, contact)) = self.late.pop_front() {
            let conn = self.new_conn(from, SendId(u64::MAX));
            self.input(
                to,
                Input::Contact {
                    conn,
                    from,
                    contact,
                },
            );
        }
    }

    /// Lets the next request that is held arrive; `first` says whose.
    pub(super) fn release_request(&mut self, first: u8) {
        let at = self
            .late_requests
            .iter()
            .position(|(from, ..)| *from == addr(first));
        let (from, id, to, contact) = self.late_requests.remove(at.unwrap()).unwrap();
        let (to, input) = self.contact(from, id, to, contact);
        if let Input::Contact { conn, .. } = input {
            self.asked.insert((from, id), (to, conn));
        }
        self.input(to, input);
    }

    /// How many requests are held.
    pub(super) fn held_requests(&self) -> usize {
        self.late_requests.len()
    }

    /// Lets time pass, with every timer on its way.
    pub(super) fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        loop {
            let due = self
                .machines
                .iter()
                .filter_map(|(address, machine)| Some((machine.deadline()?, *address)))
                .min();
            match due {
                Some((at, address)) if at <= end => {
                    self.now = self.now.max(at);
                    self.input(address, Input::Timer);
                }
                _ => break,
            }
        }
        self.now = end;
    }

    pub(super) fn assert_one_group(&self, group: &[u8]) {
        for one in group {
            let others: Vec<PeerAddr> = group
                .iter()
                .filter(|other| *other != one)
                .map(|other| addr(*other))
                .collect();
            assert_eq!(members(self, *one), others, "the list of {one}");
        }
    }

    fn addresses(&self) -> Vec<PeerAddr> {
        self.machines.keys().copied().collect()
    }

    fn time(&self) -> Now {
        let millis = u64::try_from(self.now.as_millis()).unwrap();
        let back = u64::try_from(self.set_back.as_millis()).unwrap();
        Now {
            elapsed: self.now,
            wall: Timestamp(1_700_000_000_000 + millis - back),
        }
    }

    fn new_conn(&mut self, from: PeerAddr, id: SendId) -> ConnId {
        let conn = ConnId(self.conns.len() as u64);
        self.conns.insert(conn, (from, id));
        conn
    }

    pub(super) fn input(&mut self, at: PeerAddr, input: Input) {
        let now = self.time();
        self.machines.get_mut(&at).unwrap().handle(now, input);
        self.pump();
    }

    fn pump(&mut self) {
        while let Some((at, output)) = self
            .machines
            .iter_mut()
            .find_map(|(at, machine)| Some((*at, machine.output()?)))
        {
            self.carry_out(at, output);
        }
    }

    fn carry_out(&mut self, at: PeerAddr, output: Output) {
        let now = self.time();
        let reply = match output {
            Output::Event { event, re, said_by } => {
                self.answer(at, re, &event);
                if let (Event::Message(message), Some(by)) = (&event, said_by) {
                    self.said.push((by, message.id));
                }
                if event != Event::Done {
                    self.seen.get_mut(&at).unwrap().push(event);
                }
                return;
            }
            Output::Journal(
                ToJournal::Recall { re: Some(re), .. } | ToJournal::Find { re: Some(re), .. },
            ) => {
                return self.answer(at, Some(re), &Event::Done);
            }
            Output::ConnectRegistry if self.registry_is_up => (at, Input::RegistryUp),
            Output::ConnectRegistry => {
                let reason = "connection refused".to_owned();
                (at, Input::RegistryDown { reason })
            }
            Output::Ask(_) if self.registry_is_silent => return,
            Output::Ask(request) => (at, Input::Response(self.registry(at, request))),
            Output::Hello(_) => {
                *self.hellos.entry(at).or_default() += 1;
                return;
            }
            Output::Request {
                id, to, contact, ..
            } => {
                if self.hold_requests {
                    self.late_requests.push_back((at, id, to, contact));
                    return;
                }
                if self.machines.contains_key(&to) && !self.unreachable.contains(&to) {
                    let (to, input) = self.contact(at, id, to, contact);
                    if let Input::Contact { conn, .. } = input {
                        self.asked.insert((at, id), (to, conn));
                    }
                    (to, input)
                } else {
                    let result = Err(RequestFailure::Unreachable);
                    (at, Input::RequestDone { id, result })
                }
            }
            Output::Notify {
                id, to, contact, ..
            } => {
                self.notifies += 1;
                let result = Ok(Acknowledgement::Confirmed);
                if self.hold_notifies {
                    self.late.push_back((at, to, contact));
                } else {
                    let (to, input) = self.contact(at, id, to, contact);
                    if let Some(machine) = self.machines.get_mut(&to) {
                        machine.handle(now, input);
                    }
                }
                (at, Input::NotifyDone { id, result })
            }
            Output::Text {
                id, to, message, ..
            } => {
                if self.machines.contains_key(&to) && !self.unreachable.contains(&to) {
                    let (conn, from) = (self.new_conn(at, id), at);
                    (
                        to,
                        Input::Text {
                            conn,
                            from,
                            message,
                        },
                    )
                } else {
                    let result = Err(LeaveReason::Unreachable);
                    (at, Input::TextDone { id, result })
                }
            }
            Output::CancelRequest { id } => {
                self.late_requests
                    .retain(|(from, held, ..)| (*from, *held) != (at, id));
                match self.asked.remove(&(at, id)) {
                    Some((to, conn)) => (to, Input::ContactLost { conn }),
                    None => return,
                }
            }
            Output::Answer { conn, answer } => {
                self.last_answer = Some(answer);
                let (to, id) = self.conns[&conn];
                let result = Ok(answer);
                (to, Input::RequestDone { id, result })
            }
            Output::TakeText { conn } => self.text_result(conn, Ok(Acknowledgement::Confirmed)),
            Output::RefuseText { conn } => self.text_result(conn, Err(LeaveReason::Refused)),
            Output::Journal(ToJournal::Repeat { re, .. }) => {
                return self.answer(at, Some(re), &Event::Done);
            }
            Output::ConnectEncrypted { .. } | Output::Send(_) => panic!("no keys"),
            Output::Work { .. }
            | Output::Chats(_)
            | Output::UseRegistry { .. }
            | Output::StartRegistry { .. }
            | Output::DisconnectRegistry
            | Output::Journal(_) => return,
        };
        let (to, input) = reply;
        // Some addresses have no machine.
        if let Some(machine) = self.machines.get_mut(&to) {
            machine.handle(now, input);
        }
    }

    fn contact(
        &mut self,
        from: PeerAddr,
        id: SendId,
        to: PeerAddr,
        contact: Contact,
    ) -> (PeerAddr, Input) {
        let conn = self.new_conn(from, id);
        (
            to,
            Input::Contact {
                conn,
                from,
                contact,
            },
        )
    }

    fn text_result(
        &self,
        conn: ConnId,
        result: Result<Acknowledgement, LeaveReason>,
    ) -> (PeerAddr, Input) {
        let (to, id) = self.conns[&conn];
        (to, Input::TextDone { id, result })
    }

    fn registry(&mut self, at: PeerAddr, request: Request) -> Response {
        match request {
            Request::Register { username, password } => {
                self.accounts.insert(username, password);
                Response::Registered
            }
            Request::Login { username, password } => match self.accounts.get(&username) {
                Some(known) if *known == password => {
                    self.online.insert(username, at);
                    Response::LoggedIn
                }
                _ => Response::WrongCredentials,
            },
            Request::Search { target, .. } => self
                .online
                .get(&target)
                .map_or(Response::NotFound, |address| Response::Found(*address)),
            Request::Logout { username } => {
                self.online.remove(&username);
                Response::LoggedOut
            }
            Request::AllOnline { .. } => {
                self.lists.push(at);
                let online = self.online.iter();
                let users = online.map(|(&name, &address)| OnlineUser { name, address });
                Response::Online(users.collect())
            }
        }
    }
}
