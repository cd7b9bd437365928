//! What is open over the page.

use p2pchat_model::wording::{chat, label};
use web_sys::HtmlDialogElement;
use yew::prelude::*;

use crate::browser::effect::{use_effect_on, use_stable};
use crate::browser::hooks::{use_escape, use_return_focus_to_menu};
use crate::context::use_app;
use crate::part;
use crate::state::{Action, Sheet};

use super::account::use_account;
use super::buttons::close_button;
use super::codes::use_codes;
use super::import_form::use_import_form;
use super::new_chat::use_new_chat;

/// What is open over the page, if anything is.
#[hook]
pub fn use_sheets() -> Html {
    let sheet = use_app().state.sheet;
    use_return_focus_to_menu(sheet.is_some());
    match sheet {
        None => html! {},
        Some(Sheet::Account) => frame(label::ACCOUNT_AND_KEYS, part!(use_account)),
        Some(Sheet::Import) => {
            let words = html! { <p>{ label::IMPORT_IDENTITY_MEANS }</p> };
            let form = part!(use_import_form);
            frame(label::IMPORT_IDENTITY, html! { <>{ words }{ form }</> })
        }
        Some(Sheet::Codes(name)) => frame(
            label::COMPARE_CODES,
            part!(use_codes, super::codes::Props { name }),
        ),
        Some(Sheet::New) => frame(
            chat::NEW_CHAT,
            part!(use_new_chat, super::new_chat::Props { add: None }),
        ),
        Some(Sheet::Keys) => frame("Keys", keys()),
        Some(Sheet::Add(id)) => frame(
            chat::ADD,
            part!(use_new_chat, super::new_chat::Props { add: Some(id) }),
        ),
    }
}

/// The keys of [`use_shortcuts`](super::chat), and what they do.
const KEYS: [(&str, &str); 7] = [
    ("Ctrl K", "Find a chat or a person"),
    ("Ctrl F", "Search in this chat"),
    ("Ctrl .", "Details of this chat"),
    ("Alt ↑ ↓", "Other chat"),
    ("Alt Shift ↑ ↓", "Chat with new messages"),
    ("F6", "From the message to the list and back"),
    ("Esc", "Close what is open"),
];

fn keys() -> Html {
    let row = |(key, does)| html! { <div><dt>{ does }</dt><dd><kbd>{ key }</kbd></dd></div> };
    html! { <dl class="key-list">{ for KEYS.into_iter().map(row) }</dl> }
}

#[derive(PartialEq)]
struct Props {
    title: &'static str,
    children: Html,
}

fn frame(title: &'static str, children: Html) -> Html {
    part!(use_frame, Props { title, children })
}

/// A dialog of the browser: nothing behind it takes the focus or a click.
#[hook]
fn use_frame(props: &Props) -> Html {
    let context = use_app();
    let node = use_node_ref();
    let close = {
        let dispatch = context.dispatch.clone();
        use_stable(move |()| dispatch.dispatch(Action::Open(None)))
    };
    use_escape(true, close.clone());
    {
        let node = node.clone();
        use_effect_on((), move |()| {
            if let Some(dialog) = node.cast::<HtmlDialogElement>()
                && dialog.show_modal().is_err()
            {
                // A browser that does not know it shows it all the same.
                dialog.set_open(true);
            }
        });
    }
    html! {
        <dialog ref={node} class="sheet" aria-labelledby="sheet-title" onclose={close.reform(|_| ())}>
            <header class="sheet-head">
                <h2 id="sheet-title">{ props.title }</h2>
                { close_button("Close", close.reform(|_| ())) }
            </header>
            { props.children.clone() }
        </dialog>
    }
}
