//! Keys: which registry is spoken to and how, whose keys are known, and the user's own.

use std::collections::BTreeMap;

use p2pchat_model::{Event, Identity, KnownRegistry, Notice, Problem, Timestamp, Trust, Username};
use p2pchat_protocol::v2::{Binding, Certificate, Code, Fingerprint, Passphrase, PersonKey};
use p2pchat_secure::fingerprint;

use super::context::{Context, Refusal};
use super::io::{Asker, Chosen, Keys, Output, SendId, ToJournal, Usage, Work, WorkResult};
use crate::known::{Known, KnownFile, LastRegistry, Pin};

/// How much work may wait: each takes some 0.1 s, one after the other.
const MAX_JOBS: usize = 16;
/// How many keys are remembered that people had before.
const MAX_FORMER: usize = 10_000;
/// How many codes are remembered.
const MAX_CODES: usize = 1024;

/// The keys of the profile, and what it knows of others'.
#[derive(Debug)]
pub(super) struct Keyring {
    keys: Keys,
    /// The registry that the line is to, or was.
    registry: Option<Fingerprint>,
    /// What the user has named since the peer started, until they trust another key.
    chosen: Option<Fingerprint>,
    /// It was started on this machine by the peer, since that started itself.
    is_own: bool,
    codes: BTreeMap<PersonKey, Code>,
    jobs: BTreeMap<SendId, Job>,
    /// The keys that the user has replaced by others, with those.
    moved: Vec<(PersonKey, PersonKey)>,
}

/// How the registry is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// In version 1.
    Plain,
    /// In version 2, with the registry that has this key, if one is expected.
    Encrypted { expected: Option<Fingerprint> },
}

/// What the key of a user is looked up for.
#[derive(Debug, Clone)]
pub(super) enum KeyPurpose {
    /// To pin it, or to notice that it is another one.
    Pin,
    /// To show its code.
    Code { asker: Option<Asker> },
    /// To trust it if it has this code.
    Trust {
        code: Code,
        verified: bool,
        asker: Option<Asker>,
    },
}

/// Work that is under way.
#[derive(Debug)]
enum Job {
    Code {
        name: Option<Username>,
        person: PersonKey,
        purpose: KeyPurpose,
    },
    Export(Option<Asker>),
    Import(Option<Asker>),
}

impl Keyring {
    pub(super) fn new(keys: Keys) -> Self {
        Self {
            keys,
            registry: None,
            chosen: None,
            is_own: false,
            codes: BTreeMap::new(),
            jobs: BTreeMap::new(),
            moved: Vec::new(),
        }
    }

    /// Goes on with the session of another process at this registry.
    pub(super) fn resume(&mut self, registry: Fingerprint) {
        self.registry = Some(registry);
    }

    pub(super) fn usage(&self) -> Usage {
        Usage::new("work with keys", self.jobs.len(), MAX_JOBS)
    }

    pub(super) fn certificate(&self) -> Certificate {
        self.keys.certificate
    }

    fn known(&self) -> &Known {
        &self.keys.known
    }

    fn keep(&self, cx: &mut Context, file: KnownFile) {
        let text = self.known().text(file);
        cx.push(Output::Journal(ToJournal::Keep { file, text }));
    }

    /// How the registry is spoken to.
    pub(super) fn line(&self) -> Line {
        match self.expected() {
            None if self.keys.allow_plaintext => Line::Plain,
            expected => Line::Encrypted { expected },
        }
    }

    /// Whether plain text is allowed in vain.
    pub(super) fn ignores_plaintext(&self) -> bool {
        self.keys.allow_plaintext && self.expected().is_some()
    }

    /// What the user has named in the running peer counts most, then the key that they have
    /// accepted in place of what the options say, then the options. A key that was only the first
    /// one to be seen counts least: it may have been an attacker's.
    pub(super) fn expected(&self) -> Option<Fingerprint> {
        let pin = self.pin_of_registry();
        let trusted = pin.filter(|pin| pin.trusted);
        let by_name = self.chosen.or(trusted.map(|pin| pin.fingerprint));
        by_name
            .or(self.keys.named)
            .or(pin.map(|pin| pin.fingerprint))
    }

