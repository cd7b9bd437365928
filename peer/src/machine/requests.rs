//! Chat requests: at most one that waits for the user, and those that wait for others.

use std::collections::BTreeMap;
use std::time::Duration;

use p2pchat_model::{
    Event, IncomingRequest, Outcome, OutgoingRequest, PeerAddr, Person, Problem, Speaker, Target,
    Unanswered, Username,
};
use p2pchat_protocol::{ChatAnswer, ChatList, Contact};

use super::{ConnId, Machine, Output, Refusal, SendId};

/// How much longer than the other side we wait for its answer, so that one given in the
/// last moment still arrives.
const ANSWER_SLACK: Duration = Duration::from_secs(5);
/// How many requests may wait for others at once.
const MAX_OUTGOING: usize = 64;

/// The chat requests that wait.
#[derive(Debug, Default)]
pub(super) struct Requests {
    incoming: Option<Incoming>,
    outgoing: BTreeMap<SendId, Outgoing>,
}

/// A request that waits for the user.
#[derive(Debug)]
struct Incoming {
    conn: ConnId,
    from: Speaker,
    members: ChatList,
    until: Duration,
}

/// A request that waits for somebody else.
#[derive(Debug)]
struct Outgoing {
    to: PeerAddr,
    /// The chat_list that was sent: whom he knows if he accepts.
    members: ChatList,
}

impl Requests {
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.incoming.as_ref().map(|incoming| incoming.until)
    }

    /// Whether somebody may be accepting right now, and already act as a member.
    pub(super) fn is_waiting_for(&self, address: PeerAddr) -> bool {
        self.outgoing.values().any(|request| request.to == address)
    }
}

impl Machine {
    pub(super) fn requests_tick(&mut self) {
        let due = |incoming: &Incoming| incoming.until <= self.now.elapsed;
        if self.requests.incoming.as_ref().is_some_and(due) {
            self.close_incoming(Some(ChatAnswer::Rejected), Outcome::Expired);
        }
    }

    pub(super) fn request(&mut self, to: Target) -> Result<(), Refusal> {
        let own = self.account()?;
        let to = match to {
            Target::Address(address) => address,
            Target::Name(name) if name == own => return Err(Problem::Oneself.into()),
            Target::Name(name) => match self.directory.address_of(name) {
                Some(address) => address,
                None => return self.search_to_request(name),
            },
        };
        self.check_request(to)?;
        let id = self.next_send();
        let members = self.group.list_without(to);
        let limit = self.config.request_limit + ANSWER_SLACK;
        self.requests.outgoing.insert(
            id,
            Outgoing {
                to,
                members: members.clone(),
            },
        );
        self.emit(Event::RequestSent(OutgoingRequest {
            at: self.now.wall,
            to: self.directory.person(to),
            expires: self.wall_in(limit),
        }));
        self.out.push_back(Output::Request {
            id,
            to,
            contact: Contact::Request { from: own, members },
            limit,
        });
        Ok(())
    }

    fn check_request(&self, to: PeerAddr) -> Result<(), Problem> {
        if to == self.config.address {
            Err(Problem::Oneself)
        } else if self.group.is_present(to) {
            Err(Problem::AlreadyMember)
        } else if self.requests.is_waiting_for(to) {
            Err(Problem::AlreadyAsked)
        } else if self.requests.outgoing.len() >= MAX_OUTGOING {
            Err(Problem::TooMuch)
        } else if self.group.is_full() {
            Err(Problem::ChatFull)
        } else {
            Ok(())
        }
    }

    pub(super) fn request_done(&mut self, id: SendId, result: Result<ChatAnswer, Unanswered>) {
        let Some(Outgoing { to, members }) = self.requests.outgoing.remove(&id) else {
            return;
        };
        let refusal = match result {
            Ok(ChatAnswer::Accepted) => None,
            Ok(ChatAnswer::Rejected) => Some(Unanswered::Rejected),
            Ok(ChatAnswer::Busy) => Some(Unanswered::Busy),
            Err(unanswered) => Some(unanswered),
        };
        let at = self.now.wall;
        let person = self.directory.person(to);
        self.emit(Event::RequestAnswered {
            at,
            to: person,
            refusal,
        });
        if refusal.is_none() {
            self.accepted_by(to, &members);
        }
    }

    pub(super) fn request_received(
        &mut self,
        conn: ConnId,
        name: Username,
        from: PeerAddr,
        members: &ChatList,
    ) {
        if self.session.account().is_none() || self.busy || self.requests.incoming.is_some() {
            let answer = ChatAnswer::Busy;
            self.out.push_back(Output::Answer { conn, answer });
            return;
        }
        let own = self.config.address;
        let members: ChatList = members.iter().filter(|member| *member != own).collect();
        let from = self.listen_to(name, from);
        let limit = self.config.request_limit;
        let request = IncomingRequest {
            at: self.now.wall,
            from,
            members: self.persons(&members),
            expires: self.wall_in(limit),
        };
        self.requests.incoming = Some(Incoming {
            conn,
            from,
            members,
            until: self.now.elapsed + limit,
        });
        self.emit(Event::RequestReceived(request));
    }

    pub(super) fn request_lost(&mut self, conn: ConnId) {
        if matches!(&self.requests.incoming, Some(incoming) if incoming.conn == conn) {
            self.close_incoming(None, Outcome::Withdrawn);
        }
    }

    pub(super) fn accept(&mut self, from: PeerAddr) -> Result<(), Refusal> {
        let incoming = self.incoming_from(from)?;
        let members = incoming.members.clone();
        if !self.group.has_room_for(from, &members) {
            return Err(Problem::ChatFull.into());
        }
        self.close_incoming(Some(ChatAnswer::Accepted), Outcome::Accepted);
        self.accepted(from, &members);
        Ok(())
    }

    pub(super) fn reject(&mut self, from: PeerAddr) -> Result<(), Refusal> {
        self.incoming_from(from)?;
        self.close_incoming(Some(ChatAnswer::Rejected), Outcome::Rejected);
        Ok(())
    }

    fn incoming_from(&self, from: PeerAddr) -> Result<&Incoming, Refusal> {
        self.requests
            .incoming
            .as_ref()
            .filter(|incoming| incoming.from.address == from)
            .ok_or_else(|| Problem::NoSuchRequest.into())
    }

    /// Ends all that waits, because the session ends.
    pub(super) fn drop_requests(&mut self) {
        self.close_incoming(Some(ChatAnswer::Rejected), Outcome::Rejected);
        self.requests.outgoing.clear();
    }

    fn close_incoming(&mut self, answer: Option<ChatAnswer>, outcome: Outcome) {
        let Some(Incoming { conn, from, .. }) = self.requests.incoming.take() else {
            return;
        };
        if let Some(answer) = answer {
            self.out.push_back(Output::Answer { conn, answer });
        }
        let at = self.now.wall;
        // The registry may have said more about him since he asked.
        let from = self.directory.speaker(from.name, from.address);
        self.emit(Event::RequestClosed { at, from, outcome });
    }

    fn persons(&self, list: &ChatList) -> Vec<Person> {
        list.iter()
            .map(|address| self.directory.person(address))
            .collect()
    }

    /// Somebody says a name: what the registry says of it. If it says anything but yes,
    /// it is asked again soon.
    pub(super) fn listen_to(&mut self, name: Username, from: PeerAddr) -> Speaker {
        let speaker = self.directory.speaker(name, from);
        if speaker.check != p2pchat_model::NameCheck::Confirmed {
            self.doubt_names();
        }
        speaker
    }
}
