//! What each request is answered.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use p2pchat_protocol::{Kind, Password, PeerAddr, Request, Response, Username};

use super::Shared;
use super::sessions::Sessions;
use crate::metrics::DropReason;
use crate::password::{Guest, PoolError, Verdict};
use crate::presence::OnlineList;
use crate::source::Source;
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

/// Why a password was not hashed.
#[derive(Debug)]
enum NotHashed {
    /// Whoever wants it has had too much of it.
    Slowed,
    /// Too many wait.
    Full,
    /// The hash function or its threads failed.
    Failed,
}

impl Shared {
    /// Does what a request asks for. Only Register and Login wait for anything.
    pub(super) async fn answer(self: &Arc<Self>, request: Request, on: &mut Sessions) -> Reply {
        match request {
            // Boxed, so that a connection is no larger than it is between requests.
            Request::Register { username, password } => {
                Box::pin(self.register(username, password, on)).await.into()
            }
            Request::Login { username, password } => {
                Box::pin(self.login(username, password, on)).await.into()
            }
            Request::Search { target, .. } => self.search(target).into(),
            Request::Logout { username } => self.logout(username, on).into(),
            Request::AllOnline { .. } => Reply::List(match self.presence.recent_list(self.now()) {
                Some(list) => list,
                None => Box::pin(self.renewed_list()).await,
            }),
        }
    }

    /// The online list, made anew. Whoever asks meanwhile waits for the same one, and no
    /// thread that serves others is kept by a long one.
    async fn renewed_list(self: &Arc<Self>) -> Arc<OnlineList> {
        let asked = self.now();
        let turn = Arc::clone(&self.listing).lock_owned().await;
        // One that was begun since then is young, however long it took.
        if let Some(list) = self.presence.recent_list(asked) {
            return list;
        }
        self.metrics.list_rebuilds.inc();
        if self.presence.is_listed_fast() {
            return self.presence.renew_list(self.now());
        }
        let shared = Arc::clone(self);
        let renewing = tokio::task::spawn_blocking(move || {
            let list = shared.presence.renew_list(shared.now());
            // Not before: who asked may be gone, and the next one must not begin another.
            drop(turn);
            list
        });
        renewing.await.unwrap_or_else(|error| {
            tracing::error!(%error, "the online list could not be made anew");
            self.presence.latest_list()
        })
    }

    /// Whatever keeps an account from being made is answered 50, which clients of 2017
    /// know: 49 is for Login alone.
    async fn register(
        self: &Arc<Self>,
        name: Username,
        password: Password,
        on: &Sessions,
    ) -> Response {
        let failed = Response::ServerError {
            kind: Kind::Register,
        };
        // Before the look into the store, which tells whether there is such an account.
        if !self.may_register(on.source()) {
            return self.not_registered(&NotHashed::Slowed).await;
        }
        // A look first: it is much cheaper than a hash. The store decides all the same.
        match self.store.find(name).await {
            Ok(None) => {}
            Ok(Some(_)) => {
                // Whoever asks which names exist has no more tries than who takes them.
                self.registrations().take(on.source(), self.now());
                return Response::NameTaken;
            }
            Err(error) => return self.store_failed(&error, failed),
        }
        let password = match self.hash_new(password, on.source()).await {
            Ok(password) => password,
            Err(reason) => return self.not_registered(&reason).await,
        };
        let account = NewAccount {
            name,
            password,
            address: on.peer(),
        };
        match self.store.register(account).await {
            Ok(true) => {
                tracing::info!(?name, "account made");
                Response::Registered
            }
            Ok(false) => Response::NameTaken,
            Err(error) => self.store_failed(&error, failed),
        }
    }

    async fn not_registered(&self, reason: &NotHashed) -> Response {
        self.metrics.drops.count(match reason {
            NotHashed::Slowed => DropReason::RegisterSlowed,
            NotHashed::Full => DropReason::RegisterQueue,
            NotHashed::Failed => DropReason::StoreFailed,
        });
        self.slow_down(reason).await;
        Response::ServerError {
            kind: Kind::Register,
        }
    }

    /// The hash of a new account's password, if the address may have one more. Asked when
    /// its turn has come, so that many at a time get no more than one after the other.
    async fn hash_new(
        self: &Arc<Self>,
        password: Password,
        source: Source,
    ) -> Result<StoredPassword, NotHashed> {
        let shared = Arc::clone(self);
        let hashing = self.passwords.run(Guest::Stranger, source, move |hasher| {
            let now = shared.now();
            let mut registrations = shared.registrations();
            if !registrations.has_token(source, now) {
                return Err(NotHashed::Slowed);
            }
            registrations.take(source, now);
            drop(registrations);
            hasher.hash(&password).map_err(|error| {
                tracing::error!(%error, "a password could not be hashed");
                NotHashed::Failed
            })
        });
        hashing.await?
    }

