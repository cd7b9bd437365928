//! The delivery status of a message, member by member.

use p2pchat_model::{Delivery, DeliveryState, printable, wording};
use yew::prelude::*;

use super::icon::{Glyph, icon};

/// If a message was sent to more members than this, they are counted and not named.
const MOST_NAMED: usize = 4;

/// The lines below a message that was not simply sent to all: who has it, who does not have
/// it yet, and who will not get it.
pub fn delivery_list(deliveries: &[Delivery]) -> Html {
    let is_well = |state| matches!(state, DeliveryState::Sent | DeliveryState::Sending);
    if deliveries.iter().all(|to| is_well(to.state)) {
        return html! {};
    }
    let line = |state: DeliveryState, glyph| {
        let named = names(deliveries, |known| *known == state);
        if named.is_empty() {
            return html! {};
        }
        html! { <li key={state.words()}>{ icon(glyph) }<span>{ state.words() }{ ": " }{ named }</span></li> }
    };
    html! {
        <ul class="deliveries">
            if deliveries.len() > 1 {
                { line(DeliveryState::Sent, Glyph::Sent) }
                { line(DeliveryState::Sending, Glyph::Sending) }
            }
            { line(DeliveryState::Unconfirmed, Glyph::Unconfirmed) }
            { for deliveries.iter().filter_map(failed) }
        </ul>
    }
}

fn failed(delivery: &Delivery) -> Option<Html> {
    let DeliveryState::Failed(reason) = delivery.state else {
        return None;
    };
    let words = wording::not_delivered(&delivery.to, reason);
    let key = delivery.to.address.to_string();
    Some(html! {
        <li {key} class="failed">{ icon(Glyph::Warning) }<span>{ printable(&words).into_owned() }</span></li>
    })
}

/// The members for which `wanted` is true; if there are many, their number.
pub(super) fn names(deliveries: &[Delivery], wanted: impl Fn(&DeliveryState) -> bool) -> String {
    let names: Vec<String> = deliveries
        .iter()
        .filter(|to| wanted(&to.state))
        .map(|to| to.to.to_string())
        .collect();
    match names.len() {
        n if n > MOST_NAMED => format!("{n} of {}", deliveries.len()),
        _ => printable(&names.join(", ")).into_owned(),
    }
}
