//! Whether the bridge has another build of the page by now.

use js_sys::{Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{RequestInit, Response};
use yew::Callback;

use super::page::{document, window};

/// What names a file of this build, whose name holds a hash of what is in it: the program, or
/// where it is not loaded early, a style sheet.
const FILES: [&str; 2] = [r#"link[rel="modulepreload"]"#, r#"link[rel="stylesheet"]"#];
/// The answer to a file of another build.
const NOT_FOUND: u16 = 404;

/// Asks the bridge for a file of this build, and calls `outdated` if it is gone: the bridge
/// was updated, and has another build.
pub fn look(outdated: Callback<()>) {
    let find = |file: &&str| document().query_selector(file).ok().flatten();
    let Some(file) = FILES.iter().find_map(find) else {
        return;
    };
    let Some(href) = file.get_attribute("href") else {
        return;
    };
    let options = RequestInit::new();
    options.set_method("HEAD");
    // Not the copy that the browser has: its name never has another content.
    options.set_cache(web_sys::RequestCache::NoStore);
    let answered = Closure::once_into_js(move |answer: JsValue| {
        if answer
            .dyn_into::<Response>()
            .is_ok_and(|answer| answer.status() == NOT_FOUND)
        {
            outdated.emit(());
        }
    });
    // No answer says nothing: the bridge may be gone again.
    let failed = Closure::once_into_js(|_: JsValue| {});
    let asked = window().fetch_with_str_and_init(&href, &options);
    then(&asked, &answered, &failed);
}

/// `asked.then(answered, failed)`.
pub(super) fn then(asked: &Promise, answered: &JsValue, failed: &JsValue) {
    let then = Reflect::get(asked, &"then".into());
    if let Ok(then) = then.and_then(JsCast::dyn_into::<js_sys::Function>) {
        let _ = then.call2(asked, answered, failed);
    }
}
