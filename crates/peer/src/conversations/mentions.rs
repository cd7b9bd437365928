//! Whether a text mentions the user.

use p2pchat_model::Username;

/// Whether a text has `@` and the name as a word of its own, in whatever case.
pub(super) fn mentions(text: &str, account: Username) -> bool {
    let text = text.to_lowercase();
    let name = format!("@{}", account.as_str().to_lowercase());
    let of_word = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '@');
    text.match_indices(&name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let behind = text[at + name.len()..].chars().next();
        !before.is_some_and(of_word) && !behind.is_some_and(of_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mention_is_the_name_as_a_word_in_whatever_case() {
        let ann = Username::new("Ann").unwrap();
        for text in ["@ann", "hi @ANN!", "(@Ann)", "@anna and @ann."] {
            assert!(mentions(text, ann), "{text}");
        }
        for text in ["ann", "@anna", "me@ann", "@ann_b", "@ ann", "@@ann", ""] {
            assert!(!mentions(text, ann), "{text}");
        }
    }
}
