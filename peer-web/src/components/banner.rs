//! What is wrong with the connections, in plain words.

use p2pchat_model::{Link, Timestamp, printable};
use yew::prelude::*;

use crate::app::Context;
use crate::bridge::Connection;

use super::countdown::Countdown;
use super::icon::{Glyph, icon};

/// A line at the top while the bridge or the registry is away.
pub fn banner(context: &Context) -> Html {
    let state = &context.state;
    let link = state.view.as_ref().map(|view| view.get().link.clone());
    html! {
        <div class="banners" role="status">
            { match state.connection {
                Connection::Live => registry(link.as_ref()),
                Connection::Waiting { until } => html! {
                    <div class="banner bad">
                        { icon(Glyph::Warning) }
                        <span><b>{ "Your bridge does not answer." }</b>{ " What you see may be old. Is " }
                            <code>{ "p2pchat-bridge" }</code>{ " running?" }</span>
                        { retry(context, until) }
                    </div>
                },
                Connection::Connecting => html! {
                    <div class="banner"><span class="pulse" aria-hidden="true"></span>{ "Connecting to your bridge…" }</div>
                },
                Connection::Refused(_) => html! {},
            } }
        </div>
    }
}

fn registry(link: Option<&Link>) -> Html {
    match link {
        Some(Link::Down { reason, retry_at }) => html! {
            <div class="banner warn" title={printable(reason).into_owned()}>
                { icon(Glyph::Warning) }
                <span><b>{ "The registry is out of reach." }</b>
                    { " Your chat goes on; who is online may be out of date." }</span>
                <Countdown until={*retry_at} before="next try in " />
            </div>
        },
        _ => html! {},
    }
}

/// When the next try is due, in milliseconds since 1970, and a button for those who cannot
/// wait.
pub fn retry(context: &Context, until: f64) -> Html {
    let onclick = {
        let retry = context.retry.clone();
        move |_| retry.emit(())
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "now and some seconds"
    )]
    let until = Timestamp(until as u64);
    html! {
        <span class="retry">
            <Countdown {until} before="next try in " />
            <button type="button" class="button small" {onclick}>{ "Try now" }</button>
        </span>
    }
}
