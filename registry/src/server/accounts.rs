//! What needs a password or the account store, for both versions: creating an account, and
//! checking or changing its password.
//!
//! All first ask the rate limits, then the store, then a hashing thread, so that a request
//! that is refused costs as little as can be.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use p2pchat_protocol::v2::{Passphrase, Refusal};
use p2pchat_protocol::{Kind, Password, PeerAddr, Response, Username};

use super::Shared;
use super::connection::Origin;
use crate::metrics::DropReason;
use crate::password::{Hasher, PoolError, Priority, Verdict};
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

/// Why an account was not created, or a password not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denied {
    /// There is an account with this name.
    NameTaken,
    /// No such account, or a wrong password.
    WrongCredentials,
    /// Too many attempts. The client has been kept waiting.
    SlowDown,
    /// The store or the hash function failed.
    Failed,
}

/// The answer of version 2.
impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::NameTaken => Self::NameTaken,
            Denied::WrongCredentials => Self::WrongCredentials,
            Denied::SlowDown => Self::SlowDown,
            Denied::Failed => Self::Failed,
        }
    }
}

const REGISTER_FAILED: Response = Response::ServerError {
    kind: Kind::Register,
};
const LOGIN_FAILED: Response = Response::ServerError { kind: Kind::Login };

impl Shared {
    /// Register of version 1. Every failure is answered 50, which legacy clients know: 49 is for
    /// Login alone.
    pub(super) async fn register(
        self: &Arc<Self>,
        name: Username,
        password: Password,
        origin: Origin,
    ) -> Response {
        if self.require_encryption {
            self.metrics.drops.count(DropReason::RegisterPlaintext);
            return REGISTER_FAILED;
        }
        let password = Passphrase::from(&password);
        match self.create_account(name, password, origin).await {
            Ok(()) => Response::Registered,
            Err(Denied::NameTaken) => Response::NameTaken,
            Err(_) => REGISTER_FAILED,
        }
    }

    /// Creates an account.
    pub(super) async fn create_account(
        self: &Arc<Self>,
        name: Username,
        password: Passphrase,
        origin: Origin,
    ) -> Result<(), Denied> {
        // Before the look-up, whose answer tells whether there is such an account.
        if !self.registrations().has_token(origin.source, self.now()) {
            return Err(self.not_registered(&NotHashed::RateLimited).await);
        }
        // A look-up first: it is much cheaper than a hash. The store decides all the same.
        match self.store.find(name).await {
            Ok(None) => {}
            Ok(Some(_)) => {
                // Asking which names exist costs as many tries as registering them.
                self.registrations().take(origin.source, self.now());
                return Err(Denied::NameTaken);
            }
            Err(error) => return Err(self.store_failed(&error, Denied::Failed)),
        }
        let password = match self.hash_new(password, origin.source).await {
            Ok(password) => password,
            Err(reason) => return Err(self.not_registered(&reason).await),
        };
        let account = NewAccount {
            name,
            password,
            address: origin.peer,
        };
        match self.store.register(account).await {
            Ok(true) => {
                tracing::info!(?name, "account created");
                Ok(())
            }
            Ok(false) => Err(Denied::NameTaken),
            Err(error) => Err(self.store_failed(&error, Denied::Failed)),
        }
    }

    async fn not_registered(&self, reason: &NotHashed) -> Denied {
        let (dropped, denied) = match reason {
            NotHashed::RateLimited => (DropReason::RegisterSlowed, Denied::SlowDown),
            NotHashed::QueueFull => (DropReason::RegisterQueue, Denied::SlowDown),
            NotHashed::Failed => (DropReason::StoreFailed, Denied::Failed),
        };
        self.metrics.drops.count(dropped);
        self.delay_refusal(reason).await;
        denied
    }

