//! Searching everything that was said.

use p2pchat_model::{Command, Message, printable};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::app::{Context, use_page};
use crate::browser::{hooks::use_escape, page};
use crate::logic::clock::Zone;
use crate::state::Action;

use super::icon::{Glyph, icon};

const INPUT: &str = "find-input";

/// What a [`Finder`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Closes it.
    pub onclose: Callback<()>,
}

/// The search through the history, and what it found.
#[component]
pub fn Finder(props: &Props) -> Html {
    let context = use_page();
    let words = use_state(String::new);
    use_effect_with((), |()| page::focus(INPUT));
    use_escape(props.onclose.clone());
    let oninput = {
        let words = words.setter();
        move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                words.set(input.value());
            }
        }
    };
    let onsubmit = {
        let (words, send) = (words.clone(), context.send.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let text = words.trim().to_owned();
            if !text.is_empty() {
                send.emit(Command::Find { text });
            }
        }
    };
    let onclose = {
        let onclose = props.onclose.clone();
        move |_| onclose.emit(())
    };
    html! {
        <section class="finder" aria-label="Search the history">
            <form class="search" role="search" aria-label="Find in the history" {onsubmit}>
                <div class="field-box">
                    { icon(Glyph::Search) }
                    <input id={INPUT} type="search" value={(*words).clone()} {oninput} autocomplete="off"
                        aria-label="Words to look for" placeholder="Words to look for" />
                    <button type="submit" class="button small" disabled={!context.state.is_live()}>{ "Find" }</button>
                </div>
                <button type="button" class="icon-button" onclick={onclose} aria-label="Close the search">
                    { icon(Glyph::Close) }
                </button>
            </form>
            <div class="finder-found" aria-live="polite">{ found(&context, props) }</div>
        </section>
    }
}

fn found(context: &Context, props: &Props) -> Html {
    let state = &context.state;
    if let Some(failure) = state.failure("find") {
        return html! { <p class="field-note bad">{ printable(&failure.message).into_owned() }</p> };
    }
    if state.pending.find {
        return html! { <p class="empty">{ "Searching…" }</p> };
    }
    let Some(view) = &state.view else {
        return html! {};
    };
    let view = view.get();
    let Some(findings) = &view.findings else {
        return html! { <p class="empty">{ "All words must be in a message. The newest come first." }</p> };
    };
    let zone = Zone::new(page::zone_offset);
    let count = match findings.messages.len() {
        0 => "Nothing was found for",
        _ => "Found for",
    };
    html! {
        <>
            <p class="empty">{ count }{ " “" }{ printable(&findings.text).into_owned() }{ "”" }</p>
            <ul class="rows">
                { for findings.messages.iter().map(|message| finding(context, props, &zone, message)) }
            </ul>
        </>
    }
}

fn finding(context: &Context, props: &Props, zone: &Zone, message: &Message) -> Html {
    let today = zone.day(page::now());
    let when = format!(
        "{}, {}",
        zone.day(message.at).words(today),
        zone.time(message.at)
    );
    let who = if message.is_own() {
        "You".to_owned()
    } else {
        message.from.to_string()
    };
    let onclick = {
        let (dispatch, id) = (context.dispatch.clone(), message.id);
        let onclose = props.onclose.clone();
        move |_| {
            dispatch.dispatch(Action::Jump(id));
            // Where there is room for one pane only, the message would be behind it.
            if page::is_narrow() {
                onclose.emit(());
            }
        }
    };
    html! {
        <li key={message.id.0.to_string()}>
            <button type="button" class="finding" {onclick}>
                <span class="finding-top"><b><bdi>{ printable(&who).into_owned() }</bdi></b><time>{ when }</time></span>
                <span class="finding-text" dir="auto">{ printable(&message.text).into_owned() }</span>
            </button>
        </li>
    }
}
