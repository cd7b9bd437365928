//! Requests that need a password or the account store: Register, and the check of a Login.
//!
//! Both first ask the rate limits, then the store, then a hashing thread, so that a request
//! that is refused costs as little as can be.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use p2pchat_protocol::{Kind, Password, PeerAddr, Response, Username};

use super::Shared;
use super::connection::Origin;
use crate::metrics::DropReason;
use crate::password::{PoolError, Priority, Verdict};
use crate::store::{NewAccount, StoreError, StoredPassword};
use crate::throttle::Source;

/// Why a password was not hashed.
#[derive(Debug)]
enum NotHashed {
    /// The rate limit of its source or its name is used up.
    RateLimited,
    /// Too many passwords wait.
    QueueFull,
    /// The hash function or its threads failed.
    Failed,
}

impl From<PoolError> for NotHashed {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Full => Self::QueueFull,
            PoolError::Closed => Self::Failed,
        }
    }
}

const REGISTER_FAILED: Response = Response::ServerError {
    kind: Kind::Register,
};
const LOGIN_FAILED: Response = Response::ServerError { kind: Kind::Login };

impl Shared {
    /// Creates an account. Every failure is answered 50, which legacy clients know: 49 is for
    /// Login alone.
    pub(super) async fn register(
        self: &Arc<Self>,
        name: Username,
        password: Password,
        origin: Origin,
    ) -> Response {
        // Before the look-up, whose answer tells whether there is such an account.
        if !self.registrations().has_token(origin.source, self.now()) {
            return self.not_registered(&NotHashed::RateLimited).await;
        }
        // A look-up first: it is much cheaper than a hash. The store decides all the same.
        match self.store.find(name).await {
            Ok(None) => {}
            Ok(Some(_)) => {
                // Asking which names exist costs as many tries as registering them.
                self.registrations().take(origin.source, self.now());
                return Response::NameTaken;
            }
            Err(error) => return self.store_failed(&error, REGISTER_FAILED),
        }
        let password = match self.hash_new(password, origin.source).await {
            Ok(password) => password,
            Err(reason) => return self.not_registered(&reason).await,
        };
        let account = NewAccount {
            name,
            password,
            address: origin.peer,
        };
        match self.store.register(account).await {
            Ok(true) => {
                tracing::info!(?name, "account created");
                Response::Registered
            }
            Ok(false) => Response::NameTaken,
            Err(error) => self.store_failed(&error, REGISTER_FAILED),
        }
    }

    async fn not_registered(&self, reason: &NotHashed) -> Response {
        self.metrics.drops.count(match reason {
            NotHashed::RateLimited => DropReason::RegisterSlowed,
            NotHashed::QueueFull => DropReason::RegisterQueue,
            NotHashed::Failed => DropReason::StoreFailed,
        });
        self.delay_refusal(reason).await;
        REGISTER_FAILED
    }

    /// Hashes the password of a new account, if its source may create one more. The token is
    /// taken on the hashing thread, so that many requests at a time get no more accounts than
    /// one after the other.
    async fn hash_new(
        self: &Arc<Self>,
        password: Password,
        source: Source,
    ) -> Result<StoredPassword, NotHashed> {
        let shared = Arc::clone(self);
        let hashing = self
            .passwords
            .run(Priority::Unknown, source, move |hasher| {
                let now = shared.now();
                if !shared.registrations().try_take(source, now) {
                    return Err(NotHashed::RateLimited);
                }
                hasher.hash(&password).map_err(|error| {
                    tracing::error!(%error, "a password could not be hashed");
                    NotHashed::Failed
                })
            });
        hashing.await?
    }