    /// Hashes the password of a new account, if its source may create one more. The token is
    /// taken on the hashing thread, so that many requests at a time get no more accounts than
    /// one after the other.
    async fn hash_new(
        self: &Arc<Self>,
        password: Passphrase,
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
                hash(hasher, &password)
            });
        hashing.await?
    }

    /// Login of version 1: checks the password, and returns the peer that the user is to be
    /// online at.
    ///
    /// # Errors
    /// The response to a login that is refused.
    pub(super) async fn authenticate(
        self: &Arc<Self>,
        name: Username,
        password: Password,
        origin: Origin,
    ) -> Result<PeerAddr, Response> {
        if self.require_encryption {
            self.metrics.drops.count(DropReason::LoginPlaintext);
            return Err(Response::WrongCredentials);
        }
        let Some(peer) = origin.peer else {
            tracing::debug!("login refused: only IPv4 addresses can be chatted with");
            self.metrics.drops.count(DropReason::LoginAddress);
            return Err(Response::WrongCredentials);
        };
        let password = Passphrase::from(&password);
        let is_allowed = self.allows_version_1(name);
        let checked = self.check_password(name, password, peer, origin.source, is_allowed);
        match checked.await {
            Ok(()) => Ok(peer),
            Err(Denied::WrongCredentials) => Err(Response::WrongCredentials),
            Err(Denied::SlowDown) => Err(Response::SlowDown),
            Err(_) => Err(LOGIN_FAILED),
        }
    }

    /// Whether a name can log in by version 1: unless it is bound to a person who has not
    /// allowed that.
    async fn allows_version_1(&self, name: Username) -> Result<bool, StoreError> {
        let stored = self.store.binding(name).await?;
        let is_allowed =
            stored.is_none_or(|stored| stored.binding.person.is_none() || stored.allows_version_1);
        if !is_allowed {
            self.metrics.drops.count(DropReason::LoginBound);
        }
        Ok(is_allowed)
    }

    /// Checks a password. Where `is_allowed` turns out `false`, which is looked up after the rate
    /// limits, every password is wrong, and that takes as long as any wrong one.
    pub(super) async fn check_password(
        self: &Arc<Self>,
        name: Username,
        password: Passphrase,
        peer: PeerAddr,
        source: Source,
        is_allowed: impl Future<Output = Result<bool, StoreError>> + Send,
    ) -> Result<(), Denied> {
        // A login over the rate limit costs neither a look-up in the store nor a hash.
        if !self.throttle.allows(name, peer.ip(), self.now()) {
            return Err(self.not_logged_in(&NotHashed::RateLimited).await);
        }
        let looked_up = async {
            let stored = self.store.find(name).await?;
            let is_allowed = is_allowed.await?;
            Ok(stored.filter(|_| is_allowed))
        };
        let stored = match looked_up.await {
            Ok(stored) => stored,
            Err(error) => return Err(self.store_failed(&error, Denied::Failed)),
        };
        let plain = stored.clone();
        let verdict = self.verify(name, password, stored, peer, source, |_, verdict| {
            Ok(verdict)
        });
        match verdict.await {
            Ok(Verdict::Wrong) => {
                tracing::debug!("wrong user name or password");
                return Err(Denied::WrongCredentials);
            }
            Ok(Verdict::Right) => {}
            Ok(Verdict::RightInPlainText(hash)) => {
                self.replace_plain_text(name, plain, hash).await;
            }
            Err(reason) => return Err(self.not_logged_in(&reason).await),
        }
        Ok(())
    }

    /// Changes a password. The old one is checked under the limits of a login.
    pub(super) async fn change_password(
        self: &Arc<Self>,
        name: Username,
        old: Passphrase,
        new: Passphrase,
        peer: PeerAddr,
        source: Source,
    ) -> Result<(), Denied> {
        if !self.throttle.allows(name, peer.ip(), self.now()) {
            return Err(self.not_logged_in(&NotHashed::RateLimited).await);
        }
        let stored = match self.store.find(name).await {
            Ok(stored) => stored,
            Err(error) => return Err(self.store_failed(&error, Denied::Failed)),
        };
        let before = stored.clone();
        let hashed =
            self.verify(
                name,
                old,
                stored,
                peer,
                source,
                move |hasher, verdict| match verdict {
                    Verdict::Wrong => Ok(None),
                    _ => hash(hasher, &new).map(Some),
                },
            );
        let hashed = match hashed.await {
            Ok(hashed) => hashed,
            Err(reason) => return Err(self.not_logged_in(&reason).await),
        };
        let (Some(before), Some(hashed)) = (before, hashed) else {
            return Err(Denied::WrongCredentials);
        };
        match self.store.replace_password(name, before, hashed).await {
            Ok(true) => {
                tracing::info!(?name, "password changed");
                Ok(())
            }
            // It is another one by now.
            Ok(false) => Err(Denied::WrongCredentials),
            Err(error) => Err(self.store_failed(&error, Denied::Failed)),
        }
    }

    /// Compares a password, unless too many logins have failed by the time that a hashing
    /// thread takes it: many guesses at a time get no further than one after the other. `then`
    /// runs on that thread.
    async fn verify<T: Send + 'static>(
        self: &Arc<Self>,
        name: Username,
        password: Passphrase,
        stored: Option<StoredPassword>,
        peer: PeerAddr,
        source: Source,
        then: impl FnOnce(&mut Hasher, Verdict) -> Result<T, NotHashed> + Send + 'static,
    ) -> Result<T, NotHashed> {
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
            then(hasher, verdict)
        });
        verifying.await?
    }

    async fn not_logged_in(&self, reason: &NotHashed) -> Denied {
        let (dropped, denied) = match reason {
            NotHashed::RateLimited => (DropReason::LoginSlowed, Denied::SlowDown),
            NotHashed::QueueFull => (DropReason::LoginQueue, Denied::SlowDown),
            NotHashed::Failed => (DropReason::StoreFailed, Denied::Failed),
        };
        self.metrics.drops.count(dropped);
        self.delay_refusal(reason).await;
        denied
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

    /// Notes a failure of the store, and passes on the answer to the request.
    pub(super) fn store_failed<T>(&self, error: &StoreError, answer: T) -> T {
        self.metrics.drops.count(DropReason::StoreFailed);
        if self.store_failures.is_due(self.now()) {
            tracing::error!(%error, "request failed; answered with a server error");
        }
        answer
    }
}

fn hash(hasher: &mut Hasher, password: &Passphrase) -> Result<StoredPassword, NotHashed> {
    hasher.hash(password).map_err(|error| {
        tracing::error!(%error, "a password could not be hashed");
        NotHashed::Failed
    })
}
