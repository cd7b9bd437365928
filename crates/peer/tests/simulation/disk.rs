//! What outlives a process: its history and its block list, and what must hold of them.

use std::collections::BTreeSet;

use p2pchat_model::{BlockChange, DeliveryState, Event, Message, Target, Username};

use p2pchat_peer::machine::SaidBy;

use super::checks::Verdict;
use super::schedule::Process;
use super::world::World;

impl World {
    /// The user is told something: what of it has to be on the disk is there.
    pub(crate) fn is_written(&mut self, process: Process, event: &Event, said_by: Option<SaidBy>) {
        let written = match event {
            Event::Message(message) => {
                let calls = &mut self.peers[process.seat].calls;
                calls.extend(said_by.map(|by| (by, message.id)));
                self.message_is_written(process, message)
            }
            Event::Delivered {
                message: id,
                delivery,
                ..
            } => {
                if let DeliveryState::Failed(_) = delivery.state
                    && let Some(seat) = self.seat_of(delivery.to.address)
                {
                    self.ledger.fail(process, *id, seat);
                }
                Ok(())
            }
            Event::Blocks { list, .. } => self
                .blocks_are_written(process, list)
                .map_err(|words| ("blocks_are_kept", words)),
            _ => Ok(()),
        };
        if let Err((check, words)) = written {
            let name = self.peers[process.seat].name;
            self.fail(check, &format!("{name}: {words}"));
        }
    }

    fn message_is_written(
        &mut self,
        process: Process,
        message: &Message,
    ) -> Result<(), (&'static str, String)> {
        let Process { seat, .. } = process;
        let from = self.seat_of(message.from.address);
        self.ledger
            .number(seat, message.id)
            .map_err(|words| ("history_is_numbered_upwards", words))?;
        if message.is_own() {
            self.ledger
                .named(process, message.id, &message.text)
                .map_err(|words| ("a_call_leads_to_one_message", words))
        } else {
            self.ledger.show(seat, from, &message.text)
        }
    }

    /// What the user sees in their block list is still there after a crash.
    fn blocks_are_written(&self, process: Process, list: &[Target]) -> Verdict {
        let peer = &self.peers[process.seat];
        let account = peer.running().and_then(|running| running.book.account);
        let kept: BTreeSet<Target> = peer
            .blocks
            .iter()
            .filter(|(whose, _)| Some(*whose) == account)
            .map(|(_, who)| *who)
            .collect();
        let shown: BTreeSet<Target> = list.iter().copied().collect();
        if kept == shown {
            Ok(())
        } else {
            Err(format!("is shown {shown:?}, kept is {kept:?}"))
        }
    }

    /// A change of the block list is written.
    pub(crate) fn keep_block(&mut self, seat: usize, account: Username, change: BlockChange) {
        let blocks = &mut self.peers[seat].blocks;
        match change {
            BlockChange::Blocked(who) => blocks.insert((account, who)),
            BlockChange::Unblocked(who) => blocks.remove(&(account, who)),
        };
    }
}
