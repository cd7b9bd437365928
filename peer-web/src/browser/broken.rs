//! What is seen if the page itself fails.

use super::page::document;

/// Shows the words of `index.html` for this case when the page panics, and says in the
/// console where.
pub fn watch() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        web_sys::console::error_1(&format!("p2pchat failed at {place}").into());
        if let Some(root) = document().document_element() {
            // Fails for names that are no attribute's only.
            let _ = root.set_attribute("data-broken", "");
        }
    }));
}
