//! The field to find conversations and people.

use p2pchat_model::wording::label;
use p2pchat_model::{Command, ConversationId, Target};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::browser::{keys, page};
use crate::context::use_app;
use crate::logic::chats::meant;
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

/// The field to find conversations and people. The lists are filtered while the user types; Enter
/// opens the first conversation that is meant. If there is none, it asks the registry for a name, or
/// the machine at an address for a chat. Escape leads back to the message field.
#[hook]
pub fn use_people_search(props: &Props) -> Html {
    let context = use_app();
    let error = use_state(|| None::<String>);
    let target = Target::new(props.typed.trim());
    let is_address = matches!(target, Ok(Target::Address(_)));
    let view = context.state.view.as_ref();
    let meant = view.map(|view| meant(&view.get(), props.typed.trim()));
    let first = meant.and_then(|meant| meant.first().copied());
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
        let (ontyped, dispatch) = (props.ontyped.clone(), context.dispatch.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            if let Some(id) = first {
                ontyped.emit(String::new());
                dispatch.dispatch(Action::Show(id));
                page::focus(page::COMPOSER);
                return;
            }
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
    let onkeydown = {
        let ontyped = props.ontyped.clone();
        move |event: KeyboardEvent| {
            if keys::pressed(&event).as_deref() == Some("Escape") {
                ontyped.emit(String::new());
                page::focus(page::COMPOSER);
            }
        }
    };
    html! {
        <form class="search" role="search" aria-label="Find chats and people" {onsubmit}>
            <div class="field-box">
                { icon(Glyph::Search) }
                <input id={page::PEOPLE_SEARCH} type="search" value={props.typed.clone()} {oninput} {onkeydown}
                    aria-label="Find chats and people by name or address" placeholder={label::FIND} title={label::FIND_MEANS}
                    autocomplete="off" autocapitalize="none" spellcheck="false" />
                if !props.typed.is_empty() {
                    <button type="submit" class="button small" disabled={!context.state.is_live()}>
                        { if first.is_some() { "Open" } else if is_address { "Ask" } else { "Find" } }
                    </button>
                }
            </div>
            if let Some(words) = &*error { <p class="field-note bad" role="alert">{ words.clone() }</p> }
        </form>
    }
}
