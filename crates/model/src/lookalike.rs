//! Names that look like another one.
//!
//! Not every such pair is found: the tables for that are larger than the rest of the page.
//! What is found is what costs an impostor nothing: invisible characters, and the letters of
//! other scripts that look like Latin ones in nearly every font.

/// The visible form of a name; `None` for one that looks only like itself.
pub(crate) fn look(name: &str) -> Option<String> {
    let look: String = name.chars().filter_map(visible).collect();
    let look = look.trim();
    (look != name).then(|| look.to_owned())
}

/// Whether another name has this visible form.
pub(crate) fn is_look_of(look: &str, other: &str) -> bool {
    // Most names look only like themselves, and need no copy.
    look == other || self::look(other).is_some_and(|other| other == look)
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
    use super::*;

    #[test]
    fn an_ordinary_name_looks_only_like_itself() {
        for name in ["bob", "Zoë", "O'Neil", "田中", "a b"] {
            assert_eq!(look(name), None, "{name}");
        }
    }

    #[test]
    fn invisible_characters_and_letters_that_look_latin_are_recognised() {
        for name in [
            "b\u{43e}b",
            "bob\u{200b}",
            "b\u{200d}ob",
            "bob ",
            "ｂob",
            "bob\u{3164}",
        ] {
            assert_eq!(look(name).as_deref(), Some("bob"), "{name:?}");
            assert!(is_look_of("bob", name), "{name:?}");
        }
        assert_eq!(look("\u{200d}\u{3164}").as_deref(), Some(""));
    }
}
