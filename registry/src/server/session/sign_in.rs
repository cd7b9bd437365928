//! The begin of a session: sign-up and sign-in, and its end however that comes.

use std::sync::Arc;
use std::time::Duration;

use p2pchat_protocol::v2::{
    Certificate, DisplayName, Endpoint, FromRegistry, Goodbye, PersonKey, Refusal, Seat, SeatState,
    SignIn, SignUp, SignedIn as SignedInAnswer,
};
use p2pchat_protocol::{PeerAddr, Username};
use p2pchat_secure::verify_certificate;
use tokio::sync::oneshot;

use super::{Answer, Session, Stop};
use crate::presence::SessionId;
use crate::server::Shared;
use crate::server::send_buffers::Stream;
use crate::store::{StoreError, StoredBinding};

/// How often a session that asks without a pause is looked up in the presence: far more often than
/// its [timeout](crate::presence::DEVICE_TIMEOUT) needs. Among 1,000 sessions a look takes 0.3 µs,
/// a sixth of what the registry adds to a request.
const SEEN_INTERVAL: Duration = Duration::from_secs(1);

/// A session. Dropping it, as the end of its connection does, takes the seat offline at once;
/// but not where a registry of a cluster stops, as its clients go on at another: that sign-in
/// replaces the seat, and nobody sees them leave in between.
pub(super) struct SignedIn {
    shared: Arc<Shared>,
    seat: Seat,
    session: SessionId,
    person: PersonKey,
    /// When the presence took the latest sign of life.
    seen: Duration,
    told: oneshot::Receiver<Goodbye>,
}

impl SignedIn {
    /// Puts the seat online. `None` if another connection of the device was faster.
    async fn begin(
        shared: Arc<Shared>,
        seat: Seat,
        state: SeatState,
        person: PersonKey,
    ) -> Result<Option<Self>, StoreError> {
        let session = shared.sign_in(seat, state).await?;
        let told = shared.begin_live(seat, session, person, state.serial);
        Ok(told.map(|told| Self {
            seen: shared.now(),
            shared,
            seat,
            session,
            person,
            told,
        }))
    }

    pub(super) fn name(&self) -> Username {
        self.seat.name
    }

    pub(super) fn person(&self) -> PersonKey {
        self.person
    }

    /// Takes a sign of life, at most one each second. `false` if the session is over, which
    /// [`Self::ended`] tells at once.
    pub(super) fn is_alive(&mut self) -> bool {
        let now = self.shared.now();
        if now.saturating_sub(self.seen) < SEEN_INTERVAL {
            return true;
        }
        self.seen = now;
        (self.shared.presence).alive(self.seat, self.session, now)
    }

    /// Changes what others are told. `false` if the session is over.
    pub(super) fn change(&self, change: impl FnOnce(&mut SeatState)) -> bool {
        self.shared.change_seat(self.seat, self.session, change)
    }

    /// Waits until the session is ended by something else than its connection. Cancel-safe.
    pub(super) async fn ended(&mut self) -> Goodbye {
        let why = (&mut self.told).await;
        why.unwrap_or(Goodbye::Replaced)
    }
}

impl Drop for SignedIn {
    fn drop(&mut self) {
        let shared = &self.shared;
        shared.live.leave(self.seat, self.session);
        if shared.cluster.is_some() && shared.stop.is_cancelled() {
            return;
        }
        let ended = (shared.presence).sign_out(self.seat, self.session, shared.now());
        if let Some(ended) = ended {
            shared.slots.ended(&ended);
        }
    }
}

