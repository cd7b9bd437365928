//! Where one writes.

use p2pchat_model::{Command, packets};
use web_sys::{HtmlElement, HtmlTextAreaElement};
use yew::prelude::*;

use crate::app::use_page;
use crate::browser::{element, page, storage};
use crate::state::{Action, Page, State};

use super::emoji::EmojiPicker;
use super::icon::{Glyph, icon};

/// The id of the text field.
pub const ID: &str = "composer";
/// From so many bytes on, the counter is shown: before the text needs a second packet.
const COUNT_FROM: usize = 60;
/// The tallest that the field grows, in CSS pixels.
const TALLEST: f64 = 200.0;

/// The text field and what belongs to it.
#[component]
pub fn Composer() -> Html {
    let context = use_page();
    let state = &context.state;
    let account = state.view.as_ref().and_then(|view| view.get().account);
    let account = account.map(|name| name.to_string()).unwrap_or_default();
    let text = use_state(|| storage::draft(&account));
    let node = use_node_ref();

    let set = {
        let text = text.setter();
        Callback::from(move |new: String| {
            storage::keep_draft(&account, &new);
            text.set(new);
        })
    };
    use_restore(state, &context.dispatch, &text, set.clone());
    use_grow(&node, &text);

    let alone = state.view.as_ref().is_none_or(|view| view.get().is_alone());
    let parts = packets(&text);
    let ready = parts > 0 && !alone && state.is_live();
    let submit = {
        let (send, text, set) = (context.send.clone(), text.clone(), set.clone());
        Callback::from(move |()| {
            if ready {
                send.emit(Command::Say {
                    text: (*text).clone(),
                });
                set.emit(String::new());
            }
            page::focus(ID);
        })
    };
    let onkeydown = {
        let submit = submit.clone();
        move |event: KeyboardEvent| {
            // While a word is being put together (in Japanese, say), Enter belongs to that.
            if event.key() == "Enter" && !event.shift_key() && !event.is_composing() {
                event.prevent_default();
                submit.emit(());
            }
        }
    };
    let onpick = {
        let (node, set) = (node.clone(), set.clone());
        Callback::from(move |emoji: &'static str| {
            if let Some(field) = node.cast::<HtmlTextAreaElement>() {
                set.emit(element::insert(&field, emoji));
            }
            page::focus(ID);
        })
    };
    let oninput = move |event: InputEvent| {
        if let Some(field) = event.target_dyn_into::<HtmlTextAreaElement>() {
            set.emit(field.value());
        }
    };
    let placeholder = if alone {
        "Ask somebody into the chat first"
    } else {
        "Write a message"
    };
    html! {
        <form class="composer" onsubmit={move |event: SubmitEvent| { event.prevent_default(); submit.emit(()); }}>
            <div class="composer-box">
                <EmojiPicker {onpick} />
                <textarea id={ID} ref={node} rows="1" value={(*text).clone()} {placeholder} {oninput} {onkeydown}
                    aria-label="Message" aria-describedby="composer-note" autocomplete="off" dir="auto" />
                <button type="submit" class="send" disabled={!ready} aria-label="Send" title="Send">
                    { icon(Glyph::Send) }
                </button>
            </div>
            <p id="composer-note" class="composer-note">{ note(state, &text, parts) }</p>
        </form>
    }
}

/// How many packets the text takes, once that is worth knowing; else how to write.
fn note(state: &Page, text: &str, parts: usize) -> Html {
    if let Some(failure) = state.failure("say") {
        return html! { <span class="bad" role="alert">{ p2pchat_model::printable(&failure.message).into_owned() }</span> };
    }
    if text.contains('\0') {
        return html! { <span class="bad">{ "A NUL character cannot be sent." }</span> };
    }
    match parts {
        0 | 1 if text.len() < COUNT_FROM => html! {
            <span class="keys"><kbd>{ "Enter" }</kbd>{ " sends, " }<kbd>{ "Shift Enter" }</kbd>{ " begins a new line" }</span>
        },
        0 | 1 => {
            html! { <span>{ format!("1 packet, {} of 99 bytes", text.trim_end().len()) }</span> }
        }
        n => {
            html! { <span>{ format!("{} bytes: goes as {n} packets, and arrives as {n} messages", text.trim_end().len()) }</span> }
        }
    }
}

/// Brings a text back that could not be sent, unless another was begun meanwhile.
#[hook]
fn use_restore(
    state: &Page,
    dispatch: &UseReducerDispatcher<State>,
    text: &str,
    set: Callback<String>,
) {
    let empty = text.is_empty();
    let dispatch = dispatch.clone();
    use_effect_with(state.unsent.clone(), move |unsent| {
        if let Some(unsent) = unsent {
            if empty {
                set.emit(unsent.to_string());
            }
            dispatch.dispatch(Action::Restored);
        }
    });
}

/// Lets the field grow with its text.
#[hook]
fn use_grow(node: &NodeRef, text: &str) {
    let node = node.clone();
    use_effect_with(text.to_owned(), move |_| {
        if let Some(field) = node.cast::<HtmlElement>() {
            element::unset(&field, "height");
            let wanted = f64::from(field.scroll_height());
            element::set_px(&field, "height", wanted.min(TALLEST));
        }
    });
}
