//! Names that look like another one.
//!
//! Not every such pair is found: the tables for that are larger than the rest of the page.
//! What is found is what costs an impostor nothing: upper and lower case, accents that are a
//! part of their letter or follow it, invisible characters, and the letters of other scripts
//! that look like Latin ones in nearly every font.

use std::collections::BinaryHeap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

use p2pchat_protocol::Username;

use crate::letters::lowercase;

use accents::{apart, composed};

use crate::person::User;

/// How a name looks.
#[derive(Debug, Clone, Copy)]
struct Look {
    /// The name and its visible form, without case. The second is not enough: a capital of
    /// another script may look like another Latin letter than the small one does.
    keys: [u64; 2],
    /// It is written as the name that it looks like would be.
    is_ordinary: bool,
}

impl Look {
    fn new(name: Username) -> Self {
        let name = name.as_str();
        // Most names; a list may have 100,000.
        if name.is_ascii() {
            let look = name.trim();
            return Self {
                keys: [key(look.chars().map(|c| c.to_ascii_lowercase())); 2],
                is_ordinary: look == name,
            };
        }
        let look = visible_form(name);
        let without_case = |text: &str| key(lowercase(text).chars());
        Self {
            keys: [without_case(&composed(name)), without_case(&look)],
            is_ordinary: look == name,
        }
    }

    /// Whether a name that looks like this is to be marked because of one that looks like
    /// `other`. Else an impostor would get the names of others marked.
    fn is_marked_by(self, other: Self) -> bool {
        self.keys.iter().any(|key| other.keys.contains(key))
            && (other.is_ordinary || !self.is_ordinary)
    }
}

fn key(chars: impl Iterator<Item = char>) -> u64 {
    let mut key = DefaultHasher::new();
    chars.for_each(|c| u32::from(c).hash(&mut key));
    key.finish()
}

/// The first of `others` that this name looks like and is not.
pub(crate) fn first_like(
    name: Username,
    mut others: impl Iterator<Item = Username>,
) -> Option<Username> {
    let look = Look::new(name);
    others.find(|&other| other != name && look.is_marked_by(Look::new(other)))
}

/// The names of the online list by how they look: it may be long, and front ends ask for each
/// of its rows. Made when it is asked first, of the list as it is then.
#[derive(Debug, Clone, Default)]
pub struct OnlineLooks(OnceLock<Vec<(u64, Username)>>);

impl OnlineLooks {
    /// The first name that this one looks like and is not.
    pub(crate) fn like(&self, name: Username, online: &[User]) -> Option<Username> {
        let names = self.0.get_or_init(|| {
            let names = online.iter().map(|user| user.name);
            let keys = |name| Look::new(name).keys.map(|key| (key, name));
            // A heap sorts with far less code than a slice, and nothing else in the page sorts.
            let names: BinaryHeap<_> = names.flat_map(keys).collect();
            let mut names = names.into_sorted_vec();
            names.dedup();
            names
        });
        let same = Look::new(name).keys.into_iter().flat_map(|key| {
            let first = names.partition_point(|(before, _)| *before < key);
            let same = names[first..].iter();
            same.take_while(move |(same, _)| *same == key)
        });
        first_like(name, same.map(|(_, other)| *other))
    }
}

/// It says nothing that the online list does not.
impl PartialEq for OnlineLooks {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for OnlineLooks {}

/// The visible form of a name: its accents composed, its letters Latin where they look so.
fn visible_form(name: &str) -> String {
    // Taken apart first, so that a letter is found with any accent.
    let visible = apart(name).chars().filter_map(visible).collect::<String>();
    composed(visible.trim()).into_owned()
}

/// Accents, composed with their letters (NFC) and apart from them (NFD).
mod accents {
    use std::borrow::Cow;

    use crate::letters::{nfc, nfd};

    /// All characters before this one are the same in both forms, or composed already.
    const FIRST_ACCENT: char = '\u{300}';

    pub(super) fn composed(text: &str) -> Cow<'_, str> {
        let is_composed = text.chars().all(|c| c < FIRST_ACCENT);
        if is_composed {
            text.into()
        } else {
            nfc(text).into()
        }
    }

    /// Only where there are letters of other scripts: the Latin ones look like themselves.
    pub(super) fn apart(text: &str) -> Cow<'_, str> {
        let is_latin = text.chars().all(|c| c < FIRST_ACCENT);
        if is_latin {
            text.into()
        } else {
            nfd(text).into()
        }
    }
}

/// The visible form of a character; `None` for an invisible one.
fn visible(c: char) -> Option<char> {
    if is_invisible(c) {
        return None;
    }
    if c.is_whitespace() {
        return Some(' ');
    }
    let width = u32::from(c);
    if let full @ 0xff01..=0xff5e = width {
        return char::from_u32(full - 0xfee0);
    }
    let pairs = LATIN_LIKE.iter();
    Some(
        pairs
            .into_iter()
            .find(|(like, _)| *like == c)
            .map_or(c, |(_, latin)| *latin),
    )
}

