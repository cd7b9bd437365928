//! The button that leads to the end of the conversation.

use p2pchat_model::wording;
use yew::prelude::*;

use super::icon::{Glyph, icon};

/// The button that leads to the end of the conversation, below which so many messages are
/// unread.
pub fn latest_button(unread: usize, onlatest: &Callback<()>) -> Html {
    let words = match unread {
        0 => "Latest".to_owned(),
        n => wording::new_messages(n),
    };
    html! {
        <div class="latest-place">
            <button type="button" class="latest" onclick={onlatest.reform(|_| ())}>
                { icon(Glyph::Down) }{ words }
            </button>
        </div>
    }
}