    /// Goes on with another registry.
    pub(super) fn choose(&mut self, chosen: &Chosen) {
        self.keys.names.clone_from(&chosen.names);
        self.keys.named = chosen.named;
        self.chosen = chosen.named;
        self.registry = None;
        self.is_own = chosen.is_own;
    }

    /// Whether this registry was started on this machine by the peer.
    pub(super) fn is_own(&self, registry: &str) -> bool {
        let last = self.known().registry.as_ref();
        last.is_some_and(|last| last.is_own && last.name == registry)
    }

    /// Notes that the registry has answered: it is the one to go to after the next start.
    pub(super) fn registry_answered(&mut self, cx: &mut Context) {
        let name = cx.config.registry.clone();
        let is_own = self.is_own || self.is_own(&name);
        let last = Some(LastRegistry { name, is_own });
        let known = &mut self.keys.known.registry;
        if *known != last {
            *known = last;
            self.keep(cx, KnownFile::Registry);
        }
    }

    fn pin_of_registry(&self) -> Option<&KnownRegistry> {
        let pins = &self.known().registries;
        let of = |name: &String| pins.iter().find(|pin| pin.registry == *name);
        let mut known = self.keys.names.iter().filter_map(of);
        let first = known.clone().next();
        known.find(|pin| pin.trusted).or(first)
    }

    /// The line is there. Pins the registry at the first contact.
    pub(super) fn connected(&mut self, cx: &mut Context, fingerprint: Fingerprint) {
        let earlier = self.registry.replace(fingerprint);
        if !self.keys.saved && earlier.is_none() {
            // Before any account is bound to them.
            cx.notice(Notice::IdentityNotSaved);
        }
        let is_first = self.expected().is_none();
        let pin = self.pin_of_registry();
        let is_trusted = pin.is_some_and(|pin| pin.trusted && pin.fingerprint == fingerprint);
        let trusted = is_trusted || self.chosen == Some(fingerprint);
        if self.set_pins(cx.now.wall, fingerprint, trusted) {
            self.keep(cx, KnownFile::Registries);
        }
        if is_first {
            cx.notice(Notice::RegistryPinned { fingerprint });
        }
    }

    /// Pins all names of the registry. Whether anything is different now.
    fn set_pins(&mut self, now: Timestamp, fingerprint: Fingerprint, trusted: bool) -> bool {
        let pins = &mut self.keys.known.registries;
        let mut is_changed = false;
        for name in &self.keys.names {
            let mut pin = KnownRegistry {
                registry: name.clone(),
                fingerprint,
                since: day(now),
                trusted,
            };
            let Some(known) = pins.iter_mut().find(|pin| pin.registry == *name) else {
                pins.push(pin);
                is_changed = true;
                continue;
            };
            if known.fingerprint == fingerprint {
                pin.since.clone_from(&known.since);
            }
            is_changed |= *known != pin;
            *known = pin;
        }
        pins.sort_by(|one, other| one.registry.cmp(&other.registry));
        is_changed
    }

    /// Trusts the registry that has another key than the one that was expected: what is known
    /// of people there stays.
    pub(super) fn trust_registry(
        &mut self,
        cx: &mut Context,
        before: Fingerprint,
        now: Fingerprint,
    ) {
        self.chosen = None;
        self.set_pins(cx.now.wall, now, true);
        self.keep(cx, KnownFile::Registries);
        let known = &mut self.keys.known;
        let of_before = known.people.extract_if(.., |(at, _), _| *at == before);
        let moved: Vec<_> = of_before
            .map(|((_, name), pin)| ((now, name), pin))
            .collect();
        for (at, mut pin) in moved {
            // It counts from the beginning.
            pin.serial = 0;
            known.people.entry(at).or_insert(pin);
        }
        let of_before = known.former.extract_if(.., |(at, _), _| *at == before);
        let moved: Vec<_> = of_before.collect();
        let moved = moved.into_iter().map(|((_, key), name)| ((now, key), name));
        known.former.extend(moved);
        if let Some((at, _)) = known.account.as_mut().filter(|(at, _)| *at == before) {
            *at = now;
        }
        self.keep(cx, KnownFile::People);
        self.keep(cx, KnownFile::Account);
    }

