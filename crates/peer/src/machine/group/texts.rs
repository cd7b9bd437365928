//! Texts: from the user to each member in order, and from members to the user.
//!
//! Each member has an outbox and at most one packet in flight, so a slow member delays no
//! other one, and the order holds without the shell doing anything for it.

use std::time::Duration;

use p2pchat_model::{
    ConversationId, Delivery, DeliveryState, DropKind, DropReason, Event, LeaveReason,
    Message as Text, MessageId, PeerAddr, Person, Problem, letters_too_many, wording,
};
use p2pchat_protocol::{Message, split_text};

use super::super::context::{Context, Refusal};
use super::super::io::{Acknowledgement, ConnId, Output, SendId};
use super::super::people::People;
use super::Group;
use super::outbox::Packet;
use super::strangers::{Content, StrangerPacket};

/// How long after a member joined a refusal may only mean that the member has not been told
/// of us yet, and the packet is sent again; not if it has taken a text since.
const INTRODUCTION: Duration = Duration::from_secs(15);

impl Group {
    /// Sends a text of the user to all members.
    pub(crate) fn say(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        text: String,
    ) -> Result<(), Refusal> {
        let own = people.account()?;
        let recipients = self.recipients();
        if recipients.is_empty() {
            return Err(Problem::NobodyThere.into());
        }
        let bad_text = |message| Refusal::new(Problem::BadText, message);
        let letters = letters_too_many(&text);
        if letters > 0 {
            return Err(bad_text(wording::problem::message_too_long(letters)));
        }
        let parts = split_text(&text).map_err(|error| bad_text(error.to_string()))?;
        let id = cx.next_message();
        let to_each = recipients.iter().map(|address| Delivery {
            to: people.person(*address),
            state: DeliveryState::Sending,
        });
        cx.say(Text {
            conversation: ConversationId::OPEN,
            id,
            at: cx.now.wall,
            from: people.speaker(own, cx.config.address),
            text,
            deliveries: Some(to_each.collect()),
        });
        let messages: Vec<Message> = parts
            .into_iter()
            .map(|part| Message::new(own, part))
            .collect();
        self.enqueue(id, &messages);
        for address in recipients {
            self.check_outbox(cx, people, address);
        }
        Ok(())
    }

    /// Puts a text into the outbox of every present member and every unreachable one.
    fn enqueue(&mut self, id: MessageId, messages: &[Message]) {
        let is_anyone_present = !self.is_empty();
        for (_, member) in self.roster.iter_mut() {
            let is_unreachable = member.is_unreachable();
            let is_recipient = member.is_present() || (is_unreachable && !is_anyone_present);
            let has_room = member.outbox.has_room_for(messages.len());
            let is_best_effort = !is_recipient && is_unreachable && has_room;
            if !is_recipient && !is_best_effort {
                continue;
            }
            let last = messages.len() - 1;
            let packets = messages.iter().enumerate().map(|(at, message)| Packet {
                id,
                message: *message,
                is_last: at == last,
                is_best_effort,
            });
            member.outbox.extend(packets);
        }
    }

    fn check_outbox(&mut self, cx: &mut Context, people: People<'_>, address: PeerAddr) {
        let member = self.roster.get_mut(address);
        if member.is_some_and(|member| member.outbox.is_overfull()) {
            self.lose(cx, people, address, LeaveReason::Unreachable);
        }
    }

    /// Sends the first packet of a member's outbox, if none is in flight.
    pub(super) fn send_text(&mut self, cx: &mut Context, to: PeerAddr) {
        let Some(member) = self.roster.get_mut(to) else {
            return;
        };
        let Some(packet) = member.outbox.due(cx.now.elapsed) else {
            return;
        };
        let (message, patience) = (packet.message, member.patience());
        let id = cx.next_send();
        member.outbox.sent(id);
        self.in_flight.insert(id, to);
        cx.push(Output::Text {
            id,
            to,
            message,
            patience,
        });
    }

