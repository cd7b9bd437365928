//! The search through the history.

use p2pchat_model::wording::label;
use p2pchat_model::{Command, ConversationId, Line, MessageId, Timestamp, printable, wording};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::browser::effect::use_effect_on;
use crate::browser::{hooks::use_escape, page};
use crate::context::{Context, use_app};
use crate::logic::clock::Zone;
use crate::logic::sentence::{capitalized, failed};
use crate::part;
use crate::state::Action;

use super::finding_list::use_finding_list;
use super::icon::{Glyph, icon};

const INPUT: &str = "find-input";

/// What a [`use_finder`] needs.
#[derive(PartialEq)]
pub struct Props {
    /// Closes it.
    pub onclose: Callback<()>,
}

/// The search through the history, and what it found.
#[hook]
pub fn use_finder(props: &Props) -> Html {
    let context = use_app();
    let words = use_state(String::new);
    use_effect_on((), |()| page::focus(INPUT));
    use_escape(true, props.onclose.clone());
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
        let shown = context.state.shown();
        move |event: SubmitEvent| {
            event.prevent_default();
            let text = words.trim().to_owned();
            if !text.is_empty() {
                let conversation = Some(shown);
                send.emit(Command::Find { conversation, text });
            }
        }
    };
    let onchange = {
        let dispatch = context.dispatch.clone();
        move |event: Event| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                let day = begin_of_day(input.value_as_number());
                dispatch.dispatch(Action::Jump(MessageId::since(day)));
            }
        }
    };
    let onclose = props.onclose.reform(|_| ());
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
            if context.state.shown() != ConversationId::OPEN {
                <label class="finder-day">{ label::GO_TO_DAY }<input type="date" {onchange} /></label>
            }
            <div class="finder-found" aria-live="polite">{ findings(&context, &props.onclose) }</div>
        </section>
    }
}

/// When a day begins here that begins at this moment in Greenwich, in milliseconds since 1970;
/// 1970 if that is no number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "no number and a time before 1970 are 0"
)]
fn begin_of_day(greenwich: f64) -> Timestamp {
    let offset = page::zone_offset(Timestamp(greenwich as u64));
    Timestamp((greenwich - f64::from(offset) * 60_000.0) as u64)
}

fn findings(context: &Context, onclose: &Callback<()>) -> Html {
    let state = &context.state;
    if let Some(failure) = state.failure("find") {
        return html! { <p class="field-note bad">{ failed(failure) }</p> };
    }
    if state.waits_for(&["find"]) {
        return html! { <p class="empty">{ "Searching…" }</p> };
    }
    let Some(findings) = &state.findings else {
        return html! { <p class="empty">{ "All words must be in a message. The newest come first." }</p> };
    };
    let today = Zone::new(page::zone_offset).day(page::now());
    let messages = findings.messages.iter().cloned().map(Line::from);
    let posts = findings.posts.iter().cloned().map(Line::from);
    let messages: Vec<Line> = messages.chain(posts).collect();
    let heading = wording::found_messages(messages.len(), &printable(&findings.text));
    html! {
        <>
            <p class="empty">{ capitalized(&heading) }</p>
            { part!(use_finding_list, super::finding_list::Props { messages, today, onclose: onclose.clone() }) }
        </>
    }
}