    pub(super) fn forget_registry(
        &mut self,
        cx: &mut Context,
        registry: &str,
    ) -> Result<(), Refusal> {
        let pins = &mut self.keys.known.registries;
        let before = pins.len();
        pins.retain(|pin| pin.registry != registry);
        if pins.len() == before {
            return Err(Problem::NoSuchRegistry.into());
        }
        self.keep(cx, KnownFile::Registries);
        Ok(())
    }

    pub(super) fn tell_registries(&self, cx: &mut Context) {
        let list = self.known().registries.clone();
        cx.emit(Event::Registries { list });
    }

    /// The account that was last logged in at this registry: the one that there is, or that is
    /// expected while none has answered.
    pub(super) fn remembered(&self) -> Option<Username> {
        let (registry, name) = self.known().account?;
        (Some(registry) == self.registry.or_else(|| self.expected())).then_some(name)
    }

    pub(super) fn remember(&mut self, cx: &mut Context, name: Option<Username>) {
        let account = name.and_then(|name| Some((self.registry?, name)));
        if self.keys.known.account != account {
            self.keys.known.account = account;
            self.keep(cx, KnownFile::Account);
        }
    }

    /// Pins the user's own key, since a name is bound to it.
    pub(super) fn bound(&mut self, cx: &mut Context, name: Username, serial: u64) {
        let pin = Pin {
            person: self.certificate().person,
            serial,
            is_verified: true,
            changed: None,
            is_open_allowed: false,
        };
        self.set_pin(cx, name, pin);
    }

    /// Those of some users who have an encrypted p2pchat and may not be in the open chat: the user
    /// has not agreed to that.
    pub(super) fn not_in_open(&self, names: impl IntoIterator<Item = Username>) -> Vec<Username> {
        let is_kept_out = |name: &Username| self.pin(*name).is_some_and(|pin| !pin.is_open_allowed);
        let mut names: Vec<_> = names.into_iter().filter(is_kept_out).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The user agrees to have these users in the open chat.
    pub(super) fn allow_open(&mut self, cx: &mut Context, names: Vec<Username>) {
        for name in names {
            if let Some(pin) = self.pin(name).copied() {
                let is_open_allowed = true;
                let pin = Pin {
                    is_open_allowed,
                    ..pin
                };
                self.set_pin(cx, name, pin);
            }
        }
    }

    /// The keys that the user has replaced by others since the last time, with those.
    pub(super) fn take_moved(&mut self) -> Vec<(PersonKey, PersonKey)> {
        std::mem::take(&mut self.moved)
    }

    /// Trusts the key that a user has now, as a new one, in place of the one that they had. Gives
    /// both. A chat under a key that was replaced before goes on under the one that is trusted:
    /// nothing more is trusted then.
    pub(super) fn accept(
        &mut self,
        cx: &mut Context,
        name: Username,
        of_chat: PersonKey,
        although_verified: bool,
    ) -> Result<(PersonKey, PersonKey), Problem> {
        let pin = *self.pin(name).ok_or(Problem::NoKey)?;
        let is_former = pin.person != of_chat && pin.changed != Some(of_chat);
        if is_former {
            return Ok((of_chat, pin.person));
        }
        let now = pin.changed.ok_or(Problem::NotPossible)?;
        if pin.is_verified && !although_verified {
            return Err(Problem::UserKeyChanged);
        }
        let trusted = Pin {
            person: now,
            serial: pin.serial,
            is_verified: false,
            changed: None,
            is_open_allowed: false,
        };
        self.set_pin(cx, name, trusted);
        Ok((pin.person, now))
    }

    fn pin(&self, name: Username) -> Option<&Pin> {
        self.known().people.get(&(self.registry?, name))
    }

    /// The names that are pinned at this registry.
    pub(super) fn pinned_names(&self) -> impl Iterator<Item = Username> + '_ {
        let people = self.known().people.keys();
        let here = people.filter(|(registry, _)| Some(*registry) == self.registry);
        here.map(|(_, name)| *name)
    }

