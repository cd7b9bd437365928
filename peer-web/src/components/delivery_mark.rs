//! The delivery status of a message, as one mark.

use p2pchat_model::wording::label;
use p2pchat_model::{Delivery, DeliveryState};
use yew::prelude::*;

use super::delivery_list::names;
use super::icon::{Glyph, Icon};

/// What a [`DeliveryMark`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The delivery status of the whole message; `None` if nobody was in the chat.
    pub state: Option<DeliveryState>,
    /// The delivery status for each member.
    pub deliveries: Vec<Delivery>,
}

/// The mark beside the time of a message; in words on hover, and for screen readers.
#[component]
pub fn DeliveryMark(props: &Props) -> Html {
    let to = names(&props.deliveries, |_| true);
    let (glyph, class, words) = match props.state {
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
    html! {
        <span class={classes!("delivery-mark", class)} role="img" aria-label={words.clone()} title={words}>
            <Icon {glyph} />
        </span>
    }
}
