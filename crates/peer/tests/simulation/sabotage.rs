//! Lies, so that the checks are seen to bite: what a broken machine or network would do.

use p2pchat_model::{
    ConversationId, Event, Message as Shown, MessageId, NameCheck, Person, Timestamp,
};
use p2pchat_peer::machine::Output;
use p2pchat_protocol::{ChatAnswer, Request};

use super::network::Packet;
use super::schedule::Process;
use super::world::World;

/// A lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// Every text arrives twice.
    TextTwice,
    /// A text that was lost is reported as taken.
    FalseConfirm,
    /// What a stranger says is shown.
    Smuggle,
    /// No hello is sent.
    MuteHello,
    /// "Busy" is not said.
    MuteBusy,
    /// A text that is refused waits for ever.
    MuteRefusal,
    /// A request that is withdrawn goes on.
    KeepAsking,
    /// The outcome of deliveries is swallowed.
    LostDelivery,
    /// Members come without an event.
    SilentJoin,
    /// Members never hear of newcomers.
    MuteNotify,
    /// The sender of a text is told that it was taken before it is in the history.
    HastyTake,
    /// A machine is not told which numbers its history has.
    ForgetNumbers,
    /// A machine is not told how long its process stood still.
    Oversleep,
    /// The registry never recovers from forgetting who is there.
    StayForgetful,
    /// No user is logged in again.
    MuteLogin,
    /// A call that was carried out is not closed.
    MuteDone,
    /// A call is closed twice.
    DoneTwice,
    /// A machine is not told which calls led to messages.
    ForgetCalls,
    /// A machine holds more than it may.
    Hoard,
}

impl Sabotage {
    /// Whether this output is not to be.
    fn swallows(self, output: &Output) -> bool {
        match output {
            Output::Hello(_) => self == Self::MuteHello,
            Output::Answer { answer, .. } => self == Self::MuteBusy && *answer == ChatAnswer::Busy,
            Output::RefuseText { .. } => self == Self::MuteRefusal,
            Output::CancelRequest { .. } => self == Self::KeepAsking,
            Output::Notify { .. } => self == Self::MuteNotify,
            Output::Event {
                event: Event::Done, ..
            } => self == Self::MuteDone,
            Output::Event {
                event: Event::Delivered { .. },
                ..
            } => self == Self::LostDelivery,
            Output::Event {
                event: Event::MemberJoined { .. },
                ..
            } => self == Self::SilentJoin,
            _ => false,
        }
    }
}

impl World {
    /// Falsifies what a machine wants done, where the run is meant to be caught lying.
    pub(crate) fn tamper(&self, process: Process, outputs: &mut Vec<Output>) {
        let Some(sabotage) = self.mix.sabotage else {
            return;
        };
        if sabotage == Sabotage::Smuggle {
            return self.smuggle(outputs);
        }
        if sabotage == Sabotage::DoneTwice {
            return close_twice(outputs);
        }
        let running = self.peers[process.seat].running();
        let is_in = running.is_some_and(|running| running.book.account.is_some());
        let logs_in_again =
            |output: &Output| is_in && matches!(output, Output::Ask(Request::Login { .. }));
        outputs.retain(|output| match sabotage {
            Sabotage::MuteLogin => !logs_in_again(output),
            _ => !sabotage.swallows(output),
        });
    }

    /// Shows what was refused.
    fn smuggle(&self, outputs: &mut Vec<Output>) {
        let Some(&Output::RefuseText { conn }) = outputs.first() else {
            return;
        };
        let Packet::Text(message, _) = self.packet_of(conn.0 as usize) else {
            return;
        };
        let from = Person {
            name: Some(message.from),
            address: self.network.calls[conn.0 as usize].from,
            check: NameCheck::Unknown,
        };
        let message = Shown {
            conversation: ConversationId::OPEN,
            id: MessageId::new(1 << 52),
            at: Timestamp(0),
            from,
            text: message.text.as_str().to_owned(),
            deliveries: None,
        };
        outputs[0] = Output::TakeText { conn };
        outputs.push(Output::Event {
            event: Event::Message(message),
            re: None,
            said_by: None,
        });
    }
}

/// Closes calls once more.
fn close_twice(outputs: &mut Vec<Output>) {
    let done = |output: &Output| match output {
        Output::Event {
            event: Event::Done,
            re,
            ..
        } => Some(Output::Event {
            event: Event::Done,
            re: re.clone(),
            said_by: None,
        }),
        _ => None,
    };
    let again: Vec<Output> = outputs.iter().filter_map(done).collect();
    outputs.extend(again);
}