    /// The keys that people had before, and their names.
    pub(super) fn former(&self) -> impl Iterator<Item = (PersonKey, Username)> + '_ {
        let former = self.known().former.iter();
        let here = former.filter(|((registry, _), _)| Some(*registry) == self.registry);
        here.map(|((_, key), name)| (*key, *name))
    }

    /// The keys that a name stands for: the pinned one, and the one that the registry has for it.
    pub(super) fn keys_of(&self, name: Username) -> impl Iterator<Item = PersonKey> + use<> {
        let pin = self.pin(name);
        let keys = pin.map(|pin| [Some(pin.person), pin.changed]);
        keys.into_iter().flatten().flatten()
    }

    /// How well a key that stands, or stood, for a user is known. One that is neither the pinned
    /// one, nor one that was, has changed, whatever is known of that.
    pub(super) fn trust_in(&self, name: Username, key: &PersonKey) -> Option<Trust> {
        let pin = self.pin(name)?;
        let trust = self.trust(name)?;
        let is_former = self.former().any(|former| former == (*key, name));
        Some(match trust {
            trust if pin.person == *key => trust,
            _ if is_former && pin.changed != Some(*key) => Trust::Former,
            Trust::New | Trust::Verified => Trust::Changed,
            trust => trust,
        })
    }

    /// The key of a user, if it is pinned; an error if the registry has another one.
    pub(super) fn person(&self, name: Username) -> Option<Result<PersonKey, Problem>> {
        let pin = self.pin(name)?;
        Some(match pin.changed {
            None => Ok(pin.person),
            Some(_) => Err(Problem::UserKeyChanged),
        })
    }

    fn set_pin(&mut self, cx: &mut Context, name: Username, pin: Pin) {
        let Some(registry) = self.registry else {
            return;
        };
        let known = &mut self.keys.known;
        let before = known.people.insert((registry, name), pin);
        if let Some(before) = before.filter(|before| before.person != pin.person)
            && known.former.len() < MAX_FORMER
        {
            known.former.insert((registry, before.person), name);
        }
        if before != Some(pin) {
            self.keep(cx, KnownFile::People);
        }
    }

    /// How well the key of a user is known.
    pub(super) fn trust(&self, name: Username) -> Option<Trust> {
        let pin = self.pin(name)?;
        Some(match (pin.changed, pin.is_verified) {
            (None, false) => Trust::New,
            (None, true) => Trust::Verified,
            (Some(_), false) => Trust::Changed,
            (Some(_), true) => Trust::ChangedAfterVerified,
        })
    }

    /// Whether the key of a user has to be looked up, whose binding has this serial.
    pub(super) fn is_wanted(&self, name: Username, serial: u64, is_in_chat: bool) -> bool {
        match self.pin(name) {
            Some(pin) => pin.serial < serial,
            None => is_in_chat && serial > 0,
        }
    }

    /// Takes note of a binding.
    pub(super) fn learn(&mut self, cx: &mut Context, binding: &Binding) {
        let name = binding.name;
        let before = self.pin(name).copied();
        let pin = match (before, binding.person) {
            (None, None) => return,
            (None, Some(person)) => Pin {
                person,
                serial: binding.serial,
                is_verified: false,
                changed: None,
                is_open_allowed: false,
            },
            (Some(pin), _) if binding.serial < pin.serial => return,
            (Some(pin), person) => Pin {
                serial: binding.serial,
                changed: person.filter(|person| *person != pin.person),
                ..pin
            },
        };
        self.set_pin(cx, name, pin);
        if let Some(before) = before
            && pin.changed.is_some()
            && pin.changed != before.changed
        {
            let was_verified = before.is_verified;
            cx.notice(Notice::KeyChanged { name, was_verified });
        }
    }

    /// Goes on with the key that the registry has for a user now. Their name, if it is better
    /// known afterwards.
    pub(super) fn use_key(
        &mut self,
        cx: &mut Context,
        name: Username,
        person: Option<PersonKey>,
        purpose: KeyPurpose,
    ) -> Option<Username> {
        let command = match &purpose {
            KeyPurpose::Pin => return Some(name),
            KeyPurpose::Code { .. } => "code",
            KeyPurpose::Trust { .. } => "trust",
        };
        let Some(person) = person else {
            purpose.answer(cx);
            cx.fail(command, Problem::NoKey.into());
            return None;
        };
        match self.codes.get(&person) {
            Some(&code) => self.with_code(cx, Some(name), person, &purpose, code),
            None if self.jobs.len() >= MAX_JOBS => {
                purpose.answer(cx);
                cx.fail(command, Problem::TooMuch.into());
                None
            }
            None => {
                let name = Some(name);
                let job = Job::Code {
                    name,
                    person,
                    purpose,
                };
                self.start(cx, Work::Code(person), job);
                None
            }
        }
    }

    /// Computes the code of the user's own key, for them to see.
    pub(super) fn compute_own_code(&mut self, cx: &mut Context) {
        let person = self.certificate().person;
        if !self.codes.contains_key(&person) && self.jobs.len() < MAX_JOBS {
            let job = Job::Code {
                name: None,
                person,
                purpose: KeyPurpose::Pin,
            };
            self.start(cx, Work::Code(person), job);
        }
    }

    fn start(&mut self, cx: &mut Context, work: Work, job: Job) {
        let id = cx.next_send();
        self.jobs.insert(id, job);
        cx.push(Output::Work { id, work });
    }

    fn with_code(
        &mut self,
        cx: &mut Context,
        name: Option<Username>,
        person: PersonKey,
        purpose: &KeyPurpose,
        code: Code,
    ) -> Option<Username> {
        purpose.answer(cx);
        match purpose {
            KeyPurpose::Pin => None,
            KeyPurpose::Code { .. } => {
                let name = name?;
                let trust = self.trust(name).unwrap_or(Trust::New);
                cx.emit(Event::Code { name, code, trust });
                cx.done();
                None
            }
            KeyPurpose::Trust { code: asked, .. } if *asked != code => {
                cx.fail("trust", Problem::WrongCode.into());
                None
            }
            KeyPurpose::Trust { verified, .. } => {
                let name = name?;
                let before = self.pin(name).copied();
                if let Some(before) = before.filter(|before| before.person != person) {
                    self.moved.push((before.person, person));
                }
                let pin = Pin {
                    person,
                    serial: before.map_or(0, |pin| pin.serial),
                    is_verified: *verified,
                    changed: None,
                    is_open_allowed: before
                        .is_some_and(|pin| pin.is_open_allowed && pin.person == person),
                };
                self.set_pin(cx, name, pin);
                cx.done();
                Some(name)
            }
        }
    }

    pub(super) fn export(&mut self, cx: &mut Context, password: Passphrase) -> Result<(), Refusal> {
        self.check_room()?;
        let job = Job::Export(cx.defer());
        self.start(cx, Work::Export(password), job);
        Ok(())
    }

    pub(super) fn import(
        &mut self,
        cx: &mut Context,
        identity: String,
        password: Passphrase,
    ) -> Result<(), Refusal> {
        self.check_room()?;
        let own = self.certificate().person;
        let is_bound = self.known().people.values().any(|pin| pin.person == own);
        if is_bound || self.is_importing() {
            return Err(Problem::IdentityInUse.into());
        }
        let job = Job::Import(cx.defer());
        self.start(cx, Work::Import { identity, password }, job);
        Ok(())
    }

    /// Whether the user may get another key this moment.
    pub(super) fn is_importing(&self) -> bool {
        self.jobs.values().any(|job| matches!(job, Job::Import(_)))
    }

    fn check_room(&self) -> Result<(), Problem> {
        if self.jobs.len() >= MAX_JOBS {
            return Err(Problem::TooMuch);
        }
        Ok(())
    }

    /// Takes the result of some work. The name of a user whose key is better known now.
    pub(super) fn work_done(
        &mut self,
        cx: &mut Context,
        id: SendId,
        result: WorkResult,
    ) -> Option<Username> {
        match (self.jobs.remove(&id)?, result) {
            (
                Job::Code {
                    name,
                    person,
                    purpose,
                },
                WorkResult::Code(code),
            ) => {
                if self.codes.len() >= MAX_CODES {
                    self.codes.clear();
                }
                self.codes.insert(person, code);
                if person == self.certificate().person {
                    cx.answer_to(None);
                    self.tell_identity(cx);
                }
                self.with_code(cx, name, person, &purpose, code)
            }
            (Job::Export(asker), WorkResult::Exported(identity)) => {
                cx.answer_to(asker);
                cx.emit(Event::Exported { identity });
                cx.done();
                None
            }
            (Job::Import(asker), WorkResult::Imported(Ok(certificate))) => {
                self.keys.certificate = certificate;
                cx.answer_to(asker);
                self.tell_identity(cx);
                cx.done();
                cx.answer_to(None);
                self.compute_own_code(cx);
                None
            }
            (Job::Import(asker), WorkResult::Imported(Err((problem, reason)))) => {
                cx.answer_to(asker);
                let message = problem.because(reason);
                cx.fail("import_identity", Refusal::new(problem, message));
                None
            }
            (job, _) => {
                job.fail(cx);
                None
            }
        }
    }

    fn tell_identity(&self, cx: &mut Context) {
        let certificate = self.certificate();
        cx.emit(Event::Identity(Identity {
            device: fingerprint(&certificate.device.0),
            person: fingerprint(&certificate.person.0),
            code: self.codes.get(&certificate.person).copied(),
            saved: self.keys.saved,
        }));
    }
}

