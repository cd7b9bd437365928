//! A user who logs in at any registry and sends Hellos to any registry.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Result;
use p2pchat_protocol::{Password, Request, Response, Username};
use p2pchat_testkit::{Hellos, Session, own_address};

use super::site::Site;

/// How often a user sends a Hello.
const HELLO: Duration = Duration::from_millis(500);

/// A user.
#[derive(Debug)]
pub(super) struct User {
    pub(super) name: Username,
    pub(super) address: Ipv4Addr,
    session: Option<Session>,
    hellos: Option<Hellos>,
}

fn password() -> Result<Password> {
    Ok(Password::new("secret")?)
}

impl User {
    /// Makes an account, at this registry.
    pub(super) async fn new(site: &Site, name: &str, registry: usize) -> Result<Self> {
        let user = Self::existing(name)?;
        let mut session = Session::connect(user.address, site.addresses(registry)[0]).await?;
        session.register(user.name, password()?).await?;
        Ok(user)
    }

    /// A user who may have an account already.
    pub(super) fn existing(name: &str) -> Result<Self> {
        Ok(Self {
            name: Username::new(name)?,
            address: own_address(),
            session: None,
            hellos: None,
        })
    }

    /// The same account at another machine.
    pub(super) fn twin(other: &Self) -> Self {
        Self {
            name: other.name,
            address: own_address(),
            session: None,
            hellos: None,
        }
    }

    /// Logs in at a registry, and sends Hellos to it from then on.
    pub(super) async fn login(&mut self, site: &Site, registry: usize) -> Result<()> {
        let mut session = Session::connect(self.address, site.addresses(registry)[0]).await?;
        session.login(self.name, password()?).await?;
        self.session = Some(session);
        self.send_hellos(site, registry).await
    }

    /// Sends Hellos to this registry from now on, and to no other.
    pub(super) async fn send_hellos(&mut self, site: &Site, registry: usize) -> Result<()> {
        let to = site.addresses(registry)[1];
        self.hellos = Some(Hellos::start(self.name, self.address, to, HELLO).await?);
        Ok(())
    }

    /// Stops the Hellos, as if the cable was pulled.
    pub(super) fn fall_silent(&mut self) {
        self.hellos = None;
    }

    /// Logs out, at any registry.
    pub(super) async fn logout(&mut self, site: &Site, registry: usize) -> Result<Response> {
        self.fall_silent();
        let mut session = Session::connect(self.address, site.addresses(registry)[0]).await?;
        let username = self.name;
        session.ask(&Request::Logout { username }).await
    }

    /// From another machine from now on.
    pub(super) fn move_away(&mut self) {
        self.address = own_address();
    }
}
