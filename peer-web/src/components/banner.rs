//! What is wrong with the connections, in plain words.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{Command, Link, View, printable};
use yew::prelude::*;

use crate::bridge::{Connection, Loss};
use crate::browser::page;
use crate::context::Context;
use crate::logic::sentence::{capitalized, sentence};
use crate::part;
use crate::state::Action;

use super::buttons::small_button;
use super::icon::{Glyph, icon};
use super::next_try::use_next_try;
use super::registry_changed::use_registry_changed;
use super::retry::use_retry;
use super::sign_in_again::use_sign_in_again;

/// A line at the top while the bridge or the registry is unreachable, or others are reached
/// elsewhere.
pub fn banner(context: &Context) -> Html {
    let state = &context.state;
    html! {
        <div class="banners" role="status">
            { match state.connection {
                Connection::Live => live(context),
                Connection::Waiting { until, why } => html! {
                    <div class="banner bad">
                        { icon(Glyph::Warning) }
                        { lost(why) }
                        { part!(use_retry, super::retry::Props { until }) }
                    </div>
                },
                Connection::Connecting => html! {
                    <div class="banner"><span class="pulse" aria-hidden="true"></span>{ "Connecting to p2pchat on this computer…" }</div>
                },
                Connection::Refused(_) => html! {},
            } }
        </div>
    }
}

/// Why there is no connection to the bridge, and what to do.
pub(super) fn lost(why: Loss) -> Html {
    let (what, then) = match why {
        Loss::Stopped => (label::BRIDGE_STOPPED, label::START_BRIDGE),
        Loss::Slow => (
            "This page was too slow for its bridge.",
            "It connects again and gets what it missed.",
        ),
        Loss::TooBig => (
            "The last message was too long for the bridge.",
            "It comes back into the message field.",
        ),
        Loss::Misunderstood => (
            "The bridge does not understand this page.",
            "Load the page again; what you typed is kept.",
        ),
    };
    html! { <span class="banner-words"><b>{ what }</b>{ " " }{ then }</span> }
}

fn live(context: &Context) -> Html {
    let state = &context.state;
    let Some(view) = state.view.as_ref().map(|view| view.get()) else {
        return html! {};
    };
    html! {
        <>
            if state.outdated { { outdated() } }
            { registry(&view) }
            if state.is_elsewhere() { { elsewhere(context) } }
        </>
    }
}

fn outdated() -> Html {
    html! {
        <div class="banner warn">
            { icon(Glyph::Warning) }
            <span class="banner-words"><b>{ "p2pchat was updated on this computer." }</b>{ " Load the page again; what you typed is kept." }</span>
            { small_button("Load again", Callback::from(|_| page::reload()), false) }
        </div>
    }
}

fn registry(view: &View) -> Html {
    let (reason, retry_at) = match (&view.link, view.account) {
        (Link::Down { reason, retry_at }, _) => (reason, retry_at),
        (Link::PasswordNeeded, Some(name)) => {
            return part!(use_sign_in_again, super::sign_in_again::Props { name });
        }
        (Link::KeyChanged { .. }, _) => return part!(use_registry_changed),
        _ => return html! {},
    };
    let words = if view.account.is_some() {
        let away = sentence(&printable(&wording::registry_is_away(&view.registry)));
        html! { <><b>{ away }</b>{ " " }{ label::WITHOUT_REGISTRY }</> }
    } else {
        let words = wording::is_a_registry_there(&view.registry);
        html! { <b>{ capitalized(&printable(&words)) }</b> }
    };
    html! {
        <div class="banner warn" title={printable(reason).into_owned()}>
            { icon(Glyph::Warning) }
            <span class="banner-words">{ words }</span>
            { part!(use_next_try, super::next_try::Props { at: *retry_at }) }
        </div>
    }
}

/// The account is online at another address too. To sign in here again takes the password,
/// which the page does not keep.
fn elsewhere(context: &Context) -> Html {
    let (send, dispatch) = (context.send.clone(), context.dispatch.clone());
    let onclick = move |_: MouseEvent| {
        dispatch.dispatch(Action::MoveHere);
        send.emit(Command::Logout);
    };
    html! {
        <div class="banner warn">
            { icon(Glyph::Warning) }
            <span class="banner-words">{ label::ELSEWHERE }</span>
            <button type="button" class="button small" {onclick} title="Signs out here and asks for your password">{ label::USE_THIS_ONE }</button>
        </div>
    }
}
