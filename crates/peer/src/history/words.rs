//! What a user types into a search, as a query of the full-text index.

/// How many words count; those after them are not looked at.
const MAX_WORDS: usize = 32;

/// The query for messages that hold all of these words, the last of which may be the
/// beginning of one. `None` if there is no word.
///
/// Each word is quoted, so that nothing in it is an operator of the query language.
pub(super) fn query(text: &str) -> Option<String> {
    let words: Vec<String> = text
        .split(|c: char| c.is_whitespace() || c == '\0')
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .take(MAX_WORDS)
        .map(|word| format!("\"{}\"", word.replace('"', "\"\"")))
        .collect();
    match words.is_empty() {
        true => None,
        false => Some(words.join(" ") + "*"),
    }
}

#[cfg(test)]
mod tests {
    use super::query;

    #[test]
    fn every_word_is_quoted_and_the_last_is_a_beginning() {
        assert_eq!(
            query("tea NOT cof").as_deref(),
            Some(r#""tea" "NOT" "cof"*"#)
        );
        assert_eq!(query(r#"a"b"#).as_deref(), Some(r#""a""b"*"#));
    }

    #[test]
    fn punctuation_alone_is_no_word() {
        assert_eq!(query(" \t*  \"() - "), None);
        assert_eq!(query("tea !"), query("tea"));
    }
}
