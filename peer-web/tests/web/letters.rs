//! The letters of the browser are those of other programs.

use p2pchat_model::{lowercase, uppercase};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn case_is_that_of_the_standard_library() {
    for text in [
        "bob",
        "ZOË",
        "ΟΔΟΣ",
        "İstanbul",
        "straße",
        "ǆ",
        "ИВАН",
        "田中",
        "👋",
    ] {
        assert_eq!(lowercase(text), text.to_lowercase());
        assert_eq!(uppercase(text), text.to_uppercase());
    }
}
