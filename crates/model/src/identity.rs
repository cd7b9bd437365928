//! Keys, as front ends show them.

use p2pchat_protocol::v2::{Code, Fingerprint};
use serde::{Deserialize, Serialize};

/// The keys of the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Identity {
    /// The fingerprint of the key of this device.
    pub device: Fingerprint,
    /// The fingerprint of the key of the person.
    pub person: Fingerprint,
    /// The code of that key, which others compare; null until it is computed.
    pub code: Option<Code>,
    /// Whether the keys are saved in the folder of the profile. If not, they end with the program.
    pub saved: bool,
}

/// Whether the line to the registry is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(tag = "state"))]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// There was no contact yet. Nothing is sent unencrypted.
    #[default]
    Unknown,
    /// It is not: the user allowed that for this registry.
    NotEncrypted,
    /// It is, to the registry with this key.
    Encrypted {
        /// The fingerprint of its key.
        fingerprint: Fingerprint,
    },
}

/// How well the key of a user is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// It is an earlier one: the user goes on with them under another.
    Former,
    /// It is the one that was seen first.
    New,
    /// The user has compared codes with them.
    Verified,
    /// The registry has another one now than the one that was new.
    Changed,
    /// The registry has another one now than the one that was verified.
    ChangedAfterVerified,
}

/// A registry whose key is pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KnownRegistry {
    /// Its name, as it was given.
    pub registry: String,
    /// The fingerprint of its key.
    pub fingerprint: Fingerprint,
    /// The day of the first contact, such as `2026-11-28`.
    pub since: String,
    /// Whether the user has named or accepted this key: then it counts more than the options.
    pub trusted: bool,
}
