//! The screen before the bridge has let the page in, or if it does not.

use yew::prelude::*;

use crate::bridge::{Connection, Refusal};
use crate::browser::page;
use crate::context::Context;
use crate::part;

use super::banner::lost;
use super::brand::brand;
use super::retry::use_retry;

/// The page without a view: connecting, or refused, in plain words.
pub fn connect(context: &Context) -> Html {
    let content = match context.state.connection {
        Connection::Connecting | Connection::Live => html! {
            <p class="connect-wait"><span class="pulse" aria-hidden="true"></span>{ "Connecting to p2pchat on this computer…" }</p>
        },
        Connection::Waiting { until, why } => html! {
            <>
                <h1>{ "p2pchat does not answer" }</h1>
                <p>{ lost(why) }</p>
                <p>{ "This page talks to a program on your own computer, " }<code>{ "p2pchat-bridge" }</code>
                    { ". Once it runs, the page goes on by itself." }</p>
                { part!(use_retry, super::retry::Props { until }) }
            </>
        },
        Connection::Refused(refusal) => refused(refusal),
    };
    html! {
        <main class="centered">
            <div class="card" role="status">
                { brand() }
                { content }
            </div>
        </main>
    }
}

fn refused(refusal: Refusal) -> Html {
    match refusal {
        Refusal::NoSecret => html! {
            <>
                <h1>{ "Open the whole address" }</h1>
                <p>{ "The address that your bridge printed ends with " }<code>{ "#" }</code>
                    { " and 64 letters and digits. They are the key to your chats, and they are missing here." }</p>
            </>
        },
        Refusal::WrongSecret => html! {
            <>
                <h1>{ "This is not the key of your bridge" }</h1>
                <p>{ "The bridge knows another key than the one in the address of this page. Open the address that it printed when it started." }</p>
            </>
        },
        Refusal::OtherVersion => html! {
            <>
                <h1>{ "p2pchat was updated on this computer" }</h1>
                <p>{ "This page is that of another version. Load it again; what you typed is kept." }</p>
                <p><button type="button" class="button primary" onclick={|_| page::reload()}>{ "Load again" }</button></p>
            </>
        },
    }
}
