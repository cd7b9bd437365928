//! Chat requests: at most one that waits for the user, and those that wait for other peers.

use std::collections::BTreeMap;
use std::time::Duration;

use p2pchat_common::rate_limit::{Bucket, Rate, RateLimiter, WhenFull};
use p2pchat_model::{
    ConversationId, DropKind, DropReason, Event, IncomingRequest, Outcome, OutgoingRequest,
    PeerAddr, Problem, RequestFailure, Username,
};
use p2pchat_protocol::{ChatAnswer, ChatList, Contact};

use super::context::{Context, Refusal};
use super::group::Group;
use super::io::{ConnId, Output, SendId, Usage};
use super::people::People;

/// How much longer than the other side we wait for its answer, so that one given in the
/// last moment still arrives.
const ANSWER_SLACK: Duration = Duration::from_secs(5);
/// How many requests may wait for other peers at once.
const MAX_OUTGOING: usize = 64;
/// The burst of the rate limit on requests from one address that the user does not accept:
/// a user who was turned away by mistake asks again, and once more.
const REQUEST_BURST: u32 = 3;
/// How long it takes until an address may send one more. Each comes up in front of the user.
const REQUEST_INTERVAL: Duration = Duration::from_secs(20);
/// How many addresses the rate limit covers. There are more only where an attacker has as
/// many addresses; further ones then get BUSY for some seconds.
const MAX_LIMITED: usize = 1024;
/// The rate limit on what the user is told of missed requests, of all addresses together: each
/// is a line of the conversation, and an attacker may have many addresses.
const MISSED_RATE: Rate = Rate {
    burst: 20,
    interval: Duration::from_secs(10),
};

/// The chat requests that wait for an answer.
#[derive(Debug)]
pub(super) struct Requests {
    /// Whether the user wants no requests.
    is_busy: bool,
    incoming: Option<Incoming>,
    outgoing: BTreeMap<SendId, Outgoing>,
    rate_limit: RateLimiter<PeerAddr>,
    missed_limit: Bucket,
}

impl Default for Requests {
    fn default() -> Self {
        let rate = Rate {
            burst: REQUEST_BURST,
            interval: REQUEST_INTERVAL,
        };
        Self {
            is_busy: false,
            incoming: None,
            outgoing: BTreeMap::new(),
            rate_limit: RateLimiter::new(rate, MAX_LIMITED, WhenFull::Reject),
            missed_limit: Bucket::default(),
        }
    }
}

/// A request that waits for the user.
#[derive(Debug)]
struct Incoming {
    conn: ConnId,
    name: Username,
    from: PeerAddr,
    members: ChatList,
    expires_at: Duration,
}

/// A request that waits for another peer.
#[derive(Debug)]
struct Outgoing {
    to: PeerAddr,
    /// The chat_list that was sent: the members that the peer knows if it accepts.
    members: ChatList,
    sent_at: Duration,
}

/// What becomes of a chat request that needs no answer of the user.
#[derive(Debug)]
pub(super) enum Received {
    /// The user has asked the requester for the same: that is the answer to both requests.
    Crossed(Accepted),
    /// The requester is in the chat already.
    FromMember,
}

/// A chat request was accepted, by the user or by the other peer.
#[derive(Debug)]
pub(super) struct Accepted {
    /// The other peer.
    pub(super) peer: PeerAddr,
    /// The chat_list of the request.
    pub(super) members: ChatList,
}

