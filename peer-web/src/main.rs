//! Starts the page.

use p2pchat_web::browser::{crash, page};

/// It has less code than the standard one.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

fn main() {
    crash::watch();
    // Not the body, of which yew removes all else: the words for a page that broke.
    if let Some(root) = page::document().get_element_by_id("page") {
        yew::Renderer::<p2pchat_web::App>::with_root(root).render();
    }
}
