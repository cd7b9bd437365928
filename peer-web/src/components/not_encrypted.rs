//! That nothing is encrypted.

use p2pchat_model::wording::label;
use yew::prelude::*;

use super::icon::{Glyph, Icon};

/// That others on the network can read along: in words, wherever a user could think otherwise.
#[component]
pub fn NotEncrypted() -> Html {
    html! {
        <span class="not-encrypted" title={label::NOT_ENCRYPTED_MEANS}>
            <Icon glyph={Glyph::Unlocked} />{ label::NOT_ENCRYPTED }
        </span>
    }
}
