//! The field to find people.

use p2pchat_model::{Command, ConversationId, Target};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::browser::page;
use crate::context::use_app;
use crate::state::Action;

use super::icon::{Glyph, icon};

/// What a [`use_people_search`] needs.
#[derive(PartialEq)]
pub struct Props {
    /// The text in the field.
    pub typed: String,
    /// Called with the new text.
    pub ontyped: Callback<String>,
}

/// The field to find people. The list is filtered while the user types; Enter asks the
/// registry for a name, or the machine at an address for a chat.
#[hook]
pub fn use_people_search(props: &Props) -> Html {
    let context = use_app();
    let error = use_state(|| None::<String>);
    let target = Target::new(props.typed.trim());
    let is_address = matches!(target, Ok(Target::Address(_)));
    let oninput = {
        let (ontyped, error) = (props.ontyped.clone(), error.setter());
        let dispatch = context.dispatch.clone();
        move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                error.set(None);
                dispatch.dispatch(Action::SearchChanged);
                ontyped.emit(input.value());
            }
        }
    };
    let onsubmit = {
        let (send, error) = (context.send.clone(), error.setter());
        move |event: SubmitEvent| {
            event.prevent_default();
            match &target {
                Ok(Target::Name(name)) => send.emit(Command::Search { name: *name }),
                Ok(to @ Target::Address(_)) => {
                    let (conversation, to) = (ConversationId::OPEN, *to);
                    send.emit(Command::Request { conversation, to });
                }
                Err(wrong) => error.set(Some(wrong.to_string())),
            }
        }
    };
    html! {
        <form class="search" role="search" aria-label="Find people" {onsubmit}>
            <div class="field-box">
                { icon(Glyph::Search) }
                <input id={page::PEOPLE_SEARCH} type="search" value={props.typed.clone()} {oninput}
                    aria-label="Find people by name or address" placeholder="Name or address"
                    autocomplete="off" autocapitalize="none" spellcheck="false" />
                if !props.typed.is_empty() {
                    <button type="submit" class="button small" disabled={!context.state.is_live()}>
                        { if is_address { "Ask" } else { "Find" } }
                    </button>
                }
            </div>
            if let Some(words) = &*error { <p class="field-note bad" role="alert">{ words.clone() }</p> }
        </form>
    }
}
