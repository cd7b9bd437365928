//! The delivery status of a message, as one mark.

use p2pchat_model::{Delivery, DeliveryState};
use yew::prelude::*;

use super::delivery_list::names;
use super::icon::{Glyph, Icon};

/// What a [`DeliveryMark`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The delivery status for each member.
    pub deliveries: Vec<Delivery>,
}

/// The mark beside the time of a message: the worst status of all members, and in words for
/// those who ask.
#[component]
pub fn DeliveryMark(props: &Props) -> Html {
    let deliveries = &props.deliveries;
    let has = |wanted: fn(&DeliveryState) -> bool| deliveries.iter().any(|to| wanted(&to.state));
    let (glyph, class, words) = if deliveries.is_empty() {
        (Glyph::Unconfirmed, "", "nobody was there".to_owned())
    } else if has(|state| matches!(state, DeliveryState::Failed(_))) {
        let words = "not delivered to everybody".to_owned();
        (Glyph::Warning, "failed", words)
    } else if has(|state| *state == DeliveryState::Sending) {
        let words = format!("on its way to {}", names(deliveries, |_| true));
        (Glyph::Sending, "", words)
    } else if has(|state| *state == DeliveryState::Unconfirmed) {
        let words = "handed over, not confirmed by everybody".to_owned();
        (Glyph::Unconfirmed, "", words)
    } else {
        let words = format!("sent to {}", names(deliveries, |_| true));
        (Glyph::Sent, "", words)
    };
    html! {
        <span class={classes!("delivery-mark", class)} role="img" aria-label={words.clone()} title={words}>
            <Icon {glyph} />
        </span>
    }
}
