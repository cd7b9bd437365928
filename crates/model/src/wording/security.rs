//! Words about encryption, keys and codes, and about what others see of a user.

use p2pchat_protocol::Username;
use p2pchat_protocol::v2::{Code, DisplayName, Fingerprint, Status};

use super::label;
use crate::event::Link;
use crate::identity::{Security, Trust};
use crate::person::User;
use crate::view::View;

/// Beside the field for a password on the sign-in form, while it is empty.
pub const PASSWORD_OPTIONAL: &str = "only needed until this computer signs you in";
/// Beside a new password that a legacy client cannot use.
pub const PASSWORD_NOT_LEGACY: &str = "too long for older programs: 15 letters";
/// Below the sign-in form of a new user.
pub const IMPORT_HINT: &str =
    "Used p2pchat on another computer? p2pchat identity import FILE makes this one yours too.";
/// What two people do with their codes.
pub const COMPARE: &str = "Read yours aloud and listen to theirs, in person or by phone.";
/// Before the first sign-in, where there is no profile folder: the account will be bound to keys
/// that end with the program.
pub const NOT_SAVED: &str = "there is no folder to save your keys in: the account that you sign in \
                             to is bound to them and lost when p2pchat ends, unless the operator of \
                             the registry resets its key; start again with --profile ./FOLDER first";
/// Why a registry may have another key than before.
pub const OTHER_KEY_REASONS: &str = "Its fingerprint was mistyped, it was set up again, or \
                                     someone in between poses as it. Ask its operator, in \
                                     person or by phone, for the fingerprint of its key.";

/// The line to the registry in a sentence, with the fingerprint of its key. `None` before the
/// first contact.
#[must_use]
pub fn line_to_registry(security: Security) -> Option<String> {
    match security {
        Security::Unknown => None,
        Security::NotEncrypted => Some(
            "NOT ENCRYPTED: everyone on the network can read what you send to this registry, your \
             password too"
                .to_owned(),
        ),
        Security::Encrypted { fingerprint } => Some(format!(
            "the line to the registry is encrypted, its key is {fingerprint}"
        )),
    }
}

/// [`NOT_SAVED`] where it is so. Only a registry with an encrypted line binds accounts to keys.
#[must_use]
pub fn not_saved(view: &View) -> Option<&'static str> {
    let is_saved = view.identity.is_none_or(|identity| identity.saved);
    let binds = matches!(view.security, Security::Encrypted { .. });
    (!is_saved && binds).then_some(NOT_SAVED)
}

/// The name of a registry without the fingerprint; of several that serve the same users, the
/// first.
#[must_use]
pub fn registry_name(registry: &str) -> &str {
    let first = registry.split(',').next().unwrap_or_default();
    first.split('#').next().unwrap_or_default().trim()
}

/// The command that accepts that a registry has another key.
#[must_use]
pub fn trust_command(registry: &str, seen: Fingerprint) -> String {
    let name = registry_name(registry);
    format!("p2pchat registries trust {name}#{seen}")
}

/// What has happened where a registry has another key than the pinned one.
#[must_use]
pub fn another_key(registry: &str) -> String {
    let name = registry_name(registry);
    format!("{name} has another key than the known one: nothing was sent to it.")
}

/// The stop before a registry that has another key than the pinned one: what has happened, both
/// fingerprints, the likely reasons, and the one command.
#[must_use]
pub fn registry_stop(registry: &str, link: &Link) -> Option<[String; 6]> {
    let Link::KeyChanged { pinned, seen } = link else {
        return None;
    };
    Some([
        another_key(registry),
        format!("known: {pinned}"),
        format!("now:   {seen}"),
        OTHER_KEY_REASONS.to_owned(),
        "If it is the one that is there now, accept it with:".to_owned(),
        trust_command(registry, *seen),
    ])
}

/// What others see of a user beside their name, in short: their status, unless they are
/// available, what their program cannot do, and how well their key is known.
#[must_use]
pub fn notes(user: &User, view: &View) -> Vec<&'static str> {
    let status = match user.status {
        Status::Available => None,
        Status::Busy => Some("busy"),
        Status::Away => Some("away"),
    };
    let legacy = is_legacy(user, view).then_some(OLDER_PROGRAM);
    let trust = user.trust.filter(|trust| *trust != Trust::New);
    let trust = trust.map(Trust::words);
    [status, legacy, trust].into_iter().flatten().collect()
}

/// A user whose program speaks version 1 of the protocol alone.
pub const OLDER_PROGRAM: &str = "older program";

/// Whether a user is shown as one of an older program: a registry of version 1 does not know
/// better of anyone.
#[must_use]
pub fn is_legacy(user: &User, view: &View) -> bool {
    user.legacy && matches!(view.security, Security::Encrypted { .. })
}

impl Trust {
    /// The mark beside the name of a user, in ASCII.
    #[must_use]
    pub fn mark(self) -> &'static str {
        match self {
            Self::New => "",
            Self::Verified => "v",
            Self::Former | Self::Changed | Self::ChangedAfterVerified => "!",
        }
    }
}

