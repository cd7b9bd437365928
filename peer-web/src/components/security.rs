//! Whether the line to the registry is encrypted, and to which key.

use p2pchat_model::Security as State;
use p2pchat_model::wording::label;
use yew::prelude::*;

use crate::browser::hooks::{toggle, use_popup};
use crate::context::use_app;
use crate::logic::sentence::capitalized;

use super::icon::{Glyph, icon};

/// The state of the line to the registry, in words; on click, to which key it leads.
#[hook]
pub fn use_security() -> Html {
    let context = use_app();
    let node = use_node_ref();
    let open = use_popup(&node);
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let view = view.get();
    // A registry that has another key is not the one that was spoken to.
    if view.is_stopped() {
        return html! {};
    }
    let security = view.security;
    let (class, glyph, meaning) = match security {
        State::Unknown => return html! {},
        State::NotEncrypted => (
            "not-encrypted",
            Glyph::Unlocked,
            html! { <p>{ label::REGISTRY_NOT_ENCRYPTED_MEANS }</p> },
        ),
        State::Encrypted { fingerprint } => (
            "encrypted",
            Glyph::Locked,
            html! {
                <>
                    <p>{ label::REGISTRY_ENCRYPTED_MEANS }</p>
                    <p><code class="fingerprint">{ fingerprint.to_string() }</code></p>
                </>
            },
        ),
    };
    html! {
        <span class="menu security" ref={node}>
            <button type="button" {class} aria-expanded={open.to_string()} onclick={toggle(&open)}>
                { icon(glyph) }{ capitalized(security.words()) }
            </button>
            // Always there: a screen reader announces what comes into it.
            <span role="status">if *open { <div class="menu-panel">{ meaning }</div> }</span>
        </span>
    }
}
