//! Which registry this is, and whether it is reachable, before one is signed in.

use p2pchat_model::printable;
use yew::prelude::*;

use crate::context::Context;
use crate::part;

use super::link_state::{UNKNOWN, dot};
use super::security::use_security;

/// The registry and the user's own address.
pub fn registry_state(context: &Context) -> Html {
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let view = view.get();
    let (dot, words) = if context.state.is_live() {
        (dot(&view.link), view.link.words())
    } else {
        (UNKNOWN, "not known now")
    };
    html! {
        <dl class="place">
            <div><dt>{ "Registry" }</dt><dd><span class={classes!("dot", dot)} aria-hidden="true"></span>
                { printable(&view.registry).into_owned() }{ " · " }{ words }</dd></div>
            if !view.is_stopped() { <div><dt>{ "Line to it" }</dt><dd>{ part!(use_security) }</dd></div> }
            if let Some(address) = view.address {
                <div><dt>{ "Your address" }</dt><dd>{ address.to_string() }</dd></div>
            }
        </dl>
    }
}
