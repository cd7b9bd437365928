//! What is known about other users: a read-only view of the online list and of the block
//! list of the account that is logged in.

use p2pchat_model::{
    DropKind, DropReason, NameCheck, PeerAddr, Person, Problem, Target, Username, wording,
};

use super::blocks::Blocks;
use super::context::{Context, Refusal};
use super::directory::Directory;

/// The view that the sub-machines get.
#[derive(Debug, Clone, Copy)]
pub(super) struct People<'a> {
    account: Option<Username>,
    directory: &'a Directory,
    blocks: &'a Blocks,
}

impl<'a> People<'a> {
    pub(super) fn new(
        account: Option<Username>,
        directory: &'a Directory,
        blocks: &'a Blocks,
    ) -> Self {
        Self {
            account,
            directory,
            blocks,
        }
    }

    /// The account that is logged in, or the refusal for a user who is not logged in.
    pub(super) fn account(&self) -> Result<Username, Refusal> {
        self.account.ok_or_else(|| Problem::NotLoggedIn.into())
    }

    pub(super) fn is_logged_in(&self) -> bool {
        self.account.is_some()
    }

    /// The address of a user that a chat request is for; `None` if the registry has to be
    /// asked.
    pub(super) fn locate(&self, cx: &Context, name: Username) -> Result<Option<PeerAddr>, Refusal> {
        if name == self.account()? {
            return Err(Problem::Oneself.into());
        }
        let address = self.directory.address_of(name);
        if address.is_none() {
            self.check_not_blocked(Some(name), cx.config.address)?;
        }
        Ok(address)
    }

    /// The address with the name that the registry has for it, or last had.
    pub(super) fn person(&self, address: PeerAddr) -> Person {
        self.directory.person(address)
    }

    /// The name that a peer claims, with what the registry says of it.
    pub(super) fn speaker(&self, name: Username, address: PeerAddr) -> Person {
        self.directory.speaker(name, address)
    }

    /// The same for a packet that has just arrived: a name that is not confirmed is asked
    /// for again soon.
    pub(super) fn identify(&self, cx: &mut Context, name: Username, from: PeerAddr) -> Person {
        let speaker = self.speaker(name, from);
        if speaker.check != NameCheck::Confirmed {
            cx.note_unconfirmed_name();
        }
        speaker
    }

    /// Whether the registry has, or last had, this name at an address.
    pub(super) fn is_known_as(&self, name: Username, at: PeerAddr) -> bool {
        self.directory.known_names_at(at).any(|known| known == name)
    }

    /// The same, or it has none: then it is the address that counts.
    pub(super) fn may_be(&self, name: Username, at: PeerAddr) -> bool {
        self.is_known_as(name, at) || self.person(at).name.is_none()
    }

    /// The entry of the block list that applies to a peer: its address, a name that the
    /// registry has for the address or last had, or the name that the peer claims. Logging in to
    /// another account does not get a blocked user past it.
    pub(super) fn blocked_by(&self, claimed: Option<Username>, at: PeerAddr) -> Option<Target> {
        let list = self.blocks.of(self.account?)?;
        let names = claimed.into_iter().chain(self.directory.known_names_at(at));
        names
            .map(Target::Name)
            .chain([Target::Address(at)])
            .find(|target| list.contains(target))
    }

    pub(super) fn is_blocked(&self, at: PeerAddr) -> bool {
        self.blocked_by(None, at).is_some()
    }

    /// Refuses a request to a blocked peer.
    pub(super) fn check_not_blocked(
        &self,
        name: Option<Username>,
        at: PeerAddr,
    ) -> Result<(), Refusal> {
        match self.blocked_by(name, at) {
            None => Ok(()),
            Some(target) => Err(Refusal::new(
                Problem::Blocked,
                wording::problem::target_is_blocked(&target),
            )),
        }
    }

    /// Whether an address on a list from `from` may become a member: not the user's own, no
    /// blocked one, and none that is a different host to each machine.
    pub(super) fn is_admissible(
        &self,
        cx: &mut Context,
        from: PeerAddr,
        address: PeerAddr,
    ) -> bool {
        let own = cx.config.address;
        if address == own {
            return false;
        }
        // To a peer on the network, a loopback address is a program on the user's machine.
        if address.ip().is_loopback() && !own.ip().is_loopback() {
            let name = self.person(from).name;
            cx.count_drop(from, name, DropKind::Newcomer, DropReason::Malformed);
            return false;
        }
        if self.is_blocked(address) {
            let name = self.person(address).name;
            cx.count_drop(address, name, DropKind::Newcomer, DropReason::Blocked);
            return false;
        }
        true
    }
}
