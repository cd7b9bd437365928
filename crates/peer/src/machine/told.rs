//! What the registry tells, and what it means for the other parts.

use std::collections::BTreeSet;

use p2pchat_model::{Event, OnlineUser, PeerAddr, Problem, Target, Username};
use p2pchat_protocol::v2::{Binding, SeatUpdate};

use super::Machine;
use super::directory::Change;
use super::keys::KeyPurpose;
use super::session::{Effect, SearchPurpose, Wanted};

impl Machine {
    /// Routes what an answer of the registry means for the other parts.
    pub(super) fn effect(&mut self, effect: Option<Effect>) {
        match effect {
            None => {}
            Some(Effect::LoggedIn { name, again }) => {
                if !again {
                    self.recall(name);
                }
                let cx = &mut self.cx;
                cx.done();
                if self.session.is_encrypted() {
                    self.session.subscribe(cx);
                } else {
                    self.session.ask_online(cx, &self.directory, name, true);
                }
            }
            Some(Effect::Snapshot {
                users,
                begins,
                ends,
            }) => self.snapshot(users, begins, ends),
            Some(Effect::Delta(users)) => self.delta(users),
            Some(Effect::Looked {
                name,
                binding,
                purpose,
            }) => self.looked_up(name, binding, purpose),
            Some(Effect::Named(binding)) => {
                let name = binding.name;
                self.learn(&binding);
                self.key_known(Some(name));
            }
            Some(Effect::Ended(problem)) => self.end_session(Some(problem)),
            Some(Effect::Listed { users, announce }) => self.listed(&users, announce),
            Some(Effect::Searched {
                name,
                address,
                purpose,
            }) => self.searched(name, address, purpose),
        }
        self.cx.done();
    }

    pub(super) fn listed(&mut self, users: &[OnlineUser], announce: bool) {
        if self.session.account().is_none() {
            return;
        }
        if self.directory.replace(users) || announce {
            self.names_changed();
        }
        self.session.check_own_entry(&mut self.cx, &self.directory);
    }

    /// Takes a part of the list of who is online, as version 2 tells.
    fn snapshot(&mut self, users: Vec<SeatUpdate>, begins: bool, ends: bool) {
        let is_first = self.directory.is_empty();
        let keys = self.session.keys.as_ref();
        let trust = |name| keys.and_then(|keys| keys.trust(name));
        let change = self.directory.snapshot(users, (begins, ends), trust);
        let Some(change) = change else {
            return;
        };
        self.session.snapshot_came(self.cx.now.elapsed);
        for user in self.directory.users() {
            self.want_key(user.name);
        }
        self.presence_changed(change, is_first);
    }

    /// Takes what has changed in that list.
    fn delta(&mut self, users: Vec<SeatUpdate>) {
        let names: BTreeSet<Username> = users.iter().map(|(seat, _)| seat.name).collect();
        let keys = self.session.keys.as_ref();
        let trust = |name| keys.and_then(|keys| keys.trust(name));
        let change = self.directory.delta(users, trust);
        for name in names {
            self.want_key(name);
        }
        self.presence_changed(change, false);
    }

    /// The registry has said which key a name is bound to.
    fn looked_up(&mut self, name: Username, binding: Option<Box<Binding>>, purpose: KeyPurpose) {
        if let Some(binding) = &binding {
            self.learn(binding);
        }
        let Some(keys) = self.session.keys.as_mut() else {
            return;
        };
        let person = binding.and_then(|binding| binding.person);
        if person.is_none() {
            let users = self.directory.users();
            let is_legacy = users.iter().any(|user| user.name == name && user.legacy);
            self.chats.has_no_key(name, is_legacy);
        }
        let known = keys.use_key(&mut self.cx, name, person, purpose);
        // Also where the lookup was for a code: it may be another key than before.
        self.cx.answer_to(None);
        self.key_known(known.or(Some(name)));
    }

    /// Takes note of what the registry vouches for.
    fn learn(&mut self, binding: &Binding) {
        if let Some(keys) = self.session.keys.as_mut() {
            keys.learn(&mut self.cx, binding);
        }
        let devices = binding.devices.iter().map(|of| of.device);
        self.chats.devices(binding.name, devices.collect());
    }

    /// A key may be known better or worse than before.
    pub(super) fn key_known(&mut self, name: Option<Username>) {
        let Some(name) = name else {
            return;
        };
        let trust = self.session.keys.as_ref().and_then(|keys| keys.trust(name));
        let change = self.directory.set_trust(name, trust);
        self.presence_changed(change, false);
        if let Some(keys) = &self.session.keys {
            self.chats.name_known(&mut self.cx, keys, name);
        }
    }

    /// Looks up the key of a user, if presence tells that it may be another one.
    pub(super) fn want_key(&mut self, name: Username) {
        if let Some(address) = self.directory.address_of(name) {
            let serial = self.directory.serial_of(name);
            let is_in_chat = self.group.is_present(address);
            self.session.want_key(name, serial, is_in_chat);
        }
    }

    /// Who is online has changed, as version 2 tells: all of it, or some.
    fn presence_changed(&mut self, change: Change, is_all: bool) {
        if change.is_empty() && !is_all {
            return;
        }
        self.chats.presence_changed();
        let Change { users, gone } = change;
        self.cx.emit(if is_all {
            Event::Online { users }
        } else {
            Event::Presence { users, gone }
        });
        self.enforce_blocks();
    }

    /// Answers the calls that have waited for presence.
    pub(super) fn answer_told(&mut self) {
        let now = self.cx.now.elapsed;
        for (wanted, asker) in self.session.take_told(now, &self.directory) {
            self.cx.answer_to(asker);
            match wanted {
                Wanted::All => {
                    let users = self.directory.users();
                    self.cx.emit(Event::Online { users });
                }
                Wanted::Name(name, purpose) => {
                    self.searched(name, self.directory.address_of(name), purpose);
                }
            }
            self.cx.done();
        }
    }

    pub(super) fn searched(
        &mut self,
        name: Username,
        address: Option<PeerAddr>,
        purpose: SearchPurpose,
    ) {
        if let Some(address) = address
            && !self.session.is_encrypted()
            && self.directory.learn(name, address)
        {
            self.names_changed();
        }
        let result = match (purpose, address) {
            (SearchPurpose::Show, _) => {
                let at = self.cx.now.wall;
                self.cx.emit(Event::Found { at, name, address });
                Ok(())
            }
            (SearchPurpose::Request, None) => Err(Problem::NotOnline.into()),
            (SearchPurpose::Request, Some(address)) => self.request(Target::Address(address)),
        };
        if let Err(refusal) = result {
            self.cx.fail(purpose.command(), refusal);
        }
    }

    /// The online list has changed: what is blocked may be known by another name now.
    pub(super) fn names_changed(&mut self) {
        let users = self.directory.users();
        self.cx.emit(Event::Online { users });
        self.enforce_blocks();
    }
}
