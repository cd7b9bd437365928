//! Long texts are cut by the tables of the browser as by those of other programs.

use p2pchat_protocol::split_text;
use wasm_bindgen_test::wasm_bindgen_test;

fn parts(text: &str) -> Vec<String> {
    let parts = split_text(text).unwrap();
    parts.iter().map(|part| part.as_str().to_owned()).collect()
}

#[wasm_bindgen_test]
fn what_people_see_as_one_character_stays_in_one_message() {
    for grapheme in [
        "👨\u{200d}👩\u{200d}👧\u{200d}👦",
        "🇹🇷",
        "👍🏽",
        "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "e\u{301}",
        "नि",
        "각",
        "1\u{fe0f}\u{20e3}",
    ] {
        for begin in 0..4 {
            let text = "x".repeat(begin) + &grapheme.repeat(100);
            let parts = parts(&text);
            assert_eq!(parts.concat(), text);
            for part in parts {
                let rest = part.trim_start_matches('x');
                assert_eq!(rest.len() % grapheme.len(), 0, "{part}");
            }
        }
    }
}

#[wasm_bindgen_test]
fn a_cut_is_made_at_the_last_white_space_that_fits() {
    let (a, b) = ("a".repeat(60), "b".repeat(60));
    assert_eq!(parts(&format!("{a} {b}")), [a.clone(), b.clone()]);
    assert_eq!(parts(&format!("{a}\r\n{b}")), [a.clone(), b.clone()]);
    let full = "ü".repeat(48) + "abc";
    assert_eq!(parts(&format!("{full}\u{3000}{b}")), [full, b.clone()]);
    assert_eq!(parts(&format!("{a} \u{301}{b}"))[0].len(), 99);
}

#[wasm_bindgen_test]
fn a_character_longer_than_a_message_is_cut_between_its_parts() {
    let text = "e".to_owned() + &"\u{301}".repeat(120);
    let parts = parts(&text);
    assert_eq!((parts.concat(), parts.len()), (text, 3));
}
