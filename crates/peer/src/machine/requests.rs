//! Chat requests: at most one that waits for the user, and those that wait for others.

use std::collections::BTreeMap;
use std::time::Duration;

use p2pchat_common::rate_limit::{Rate, RateLimiter, WhenFull};
use p2pchat_model::{
    DropKind, DropReason, Event, IncomingRequest, Outcome, OutgoingRequest, PeerAddr, Person,
    Problem, RequestFailure, Speaker, Target, Username,
};
use p2pchat_protocol::{ChatAnswer, ChatList, Contact};

use super::{ConnId, Machine, Output, Refusal, SendId};

/// How much longer than the other side we wait for its answer, so that one given in the
/// last moment still arrives.
const ANSWER_SLACK: Duration = Duration::from_secs(5);
/// How many requests may wait for others at once.
pub(super) const MAX_OUTGOING: usize = 64;
/// How many requests an address may make at once that the user does not accept: somebody
/// who was turned away by mistake asks again, and once more.
const REQUESTS_AT_ONCE: u32 = 3;
/// How long it takes until it may make one more. Each comes up in front of the user.
const REQUEST_INTERVAL: Duration = Duration::from_secs(20);
/// How many addresses the requests are counted of. There are more only where somebody has
/// as many addresses; further ones then get BUSY for some seconds.
const MAX_ASKING: usize = 1024;

/// The chat requests that wait.
#[derive(Debug)]
pub(super) struct Requests {
    incoming: Option<Incoming>,
    outgoing: BTreeMap<SendId, Outgoing>,
    /// How often each address has asked recently.
    asking: RateLimiter<PeerAddr>,
}

impl Default for Requests {
    fn default() -> Self {
        let rate = Rate {
            burst: REQUESTS_AT_ONCE,
            interval: REQUEST_INTERVAL,
        };
        Self {
            incoming: None,
            outgoing: BTreeMap::new(),
            asking: RateLimiter::new(rate, MAX_ASKING, WhenFull::Reject),
        }
    }
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

    /// Whether somebody asks no more often than he may.
    fn may_ask(&mut self, from: PeerAddr, now: Duration) -> bool {
        self.asking.try_take(from, now)
    }

    pub(super) fn outgoing_count(&self) -> usize {
        self.outgoing.len()
    }

    /// Whether it is somebody's request that waits for the user.
    pub(super) fn is_from(&self, address: PeerAddr) -> bool {
        let incoming = self.incoming.as_ref();
        incoming.is_some_and(|incoming| incoming.from.address == address)
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
                None => {
                    self.check_not_blocked(Some(name), self.config.address)?;
                    return self.search_to_request(name);
                }
            },
        };
        self.check_request(to)?;
        self.check_not_blocked(None, to)?;
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

    pub(super) fn request_done(&mut self, id: SendId, result: Result<ChatAnswer, RequestFailure>) {
        let Some(Outgoing { to, members }) = self.requests.outgoing.remove(&id) else {
            return;
        };
        let refusal = match result {
            Ok(ChatAnswer::Accepted) => None,
            Ok(ChatAnswer::Rejected) => Some(RequestFailure::Rejected),
            Ok(ChatAnswer::Busy) => Some(RequestFailure::Busy),
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
        let turn_away = |machine: &mut Self, answer| {
            machine.out.push_back(Output::Answer { conn, answer });
        };
        if self.blocked_by(Some(name), from).is_some() {
            turn_away(self, ChatAnswer::Rejected);
            return self.dropped(from, Some(name), DropKind::Request, DropReason::Blocked);
        }
        if self.session.account().is_none() || self.busy {
            return turn_away(self, ChatAnswer::Busy);
        }
        if !self.requests.may_ask(from, self.now.elapsed) {
            turn_away(self, ChatAnswer::Busy);
            return self.dropped(from, Some(name), DropKind::Request, DropReason::TooMuch);
        }
        if self.requests.incoming.is_some() {
            return turn_away(self, ChatAnswer::Busy);
        }
        let members = self.believable(from, members);
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
        let members = self.incoming_from(from)?.members.clone();
        // Somebody may have been blocked since.
        let members = self.believable(from, &members);
        if !self.group.has_room_for(from, &members) {
            return Err(Problem::ChatFull.into());
        }
        self.close_incoming(Some(ChatAnswer::Accepted), Outcome::Accepted);
        self.requests.asking.forget(from);
        self.accepted(from, &members);
        Ok(())
    }

    pub(super) fn reject(&mut self, from: PeerAddr) -> Result<(), Refusal> {
        self.incoming_from(from)?;
        self.close_incoming(Some(ChatAnswer::Rejected), Outcome::Rejected);
        Ok(())
    }

    fn incoming_from(&self, from: PeerAddr) -> Result<&Incoming, Refusal> {
        let now = self.now.elapsed;
        self.requests
            .incoming
            .as_ref()
            // A process that stood still hears of its user before it looks at the time.
            .filter(|incoming| incoming.from.address == from && incoming.until > now)
            .ok_or_else(|| Problem::NoSuchRequest.into())
    }

    /// Ends all that waits, because the session ends.
    pub(super) fn drop_requests(&mut self) {
        self.close_incoming(Some(ChatAnswer::Rejected), Outcome::Rejected);
        self.requests.outgoing.clear();
    }

    /// Ends the requests of those who are blocked, and those to them.
    pub(super) fn drop_blocked_requests(&mut self) {
        if let Some(Incoming { from, .. }) = self.requests.incoming
            && self.blocked_by(Some(from.name), from.address).is_some()
        {
            self.close_incoming(Some(ChatAnswer::Rejected), Outcome::Rejected);
        }
        let outgoing = self.requests.outgoing.iter();
        let blocked: Vec<(SendId, PeerAddr)> = outgoing
            .map(|(id, request)| (*id, request.to))
            .filter(|(_, to)| self.is_blocked(*to))
            .collect();
        for (id, to) in blocked {
            self.requests.outgoing.remove(&id);
            let at = self.now.wall;
            let to = self.directory.person(to);
            let refusal = Some(RequestFailure::Blocked);
            self.emit(Event::RequestAnswered { at, to, refusal });
        }
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
