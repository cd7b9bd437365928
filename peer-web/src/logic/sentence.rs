//! The words of the model as sentences. They begin in lower case and have no full stop, so
//! that they fit behind a colon.

/// With a capital letter at the beginning.
#[must_use]
pub fn capitalized(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next();
    first
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(chars)
        .collect()
}

/// With a capital letter at the beginning and a full stop at the end.
#[must_use]
pub fn sentence(words: &str) -> String {
    capitalized(words) + "."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_a_sentence() {
        assert_eq!(sentence("the chat is full"), "The chat is full.");
        assert_eq!(capitalized("über"), "Über");
        assert_eq!(capitalized(""), "");
    }
}
