//! Bindings: which person a name belongs to, and which devices they have.
//!
//! The rules of a sign-in are in [`judge`], which knows no store. A change is a compare-and-swap
//! on the serial: the one that loses reads again, and judges by what the other has written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use p2pchat_protocol::Username;
use p2pchat_protocol::v2::registry::MAX_DEVICES;
use p2pchat_protocol::v2::{
    Binding, Certificate, DeviceId, DisplayName, FromRegistry, PersonKey, Refusal,
};
use p2pchat_secure::verify_certificate;

use super::Shared;
use crate::store::{StoreError, StoredBinding};

/// How often a change is tried again that another one has overtaken.
const ATTEMPTS: usize = 8;
/// How long the answer to a lookup is used again. Changes by this registry are seen at once.
const LOOKUP_AGE: Duration = Duration::from_secs(1);
/// How many answers are kept: at most some 10 MB, as each device takes 132 bytes, and 1 MB where
/// people have one.
const LOOKUPS: usize = 4096;

/// What follows from a binding for someone who wants to sign in.
#[derive(Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The device is theirs.
    Admitted(StoredBinding),
    /// The name is theirs; the device is new. They are in once this is kept.
    NewDevice(StoredBinding),
    /// The name belongs to no person. With the password they are in once this is kept.
    NewPerson(StoredBinding),
    /// They are not in.
    Refused(Refusal),
}

/// What the binding of a name means for the holder of a certificate, which has been verified.
#[must_use]
pub fn judge(name: Username, stored: Option<StoredBinding>, certificate: Certificate) -> Judgement {
    let mut stored = stored.unwrap_or_else(|| unbound(name));
    if stored.forgotten.contains(&certificate.device) {
        return Judgement::Refused(Refusal::DeviceForgotten);
    }
    let binding = &mut stored.binding;
    match binding.person {
        Some(person) if person != certificate.person => Judgement::Refused(Refusal::OtherPerson),
        Some(_) if has_device(binding, certificate.device.id()) => Judgement::Admitted(stored),
        Some(_) if binding.devices.len() >= MAX_DEVICES => {
            Judgement::Refused(Refusal::TooManyDevices)
        }
        Some(_) => {
            binding.serial += 1;
            binding.devices.push(certificate);
            Judgement::NewDevice(stored)
        }
        None => {
            binding.serial += 1;
            binding.person = Some(certificate.person);
            binding.display_name = DisplayName::default();
            binding.devices = vec![certificate];
            stored.allows_version_1 = false;
            Judgement::NewPerson(stored)
        }
    }
}

/// The binding of a name that nothing was ever bound to.
fn unbound(name: Username) -> StoredBinding {
    StoredBinding {
        binding: Binding {
            name,
            serial: 0,
            person: None,
            display_name: DisplayName::default(),
            devices: Vec::new(),
        },
        forgotten: Vec::new(),
        allows_version_1: false,
    }
}

/// Whether a device of a person is in a binding.
#[must_use]
pub fn admits(binding: &Binding, person: PersonKey, device: DeviceId) -> bool {
    binding.person == Some(person) && has_device(binding, device)
}

/// Two devices of one person with the same id would be one: they have certified both.
fn has_device(binding: &Binding, device: DeviceId) -> bool {
    let mut devices = binding.devices.iter();
    devices.any(|certificate| certificate.device.id() == device)
}

/// Why a binding was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotChanged {
    /// The device is not in it any more.
    NotAdmitted,
    /// The store failed.
    Failed,
}

impl Shared {
    /// Verifies the certificate, and binds the name to the person, or adds the device to theirs;
    /// returns the binding by which they are in. `may_bind` is asked once, where the name belongs to no person.
    pub(super) async fn admit(
        &self,
        name: Username,
        certificate: Certificate,
        may_bind: impl Future<Output = Result<DisplayName, Refusal>>,
    ) -> Result<StoredBinding, Refusal> {
        let mut asking = Some(may_bind);
        let mut display_name = DisplayName::default();
        for _ in 0..ATTEMPTS {
            let stored = self.store.binding(name).await;
            let stored = stored.map_err(|error| self.store_failed(&error, Refusal::Failed))?;
            // One that is kept was verified before: a signature is a tenth of a sign-in.
            let is_kept = stored
                .as_ref()
                .is_some_and(|stored| stored.binding.devices.contains(&certificate));
            if !is_kept && !verify_certificate(&certificate) {
                return Err(Refusal::BadCertificate);
            }
            let new = match judge(name, stored, certificate) {
                Judgement::Admitted(stored) => return Ok(stored),
                Judgement::Refused(refusal) => return Err(refusal),
                Judgement::NewDevice(new) => new,
                Judgement::NewPerson(mut new) => {
                    if let Some(may_bind) = asking.take() {
                        display_name = may_bind.await?;
                    }
                    new.binding.display_name = display_name;
                    new
                }
            };
            let kept = self.store.bind(new.clone()).await;
            if kept.map_err(|error| self.store_failed(&error, Refusal::Failed))? {
                tracing::info!(?name, serial = new.binding.serial, "bound");
                self.binding_changed(&new);
                return Ok(new);
            }
        }
        tracing::warn!(
            ?name,
            "a binding changed {ATTEMPTS} times within one sign-in"
        );
        Err(Refusal::Failed)
    }

