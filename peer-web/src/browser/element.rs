//! Sizes and places of elements, set through the object model: a `style` attribute would
//! need a laxer content security policy.

use web_sys::{Element, HtmlElement};

/// Sets a style property to so many CSS pixels.
pub fn set_px(element: &HtmlElement, property: &str, pixels: f64) {
    // Fails for unknown properties only.
    let _ = element
        .style()
        .set_property(property, &format!("{pixels:.1}px"));
}

/// Lets a style property be what the style sheet says.
pub fn unset(element: &HtmlElement, property: &str) {
    // Fails for unknown properties only.
    let _ = element.style().remove_property(property);
}

/// The rows among the children of a list: each with its key.
pub fn rows(list: &Element) -> impl Iterator<Item = (String, Element)> {
    let children = list.children();
    (0..children.length())
        .filter_map(move |index| children.item(index))
        .filter_map(|child| Some((child.get_attribute("data-key")?, child)))
}