impl KeyPurpose {
    /// Answers the call that it is of, from now on.
    pub(super) fn answer(&self, cx: &mut Context) {
        cx.answer_to(self.clone().into_asker());
    }

    pub(super) fn into_asker(self) -> Option<Asker> {
        match self {
            Self::Pin => None,
            Self::Code { asker } | Self::Trust { asker, .. } => asker,
        }
    }

    /// The command that fails if the lookup does.
    pub(super) fn command(&self) -> Option<&'static str> {
        match self {
            Self::Pin => None,
            Self::Code { .. } => Some("code"),
            Self::Trust { .. } => Some("trust"),
        }
    }
}

impl Job {
    /// The work has failed, which is a bug.
    fn fail(self, cx: &mut Context) {
        let (command, asker) = match self {
            Self::Code { purpose, .. } => {
                let Some(command) = purpose.command() else {
                    return;
                };
                purpose.answer(cx);
                return cx.fail(command, Problem::TooMuch.into());
            }
            Self::Export(asker) => ("export_identity", asker),
            Self::Import(asker) => ("import_identity", asker),
        };
        cx.answer_to(asker);
        cx.fail(command, Problem::TooMuch.into());
    }
}

/// The day of a time, such as `2026-11-28`, in UTC.
fn day(at: Timestamp) -> String {
    // Days since 0000-03-01, in eras of 400 years: the leap day is the last one of a year.
    let days = at.0 / 86_400_000 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = era * 400 + year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_as_people_do() {
        for (seconds, written) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_796_083_200, "2026-12-01"),
        ] {
            assert_eq!(day(Timestamp(seconds * 1000)), written);
        }
    }
}
