//! The texts that are sent: each packet of one shows who sent which text, and which part of
//! it the packet is.
//!
//! Each text is a row of marks with words between them. A mark is `name.number.place`, so
//! whatever packets a text is cut into, each of them can be told from all others.

use p2pchat_model::Username;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

/// Words of one to four bytes a character, and one that is made of two characters.
const WORDS: [&str; 8] = [
    "lunch",
    "at",
    "noon?",
    "Straße",
    "ничего",
    "昼食",
    "👋🏽",
    "cafe\u{301}",
];
/// The most words between two marks: so few that no packet is without a
/// mark.
const MOST_WORDS: usize = 6;

/// What of a text is in one packet, or in one line of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// The text's number among those of its speaker.
    pub(super) number: u32,
    /// The place of the first mark.
    pub(super) first: u16,
    /// How many marks there are.
    pub(super) count: u16,
}

/// A text with so many marks.
pub(super) fn compose(random: &mut impl Rng, name: Username, number: u32, marks: u16) -> String {
    let mut text = format!("{name}.{number}.0");
    for place in 1..marks {
        for _ in 0..random.random_range(0..=MOST_WORDS) {
            text.push(' ');
            text += WORDS.choose(random).expect("there are words");
        }
        text += &format!(" {name}.{number}.{place}");
    }
    text
}

/// The name that the marks of a packet say, and what of the text it is. `None` if the
/// packet is not one of ours, or its marks are not in order.
pub(super) fn read(text: &str) -> Option<(&str, Piece)> {
    let mut marks = text.split_whitespace().filter_map(mark);
    let (name, number, first) = marks.next()?;
    let mut count = 1;
    for (other, same, place) in marks {
        if (other, same, place) != (name, number, first + count) {
            return None;
        }
        count += 1;
    }
    let piece = Piece {
        number,
        first,
        count,
    };
    Some((name, piece))
}

fn mark(word: &str) -> Option<(&str, u32, u16)> {
    let mut parts = word.split('.');
    let mark = (
        parts.next()?,
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
    );
    parts.next().is_none().then_some(mark)
}

#[cfg(test)]
mod tests {
    use p2pchat_protocol::split_text;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn every_packet_of_a_text_tells_what_it_is() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let name: Username = "p001".parse().unwrap();
        let text = compose(&mut random, name, 7, 150);
        assert!(text.len() < 16 * 1024, "too long to be said");
        let mut next = 0;
        for packet in split_text(&text).unwrap() {
            let (said, piece) = read(packet.as_str()).unwrap();
            assert_eq!((said, piece.number, piece.first), ("p001", 7, next));
            next += piece.count;
        }
        assert_eq!(next, 150);
    }

    #[test]
    fn marks_out_of_order_are_seen() {
        assert!(read("p001.7.0 at p001.7.1").is_some());
        for text in [
            "",
            "lunch at noon?",
            "p001.7.1 p001.7.0",
            "p001.7.0 p002.7.1",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
