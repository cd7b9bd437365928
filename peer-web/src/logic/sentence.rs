//! The words of the model as sentences. They begin in lower case and have no full stop, so
//! that they fit behind a colon.

use p2pchat_model::{Failure, Problem, printable, uppercase};

/// With a capital letter at the beginning.
#[must_use]
pub fn capitalized(words: &str) -> String {
    let first = words.chars().next().map_or(0, char::len_utf8);
    let (first, rest) = words.split_at(first);
    uppercase(first) + rest
}

/// With a capital letter at the beginning and a full stop at the end.
#[must_use]
pub fn sentence(words: &str) -> String {
    capitalized(words) + "."
}

/// The same for words that may begin with a name, which stays as it is: `bob` and `Bob` are
/// two users.
#[must_use]
pub fn sentence_of(name: &str, words: &str) -> String {
    if words.starts_with(name) {
        format!("{words}.")
    } else {
        sentence(words)
    }
}

/// What went wrong, as a sentence.
#[must_use]
pub fn failed(failure: &Failure) -> String {
    let message = printable(&failure.message);
    match failure.code {
        // These begin with a name.
        Problem::Blocked | Problem::NotBlocked => format!("{message}."),
        _ => sentence(&message),
    }
}

/// The same, and what to do about it.
#[must_use]
pub fn with_advice(failure: &Failure) -> String {
    match failure.advice.as_str() {
        "" => failed(failure),
        advice => format!("{} {}", failed(failure), sentence(&printable(advice))),
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_model::Timestamp;

    use super::*;

    #[test]
    fn words_become_a_sentence() {
        assert_eq!(sentence("the chat is full"), "The chat is full.");
        assert_eq!(capitalized("über"), "Über");
        assert_eq!(capitalized(""), "");
    }

    #[test]
    fn a_name_is_not_capitalized() {
        assert_eq!(sentence_of("bob", "bob declined"), "bob declined.");
        assert_eq!(sentence_of("bob", "you missed bob"), "You missed bob.");
        let failure = |problem, message: &str| {
            Failure::new(Timestamp(1), "request", problem).with_message(message.to_owned())
        };
        assert_eq!(
            failed(&failure(Problem::Blocked, "bob is blocked")),
            "bob is blocked."
        );
        assert_eq!(
            failed(&failure(Problem::ChatFull, "the chat is full")),
            "The chat is full."
        );
    }
}