impl Requests {
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.incoming.as_ref().map(|incoming| incoming.expires_at)
    }

    pub(super) fn usage(&self) -> Usage {
        Usage::new("chat requests to others", self.outgoing.len(), MAX_OUTGOING)
    }

    /// Whether a peer's answer is awaited: it may be accepting right now, and already act
    /// as a member.
    pub(super) fn is_waiting_for(&self, address: PeerAddr) -> bool {
        self.outgoing.values().any(|request| request.to == address)
    }

    /// Whether the request that waits for the user came from the user at this address.
    pub(super) fn is_asked_by(&self, cx: &Context, people: People<'_>, address: PeerAddr) -> bool {
        let incoming = self.incoming_from(cx, address);
        incoming.is_ok_and(|incoming| people.may_be(incoming.name, address))
    }

    /// The request from this address that waits for the user: by which name, and who comes along.
    pub(super) fn from(&self, address: PeerAddr) -> Option<(Username, &ChatList)> {
        let incoming = self.incoming.as_ref();
        let incoming = incoming.filter(|incoming| incoming.from == address)?;
        Some((incoming.name, &incoming.members))
    }

    /// Whether a peer may become a member in a moment: a request to it or from it waits.
    pub(super) fn is_expected(&self, address: PeerAddr) -> bool {
        let incoming = self.incoming.as_ref();
        let is_from = |incoming: &Incoming| incoming.from == address;
        self.is_waiting_for(address) || incoming.is_some_and(is_from)
    }

    pub(super) fn tick(&mut self, cx: &mut Context, people: People<'_>) {
        let is_due = |incoming: &Incoming| incoming.expires_at <= cx.now.elapsed;
        if self.incoming.as_ref().is_some_and(is_due) {
            self.close_incoming(cx, people, Some(ChatAnswer::Rejected), Outcome::Expired);
        }
    }

    /// Sets what another process has left, without telling the user.
    pub(super) fn resume_busy(&mut self, on: bool) {
        self.is_busy = on;
    }

    pub(super) fn set_busy(&mut self, cx: &mut Context, on: bool) {
        self.is_busy = on;
        cx.emit(Event::Busy { on });
    }

    /// Asks a peer for a chat.
    pub(super) fn send(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        group: &Group,
        to: PeerAddr,
    ) -> Result<(), Refusal> {
        let own = people.account()?;
        self.check_send(cx, group, to)?;
        people.check_not_blocked(None, to)?;
        let id = cx.next_send();
        let members = group.list_without(to);
        let limit = cx.config.request_limit + ANSWER_SLACK;
        self.outgoing.insert(
            id,
            Outgoing {
                to,
                members: members.clone(),
                sent_at: cx.now.elapsed,
            },
        );
        cx.emit(Event::RequestSent(OutgoingRequest {
            conversation: ConversationId::OPEN,
            at: cx.now.wall,
            to: people.person(to),
            expires: cx.wall_in(limit),
        }));
        cx.push(Output::Request {
            id,
            to,
            contact: Contact::Request { from: own, members },
            limit,
        });
        Ok(())
    }

    fn check_send(&self, cx: &Context, group: &Group, to: PeerAddr) -> Result<(), Problem> {
        if to == cx.config.address {
            Err(Problem::Oneself)
        } else if group.is_present(to) {
            Err(Problem::AlreadyMember)
        } else if self.is_waiting_for(to) {
            Err(Problem::AlreadyAsked)
        } else if self.outgoing.len() >= MAX_OUTGOING {
            Err(Problem::TooMuch)
        } else if group.is_full() {
            Err(Problem::ChatFull)
        } else {
            Ok(())
        }
    }

    /// Takes the answer to a request, if it still waits for one.
    pub(super) fn done(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        id: SendId,
        result: Result<ChatAnswer, RequestFailure>,
    ) -> Option<Accepted> {
        let Outgoing {
            to,
            members,
            sent_at,
        } = self.outgoing.remove(&id)?;
        let has_expired = sent_at + cx.config.request_limit <= cx.now.elapsed;
        let refusal = match result {
            Ok(ChatAnswer::Accepted) => None,
            // By itself: the protocol has no other answer for a request that expires.
            Ok(ChatAnswer::Rejected) if has_expired => Some(RequestFailure::NoAnswer),
            Ok(ChatAnswer::Rejected) => Some(RequestFailure::Rejected),
            Ok(ChatAnswer::Busy) => Some(RequestFailure::Busy),
            Err(unanswered) => Some(unanswered),
        };
        cx.emit(Event::RequestAnswered {
            conversation: ConversationId::OPEN,
            at: cx.now.wall,
            to: people.person(to),
            refusal,
        });
        let accepted = Accepted { peer: to, members };
        refusal.is_none().then_some(accepted)
    }

    /// Takes a request from another peer.
    pub(super) fn received(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        group: &Group,
        (conn, from): (ConnId, PeerAddr),
        name: Username,
        members: &ChatList,
    ) -> Option<Received> {
        let answer = |cx: &mut Context, answer| cx.push(Output::Answer { conn, answer });
        if people.blocked_by(Some(name), from).is_some() {
            answer(cx, ChatAnswer::Rejected);
            cx.count_drop(from, Some(name), DropKind::Request, DropReason::Blocked);
            return None;
        }
        if !people.is_logged_in() {
            answer(cx, ChatAnswer::Busy);
            return None;
        }
        // Another user may be at a member's address by now.
        if group.is_present(from) && people.is_known_as(name, from) {
            answer(cx, ChatAnswer::Accepted);
            return Some(Received::FromMember);
        }
        if self.is_waiting_for(from) && people.may_be(name, from) {
            let members = admissible(cx, people, from, members);
            if group.has_room_for(from, &members) {
                answer(cx, ChatAnswer::Accepted);
                self.withdraw(cx, people, None, |request| request.to == from);
                let peer = from;
                return Some(Received::Crossed(Accepted { peer, members }));
            }
        }
        if !self.rate_limit.try_take(from, cx.now.elapsed) {
            answer(cx, ChatAnswer::Busy);
            cx.count_drop(from, Some(name), DropKind::Request, DropReason::TooMuch);
            return None;
        }
        if self.is_busy || self.incoming.is_some() {
            answer(cx, ChatAnswer::Busy);
            self.miss(cx, people, name, from);
            return None;
        }
        self.show(cx, people, conn, name, from, members);
        None
    }

    /// Tells the user of a request that was answered with BUSY by itself.
    fn miss(&mut self, cx: &mut Context, people: People<'_>, name: Username, from: PeerAddr) {
        if !self.missed_limit.try_take(MISSED_RATE, cx.now.elapsed) {
            return cx.count_drop(from, Some(name), DropKind::Request, DropReason::TooMuch);
        }
        let from = people.identify(cx, name, from);
        let at = cx.now.wall;
        let conversation = ConversationId::OPEN;
        cx.emit(Event::RequestMissed {
            conversation,
            at,
            from,
        });
    }

    /// Shows the user a request, which waits for their answer from now on.
    fn show(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        conn: ConnId,
        name: Username,
        from: PeerAddr,
        members: &ChatList,
    ) {
        let members = admissible(cx, people, from, members);
        let from = people.identify(cx, name, from);
        let limit = cx.config.request_limit;
        let request = IncomingRequest {
            conversation: ConversationId::OPEN,
            at: cx.now.wall,
            from,
            members: members
                .iter()
                .map(|address| people.person(address))
                .collect(),
            expires: cx.wall_in(limit),
        };
        self.incoming = Some(Incoming {
            conn,
            name,
            from: from.address,
            members,
            expires_at: cx.now.elapsed + limit,
        });
        cx.emit(Event::RequestReceived(request));
    }

    /// The connection of a request broke.
    pub(super) fn lost(&mut self, cx: &mut Context, people: People<'_>, conn: ConnId) {
        if matches!(&self.incoming, Some(incoming) if incoming.conn == conn) {
            self.close_incoming(cx, people, None, Outcome::Withdrawn);
        }
    }

    pub(super) fn accept(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        group: &Group,
        from: PeerAddr,
    ) -> Result<Accepted, Refusal> {
        let members = self.incoming_from(cx, from)?.members.clone();
        // One of them may have been blocked since.
        let members = admissible(cx, people, from, &members);
        if !group.has_room_for(from, &members) {
            return Err(Problem::ChatFull.into());
        }
        self.close_incoming(cx, people, Some(ChatAnswer::Accepted), Outcome::Accepted);
        self.rate_limit.forget(from);
        Ok(Accepted {
            peer: from,
            members,
        })
    }

    pub(super) fn reject(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        from: PeerAddr,
    ) -> Result<(), Refusal> {
        self.incoming_from(cx, from)?;
        self.close_incoming(cx, people, Some(ChatAnswer::Rejected), Outcome::Rejected);
        Ok(())
    }

    fn incoming_from(&self, cx: &Context, from: PeerAddr) -> Result<&Incoming, Refusal> {
        self.incoming
            .as_ref()
            // After a suspend, the user's command may come before the timer.
            .filter(|incoming| incoming.from == from && incoming.expires_at > cx.now.elapsed)
            .ok_or_else(|| Problem::NoSuchRequest.into())
    }

    /// Withdraws the request to an address, by the user's wish.
    pub(super) fn cancel(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        to: PeerAddr,
    ) -> Result<(), Refusal> {
        if !self.is_waiting_for(to) {
            return Err(Problem::NoSuchRequest.into());
        }
        let refusal = Some(RequestFailure::Cancelled);
        self.withdraw(cx, people, refusal, |request| request.to == to);
        Ok(())
    }

    /// Withdraws the requests that invite into a chat which the user has left.
    pub(super) fn withdraw_invitations(&mut self, cx: &mut Context, people: People<'_>) {
        let refusal = Some(RequestFailure::Cancelled);
        self.withdraw(cx, people, refusal, |request| !request.members.is_empty());
    }

    /// Ends some of the requests that wait for other peers, and tells the user how.
    fn withdraw(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        refusal: Option<RequestFailure>,
        which: impl Fn(&Outgoing) -> bool,
    ) {
        for (id, request) in self.outgoing.extract_if(.., |_, request| which(request)) {
            cx.push(Output::CancelRequest { id });
            cx.emit(Event::RequestAnswered {
                conversation: ConversationId::OPEN,
                at: cx.now.wall,
                to: people.person(request.to),
                refusal,
            });
        }
    }

    /// Ends all requests, because the session ends: it is no answer of the user.
    pub(super) fn close_all(&mut self, cx: &mut Context, people: People<'_>) {
        self.close_incoming(cx, people, Some(ChatAnswer::Busy), Outcome::Expired);
        for id in std::mem::take(&mut self.outgoing).into_keys() {
            cx.push(Output::CancelRequest { id });
        }
    }

    /// Ends the requests from blocked peers and to them.
    pub(super) fn close_blocked(&mut self, cx: &mut Context, people: People<'_>) {
        if let Some(Incoming { name, from, .. }) = self.incoming
            && people.blocked_by(Some(name), from).is_some()
        {
            self.close_incoming(cx, people, Some(ChatAnswer::Rejected), Outcome::Rejected);
        }
        let refusal = Some(RequestFailure::Blocked);
        self.withdraw(cx, people, refusal, |request| people.is_blocked(request.to));
    }

    fn close_incoming(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        answer: Option<ChatAnswer>,
        outcome: Outcome,
    ) {
        let Some(Incoming {
            conn, name, from, ..
        }) = self.incoming.take()
        else {
            return;
        };
        if let Some(answer) = answer {
            cx.push(Output::Answer { conn, answer });
        }
        cx.emit(Event::RequestClosed {
            conversation: ConversationId::OPEN,
            at: cx.now.wall,
            // The registry may have said more about the peer since it asked.
            from: people.speaker(name, from),
            outcome,
        });
    }
}

/// The addresses on a chat_list that may become members.
fn admissible(cx: &mut Context, people: People<'_>, from: PeerAddr, list: &ChatList) -> ChatList {
    list.iter()
        .filter(|address| people.is_admissible(cx, from, *address))
        .collect()
}
