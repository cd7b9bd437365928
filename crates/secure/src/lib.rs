//! Keys, certificates and encrypted connections: all cryptography of version 2.
//!
//! | module | what it owns |
//! |---|---|
//! | [`key`] | secret keys: made, kept in files, signing; verifying and hashing |
//! | [`identity`] | the device key and the person key of a profile; export and import |
//! | [`mod@code`] | the short forms of keys that people read: codes and fingerprints |
//! | [`tls`] | TLS 1.3 with raw public keys, and nothing of rustls outside of it |
//!
//! **Invariant:** no policy: who is trusted is decided by the caller. No secret is in a `Debug`
//! output or an error.

pub mod code;
pub mod identity;
pub mod key;
pub mod tls;

pub use code::{code, fingerprint};
pub use identity::{Identity, IdentityError, ImportError};
pub use key::{KeyFileError, SecretKey, sha256, verify, verify_certificate};
pub use tls::{Acceptor, Connector, Expected, HandshakeError, Secured};
