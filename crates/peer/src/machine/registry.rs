//! Which registry is gone to: one that the user names, or one that is started on this machine.
//!
//! How the machine that this runs on reaches it, and at which own address, the shell finds out.

use p2pchat_model::{Event, PeerAddr, Problem};

use super::Machine;
use super::chats_io::ToChats;
use super::context::Refusal;
use super::io::{Asker, Chosen, NotChosen, Output};
use super::keys::Keyring;

/// The choice that is under way.
#[derive(Debug, Default)]
pub(super) struct Choosing {
    /// The command, and whose call it is.
    now: Option<(&'static str, Option<Asker>)>,
    /// The registry of this machine did not answer, and was started again.
    has_restarted: bool,
}

impl Choosing {
    pub(super) fn is_under_way(&self) -> bool {
        self.now.is_some()
    }
}

impl Machine {
    /// Goes to another registry, or tries again to reach the one that there is.
    pub(super) fn use_registry(&mut self, registry: String) -> Result<(), Refusal> {
        if registry == self.cx.config.registry {
            self.session.try_again(&mut self.cx);
            return Ok(());
        }
        self.choose("use_registry", Output::UseRegistry { registry })
    }

    /// Starts a registry on this machine and goes to it.
    pub(super) fn start_registry(&mut self) -> Result<(), Refusal> {
        self.choose("start_registry", Output::StartRegistry { known: None })
    }

    fn choose(&mut self, command: &'static str, output: Output) -> Result<(), Refusal> {
        if !self.session.may_choose() {
            return Err(Problem::AlreadyLoggedIn.into());
        }
        if self.choosing.is_under_way() {
            return Err(Problem::TooMuch.into());
        }
        self.choosing.now = Some((command, self.cx.defer()));
        self.cx.push(output);
        Ok(())
    }

    /// The registry is gone. Starts it again, once, if it is the one of this machine: it has been
    /// restarted, for one, and has perhaps another address since.
    pub(super) fn restart_own_registry(&mut self) {
        let keys = self.session.keys.as_ref();
        let own = keys.filter(|keys| keys.is_own(&self.cx.config.registry));
        let Some(known) = own.map(Keyring::expected) else {
            return;
        };
        let is_possible = self.session.may_choose() && !self.choosing.is_under_way();
        if is_possible && !std::mem::replace(&mut self.choosing.has_restarted, true) {
            self.choosing.now = Some(("start_registry", None));
            self.cx.push(Output::StartRegistry { known });
        }
    }

    /// Goes on with the registry that was chosen.
    pub(super) fn registry_chosen(&mut self, result: Result<Chosen, NotChosen>) {
        let Some((command, asker)) = self.choosing.now.take() else {
            return;
        };
        self.cx.answer_to(asker);
        match result {
            Ok(chosen) => {
                self.go_to(chosen);
                self.cx.done();
            }
            Err(NotChosen {
                problem,
                detail,
                found,
            }) => {
                if let Some(registry) = found {
                    self.cx.emit(Event::RegistryFound { registry });
                }
                let message = problem.because(detail);
                self.cx.fail(command, Refusal::new(problem, message));
            }
        }
    }

    fn go_to(&mut self, chosen: Chosen) {
        let config = &mut self.cx.config;
        let is_same = config.registry == chosen.registry && config.address == chosen.address;
        if is_same && self.session.is_up() {
            // It came back by itself.
            return;
        }
        if self.session.account().is_some() {
            self.end_session(None);
        }
        if let Some(keys) = &mut self.session.keys {
            keys.choose(&chosen);
        }
        self.cx.config.registry = chosen.registry;
        self.go_at(chosen.address, chosen.message_port);
        self.session.change_registry(&mut self.cx);
    }

    /// Goes on at another address. In the open chat the members know each other by theirs, so it
    /// is over; encrypted conversations go on.
    pub(super) fn moved(&mut self, address: PeerAddr, message_port: u16) {
        self.end_open_chat();
        self.go_at(address, message_port);
        if self.session.account().is_some() && self.session.keys.is_some() {
            self.cx.push(Output::Chats(ToChats::Moved));
        }
        self.session.connect(&mut self.cx);
    }

    fn go_at(&mut self, address: PeerAddr, message_port: u16) {
        let config = &mut self.cx.config;
        (config.address, config.message_port) = (address, message_port);
        let registry = config.registry.clone();
        self.cx.emit(Event::Registry {
            registry,
            address,
            message_port,
        });
    }
}
