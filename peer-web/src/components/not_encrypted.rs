//! That nothing is encrypted.

use yew::prelude::*;

use super::icon::{Glyph, Icon};

/// That others on the network can read along: in words, wherever a user could think otherwise.
#[component]
pub fn NotEncrypted() -> Html {
    html! {
        <span class="not-encrypted" title="Anybody on the network can read messages and passwords. Use it on networks you trust.">
            <Icon glyph={Glyph::Unlocked} />{ "Not encrypted" }
        </span>
    }
}