/// A name, and the one that the user has chosen to be shown beside it: `bob “Bob B.”`.
#[must_use]
pub fn with_display_name(name: Username, display_name: DisplayName) -> String {
    if display_name.is_empty() {
        name.to_string()
    } else {
        format!("{name} “{display_name}”")
    }
}

/// How the user is shown to others: `you are shown as “Alice A.”, away`.
#[must_use]
pub fn shown_as(view: &View) -> String {
    let Some(status) = view.status() else {
        let why = super::own_status(view).to_lowercase();
        return format!("you are {why}, so no one sees you");
    };
    let status = super::status(status).to_lowercase();
    if view.display_name.is_empty() {
        format!("you are shown without a display name, {status}")
    } else {
        format!("you are shown as “{}”, {status}", view.display_name)
    }
}

/// Whether the account can also be used by legacy clients.
#[must_use]
pub fn legacy_login(on: bool) -> &'static str {
    if on {
        "older programs can sign in to your account with its password, not encrypted"
    } else {
        "older programs can no longer sign in to your account"
    }
}

/// Whether the user is shown as away.
#[must_use]
pub fn away(on: bool) -> &'static str {
    if on {
        "you are shown as away"
    } else {
        "you are no longer shown as away"
    }
}

/// The user has compared codes with someone.
#[must_use]
pub fn is_verified(name: Username) -> String {
    format!("{name} is verified")
}

/// The key of someone is trusted without a comparison of codes, or no longer.
#[must_use]
pub fn is_not_verified(name: Username) -> String {
    format!("{name} is not verified")
}

/// The code of a user, how well their key is known, and how to say that it is theirs.
#[must_use]
pub fn code_of(name: Username, code: Code, trust: Trust) -> String {
    let words = trust.words();
    match trust {
        Trust::Verified => format!("{name}'s code: {code} ({words})"),
        _ => format!("{name}'s code: {code} ({words}); if it is: /verify {name} {code}"),
    }
}

/// No registry is pinned.
pub const NO_REGISTRIES: &str = "no registry is known by its key yet";
/// What can be done with the keys of the profile.
pub const IDENTITY_HINT: &str = "p2pchat identity export FILE writes your key, encrypted by a \
                                 password; p2pchat identity import FILE on another computer \
                                 makes that one yours too.";

/// The keys of the profile and the line to the registry: what each is, and its value.
#[must_use]
pub fn identity(view: &View) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    if let Some(identity) = view.identity {
        let code = identity.code.map(|code| code.to_string());
        all.push((
            "your code",
            code.unwrap_or_else(|| "one moment…".to_owned()),
        ));
        all.push(("your key", identity.person.to_string()));
        all.push(("key of this computer", identity.device.to_string()));
    }
    let name = registry_name(&view.registry).to_owned();
    match view.security {
        Security::Encrypted { fingerprint } => {
            all.push(("registry", format!("{name}, encrypted")));
            all.push(("key of the registry", fingerprint.to_string()));
        }
        Security::NotEncrypted => all.push(("registry", format!("{name}, NOT ENCRYPTED"))),
        Security::Unknown => all.push(("registry", name)),
    }
    all
}

/// The line about a registry that has another key than the pinned one: the reasons.
#[must_use]
pub fn registry_key_changed(pinned: Fingerprint, seen: Fingerprint) -> String {
    format!(
        "the registry has another key than before, so nothing was sent to it. Known: {pinned}. \
         Seen now: {seen}. Either it was set up again, or someone in between poses as it: ask its \
         operator for the fingerprint"
    )
}

impl Security {
    /// The state of the line to the registry, in words beside it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::NotEncrypted => "registry not encrypted",
            Self::Encrypted { .. } => "registry encrypted",
        }
    }

    /// The sentence above the sign-in form.
    #[must_use]
    pub fn lead(self) -> &'static str {
        match self {
            Self::NotEncrypted => label::LEAD_NOT_ENCRYPTED,
            Self::Unknown | Self::Encrypted { .. } => label::LEAD,
        }
    }
}

impl Trust {
    /// How well a key is known, in a word.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Former => "earlier code",
            Self::New => "new",
            Self::Verified => "verified",
            Self::Changed => "code changed",
            Self::ChangedAfterVerified => "not the verified code",
        }
    }

    /// What the user can say of a key whose code they have compared, in words, and whether it is
    /// verified from then on. Besides, they can say that the codes differ, which changes nothing.
    #[must_use]
    pub fn answers(self) -> &'static [(&'static str, bool)] {
        const MATCH: (&str, bool) = (label::THEY_MATCH, true);
        match self {
            Self::Former => &[],
            Self::New => &[MATCH],
            Self::Verified => &[(label::NO_LONGER_TRUST, false)],
            Self::Changed | Self::ChangedAfterVerified => &[MATCH, (label::ACCEPT_NEW_CODE, false)],
        }
    }
}
