//! A user who is no p2pchat: logs in where one wants, and says Hello where one wants.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Result, ensure};
use p2pchat_protocol::{Hello, Password, Request, Response, Username};
use p2pchat_testkit::{Session, own_address};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::interval;

use super::site::Site;

/// How often he says Hello.
const HELLO: Duration = Duration::from_millis(500);

/// Somebody with an account.
#[derive(Debug)]
pub(super) struct User {
    pub(super) name: Username,
    pub(super) address: Ipv4Addr,
    session: Option<Session>,
    hellos: JoinSet<()>,
}

fn password() -> Result<Password> {
    Ok(Password::new("secret")?)
}

impl User {
    /// Makes an account, at this registry.
    pub(super) async fn new(site: &Site, name: &str, registry: usize) -> Result<Self> {
        let user = Self::existing(name)?;
        let mut session = Session::connect(user.address, site.door(registry)[0]).await?;
        let username = user.name;
        let password = password()?;
        let answer = session
            .ask(&Request::Register { username, password })
            .await?;
        ensure!(answer == Response::Registered, "{name}: {answer:?}");
        Ok(user)
    }

    /// Somebody who may have an account.
    pub(super) fn existing(name: &str) -> Result<Self> {
        Ok(Self {
            name: Username::new(name)?,
            address: own_address(),
            session: None,
            hellos: JoinSet::new(),
        })
    }

    /// The same account at another machine.
    pub(super) fn twin(other: &Self) -> Self {
        Self {
            name: other.name,
            address: own_address(),
            session: None,
            hellos: JoinSet::new(),
        }
    }

    /// Logs in at a registry, whatever it answers.
    async fn try_login(&mut self, site: &Site, registry: usize) -> Result<Response> {
        let mut session = Session::connect(self.address, site.door(registry)[0]).await?;
        let username = self.name;
        let password = password()?;
        let answer = session.ask(&Request::Login { username, password }).await?;
        self.session = Some(session);
        Ok(answer)
    }

    /// Logs in at a registry, and says Hello to it from then on.
    pub(super) async fn login(&mut self, site: &Site, registry: usize) -> Result<()> {
        let answer = self.try_login(site, registry).await?;
        ensure!(answer == Response::LoggedIn, "{:?}: {answer:?}", self.name);
        self.say_hello(site, registry).await
    }

    /// Says Hello to a registry from now on, and to no other.
    pub(super) async fn say_hello(&mut self, site: &Site, registry: usize) -> Result<()> {
        self.fall_silent();
        let socket = UdpSocket::bind((self.address, 0)).await?;
        let hello = Hello {
            username: self.name,
        };
        let (to, hello) = (site.door(registry)[1], hello.encode());
        self.hellos.spawn(async move {
            let mut ticks = interval(HELLO);
            loop {
                ticks.tick().await;
                // To a registry that is away it is lost, as any datagram may be.
                let _ = socket.send_to(&hello, to).await;
            }
        });
        Ok(())
    }

    /// Says nothing more, as one whose cable was pulled.
    pub(super) fn fall_silent(&mut self) {
        self.hellos.abort_all();
    }

    /// Logs out, at a registry where he need not have logged in.
    pub(super) async fn logout(&mut self, site: &Site, registry: usize) -> Result<Response> {
        self.fall_silent();
        let mut session = Session::connect(self.address, site.door(registry)[0]).await?;
        let username = self.name;
        session.ask(&Request::Logout { username }).await
    }

    /// From another machine from now on.
    pub(super) fn move_away(&mut self) {
        self.address = own_address();
    }
}
