//! The delivery status of a message, member by member.

use p2pchat_model::{Delivery, DeliveryState, LeaveReason, printable};
use yew::prelude::*;

use super::icon::{Glyph, Icon};

/// If a message was sent to more members than this, they are counted and not named.
const MOST_NAMED: usize = 4;

/// What a [`DeliveryList`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The delivery status for each member.
    pub deliveries: Vec<Delivery>,
}

/// The lines below a message that was not simply sent to all: who has it, who does not have
/// it yet, and who will not get it.
#[component]
pub fn DeliveryList(props: &Props) -> Html {
    let deliveries = &props.deliveries;
    let is_well = |state| matches!(state, DeliveryState::Sent | DeliveryState::Sending);
    if deliveries.iter().all(|to| is_well(to.state)) {
        return html! {};
    }
    let line = |state: DeliveryState, glyph, before: &'static str| {
        let named = names(deliveries, |known| *known == state);
        if named.is_empty() {
            return html! {};
        }
        html! { <li key={before}><Icon {glyph} /><span>{ before }{ named }</span></li> }
    };
    html! {
        <ul class="deliveries">
            if deliveries.len() > 1 {
                { line(DeliveryState::Sent, Glyph::Sent, "sent to ") }
                { line(DeliveryState::Sending, Glyph::Sending, "on its way to ") }
            }
            { line(DeliveryState::Unconfirmed, Glyph::Unconfirmed, "handed over, not confirmed: ") }
            { for deliveries.iter().filter_map(failed) }
        </ul>
    }
}

fn failed(delivery: &Delivery) -> Option<Html> {
    let DeliveryState::Failed(reason) = delivery.state else {
        return None;
    };
    let why = match reason {
        LeaveReason::Unreachable | LeaveReason::GivenUp => "out of reach",
        LeaveReason::Refused => "no longer in the chat",
        LeaveReason::WeLeft => "you left before it was through",
        LeaveReason::Blocked => "you blocked them",
    };
    let words = printable(&format!("{} did not get this: {why}", delivery.to)).into_owned();
    let key = delivery.to.address.to_string();
    Some(html! {
        <li {key} class="failed"><Icon glyph={Glyph::Warning} /><span>{ words }</span></li>
    })
}

/// The members of whom `wanted` is true; how many of all, where they are many.
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