/// Whether a character has no width or no shape: Unicode's `Default_Ignorable_Code_Point`
/// and the Braille blank.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Letters that look like a Latin one: Cyrillic, Greek, Armenian.
const LATIN_LIKE: &[(char, char)] = &[
    ('а', 'a'),
    ('е', 'e'),
    ('о', 'o'),
    ('р', 'p'),
    ('с', 'c'),
    ('у', 'y'),
    ('х', 'x'),
    ('ѕ', 's'),
    ('і', 'i'),
    ('ј', 'j'),
    ('һ', 'h'),
    ('ԁ', 'd'),
    ('ԛ', 'q'),
    ('ԝ', 'w'),
    ('А', 'A'),
    ('В', 'B'),
    ('Е', 'E'),
    ('К', 'K'),
    ('М', 'M'),
    ('Н', 'H'),
    ('О', 'O'),
    ('Р', 'P'),
    ('С', 'C'),
    ('Т', 'T'),
    ('У', 'Y'),
    ('Х', 'X'),
    ('Ѕ', 'S'),
    ('І', 'I'),
    ('Ј', 'J'),
    ('ο', 'o'),
    ('ν', 'v'),
    ('α', 'a'),
    ('ι', 'i'),
    ('ρ', 'p'),
    ('υ', 'u'),
    ('Α', 'A'),
    ('Β', 'B'),
    ('Ε', 'E'),
    ('Ζ', 'Z'),
    ('Η', 'H'),
    ('Ι', 'I'),
    ('Κ', 'K'),
    ('Μ', 'M'),
    ('Ν', 'N'),
    ('Ο', 'O'),
    ('Ρ', 'P'),
    ('Τ', 'T'),
    ('Υ', 'Y'),
    ('Χ', 'X'),
    ('օ', 'o'),
    ('ո', 'n'),
    ('ս', 'u'),
    ('ց', 'g'),
];

#[cfg(test)]
mod tests {
    use p2pchat_protocol::OnlineUser;

    use super::*;

    fn name(name: &str) -> Username {
        name.parse().unwrap()
    }

    fn user(name: Username) -> User {
        let address = "10.0.0.1".parse().unwrap();
        OnlineUser { name, address }.into()
    }

    /// Which of two names is marked because of the other: the first, the second.
    fn marked(pair: [&str; 2]) -> [bool; 2] {
        let [one, other] = pair.map(name);
        [[one, other], [other, one]].map(|[name, other]| {
            let among = first_like(name, [name, other].into_iter()).is_some();
            let online = [name, other].map(user);
            let listed = OnlineLooks::default().like(name, &online).is_some();
            assert_eq!(among, listed, "{pair:?}");
            among
        })
    }

    #[test]
    fn names_that_differ_in_case_are_marked_both() {
        for pair in [
            ["Bob", "bob"],
            ["ZOË", "zoë"],
            ["Ünal", "ünal"],
            ["ИВАН", "Иван"],
            ["ΝΙΚΟΣ", "νικος"],
        ] {
            assert_eq!(marked(pair), [true, true], "{pair:?}");
        }
    }

    #[test]
    fn only_the_name_that_is_written_oddly_is_marked() {
        for (odd, name) in [
            // An accent that follows its letter.
            ("e\u{301}va", "éva"),
            ("U\u{308}nal", "ünal"),
            ("\u{1100}\u{1161}", "가"),
            // Letters of another script, with an accent and without.
            ("b\u{43e}b", "bob"),
            ("b\u{43e}b", "Bob"),
            ("Zo\u{451}", "Zoë"),
            // What is not seen.
            ("bob\u{200b}", "bob"),
            ("b\u{200d}ob", "bob"),
            ("bob ", "bob"),
            ("ｂob", "bob"),
            ("bob\u{3164}", "bob"),
        ] {
            assert_eq!(marked([odd, name]), [true, false], "{odd:?} {name}");
        }
    }

    #[test]
    fn names_that_look_like_themselves_are_not_marked() {
        for pair in [
            ["bob", "rob"],
            ["Zoe", "Zoë"],
            ["a b", "ab"],
            ["田中", "田"],
            ["O'Neil", "ONeil"],
        ] {
            assert_eq!(marked(pair), [false, false], "{pair:?}");
        }
        assert_eq!(first_like(name("bob"), [name("bob")].into_iter()), None);
    }

    #[test]
    fn a_name_is_found_in_a_long_list() {
        let mut online: Vec<_> = (0..10_000)
            .map(|n| user(name(&format!("user{n}"))))
            .collect();
        let looks = OnlineLooks::default();
        assert_eq!(looks.like(name("USER777"), &online), Some(name("user777")));
        assert_eq!(looks.like(name("user777"), &online), None);
        online.push(user(name("User777")));
        let looks = OnlineLooks::default();
        assert_eq!(looks.like(name("user777"), &online), Some(name("User777")));
    }
}
