//! A registry as `PROTOCOL.md` describes it, without sockets: accounts, sessions by
//! connection, presence by hellos.

use std::collections::BTreeMap;
use std::time::Duration;

use p2pchat_protocol::{Hello, Kind, OnlineUser, Password, PeerAddr, Request, Response, Username};

/// A user who is online, and why they count as that.
#[derive(Debug)]
pub(crate) struct Presence {
    /// The address of the login.
    pub(crate) address: PeerAddr,
    /// The connection of the login.
    link: usize,
    /// When the user was last heard.
    seen: Duration,
}

/// How the registry answers.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    #[default]
    Well,
    /// Late, and sometimes too late.
    Slow,
    /// Twice, not at all, in the wrong order, or unasked.
    Confused,
    /// Well, but every login is forgotten at once.
    Forgetful,
}

/// The registry.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    accounts: BTreeMap<Username, Password>,
    online: BTreeMap<Username, Presence>,
    /// Whether the process is not there.
    pub(crate) down: bool,
    /// Whether the store fails.
    pub(crate) store_broken: bool,
    /// How it answers.
    pub(crate) manner: Manner,
}

impl Registry {
    /// A user without a hello for this long is offline.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// Stops the process: what it knew of presence is gone, the accounts are not.
    pub(crate) fn stop(&mut self) {
        self.down = true;
        self.forget_all();
    }

    /// All its troubles end.
    pub(crate) fn recover(&mut self) {
        self.down = false;
        self.store_broken = false;
        self.manner = Manner::Well;
    }

    /// Nobody is online any more, as far as it knows.
    pub(crate) fn forget_all(&mut self) {
        self.online.clear();
    }

    /// This user is not online any more, as far as it knows.
    pub(crate) fn forget(&mut self, name: Username) {
        self.online.remove(&name);
    }

    /// Whether it does what a registry has to do.
    pub(crate) fn is_well(&self) -> bool {
        !self.down && !self.store_broken && self.manner == Manner::Well
    }

    /// The address of a user, if they are online.
    pub(crate) fn find(&mut self, now: Duration, name: Username) -> Option<PeerAddr> {
        self.expire(now);
        self.online.get(&name).map(|presence| presence.address)
    }

    /// Answers a request that came on `link` from `from`.
    pub(crate) fn answer(
        &mut self,
        now: Duration,
        link: usize,
        from: PeerAddr,
        request: &Request,
    ) -> Response {
        match request {
            Request::Register { username, password } => self.register(*username, password),
            Request::Login { username, password } => {
                self.login(now, link, from, *username, password)
            }
            Request::Search { target, .. } => match self.find(now, *target) {
                Some(address) => Response::Found(address),
                None => Response::NotFound,
            },
            Request::Logout { username } => self.logout(link, from, *username),
            Request::AllOnline { .. } => self.list(now),
        }
    }

    /// Takes note of a hello.
    pub(crate) fn hear(&mut self, now: Duration, from: PeerAddr, hello: &Hello) {
        self.expire(now);
        if let Some(presence) = self.online.get_mut(&hello.username)
            && presence.address == from
        {
            presence.seen = now;
        }
    }

    fn expire(&mut self, now: Duration) {
        self.online
            .retain(|_, presence| now < presence.seen + Self::PATIENCE);
    }

    fn register(&mut self, name: Username, password: &Password) -> Response {
        if self.store_broken {
            return Response::ServerError {
                kind: Kind::Register,
            };
        }
        if self.accounts.contains_key(&name) {
            return Response::NameTaken;
        }
        self.accounts.insert(name, password.clone());
        Response::Registered
    }

    fn login(
        &mut self,
        now: Duration,
        link: usize,
        from: PeerAddr,
        name: Username,
        password: &Password,
    ) -> Response {
        if self.store_broken {
            return Response::ServerError { kind: Kind::Login };
        }
        if self.accounts.get(&name) != Some(password) {
            return Response::WrongCredentials;
        }
        let presence = Presence {
            address: from,
            link,
            seen: now,
        };
        if self.manner != Manner::Forgetful {
            self.online.insert(name, presence);
        }
        Response::LoggedIn
    }

    fn logout(&mut self, link: usize, from: PeerAddr, name: Username) -> Response {
        match self.online.get(&name) {
            Some(presence) if presence.link == link || presence.address == from => {
                self.online.remove(&name);
                Response::LoggedOut
            }
            _ => Response::WasNotOnline,
        }
    }

    fn list(&mut self, now: Duration) -> Response {
        self.expire(now);
        if self.online.is_empty() {
            return Response::NobodyOnline;
        }
        let users = self.online.iter().map(|(&name, presence)| OnlineUser {
            name,
            address: presence.address,
        });
        Response::Online(users.collect())
    }
}
