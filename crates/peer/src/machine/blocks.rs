//! The users and addresses that each account has blocked.

use std::collections::{BTreeMap, BTreeSet};

use p2pchat_model::{BlockChange, Event, Problem, Target, Username, wording};

use super::context::{Context, Refusal};
use super::io::{Output, ToJournal};

/// How many entries the list of an account may have: more than anyone reads through, and a
/// list that a page still takes at once.
const MAX_BLOCKED: usize = 1000;

/// The block lists of all accounts that were ever used here.
#[derive(Debug, Default)]
pub(super) struct Blocks(BTreeMap<Username, BTreeSet<Target>>);

impl Blocks {
    /// Restores an entry of an earlier session.
    pub(super) fn restore(&mut self, account: Username, who: Target) {
        self.0.entry(account).or_default().insert(who);
    }

    /// The list of an account, if it ever had one.
    pub(super) fn of(&self, account: Username) -> Option<&BTreeSet<Target>> {
        self.0.get(&account)
    }

    /// Adds an entry. Whether it is new.
    pub(super) fn block(
        &mut self,
        cx: &mut Context,
        account: Username,
        who: Target,
    ) -> Result<bool, Refusal> {
        if [Target::Name(account), Target::Address(cx.config.address)].contains(&who) {
            return Err(Problem::Oneself.into());
        }
        let list = self.0.entry(account).or_default();
        if list.len() >= MAX_BLOCKED && !list.contains(&who) {
            return Err(Refusal::new(
                Problem::TooMuch,
                wording::problem::block_list_is_full(MAX_BLOCKED),
            ));
        }
        let is_new = list.insert(who);
        self.store(cx, account, BlockChange::Blocked(who));
        Ok(is_new)
    }

    pub(super) fn unblock(
        &mut self,
        cx: &mut Context,
        account: Username,
        who: Target,
    ) -> Result<(), Refusal> {
        let list = self.0.entry(account).or_default();
        if !list.remove(&who) {
            return Err(Refusal::new(
                Problem::NotBlocked,
                wording::problem::target_is_not_blocked(&who),
            ));
        }
        self.store(cx, account, BlockChange::Unblocked(who));
        Ok(())
    }

    fn store(&self, cx: &mut Context, account: Username, change: BlockChange) {
        // Before the user is told: a change that was shown survives a crash.
        let re = cx.asker().cloned();
        cx.push(Output::Journal(ToJournal::KeepBlock {
            re,
            account,
            change,
        }));
        self.announce(cx, account, Some(change));
    }

    /// Tells the user the list of an account.
    pub(super) fn announce(
        &self,
        cx: &mut Context,
        account: Username,
        change: Option<BlockChange>,
    ) {
        let list = self.of(account).into_iter().flatten().copied().collect();
        let at = cx.now.wall;
        cx.emit(Event::Blocks { at, list, change });
    }
}
