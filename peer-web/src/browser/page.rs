//! The page as a whole: its address, title, theme, and whether it is in sight.

use p2pchat_model::Timestamp;
use wasm_bindgen::JsCast;
use web_sys::{Document, HtmlElement, HtmlInputElement, Window};

use crate::bridge::Endpoint;

use super::settings::Theme;

/// The id of the message field.
pub const COMPOSER: &str = "composer";
/// The id of the row of the conversation that is shown.
pub const SHOWN_CHAT: &str = "shown-chat";
/// The id of the field that finds people.
pub const PEOPLE_SEARCH: &str = "people-search";

/// The window.
///
/// # Panics
/// Outside of a browser's page, where none of this crate can run.
#[must_use]
pub fn window() -> Window {
    web_sys::window().expect("the page runs in a window")
}

/// The document.
///
/// # Panics
/// Outside of a browser's page.
#[must_use]
pub fn document() -> Document {
    window().document().expect("the window shows a document")
}

/// The bridge that this page came from, with the secret of the page's address.
#[must_use]
pub fn endpoint() -> Option<Endpoint> {
    let location = window().location();
    Endpoint::of_page(
        &location.protocol().ok()?,
        &location.host().ok()?,
        &location.hash().ok()?,
    )
}

/// The wall-clock time.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "now is after 1970"
)]
pub fn now() -> Timestamp {
    Timestamp(js_sys::Date::now() as u64)
}

/// Bytes that no one else has.
#[must_use]
pub fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    if let Ok(crypto) = window().crypto() {
        // Fails only for more than 64 KiB.
        let _ = crypto.get_random_values_with_u8_array(&mut bytes);
    }
    bytes
}

/// Minutes east of Greenwich at a moment, here.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "below 2^53 milliseconds, and a day has 1440 minutes"
)]
pub fn zone_offset(at: Timestamp) -> i32 {
    let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(at.0 as f64));
    -(date.get_timezone_offset() as i32)
}

/// Whether the page is in sight and has the user's attention.
#[must_use]
pub fn is_watched() -> bool {
    let document = document();
    !document.hidden() && document.has_focus().unwrap_or(true)
}

/// Sets the title of the page.
pub fn set_title(title: &str) {
    document().set_title(title);
}

/// Sets the colours of the page.
pub fn set_theme(theme: Theme) {
    if let Some(root) = document().document_element() {
        // Fails only for invalid attribute names.
        let _ = root.set_attribute("data-theme", theme.name());
    }
}

/// Moves the focus to the element of this id, if there is one.
pub fn focus(id: &str) {
    if let Some(element) = document().get_element_by_id(id)
        && let Ok(element) = element.dyn_into::<HtmlElement>()
    {
        // Fails only for elements that take no focus.
        let _ = element.focus();
    }
}

/// Moves the focus to the field with this id, and selects what is in it.
pub fn select(id: &str) {
    focus(id);
    if let Some(Ok(field)) = focused().map(JsCast::dyn_into::<HtmlInputElement>) {
        field.select();
    }
}

/// What has the focus, if anything has.
#[must_use]
pub fn focused() -> Option<HtmlElement> {
    let focused = document().active_element()?;
    let nothing = matches!(focused.tag_name().as_str(), "BODY" | "HTML");
    focused.dyn_into().ok().filter(|_| !nothing)
}

/// Whether something that is in sight has the focus.
#[must_use]
pub fn has_focus_in_sight() -> bool {
    focused().is_some_and(|element| element.offset_height() > 0)
}

/// Moves the focus back to an element that had it; if it is gone or out of sight, to what is
/// nearest: the pane that is shown.
pub fn focus_again(element: &HtmlElement) {
    let shown = element.is_connected() && element.offset_height() > 0;
    if shown && element.focus().is_ok() && focused().is_some() {
        return;
    }
    for id in [COMPOSER, PEOPLE_SEARCH] {
        focus(id);
        if focused().is_some() {
            return;
        }
    }
}

/// The width and the height of what is seen of the page, in CSS pixels.
#[must_use]
pub fn size() -> (f64, f64) {
    let number = |value: Result<wasm_bindgen::JsValue, _>| value.ok()?.as_f64();
    let (width, height) = (window().inner_width(), window().inner_height());
    (
        number(width).unwrap_or_default(),
        number(height).unwrap_or_default(),
    )
}

/// Whether there is room for only one pane. The style sheet has the same limit.
#[must_use]
pub fn is_narrow() -> bool {
    size().0 < 760.0
}

/// What is shown, as the entry of the browser's history has it; empty for the list.
#[must_use]
pub fn route() -> String {
    let state = window().history().and_then(|history| history.state());
    state
        .ok()
        .and_then(|state| state.as_string())
        .unwrap_or_default()
}

/// Adds an entry for what is shown, or changes the one of now. The address stays: it has the
/// secret.
pub fn set_route(route: &str, replace: bool) {
    if let Ok(history) = window().history() {
        // Fails only when it is done hundreds of times a minute.
        let _ = if replace {
            history.replace_state(&route.into(), "")
        } else {
            history.push_state(&route.into(), "")
        };
    }
}

/// The same as the browser's Back.
pub fn go_back() {
    // Fails only in documents that are not active.
    let _ = window().history().and_then(|history| history.back());
}

/// Copies a text for other programs.
pub fn copy(text: &str) {
    // Nothing is to be done about a browser that does not let it.
    let _ = window().navigator().clipboard().write_text(text);
}

/// Loads the page again.
pub fn reload() {
    // Fails only in a sandboxed frame, and the bridge forbids frames.
    let _ = window().location().reload();
}

/// The address of a file with this text, for a link that saves it.
#[must_use]
pub fn text_file(text: &str) -> String {
    let text = String::from(js_sys::encode_uri_component(text));
    format!("data:text/plain,{text}")
}
