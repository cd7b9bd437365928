//! What each request is answered.

use std::sync::Arc;

use p2pchat_protocol::{Kind, Password, PeerAddr, Request, Response, Username};

use super::Shared;
use super::sessions::Sessions;
use crate::password::{PoolError, Verdict};
use crate::presence::OnlineList;
use crate::store::{NewAccount, StoreError, StoredPassword};

/// The bytes of a response, in one piece.
#[derive(Debug)]
pub(super) enum Reply {
    Head([u8; Response::HEAD_LEN]),
    List(Arc<OnlineList>),
}

impl Reply {
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Head(head) => head,
            Self::List(list) => list.as_bytes(),
        }
    }
}

/// For all responses but the online list.
impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Self::Head(response.encode_head())
    }
}

impl Shared {
    /// Does what a request asks for. Only Register and Login wait for anything.
    pub(super) async fn answer(&self, request: Request, sessions: &mut Sessions) -> Reply {
        match request {
            Request::Register { username, password } => self
                .register(username, password, sessions.peer())
                .await
                .into(),
            Request::Login { username, password } => {
                self.login(username, password, sessions).await.into()
            }
            Request::Search { target, .. } => self.search(target).into(),
            Request::Logout { username } => self.logout(username, sessions).into(),
            Request::AllOnline { .. } => Reply::List(self.presence.online_list()),
        }
    }

    async fn register(
        &self,
        name: Username,
        password: Password,
        address: Option<PeerAddr>,
    ) -> Response {
        let failed = Response::ServerError {
            kind: Kind::Register,
        };
        // A look first: it is much cheaper than a hash. The store decides all the same.
        match self.store.find(name).await {
            Ok(None) => {}
            Ok(Some(_)) => return Response::NameTaken,
            Err(error) => return store_failed(&error, failed),
        }
        let password = match self.passwords.hash(password).await {
            Ok(password) => password,
            Err(error) => {
                tracing::warn!(%error, "an account was not made");
                return failed;
            }
        };
        match self
            .store
            .register(NewAccount {
                name,
                password,
                address,
            })
            .await
        {
            Ok(true) => {
                tracing::info!(?name, "account made");
                Response::Registered
            }
            Ok(false) => Response::NameTaken,
            Err(error) => store_failed(&error, failed),
        }
    }

    async fn login(&self, name: Username, password: Password, sessions: &mut Sessions) -> Response {
        let Some(address) = sessions.peer() else {
            let address = sessions.address();
            tracing::warn!(%address, ?name, "login refused: only IPv4 addresses can be chatted with");
            return Response::WrongCredentials;
        };
        if self.throttle.is_limited(address.ip(), self.now()) {
            tracing::debug!(%address, "login refused: too many have failed from there");
            return Response::SlowDown;
        }
        let stored = match self.store.find(name).await {
            Ok(stored) => stored,
            Err(error) => {
                return store_failed(&error, Response::ServerError { kind: Kind::Login });
            }
        };
        match self.passwords.verify(password, stored.clone()).await {
            Ok(Verdict::Wrong) => {
                self.throttle.failed(address.ip(), self.now());
                tracing::debug!(%address, ?name, "login failed");
                return Response::WrongCredentials;
            }
            Ok(Verdict::Right) => {}
            Ok(Verdict::RightInPlainText(hash)) => self.keep_hash(name, stored, hash).await,
            Err(PoolError::Full) => return Response::SlowDown,
            Err(error) => {
                tracing::error!(%error, "a login could not be checked");
                return Response::ServerError { kind: Kind::Login };
            }
        }
        sessions.began(name, self.presence.login(name, address, self.now()));
        tracing::debug!(%address, ?name, "logged in");
        Response::LoggedIn
    }

    /// Puts the hash where the plain text is. The login is right whether or not this
    /// works: the next one tries again.
    async fn keep_hash(&self, name: Username, plain: Option<StoredPassword>, hash: StoredPassword) {
        let Some(plain) = plain else { return };
        match self.store.replace_password(name, plain, hash).await {
            Ok(true) => tracing::info!(?name, "a plain-text password was replaced by its hash"),
            Ok(false) => tracing::debug!(?name, "the password was changed by somebody else"),
            Err(error) => tracing::warn!(?name, %error, "a plain-text password stays for now"),
        }
    }

    fn search(&self, target: Username) -> Response {
        match self.presence.find(target, self.now()) {
            Some(address) => Response::Found(address),
            None => Response::NotFound,
        }
    }

    fn logout(&self, name: Username, sessions: &Sessions) -> Response {
        let is_out = sessions.peer().is_some_and(|address| {
            self.presence
                .logout(name, sessions.of(name), address, self.now())
        });
        match is_out {
            true => {
                tracing::debug!(?name, "logged out");
                Response::LoggedOut
            }
            false => Response::WasNotOnline,
        }
    }
}

fn store_failed(error: &StoreError, answer: Response) -> Response {
    tracing::error!(%error, "a request was answered 50");
    answer
}
