//! A hint about weak passwords. It is a hint, never a rule: the registry takes any password.

use p2pchat_protocol::Password;

/// Passwords of fewer letters are guessed by trying all of them.
const SHORT: usize = 8;

/// Beginnings of the passwords that are tried first.
const COMMON: [&str; 12] = [
    "password", "passwort", "passw0rd", "letmein", "welcome", "iloveyou", "p2pchat", "qwert",
    "asdf", "abc", "123", "0123",
];

/// What to do about a password for a new account that is easy to guess; `None` for a better
/// one, and for an empty field.
#[must_use]
pub fn password_hint(name: &str, password: &str) -> Option<&'static str> {
    let letters = password.chars().count();
    let lower = password.to_lowercase();
    let mut chars = password.chars();
    let first = chars.next()?;
    let is_common = COMMON.iter().any(|begin| {
        // `password1` is as common; `abc` and thirteen more letters are not.
        lower.starts_with(begin) && letters < begin.chars().count().max(SHORT) + 3
    });
    if name.chars().count() >= 3 && lower.contains(&name.to_lowercase()) {
        Some("easy to guess: it has the name in it")
    } else if chars.all(|c| c == first) || is_common {
        Some("easy to guess: many people use it")
    } else if letters < SHORT && password.len() < Password::MAX {
        Some("short: 8 letters or more are harder to guess")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weak_password_has_a_hint_and_a_better_one_has_none() {
        for weak in [
            "x",
            "xxxxxxxxxx",
            "Password1",
            "12345678",
            "tr0ub4d",
            "iamAlice99",
        ] {
            assert!(password_hint("alice", weak).is_some(), "{weak}");
        }
        for good in [
            "",
            "correct horse",
            "7hFw-qz91",
            "日本語の文",
            "abcnorwayfish",
        ] {
            assert_eq!(password_hint("alice", good), None, "{good}");
        }
        assert_eq!(password_hint("", "correct horse"), None, "no name yet");
    }
}
