//! Notes beside a name and a password that are being written.

use crate::letters::lowercase;

/// The message for a name or a password that fills its field.
#[must_use]
pub fn too_long_for_legacy(max: usize) -> String {
    format!("older programs take only {} letters", max.saturating_sub(1))
}

/// From how many letters left on there is a note about them.
const FEW_LEFT: usize = 2;

/// The note beside a name or a password of so many bytes that is being written, once its
/// length matters: letters that are left, or why the last one is better not used.
#[must_use]
pub fn letters_left(bytes: usize, max: usize) -> Option<String> {
    match max.checked_sub(bytes)? {
        0 => Some(too_long_for_legacy(max)),
        1 => Some("1 letter left".to_owned()),
        left @ ..=FEW_LEFT => Some(format!("{left} letters left")),
        _ => None,
    }
}

/// From how many characters on a password is not called short.
const LONG_PASSWORD: usize = 8;

/// What most of those who try passwords try first, besides digits.
const COMMON_PASSWORDS: [&str; 7] = [
    "password",
    "passw0rd",
    "qwertyui",
    "qwertyuiop",
    "1q2w3e4r",
    "iloveyou",
    "sunshine",
];

/// A hint about a new password that is easy to guess. It is not a rule.
#[must_use]
pub fn weak_password(password: &str, name: &str) -> Option<&'static str> {
    let lower = lowercase(password);
    let mut letters = lower.chars();
    let first = letters.next()?;
    if lower == lowercase(name) {
        Some("easy to guess: it is your name")
    } else if letters.all(|letter| letter == first) {
        Some("easy to guess: it is one letter only")
    } else if lower.bytes().all(|byte| byte.is_ascii_digit()) {
        Some("easy to guess: only digits")
    } else if COMMON_PASSWORDS.contains(&lower.as_str()) {
        Some("easy to guess: many people use it")
    } else if lower.chars().count() < LONG_PASSWORD {
        Some("easy to guess: a longer one is safer")
    } else {
        None
    }
}

/// The note on a password that is too long for version 1, which the account may be used with.
#[must_use]
pub fn long_password(bytes: usize) -> Option<String> {
    let max = p2pchat_protocol::Password::MAX;
    (bytes > max).then(|| format!("older programs take only {max} letters"))
}
