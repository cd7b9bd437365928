//! The search through the history.

use gloo_timers::callback::Timeout;
use p2pchat_model::wording::{chat, label};
use p2pchat_model::{Command, ConversationId, MessageId, Timestamp, printable, wording};
use web_sys::{Element, HtmlInputElement};
use yew::prelude::*;

use crate::browser::effect::use_effect_on;
use crate::browser::{element, hooks::use_escape, keys, page};
use crate::context::{Context, use_app};
use crate::logic::clock::Zone;
use crate::logic::sentence::{capitalized, failed};
use crate::part;
use crate::state::Action;

use super::buttons::close_button;
use super::finding::Found;
use super::finding_list::use_finding_list;
use super::icon::{Glyph, icon};

const INPUT: &str = "find-input";

/// What a [`use_finder`] needs.
#[derive(PartialEq)]
pub struct Props {
    /// Closes it.
    pub onclose: Callback<()>,
    /// The same as the user goes to what was found.
    pub ongo: Callback<()>,
}

/// How long the page waits for the next letter before it searches, in milliseconds.
const PAUSE: u32 = 200;

/// The search through the history, and what it found. It searches while the user types, and at once
/// by Enter; the key down leads to what was found.
#[hook]
pub fn use_finder(props: &Props) -> Html {
    let context = use_app();
    // What was found last is there again, and gone with the first letter of something else.
    let last = context.state.findings.as_ref();
    let last = last.filter(|last| {
        last.conversation
            .is_none_or(|of| of == context.state.shown())
    });
    let words = use_state(|| last.map(|last| last.text.clone()).unwrap_or_default());
    let in_all = use_state_eq(|| last.is_some_and(|last| last.conversation.is_none()));
    let within = Some(context.state.shown()).filter(|_| !*in_all);
    let found = use_node_ref();
    use_effect_on((), |()| page::select(INPUT));
    use_escape(true, props.onclose.clone());
    use_find_as_typed(&context, within, &words);
    let oninput = {
        let words = words.setter();
        move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                words.set(input.value());
            }
        }
    };
    let onkeydown = {
        let found = found.clone();
        move |event: KeyboardEvent| {
            let found = found.cast::<Element>();
            let first = found.and_then(|found| element::all(&found, ".finding").into_iter().next());
            if let (Some("ArrowDown"), Some(first)) = (keys::pressed(&event).as_deref(), first) {
                event.prevent_default();
                element::focus(&first);
            }
        }
    };
    let onsubmit = {
        let (words, send) = (words.clone(), context.send.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            find(&send, within, &words);
        }
    };
    let scope = |all: bool, label: &'static str| {
        let in_all = in_all.clone();
        let pressed = (*in_all == all).to_string();
        let onclick = move |_: MouseEvent| in_all.set(all);
        html! { <button type="button" aria-pressed={pressed} {onclick}>{ label }</button> }
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
            <form class="search" role="search" {onsubmit}>
                <div class="field-box">
                    { icon(Glyph::Search) }
                    <input id={INPUT} type="search" value={(*words).clone()} {oninput} {onkeydown} autocomplete="off"
                        aria-label="Words to look for" placeholder="Words to look for" />
                    <button type="submit" class="button small" disabled={!context.state.is_live()}>{ "Find" }</button>
                </div>
                { close_button("Close the search", onclose) }
            </form>
            <div class="tabs" role="group" aria-label="Where to search">
                { scope(false, label::THIS_CHAT) }
                { scope(true, label::ALL_CHATS) }
            </div>
            if within.is_some_and(|within| within != ConversationId::OPEN) {
                <label class="finder-day">{ label::GO_TO_DAY }<input type="date" {onchange} /></label>
            }
            <div class="finder-found" ref={found}>{ findings(&context, within, words.trim(), &props.ongo) }</div>
        </section>
    }
}

/// Searches once the user has typed, for two letters or more.
#[hook]
fn use_find_as_typed(context: &Context, within: Option<ConversationId>, words: &str) {
    let send = context.send.clone();
    let is_due = context.state.is_live() && words.trim().chars().nth(1).is_some();
    let wanted = is_due.then(|| words.to_owned());
    use_effect_on((within, wanted), move |(within, wanted)| {
        let (within, wanted) = (*within, wanted.clone());
        let timer = wanted.map(|words| Timeout::new(PAUSE, move || find(&send, within, &words)));
        move || drop(timer)
    });
}

fn find(send: &Callback<Command>, conversation: Option<ConversationId>, words: &str) {
    let text = words.trim().to_owned();
    if !text.is_empty() {
        send.emit(Command::Find { conversation, text });
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

fn findings(
    context: &Context,
    within: Option<ConversationId>,
    words: &str,
    ongo: &Callback<()>,
) -> Html {
    let state = &context.state;
    // Always there: a screen reader announces what changes in it.
    let with = |words: &str, list: Html| html! { <><p class="empty" role="status">{ words.to_owned() }</p>{ list }</> };
    if let Some(failure) = state.failure("find") {
        return with(&failed(failure), html! {});
    }
    // Those of the letters before stay until the next ones have come.
    let findings = state.findings.as_ref();
    let findings = findings.filter(|found| found.conversation == within && !words.is_empty());
    let Some(findings) = findings else {
        let is_asked = state.waits_for(&["find"]);
        let words = if is_asked {
            "Searching…"
        } else {
            "All words must be in a message. The newest come first."
        };
        return with(words, html! {});
    };
    let today = Zone::new(page::zone_offset).day(page::now());
    let view = state.view.as_ref().map(|view| view.get());
    let title = |id: ConversationId| {
        let known = view.as_ref().and_then(|view| view.conversation(id));
        within.is_none().then(|| known.map(chat::title)).flatten()
    };
    let found = |conversation, line| Found {
        line,
        conversation,
        title: title(conversation),
    };
    let mut messages = Vec::new();
    for message in &findings.messages {
        messages.push(found(message.conversation, message.clone().into()));
    }
    for post in &findings.posts {
        let at = messages.partition_point(|found| found.line.at() >= post.at);
        messages.insert(at, found(post.conversation, post.clone().into()));
    }
    let heading = wording::found_messages(messages.len(), &printable(&findings.text));
    let props = super::finding_list::Props {
        messages,
        words: findings.text.clone(),
        today,
        ongo: ongo.clone(),
    };
    with(&capitalized(&heading), part!(use_finding_list, props))
}
