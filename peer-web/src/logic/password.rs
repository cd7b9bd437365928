//! Hints about passwords that are easily guessed. There is no rule: the user decides.

/// From this many characters on a password is not called short.
const LONG: usize = 8;
/// What is tried first, because so many people use it.
const COMMON: [&str; 12] = [
    "password", "passwort", "passw0rd", "qwertyui", "qwerty12", "qwertzui", "letmein1", "iloveyou",
    "welcome1", "abcd1234", "1q2w3e4r", "p2pchat1",
];

/// Why a password of a user of this name is easily guessed, as a sentence.
#[must_use]
pub fn weakness(password: &str, name: &str) -> Option<&'static str> {
    let lower = password.to_lowercase();
    let name = name.trim().to_lowercase();
    if password.is_empty() {
        None
    } else if !name.is_empty() && (lower.contains(&name) || name.contains(&lower)) {
        Some("Easy to guess: it is your name.")
    } else if password.chars().all(|c| c.is_ascii_digit()) {
        Some("Easy to guess: only digits.")
    } else if password.chars().count() < LONG {
        Some("Easy to guess: short. Eight letters or more are better.")
    } else if is_monotonous(password) {
        Some("Easy to guess: the same few letters.")
    } else if COMMON.iter().any(|common| lower.starts_with(common)) {
        Some("Easy to guess: many people use it.")
    } else {
        None
    }
}

/// Whether it has three different characters or fewer.
fn is_monotonous(password: &str) -> bool {
    let mut seen: Vec<char> = password.chars().collect();
    seen.sort_unstable();
    seen.dedup();
    seen.len() <= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_easily_guessed_is_told_and_why() {
        let of = |password| weakness(password, "Alice").unwrap_or_default();
        assert!(of("x").contains("short"));
        assert!(of("19541123").contains("digits"));
        assert!(of("alice").contains("your name"));
        assert!(of("ALICE2026").contains("your name"));
        assert!(of("aaaaabbbbb").contains("few letters"));
        assert!(of("Password1").contains("many people"));
        assert_eq!(of("ßcorrect häns"), "");
        assert_eq!(of("correct horse"), "");
        assert_eq!(of(""), "");
    }

    #[test]
    fn without_a_name_no_password_is_the_name() {
        assert_eq!(weakness("correct horse", ""), None);
        assert!(weakness("x", "").is_some_and(|words| words.contains("short")));
    }
}
