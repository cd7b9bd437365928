//! Files that the user picks.

use wasm_bindgen::{JsValue, closure::Closure};
use web_sys::HtmlInputElement;
use yew::Callback;

use super::update::then;

/// Reads the text of the file that was picked in a field, and calls `onread` with it.
pub fn read(input: &HtmlInputElement, onread: Callback<String>) {
    let Some(file) = input.files().and_then(|files| files.item(0)) else {
        return;
    };
    let read = Closure::once_into_js(move |text: JsValue| {
        onread.emit(text.as_string().unwrap_or_default());
    });
    // It is gone by now, or no text: nothing is in the field then.
    let failed = Closure::once_into_js(|_: JsValue| {});
    then(&file.text(), &read, &failed);
}