impl<S: Stream> Session<'_, S> {
    /// Creates an account, and binds its name to the person.
    pub(super) async fn sign_up(&mut self, sign_up: SignUp) -> Result<(), Refusal> {
        if self.signed_in.is_some() {
            return Err(Refusal::AlreadySignedIn);
        }
        let SignUp {
            name,
            password,
            certificate,
            display_name,
        } = sign_up;
        self.check_device(&certificate)?;
        if !verify_certificate(&certificate) {
            return Err(Refusal::BadCertificate);
        }
        name.check_new().map_err(|_| Refusal::BadName)?;
        let shared = self.shared;
        let created = shared.create_account(name, password, self.origin);
        created.await?;
        let may_bind = async { Ok(display_name) };
        shared.admit(name, certificate, may_bind).await?;
        Ok(())
    }

    /// Begins a session.
    pub(super) async fn sign_in(&mut self, sign_in: SignIn) -> Result<Answer, Stop> {
        if self.signed_in.is_some() {
            return Ok(Err(Refusal::AlreadySignedIn).into());
        }
        let (stored, peer) = match self.check_sign_in(&sign_in).await {
            Ok(checked) => checked,
            Err(refusal) => return Ok(Err(refusal).into()),
        };
        let binding = &stored.binding;
        let seat = Seat {
            name: sign_in.name,
            device: Some(self.device.id()),
        };
        let state = SeatState {
            endpoint: Endpoint {
                address: peer,
                port: sign_in.port,
            },
            version_1: sign_in.version_1,
            status: sign_in.status,
            serial: binding.serial,
            display_name: Some(binding.display_name),
        };
        match self.begin(seat, state, sign_in.certificate.person).await {
            Ok(true) => {}
            Ok(false) => return Err(Stop::Goodbye(Goodbye::Replaced)),
            Err(error) => {
                let refusal = self.shared.store_failed(&error, Refusal::Failed);
                return Ok(Err(refusal).into());
            }
        }
        tracing::debug!(name = ?seat.name, "signed in");
        Ok(Answer::Frame(FromRegistry::SignedIn(SignedInAnswer {
            serial: binding.serial,
            display_name: binding.display_name,
            address: peer,
            allows_version_1: stored.allows_version_1,
        })))
    }

    /// Whether they are in, and by which binding.
    async fn check_sign_in(&self, sign_in: &SignIn) -> Result<(StoredBinding, PeerAddr), Refusal> {
        self.check_device(&sign_in.certificate)?;
        let peer = self.origin.peer.ok_or(Refusal::NoAddress)?;
        let may_bind = self.check_password(sign_in, peer);
        let admitting = (self.shared).admit(sign_in.name, sign_in.certificate, may_bind);
        Ok((admitting.await?, peer))
    }

    /// The certificate has to be for the key that TLS has authenticated.
    fn check_device(&self, certificate: &Certificate) -> Result<(), Refusal> {
        if certificate.device == self.device {
            Ok(())
        } else {
            Err(Refusal::BadCertificate)
        }
    }

    /// What binds a name that belongs to no person: its password. They have no display name then.
    async fn check_password(
        &self,
        sign_in: &SignIn,
        peer: PeerAddr,
    ) -> Result<DisplayName, Refusal> {
        let password = sign_in.password.clone().ok_or(Refusal::PasswordNeeded)?;
        let is_allowed = async { Ok::<_, StoreError>(true) };
        let source = self.origin.source;
        let checking =
            (self.shared).check_password(sign_in.name, password, peer, source, is_allowed);
        checking.await?;
        Ok(DisplayName::default())
    }

    /// Puts the seat online. `false` if another connection of the device was faster.
    ///
    /// A task of its own does that: in a cluster the connection may end while the database is
    /// being written, and then nothing else would take the seat offline again.
    pub(super) async fn begin(
        &mut self,
        seat: Seat,
        state: SeatState,
        person: PersonKey,
    ) -> Result<bool, StoreError> {
        let shared = self.shared;
        let beginning = SignedIn::begin(Arc::clone(shared), seat, state, person);
        let begun = tokio::spawn(beginning).await;
        let Some(signed_in) = begun.unwrap_or(Err(StoreError::Closed))? else {
            return Ok(false);
        };
        self.slot.protect(seat, signed_in.session, &shared.presence);
        self.signed_in = Some(signed_in);
        shared.handshakes.signed_in(self.origin.source);
        Ok(true)
    }
}
