//! Sizes and places of elements, set through the object model: a `style` attribute would
//! need a laxer content security policy.

use js_sys::Number;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlTextAreaElement};

/// Sets a style property to so many CSS pixels.
pub fn set_px(element: &HtmlElement, property: &str, pixels: f64) {
    // Fails only for unknown properties.
    let pixels = Number::from(pixels).to_fixed(1).unwrap_or_default();
    let _ = element
        .style()
        .set_property(property, &format!("{}px", String::from(pixels)));
}

/// Lets a style property be what the style sheet says.
pub fn unset(element: &HtmlElement, property: &str) {
    // Fails only for unknown properties.
    let _ = element.style().remove_property(property);
}

/// The `index`th child of an element.
#[must_use]
pub fn child(parent: &Element, index: usize) -> Option<Element> {
    parent.children().item(u32::try_from(index).ok()?)
}

/// All elements within another one that a selector means, in order.
#[must_use]
pub fn all(within: &Element, selector: &str) -> Vec<Element> {
    // Fails only for invalid selectors.
    let Ok(found) = within.query_selector_all(selector) else {
        return Vec::new();
    };
    let found = (0..found.length()).filter_map(|at| found.item(at));
    found.filter_map(|node| node.dyn_into().ok()).collect()
}

/// Leaves one of several elements for Tab. The others take the focus by other keys.
pub fn set_tab_stop(elements: &[Element], stop: Option<&Element>) {
    for element in elements {
        let index = if Some(element) == stop { "0" } else { "-1" };
        // Fails only for invalid attribute names.
        let _ = element.set_attribute("tabindex", index);
    }
}

/// Moves the focus to an element.
pub fn focus(element: &Element) {
    if let Some(element) = element.dyn_ref::<HtmlElement>() {
        // Fails only for elements that take no focus.
        let _ = element.focus();
    }
}

/// Puts a text where the cursor is, in place of what is selected. Returns what the field
/// holds then.
pub fn insert(field: &HtmlTextAreaElement, text: &str) -> String {
    // Fails only when the cursor is beyond the end, and the browser keeps it inside.
    let _ = field.set_range_text(text);
    let behind = field
        .selection_start()
        .ok()
        .flatten()
        .map(|start| start + utf16_len(text));
    let _ = field.set_selection_start(behind);
    let _ = field.set_selection_end(behind);
    field.value()
}

/// How long a text is as the browser counts.
fn utf16_len(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}
