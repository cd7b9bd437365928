//! The button that leads to the end of the conversation.

use p2pchat_model::wording;
use yew::prelude::*;

use super::icon::{Glyph, Icon};

/// What a [`LatestButton`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// How many messages are unread.
    pub unread: usize,
    /// Goes to the end.
    pub onlatest: Callback<()>,
}

/// The button that leads to the end of the conversation.
#[component]
pub fn LatestButton(props: &Props) -> Html {
    let words = match props.unread {
        0 => "Latest".to_owned(),
        n => wording::new_messages(n),
    };
    html! {
        <div class="latest-place">
            <button type="button" class="latest" onclick={props.onlatest.reform(|_| ())}>
                <Icon glyph={Glyph::Down} />{ words }
            </button>
        </div>
    }
}
