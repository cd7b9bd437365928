//! The golden vectors of keys, made by Python (`crates/protocol/tests/make_vectors_2.py`) and not
//! by this crate.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use data_encoding::HEXLOWER;
use p2pchat_protocol::v2::{Certificate, DeviceKey, PersonKey, PublicKey};
use p2pchat_secure::{Identity, ImportError, SecretKey, code, fingerprint, verify_certificate};
use serde_json::Value;

fn vectors(list: &str) -> Vec<Value> {
    let all = include_str!("../../protocol/tests/vectors-2.json");
    let all: Value = serde_json::from_str(all).unwrap();
    let list = all[list].as_array().unwrap().clone();
    assert!(!list.is_empty());
    list
}

fn bytes(vector: &Value, field: &str) -> Vec<u8> {
    HEXLOWER.decode(text(vector, field).as_bytes()).unwrap()
}

fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector[field].as_str().unwrap()
}

fn secret(vector: &Value, field: &str) -> SecretKey {
    SecretKey::from_seed(bytes(vector, field).try_into().unwrap())
}

fn public(vector: &Value, field: &str) -> PublicKey {
    bytes(vector, field)[..].try_into().unwrap()
}

#[test]
fn keys_have_the_same_short_forms_as_by_others() {
    for vector in vectors("keys") {
        assert_eq!(secret(&vector, "seed").public(), public(&vector, "public"));
    }
    for vector in vectors("fingerprints") {
        let fingerprint = fingerprint(&public(&vector, "key"));
        assert_eq!(fingerprint.to_string(), text(&vector, "text"));
        assert_eq!(text(&vector, "text").parse(), Ok(fingerprint));
    }
    for vector in vectors("codes") {
        let code = code(&PersonKey(public(&vector, "key")));
        assert_eq!(code.to_string(), text(&vector, "text"));
        assert_eq!(text(&vector, "text").parse(), Ok(code));
    }
}

#[test]
fn certificates_are_signed_and_verified_as_by_others() {
    for vector in vectors("certificates") {
        let device = DeviceKey(secret(&vector, "device_seed").public());
        let made = secret(&vector, "person_seed").certify(device);
        assert_eq!(made.to_bytes()[..], bytes(&vector, "hex"));
        assert!(verify_certificate(&made));
    }
    for vector in vectors("false_certificates") {
        let read = Certificate::from_bytes(&bytes(&vector, "hex")).unwrap();
        assert!(!verify_certificate(&read), "{}", vector["name"]);
    }
}

#[test]
fn exported_identities_are_opened_as_by_others() {
    let identity = Identity::ephemeral();
    for vector in vectors("exported") {
        let password = text(&vector, "password").parse().unwrap();
        let imported = identity.import(text(&vector, "text"), &password).unwrap();
        assert_eq!(
            imported.person(),
            PersonKey(secret(&vector, "seed").public())
        );
        assert_eq!(imported.certificate().device, identity.certificate().device);
    }
    for vector in vectors("false_exports") {
        let password = text(&vector, "password").parse().unwrap();
        let error = identity
            .import(text(&vector, "text"), &password)
            .unwrap_err();
        let seen = match error {
            ImportError::NotOne | ImportError::Later { .. } => "form",
            ImportError::Password => "password",
            ImportError::Kept(error) => panic!("{error}"),
        };
        assert_eq!(seen, text(&vector, "error"), "{}", vector["name"]);
    }
}
