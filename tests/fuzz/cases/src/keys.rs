//! Keys as they come from others and from files: certificates, exported identities, key files,
//! and the texts that people type.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use p2pchat_protocol::v2::{Certificate, Code, DeviceKey, Fingerprint};
use p2pchat_secure::{Identity, ImportError, KeyFileError, SecretKey, verify_certificate};

/// The characters of an exported identity, without what stands before them.
const EXPORTED: usize = 104;

/// The first byte says what the others are.
pub fn keys(data: &[u8]) {
    let Some((which, data)) = data.split_first() else {
        return;
    };
    match which % 4 {
        0 => certificate(data),
        1 => exported(&String::from_utf8_lossy(data)),
        2 => key_file(data),
        _ => typed(&String::from_utf8_lossy(data)),
    }
}

fn certificate(data: &[u8]) {
    if let Some(certificate) = Certificate::from_bytes(data) {
        assert_eq!(certificate.to_bytes(), data);
        // Who signs one has the key of its person: never that of another one.
        if verify_certificate(&certificate) {
            let device = certificate.person.0;
            let other = Certificate {
                device: DeviceKey(device),
                ..certificate
            };
            assert!(other == certificate || !verify_certificate(&other));
        }
    }
}

/// Those of the right form take 0.1 s: the golden vectors have them.
fn exported(text: &str) {
    let has_form = text.split_whitespace().map(str::len).sum::<usize>() >= EXPORTED;
    let password = "password".parse().expect("a password");
    if !has_form {
        let imported = Identity::ephemeral().import(text, &password);
        assert!(matches!(
            imported,
            Err(ImportError::NotOne | ImportError::Later { .. })
        ));
    }
}

fn key_file(data: &[u8]) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), data).expect("a file that can be written");
    let loaded = SecretKey::load(file.path());
    assert_eq!(std::fs::read(file.path()).expect("it is there"), data);
    match loaded {
        Ok(key) => {
            let again = file.path().with_extension("again");
            key.keep(&again).expect("it can be kept");
            let kept = SecretKey::load(&again).expect("it was kept");
            assert_eq!(kept.public(), key.public());
            std::fs::remove_file(again).expect("it is there");
        }
        Err(error) => assert!(matches!(
            error,
            KeyFileError::NotAKey { .. } | KeyFileError::Later { .. }
        )),
    }
    let open = Permissions::from_mode(0o644);
    std::fs::set_permissions(file.path(), open).expect("it is ours");
    let refused = SecretKey::load(file.path());
    assert!(matches!(refused, Err(KeyFileError::Readable { .. })));
}

fn typed(text: &str) {
    if let Ok(fingerprint) = text.parse::<Fingerprint>() {
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
    }
    if let Ok(code) = text.parse::<Code>() {
        assert_eq!(code.to_string().parse(), Ok(code));
    }
}
