//! What is said: from the user to each member in order, and from members to the user.
//!
//! Each member has an outbox and at most one packet on its way, so a slow one delays
//! nobody else and the order holds without the shell doing anything for it.

use std::collections::VecDeque;
use std::time::Duration;

use p2pchat_model::{
    Delivery, DeliveryState, DropKind, DropReason, Event, LeaveReason, Message as Said, MessageId,
    PeerAddr, Person, Problem,
};
use p2pchat_protocol::{Message, split_text};

use super::super::group::strangers::Early;
use super::super::{Acknowledgement, ConnId, Machine, Output, Refusal, SendId};
use super::{Member, Part, Standing};

/// The longest text that can be said at once, in bytes: 166 packets.
const MAX_TEXT: usize = 16 * 1024;
/// How many packets may wait for a member. One who is that far behind is not reading.
pub(in super::super) const MAX_OUTBOX: usize = 1024;
/// How long after a member joined a refusal may only mean that he has not heard of us
/// yet, and the text is sent again; not if he has taken one since.
const INTRODUCTION: Duration = Duration::from_secs(15);
/// How long to wait before a refused text is sent again.
const INTRODUCTION_PAUSE: Duration = Duration::from_secs(1);
/// How often a refused text is sent again.
const INTRODUCTION_TRIES: u32 = 5;

impl Machine {
    pub(in super::super) fn say(&mut self, text: String) -> Result<(), Refusal> {
        let own = self.account()?;
        let listeners = self.group.listeners();
        if listeners.is_empty() {
            return Err(Problem::NobodyThere.into());
        }
        let bad_text = |message| Refusal {
            problem: Problem::BadText,
            message,
        };
        if text.len() > MAX_TEXT {
            let message = format!(
                "a text may have {MAX_TEXT} bytes at the most, this one has {}",
                text.len()
            );
            return Err(bad_text(message));
        }
        let parts = split_text(&text).map_err(|error| bad_text(error.to_string()))?;
        let id = self.next_message();
        let deliveries = listeners
            .iter()
            .map(|address| Delivery {
                to: self.directory.person(*address),
                state: DeliveryState::Sending,
            })
            .collect();
        let from = self.directory.speaker(own, self.config.address);
        self.emit(Event::Message(Said {
            id,
            at: self.now.wall,
            from,
            text,
            deliveries: Some(deliveries),
        }));
        let messages: Vec<Message> = parts
            .into_iter()
            .map(|part| Message::new(own, part))
            .collect();
        self.enqueue(id, &messages);
        for address in listeners {
            self.check_outbox(address);
        }
        Ok(())
    }

    /// Puts a text into the outbox of every member, of those out of reach too.
    fn enqueue(&mut self, id: MessageId, messages: &[Message]) {
        let is_anybody_there = !self.group.is_empty();
        for (_, member) in self.group.iter_mut() {
            let is_told = member.is_present() || (member.is_out_of_reach() && !is_anybody_there);
            let is_quiet = !is_told;
            let has_room = member.outbox.len() + messages.len() <= MAX_OUTBOX;
            if is_quiet && !(member.is_out_of_reach() && has_room) {
                continue;
            }
            let last = messages.len() - 1;
            member
                .outbox
                .extend(messages.iter().enumerate().map(|(at, message)| Part {
                    id,
                    message: *message,
                    is_last: at == last,
                    is_quiet,
                }));
        }
    }

    fn check_outbox(&mut self, address: PeerAddr) {
        let overfull = |member: &Member| member.outbox.len() > MAX_OUTBOX;
        if self
            .group
            .get_mut(address)
            .is_some_and(|member| overfull(member))
        {
            self.lose(address, LeaveReason::Unreachable);
        }
    }

    /// Sends the first packet of a member's outbox, if none is on its way.
    pub(in super::super) fn send_text(&mut self, to: PeerAddr) {
        let now = self.now.elapsed;
        let id = SendId(self.last_send + 1);
        let Some(member) = self.group.get_mut(to) else {
            return;
        };
        let waits = member.attempt.again_at.is_some_and(|at| at > now);
        let Some(part) = member.outbox.front() else {
            return;
        };
        if member.sending.is_some() || member.abandoned.is_some() || waits {
            return;
        }
        let (message, patience) = (part.message, member.patience());
        member.sending = Some(id);
        member.attempt.again_at = None;
        self.last_send = id.0;
        self.group.is_sent(id, to);
        self.out.push_back(Output::Text {
            id,
            to,
            message,
            patience,
        });
    }