    async fn login(
        self: &Arc<Self>,
        name: Username,
        password: Password,
        on: &mut Sessions,
    ) -> Response {
        let Some(peer) = on.peer() else {
            tracing::debug!(address = %on.address(), "login refused: only IPv4 addresses can be chatted with");
            self.metrics.drops.count(DropReason::LoginAddress);
            return Response::WrongCredentials;
        };
        // Who is slowed down costs neither a look into the store nor a hash.
        if !self.throttle.allows(name, peer.ip(), self.now()) {
            return self.not_logged_in(&NotHashed::Slowed).await;
        }
        let stored = match self.store.find(name).await {
            Ok(stored) => stored,
            Err(error) => {
                return self.store_failed(&error, Response::ServerError { kind: Kind::Login });
            }
        };
        let verdict = self.verify(name, password, stored.clone(), peer, on.source());
        match verdict.await {
            Ok(Verdict::Wrong) => {
                tracing::debug!(%peer, ?name, "login failed");
                return Response::WrongCredentials;
            }
            Ok(Verdict::Right) => {}
            Ok(Verdict::RightInPlainText(hash)) => self.keep_hash(name, stored, hash).await,
            Err(reason) => return self.not_logged_in(&reason).await,
        }
        let session = match &self.together {
            Some(together) => together.login(self, name, peer).await,
            None => Ok(self.presence.login(name, peer, self.now())),
        };
        match session {
            Ok(session) => on.began(name, session),
            Err(error) => {
                let answer = Response::ServerError { kind: Kind::Login };
                return self.store_failed(&error, answer);
            }
        }
        tracing::debug!(%peer, ?name, "logged in");
        Response::LoggedIn
    }

    /// Compares a password, unless too many have failed by the time that its turn has come:
    /// many guesses at a time get no further than one after the other.
    async fn verify(
        self: &Arc<Self>,
        name: Username,
        password: Password,
        stored: Option<StoredPassword>,
        peer: PeerAddr,
        source: Source,
    ) -> Result<Verdict, NotHashed> {
        let shared = Arc::clone(self);
        let guest = match self.throttle.knows(name, peer.ip()) {
            true => Guest::AtHome,
            false => Guest::Stranger,
        };
        let verifying = self.passwords.run(guest, source, move |hasher| {
            if !shared.throttle.allows(name, peer.ip(), shared.now()) {
                return Err(NotHashed::Slowed);
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

    async fn not_logged_in(&self, why: &NotHashed) -> Response {
        let (reason, answer) = match why {
            NotHashed::Slowed => (DropReason::LoginSlowed, Response::SlowDown),
            NotHashed::Full => (DropReason::LoginQueue, Response::SlowDown),
            NotHashed::Failed => {
                let answer = Response::ServerError { kind: Kind::Login };
                (DropReason::StoreFailed, answer)
            }
        };
        self.metrics.drops.count(reason);
        self.slow_down(why).await;
        answer
    }

    /// Who is told to slow down is not told at once: else he would ask again at once, as
    /// fast as he can.
    async fn slow_down(&self, why: &NotHashed) {
        if !matches!(why, NotHashed::Failed) {
            tokio::time::sleep(self.slow_answer).await;
        }
    }

    /// Puts the hash where the plain text is. The login is right whether or not this
    /// works: the next one tries again.
    async fn keep_hash(&self, name: Username, plain: Option<StoredPassword>, hash: StoredPassword) {
        let Some(plain) = plain else { return };
        match self.store.replace_password(name, plain, hash).await {
            Ok(true) => {
                self.plain_text_stays.store(false, Ordering::Relaxed);
                tracing::info!(?name, "a plain-text password was replaced by its hash");
            }
            Ok(false) => tracing::debug!(?name, "the password was changed by somebody else"),
            Err(error) if self.plain_text_stays.swap(true, Ordering::Relaxed) => {
                tracing::debug!(?name, %error, "another plain-text password stays");
            }
            Err(error) => tracing::warn!(
                ?name, %error,
                "a plain-text password stays until its owner logs in when the store can be \
                 written; of others nothing is said"
            ),
        }
    }

    fn search(&self, target: Username) -> Response {
        match self.presence.find(target, self.now()) {
            Some(address) => Response::Found(address),
            None => Response::NotFound,
        }
    }

    fn logout(&self, name: Username, on: &Sessions) -> Response {
        let ended = on
            .peer()
            .and_then(|peer| (self.presence).logout(name, on.of(name), peer, self.now()));
        if let Some(ended) = &ended {
            self.places.ended(ended);
        }
        match ended.is_some_and(|ended| ended.was_online) {
            true => {
                tracing::debug!(?name, "logged out");
                Response::LoggedOut
            }
            false => Response::WasNotOnline,
        }
    }

    fn may_register(&self, source: Source) -> bool {
        self.registrations().has_token(source, self.now())
    }

    fn store_failed(&self, error: &StoreError, answer: Response) -> Response {
        self.metrics.drops.count(DropReason::StoreFailed);
        if self.store_failures.is_due(self.now()) {
            tracing::error!(%error, "a request was answered 50");
        }
        answer
    }
}

impl From<PoolError> for NotHashed {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Full => Self::Full,
            PoolError::Closed => Self::Failed,
        }
    }
}
