//! What is wrong with the connections, in plain words.

use p2pchat_model::wording::label;
use p2pchat_model::{Link, Problem, printable};
use yew::prelude::*;

use crate::bridge::Connection;
use crate::context::use_app;
use crate::logic::sentence::sentence;

use super::icon::{Glyph, Icon};
use super::next_try::NextTry;
use super::retry::Retry;

/// A line at the top while the bridge or the registry is unreachable.
#[component]
pub fn Banner() -> Html {
    let context = use_app();
    let state = &context.state;
    let link = state.view.as_ref().map(|view| view.get().link.clone());
    html! {
        <div class="banners" role="status">
            { match state.connection {
                Connection::Live => link.map(|link| registry(&link)).unwrap_or_default(),
                Connection::Waiting { until } => html! {
                    <div class="banner bad">
                        <Icon glyph={Glyph::Warning} />
                        <span><b>{ "Your bridge does not answer." }</b>{ " Start " }
                            <code>{ "p2pchat-bridge" }</code>{ " again; what you typed is kept." }</span>
                        <Retry {until} />
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

fn registry(link: &Link) -> Html {
    let Link::Down { reason, retry_at } = link else {
        return html! {};
    };
    html! {
        <div class="banner warn" title={printable(reason).into_owned()}>
            <Icon glyph={Glyph::Warning} />
            <span><b>{ sentence(Problem::RegistryUnreachable.words()) }</b>{ " " }{ label::WITHOUT_REGISTRY }</span>
            <NextTry at={*retry_at} />
        </div>
    }
}
