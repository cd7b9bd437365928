//! How one's own words fared on their way to each member.

use p2pchat_model::{Delivery, DeliveryState, LeaveReason, printable};
use yew::prelude::*;

use super::icon::{Glyph, icon};

/// Above so many members, those to whom it went out are counted and not named.
const MOST_NAMED: usize = 4;

/// The mark beside the time: how it went on the whole, and in full for those who ask.
pub fn tick(deliveries: &[Delivery]) -> Html {
    let has = |wanted: fn(&DeliveryState) -> bool| deliveries.iter().any(|to| wanted(&to.state));
    let (glyph, is, words) = if deliveries.is_empty() {
        (Glyph::Unconfirmed, "quiet", "nobody was there".to_owned())
    } else if has(|state| matches!(state, DeliveryState::Failed(_))) {
        (
            Glyph::Warning,
            "failed",
            "not delivered to everybody".to_owned(),
        )
    } else if has(|state| *state == DeliveryState::Sending) {
        (
            Glyph::Sending,
            "sending",
            format!("on its way to {}", names(deliveries, |_| true)),
        )
    } else if has(|state| *state == DeliveryState::Unconfirmed) {
        (
            Glyph::Unconfirmed,
            "quiet",
            "handed over, not confirmed by everybody".to_owned(),
        )
    } else {
        (
            Glyph::Sent,
            "sent",
            format!("sent to {}", names(deliveries, |_| true)),
        )
    };
    html! {
        <span class="tick" data-is={is} role="img" aria-label={words.clone()} title={words}>
            { icon(glyph) }
        </span>
    }
}

/// The lines below one's own words when they did not simply go out: who has them, who has
/// them not yet, and who will not.
pub fn list(deliveries: &[Delivery]) -> Html {
    let goes_well = |state| matches!(state, DeliveryState::Sent | DeliveryState::Sending);
    if deliveries.iter().all(|to| goes_well(to.state)) {
        return html! {};
    }
    let line =
        |is: &'static str, glyph, before: &'static str, wanted: fn(&DeliveryState) -> bool| {
            if !deliveries.iter().any(|to| wanted(&to.state)) {
                return html! {};
            }
            let whom = names(deliveries, wanted);
            html! { <li data-is={is}>{ icon(glyph) }<span>{ before }{ whom }</span></li> }
        };
    html! {
        <ul class="deliveries">
            if deliveries.len() > 1 {
                { line("sent", Glyph::Sent, "sent to ", |state| *state == DeliveryState::Sent) }
                { line("sending", Glyph::Sending, "on its way to ", |state| *state == DeliveryState::Sending) }
            }
            { line("quiet", Glyph::Unconfirmed, "handed over, not confirmed: ", |state| *state == DeliveryState::Unconfirmed) }
            { for deliveries.iter().filter_map(failed) }
        </ul>
    }
}

fn failed(delivery: &Delivery) -> Option<Html> {
    let DeliveryState::Failed(gone) = delivery.state else {
        return None;
    };
    let why = match gone {
        LeaveReason::Unreachable | LeaveReason::GivenUp => "out of reach",
        LeaveReason::Refused => "no longer in the chat",
        LeaveReason::WeLeft => "you left before it was through",
        LeaveReason::Blocked => "you blocked them",
    };
    let words = printable(&format!("{} did not get this: {why}", delivery.to)).into_owned();
    let key = delivery.to.address.to_string();
    Some(html! { <li {key} data-is="failed">{ icon(Glyph::Warning) }<span>{ words }</span></li> })
}

fn names(deliveries: &[Delivery], wanted: fn(&DeliveryState) -> bool) -> String {
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
