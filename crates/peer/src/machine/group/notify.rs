//! Telling members of newcomers: one notify at a time to each.

use std::time::Duration;

use p2pchat_model::{LeaveReason, PeerAddr};
use p2pchat_protocol::{ChatList, Contact};

use super::super::{Acknowledgement, Machine, Output, SendId};

/// How often a notify is tried before the member counts as unreachable.
const NOTIFY_TRIES: u32 = 3;
/// The pause before a notify is tried again; it quadruples.
pub(super) const NOTIFY_PAUSE: Duration = Duration::from_secs(1);
/// How often that pause grows where somebody can be reached but does not say that he has
/// read: to some four minutes.
pub(super) const MOST_UNREAD: u32 = 4;
impl Machine {
    pub(in super::super) fn notify_done(
        &mut self,
        id: SendId,
        result: Result<Acknowledgement, LeaveReason>,
    ) {
        let now = self.now.elapsed;
        let Some((address, member)) = self.group.receiver(id) else {
            return;
        };
        let Some(newcomer) = member.notified(id) else {
            return;
        };
        match result {
            Ok(taken) => {
                member.untold.remove(&newcomer);
                member.notify_tries = 0;
                member.brought_by = None;
                member.is_told(now, taken);
            }
            Err(reason) => {
                member.notify_tries += 1;
                let pause = NOTIFY_PAUSE * 4_u32.pow(member.notify_tries.min(NOTIFY_TRIES) - 1);
                member.notify_after = Some(now + pause);
                if member.notify_tries >= NOTIFY_TRIES && member.is_present() {
                    self.lose(address, reason);
                }
            }
        }
    }

    /// Tells a member of the next newcomer, if he is to be told of any. `everybody` is made
    /// once, for as many as are to be told.
    pub(super) fn send_notify(&mut self, to: PeerAddr, everybody: &mut Option<ChatList>) {
        let (now, own) = (self.now.elapsed, self.config.address);
        let Some(newcomer) = self.group.due_notify(to, now, own) else {
            return;
        };
        let id = self.next_send();
        let everybody = everybody.get_or_insert_with(|| self.group.present().collect());
        let members = everybody.without(to);
        let Some(member) = self.group.get_mut(to) else {
            return;
        };
        member.notifying = Some((id, newcomer));
        let patience = member.patience();
        self.group.is_sent(id, to);
        self.out.push_back(Output::Notify {
            id,
            to,
            contact: Contact::Notify { newcomer, members },
            patience,
        });
    }
}
