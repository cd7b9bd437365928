//! Whom the user has blocked, and what follows from it everywhere else.

use std::collections::{BTreeMap, BTreeSet};

use p2pchat_model::{BlockChange, Event, LeaveReason, PeerAddr, Problem, Target, Username};

use super::{Machine, Output, Refusal};

/// How many an account may block: more than anybody reads through, and a list that a page
/// still takes at once.
const MAX_BLOCKED: usize = 1000;

/// The block lists of all accounts that were ever used here.
#[derive(Debug, Default)]
pub(super) struct Blocks(BTreeMap<Username, BTreeSet<Target>>);

impl Blocks {
    fn of(&self, account: Username) -> impl Iterator<Item = Target> + '_ {
        self.0.get(&account).into_iter().flatten().copied()
    }
}

impl Machine {
    /// Makes known whom the accounts have blocked in earlier sessions.
    #[must_use]
    pub fn with_blocks(mut self, blocks: impl IntoIterator<Item = (Username, Target)>) -> Self {
        for (account, who) in blocks {
            self.blocks.0.entry(account).or_default().insert(who);
        }
        self
    }

    /// What blocks somebody at this address: by the address, by a name that the registry
    /// has for it, or by the name that he says. Another account does not bring back who is
    /// blocked.
    pub(super) fn blocked_by(&self, said: Option<Username>, at: PeerAddr) -> Option<Target> {
        let account = self.session.account()?;
        let list = self.blocks.0.get(&account)?;
        let names = said.into_iter().chain(self.directory.names_at(at));
        names
            .map(Target::Name)
            .chain([Target::Address(at)])
            .find(|target| list.contains(target))
    }

    pub(super) fn is_blocked(&self, at: PeerAddr) -> bool {
        self.blocked_by(None, at).is_some()
    }

    /// Refuses to ask somebody who is blocked.
    pub(super) fn check_not_blocked(
        &self,
        said: Option<Username>,
        at: PeerAddr,
    ) -> Result<(), Refusal> {
        match self.blocked_by(said, at) {
            None => Ok(()),
            Some(target) => Err(Refusal {
                problem: Problem::Blocked,
                message: format!("{target} is blocked: /unblock {target} first"),
            }),
        }
    }

    pub(super) fn block(&mut self, who: Target) -> Result<(), Refusal> {
        let account = self.account()?;
        if [Target::Name(account), Target::Address(self.config.address)].contains(&who) {
            return Err(Problem::Oneself.into());
        }
        let list = self.blocks.0.entry(account).or_default();
        if list.len() >= MAX_BLOCKED && !list.contains(&who) {
            return Err(Refusal {
                problem: Problem::TooMuch,
                message: format!("{MAX_BLOCKED} are blocked already: unblock somebody first"),
            });
        }
        list.insert(who);
        self.keep_block(account, BlockChange::Blocked(who));
        self.enforce_blocks();
        Ok(())
    }

    pub(super) fn unblock(&mut self, who: Target) -> Result<(), Refusal> {
        let account = self.account()?;
        let list = self.blocks.0.entry(account).or_default();
        if !list.remove(&who) {
            return Err(Refusal {
                problem: Problem::NotBlocked,
                message: format!("{who} is not blocked under that name or address"),
            });
        }
        self.keep_block(account, BlockChange::Unblocked(who));
        Ok(())
    }

    fn keep_block(&mut self, account: Username, change: BlockChange) {
        // Whoever sees it in his list need not do it again after a crash.
        self.out.push_back(Output::KeepBlock { account, change });
        self.tell_blocks(account, Some(change));
    }

    pub(super) fn tell_blocks(&mut self, account: Username, change: Option<BlockChange>) {
        let list = self.blocks.of(account).collect();
        let at = self.now.wall;
        self.emit(Event::Blocks { at, list, change });
    }

    /// Ends all that there is with those who are blocked: after the list has changed, or
    /// what is known of names.
    pub(super) fn enforce_blocks(&mut self) {
        self.drop_blocked_requests();
        let blocked: Vec<PeerAddr> = self
            .group
            .known()
            .filter(|address| self.is_blocked(*address))
            .collect();
        for address in blocked {
            self.lose(address, LeaveReason::Blocked);
            self.group.forget(address);
        }
    }
}