    /// Takes the result of a packet.
    pub(crate) fn text_done(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        id: SendId,
        result: Result<Acknowledgement, LeaveReason>,
    ) {
        let now = cx.now.elapsed;
        let Some((address, member)) = self.receiver(id) else {
            return;
        };
        if !member.outbox.arrived(id) {
            return;
        }
        match result {
            // The program always confirmed, and now does not: the connection is gone.
            Ok(Acknowledgement::Unconfirmed) if member.confirms == Some(true) => {
                self.lose_unconfirmed(cx, people, address);
            }
            Ok(taken) => self.packet_taken(cx, people, address, taken),
            Err(reason) => {
                let may_not_know_us = !member.has_taken_text && member.since + INTRODUCTION > now;
                let may_retry = reason == LeaveReason::Refused && may_not_know_us;
                if !(may_retry && member.outbox.retry(now)) {
                    self.lose(cx, people, address, reason);
                }
            }
        }
    }

    /// Loses a member after a packet went out without a result: the member may have it or
    /// not. So it is not sent again, and what came after it does not follow.
    fn lose_unconfirmed(&mut self, cx: &mut Context, people: People<'_>, address: PeerAddr) {
        let member = self.roster.get_mut(address);
        let packet = member.and_then(|member| member.outbox.pop());
        self.lose(cx, people, address, LeaveReason::Unreachable);
        if let Some(packet) = packet.filter(Packet::reports_failure) {
            let to = people.person(address);
            let state = DeliveryState::Unconfirmed;
            cx.emit(Event::Delivered {
                conversation: ConversationId::OPEN,
                message: packet.id,
                delivery: Delivery { to, state },
            });
        }
    }

    fn packet_taken(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        address: PeerAddr,
        taken: Acknowledgement,
    ) {
        if !self.is_present(address) {
            self.rejoin(cx, people, address);
        }
        let Some(member) = self.roster.get_mut(address) else {
            return;
        };
        let is_confirmed = taken == Acknowledgement::Confirmed;
        member.unverified_from = None;
        member.confirms = Some(is_confirmed);
        member.has_taken_text |= is_confirmed;
        let Some((packet, was_confirmed)) = member.outbox.pop_taken(is_confirmed) else {
            return;
        };
        if packet.is_last {
            let to = people.person(address);
            let state = if was_confirmed {
                DeliveryState::Sent
            } else {
                DeliveryState::Unconfirmed
            };
            cx.emit(Event::Delivered {
                conversation: ConversationId::OPEN,
                message: packet.id,
                delivery: Delivery { to, state },
            });
        }
    }

    /// Takes a text of another peer. One of a stranger is returned, to be held.
    pub(crate) fn text_received(
        &mut self,
        cx: &mut Context,
        people: People<'_>,
        conn: ConnId,
        from: PeerAddr,
        message: &Message,
    ) -> Option<StrangerPacket> {
        let name = message.from;
        if people.blocked_by(Some(name), from).is_some() {
            cx.push(Output::RefuseText { conn });
            cx.count_drop(from, Some(name), DropKind::Text, DropReason::Blocked);
            return None;
        }
        if self.presence(from).is_none() {
            cx.push(Output::RefuseText { conn });
            let content = Content::Text(name);
            return Some(StrangerPacket { from, content });
        }
        if !self.is_present(from) {
            self.rejoin(cx, people, from);
        }
        self.verify(from);
        let from = people.identify(cx, name, from);
        let id = cx.next_message();
        cx.emit(Event::Message(Text {
            conversation: ConversationId::OPEN,
            id,
            at: cx.now.wall,
            from,
            text: message.text.as_str().to_owned(),
            deliveries: None,
        }));
        cx.push(Output::TakeText { conn });
        None
    }
}

/// Tells the user of each text that was not sent, once.
pub(super) fn fail_deliveries(
    cx: &mut Context,
    to: Person,
    unsent: Vec<Packet>,
    reason: LeaveReason,
) {
    let state = DeliveryState::Failed(reason);
    for packet in unsent.into_iter().filter(Packet::reports_failure) {
        cx.emit(Event::Delivered {
            conversation: ConversationId::OPEN,
            message: packet.id,
            delivery: Delivery { to, state },
        });
    }
}
