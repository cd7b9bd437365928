//! The delivery status of a message, as one mark.

use p2pchat_model::wording::label;
use p2pchat_model::{Delivery, DeliveryState};
use yew::prelude::*;

use super::delivery_list::names;
use super::icon::{Glyph, icon};

/// The mark of a delivery status (`None` if nobody was in the chat), beside the time of a message; in words on hover, and for screen readers.
pub fn delivery_mark(state: Option<DeliveryState>, deliveries: &[Delivery]) -> Html {
    let to = names(deliveries, |_| true);
    let (glyph, class, words) = match state {
        None => (Glyph::Unconfirmed, "", label::NO_CHAT.to_owned()),
        Some(state) => match state {
            DeliveryState::Sent => (Glyph::Sent, "", format!("{}: {to}", state.words())),
            DeliveryState::Sending => (Glyph::Sending, "", format!("{}: {to}", state.words())),
            DeliveryState::Unconfirmed => {
                (Glyph::Unconfirmed, "", state.words_for_all().to_owned())
            }
            DeliveryState::Failed(_) => {
                (Glyph::Warning, "failed", state.words_for_all().to_owned())
            }
        },
    };
    mark(glyph, class, words)
}

/// A mark with its words.
pub(super) fn mark(glyph: Glyph, class: &'static str, words: String) -> Html {
    html! {
        <span class={classes!("delivery-mark", class)} role="img" aria-label={words.clone()} title={words}>
            { icon(glyph) }
        </span>
    }
}