    /// Checks the password of a login, and returns the peer that the user is to be online at.
    ///
    /// # Errors
    /// The response to a login that is refused.
    pub(super) async fn authenticate(
        self: &Arc<Self>,
        name: Username,
        password: Password,
        origin: Origin,
    ) -> Result<PeerAddr, Response> {
        let Some(peer) = origin.peer else {
            tracing::debug!("login refused: only IPv4 addresses can be chatted with");
            self.metrics.drops.count(DropReason::LoginAddress);
            return Err(Response::WrongCredentials);
        };
        // A login over the rate limit costs neither a look-up in the store nor a hash.
        if !self.throttle.allows(name, peer.ip(), self.now()) {
            return Err(self.not_logged_in(&NotHashed::RateLimited).await);
        }
        let stored = match self.store.find(name).await {
            Ok(stored) => stored,
            Err(error) => return Err(self.store_failed(&error, LOGIN_FAILED)),
        };
        let verdict = self.verify(name, password, stored.clone(), peer, origin.source);
        match verdict.await {
            Ok(Verdict::Wrong) => {
                tracing::debug!("wrong user name or password");
                return Err(Response::WrongCredentials);
            }
            Ok(Verdict::Right) => {}
            Ok(Verdict::RightInPlainText(hash)) => {
                self.replace_plain_text(name, stored, hash).await;
            }
            Err(reason) => return Err(self.not_logged_in(&reason).await),
        }
        Ok(peer)
    }

    /// Compares a password, unless too many logins have failed by the time that a hashing
    /// thread takes it: many guesses at a time get no further than one after the other.
    async fn verify(
        self: &Arc<Self>,
        name: Username,
        password: Password,
        stored: Option<StoredPassword>,
        peer: PeerAddr,
        source: Source,
    ) -> Result<Verdict, NotHashed> {
        let shared = Arc::clone(self);
        let priority = if self.throttle.knows(name, peer.ip()) {
            Priority::Known
        } else {
            Priority::Unknown
        };
        let verifying = self.passwords.run(priority, source, move |hasher| {
            if !shared.throttle.allows(name, peer.ip(), shared.now()) {
                return Err(NotHashed::RateLimited);
            }
            let verdict = hasher.verify(&password, stored.as_ref());
            match verdict {
                Verdict::Wrong => shared.throttle.failed(name, peer.ip(), shared.now()),
                _ => shared.throttle.succeeded(name, peer.ip()),
            }
            Ok(verdict)
        });
        verifying.await?
    }

    async fn not_logged_in(&self, reason: &NotHashed) -> Response {
        let (dropped, response) = match reason {
            NotHashed::RateLimited => (DropReason::LoginSlowed, Response::SlowDown),
            NotHashed::QueueFull => (DropReason::LoginQueue, Response::SlowDown),
            NotHashed::Failed => (DropReason::StoreFailed, LOGIN_FAILED),
        };
        self.metrics.drops.count(dropped);
        self.delay_refusal(reason).await;
        response
    }

    /// Waits before a client is told to slow down: it would ask again at once, as fast as it
    /// can.
    async fn delay_refusal(&self, reason: &NotHashed) {
        if !matches!(reason, NotHashed::Failed) {
            tokio::time::sleep(self.slow_answer).await;
        }
    }

    /// Replaces a plain-text password by its hash. The login succeeds whether or not this
    /// works: the next one tries again.
    async fn replace_plain_text(
        &self,
        name: Username,
        plain: Option<StoredPassword>,
        hash: StoredPassword,
    ) {
        let Some(plain) = plain else { return };
        match self.store.replace_password(name, plain, hash).await {
            Ok(true) => {
                self.plain_text_stays.store(false, Ordering::Relaxed);
                tracing::info!(?name, "a plain-text password was replaced by its hash");
            }
            Ok(false) => tracing::debug!("the password was changed meanwhile"),
            Err(error) if self.plain_text_stays.swap(true, Ordering::Relaxed) => {
                tracing::debug!(%error, "another plain-text password stays");
            }
            Err(error) => tracing::warn!(
                ?name, %error,
                "a plain-text password stays until its user logs in while the store can be \
                 written; further ones are not logged"
            ),
        }
    }

    /// Notes a failure of the store, and passes on the response to the request.
    pub(super) fn store_failed(&self, error: &StoreError, response: Response) -> Response {
        self.metrics.drops.count(DropReason::StoreFailed);
        if self.store_failures.is_due(self.now()) {
            tracing::error!(%error, "request failed; answered with a server error (5,0)");
        }
        response
    }
}