    pub(in super::super) fn text_done(
        &mut self,
        id: SendId,
        result: Result<Acknowledgement, LeaveReason>,
    ) {
        let now = self.now.elapsed;
        let Some((address, member)) = self.group.receiver(id) else {
            return;
        };
        let was_abandoned = member.abandoned.take_if(|sent| *sent == id).is_some();
        if was_abandoned || member.sending != Some(id) {
            return;
        }
        member.sending = None;
        match result {
            // He always told, and now does not: the connection is gone.
            Ok(Acknowledgement::Unconfirmed) if member.confirms == Some(true) => {
                self.lose_in_doubt(address)
            }
            Ok(taken) => self.part_taken(address, taken),
            Err(LeaveReason::Refused)
                if !member.has_taken
                    && member.since + INTRODUCTION > now
                    && member.attempt.tries < INTRODUCTION_TRIES =>
            {
                member.attempt.tries += 1;
                member.attempt.again_at = Some(now + INTRODUCTION_PAUSE);
            }
            Err(reason) => self.lose(address, reason),
        }
    }

    /// A packet went out, and no word came back: he may have it or not. So it is not sent
    /// again, and what came after it does not follow.
    fn lose_in_doubt(&mut self, address: PeerAddr) {
        let part = self
            .group
            .get_mut(address)
            .and_then(|member| member.outbox.pop_front());
        self.lose(address, LeaveReason::Unreachable);
        if let Some(part) = part.filter(|part| part.is_last && !part.is_quiet) {
            let to = self.directory.person(address);
            let state = DeliveryState::Unconfirmed;
            self.emit(Event::Delivered {
                id: part.id,
                delivery: Delivery { to, state },
            });
        }
    }

    fn part_taken(&mut self, address: PeerAddr, taken: Acknowledgement) {
        if !self.group.is_present(address) {
            self.welcome_back(address);
        }
        let Some(member) = self.group.get_mut(address) else {
            return;
        };
        member.brought_by = None;
        match taken {
            Acknowledgement::Confirmed => {
                member.confirms = Some(true);
                member.has_taken = true;
            }
            Acknowledgement::Unconfirmed => {
                member.confirms = Some(false);
                member.attempt.unconfirmed = true;
            }
        }
        member.attempt.tries = 0;
        let Some(part) = member.outbox.pop_front() else {
            return;
        };
        if part.is_last {
            let attempt = std::mem::take(&mut member.attempt);
            let state = match attempt.unconfirmed {
                true => DeliveryState::Unconfirmed,
                false => DeliveryState::Sent,
            };
            let to = self.directory.person(address);
            self.emit(Event::Delivered {
                id: part.id,
                delivery: Delivery { to, state },
            });
        }
    }

    /// Tells of each text that did not go out, once.
    pub(in super::super) fn fail_deliveries(
        &mut self,
        to: Person,
        unsent: VecDeque<Part>,
        reason: LeaveReason,
    ) {
        let state = DeliveryState::Failed(reason);
        let told = |part: &Part| part.is_last && !part.is_quiet;
        for part in unsent.into_iter().filter(told) {
            self.emit(Event::Delivered {
                id: part.id,
                delivery: Delivery { to, state },
            });
        }
    }

    pub(in super::super) fn text_received(
        &mut self,
        conn: ConnId,
        from: PeerAddr,
        message: &Message,
    ) {
        if self.blocked_by(Some(message.from), from).is_some() {
            self.out.push_back(Output::RefuseText { conn });
            return self.dropped(
                from,
                Some(message.from),
                DropKind::Text,
                DropReason::Blocked,
            );
        }
        let Some(standing) = self.group.standing(from) else {
            self.out.push_back(Output::RefuseText { conn });
            return self.hold(from, Early::Text(message.from));
        };
        if standing != Standing::Present {
            self.welcome_back(from);
        }
        self.group.prove(from);
        let speaker = self.listen_to(message.from, from);
        let id = self.next_message();
        self.emit(Event::Message(Said {
            id,
            at: self.now.wall,
            from: speaker,
            text: message.text.as_str().to_owned(),
            deliveries: None,
        }));
        self.out.push_back(Output::TakeText { conn });
    }
}