    /// Changes a binding for one of its devices.
    pub(super) async fn change_binding(
        &self,
        name: Username,
        person: PersonKey,
        device: DeviceId,
        change: impl Fn(&mut StoredBinding),
    ) -> Result<(), NotChanged> {
        for _ in 0..ATTEMPTS {
            let stored = self.store.binding(name).await;
            let stored = stored.map_err(|error| self.store_failed(&error, NotChanged::Failed))?;
            let Some(mut stored) = stored else {
                return Err(NotChanged::NotAdmitted);
            };
            if !admits(&stored.binding, person, device) {
                return Err(NotChanged::NotAdmitted);
            }
            let before = stored.clone();
            change(&mut stored);
            if stored == before {
                return Ok(());
            }
            stored.binding.serial += 1;
            let kept = self.store.bind(stored.clone()).await;
            if kept.map_err(|error| self.store_failed(&error, NotChanged::Failed))? {
                self.binding_changed(&stored);
                return Ok(());
            }
        }
        Err(NotChanged::Failed)
    }

    /// Takes a binding that is another than before to all who use it.
    pub(super) fn binding_changed(&self, stored: &StoredBinding) {
        self.lookups.forget(stored.binding.name);
        self.apply_binding(stored);
    }

    /// The answer to a lookup, as a whole frame, if it was asked for a moment ago.
    pub(super) fn looked_up(&self, name: Username) -> Option<Arc<[u8]>> {
        self.lookups.get(name, self.now())
    }

    /// The same from the store.
    pub(super) async fn look_up(&self, name: Username) -> Arc<[u8]> {
        let now = self.now();
        self.looked(now, self.store.binding(name).await)
    }

    /// The answer to a lookup by person. It is not kept: the name that comes first may be another
    /// after a change of any binding.
    pub(super) async fn look_up_key(&self, person: PersonKey) -> Arc<[u8]> {
        let now = self.now();
        self.looked(now, self.store.binding_of(person).await)
    }

    /// The answer to a lookup for which the store was asked at this time.
    fn looked(
        &self,
        asked: Duration,
        found: Result<Option<StoredBinding>, StoreError>,
    ) -> Arc<[u8]> {
        let mut of_name = None;
        let answer = match found {
            Ok(Some(stored)) if stored.binding.person.is_some() => {
                of_name = Some(stored.binding.name);
                FromRegistry::Found(stored.binding)
            }
            Ok(_) => FromRegistry::Refused(Refusal::NotFound),
            Err(error) => FromRegistry::Refused(self.store_failed(&error, Refusal::Failed)),
        };
        let mut bytes = Vec::new();
        answer.encode(&mut bytes);
        let bytes: Arc<[u8]> = bytes.into();
        if let Some(name) = of_name {
            self.lookups.insert(name, asked, Arc::clone(&bytes));
        }
        bytes
    }
}

/// The latest answers to lookups, so that what many ask at once is read from the store once.
#[derive(Debug, Default)]
pub(super) struct LookupCache {
    answers: Mutex<HashMap<Username, Looked>>,
}

#[derive(Debug)]
struct Looked {
    /// When the store was asked.
    asked: Duration,
    answer: Arc<[u8]>,
}

impl LookupCache {
    fn get(&self, name: Username, now: Duration) -> Option<Arc<[u8]>> {
        let answers = self.answers();
        let looked = answers.get(&name)?;
        let is_recent = now.saturating_sub(looked.asked) < LOOKUP_AGE;
        is_recent.then(|| Arc::clone(&looked.answer))
    }

    fn insert(&self, name: Username, asked: Duration, answer: Arc<[u8]>) {
        let mut answers = self.answers();
        if answers.len() >= LOOKUPS {
            answers.retain(|_, looked| asked.saturating_sub(looked.asked) < LOOKUP_AGE);
        }
        if answers.len() >= LOOKUPS {
            answers.clear();
        }
        answers.insert(name, Looked { asked, answer });
    }

    /// A change of the binding is known.
    pub(super) fn forget(&self, name: Username) {
        self.answers().remove(&name);
    }

    fn answers(&self) -> MutexGuard<'_, HashMap<Username, Looked>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
