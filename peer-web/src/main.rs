//! Starts the page.

use p2pchat_web::browser::page::document;

fn main() {
    std::panic::set_hook(Box::new(show_panic));
    yew::Renderer::<p2pchat_web::App>::new().render();
}

/// Shows the words that `index.html` has for a page that broke, and where it broke in the
/// console.
fn show_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic
        .location()
        .map(ToString::to_string)
        .unwrap_or_default();
    web_sys::console::error_1(&format!("p2pchat failed at {place}").into());
    if let Some(root) = document().document_element() {
        root.set_class_name("broken");
    }
}
