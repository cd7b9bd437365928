//! That nothing is encrypted.

use p2pchat_model::wording::label;
use yew::prelude::*;

use super::icon::{Glyph, icon};

/// That others on the network can read along: in words, wherever a user could think otherwise.
pub fn not_encrypted() -> Html {
    html! {
        <span class="not-encrypted" title={label::NOT_ENCRYPTED_MEANS}>
            { icon(Glyph::Unlocked) }{ label::NOT_ENCRYPTED }
        </span>
    }
}
