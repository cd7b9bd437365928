//! Who is online: to look through, to search, and to ask.

use p2pchat_model::{Command, OnlineUser, Target, View, printable};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::app::{Context, use_page};
use crate::browser::letters::lowercase;
use crate::state::Found;

use super::block_button::block_button;
use super::icon::{Glyph, icon};
use super::people::refresh;
use super::person_name::person_name;

/// How many people are shown; the rest is found by typing.
const MOST_SHOWN: usize = 100;

/// Who is online.
#[component]
pub fn Online() -> Html {
    let context = use_page();
    let typed = use_state(String::new);
    let error = use_state(|| None::<String>);
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let view = view.get();
    let wanted = lowercase(typed.trim());
    let matching: Vec<&OnlineUser> = view
        .others()
        .filter(|user| {
            holds(&lowercase(user.name.as_str()), &wanted)
                || user.address.to_string().starts_with(&wanted)
        })
        .collect();
    html! {
        <section class="group" aria-labelledby="online-title">
            <header class="group-head">
                <h2 id="online-title">{ "Online" } <span class="count">{ view.others().count() }</span></h2>
                { refresh(&context) }
            </header>
            { search_box(&context, &typed, &error) }
            { answer(&context, &view) }
            <ul class="rows">
                { for matching.iter().take(MOST_SHOWN).map(|user| row(&context, &view, user)) }
            </ul>
            { rest(matching.len(), view.others().count(), &wanted) }
        </section>
    }
}

/// Whether a name holds this text. Names are short, so the search of the standard library,
/// which is fast in long texts, is only more to download.
fn holds(name: &str, text: &str) -> bool {
    let mut parts = name.as_bytes().windows(text.len().max(1));
    text.is_empty() || parts.any(|part| part == text.as_bytes())
}

fn rest(matching: usize, all: usize, wanted: &str) -> Html {
    match matching {
        0 if all == 0 && wanted.is_empty() => html! {
            <p class="empty">{ "Nobody else is online right now. You can also ask an address, such as 192.168.1.20." }</p>
        },
        0 => {
            html! { <p class="empty">{ "Nobody here matches. Press Enter to ask the registry." }</p> }
        }
        more if more > MOST_SHOWN => html! {
            <p class="empty">{ format!("and {} more: type to find them", more - MOST_SHOWN) }</p>
        },
        _ => html! {},
    }
}

/// Filters while one types; Enter asks the registry for a name, or the machine at an
/// address for a chat.
fn search_box(
    context: &Context,
    typed: &UseStateHandle<String>,
    error: &UseStateHandle<Option<String>>,
) -> Html {
    let target = Target::new(typed.trim());
    let oninput = {
        let (typed, error) = (typed.setter(), error.setter());
        move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                error.set(None);
                typed.set(input.value());
            }
        }
    };
    let onsubmit = {
        let (send, target, error) = (context.send.clone(), target.clone(), error.setter());
        move |event: SubmitEvent| {
            event.prevent_default();
            match &target {
                Ok(Target::Name(name)) => send.emit(Command::Search { name: *name }),
                Ok(to @ Target::Address(_)) => send.emit(Command::Request { to: *to }),
                Err(words) => error.set(Some(words.clone())),
            }
        }
    };
    let address = matches!(target, Ok(Target::Address(_)));
    html! {
        <form class="search" role="search" aria-label="Find people" {onsubmit}>
            <div class="field-box">
                { icon(Glyph::Search) }
                <input id="people-search" type="search" value={(**typed).clone()} {oninput}
                    aria-label="Find somebody by name or address" placeholder="Name or address"
                    autocomplete="off" autocapitalize="none" spellcheck="false" />
                if !typed.is_empty() {
                    <button type="submit" class="button small" disabled={!context.state.is_live()}>
                        { if address { "Ask" } else { "Find" } }
                    </button>
                }
            </div>
            if let Some(words) = &**error { <p class="field-note bad" role="alert">{ words.clone() }</p> }
        </form>
    }
}

/// What became of the last search or request, where it was made.
fn answer(context: &Context, view: &View) -> Html {
    let state = &context.state;
    let failed = ["request", "search", "refresh"]
        .iter()
        .find_map(|name| state.failure(name));
    let found = match state.found {
        Some(Found {
            name,
            address: Some(address),
        }) => {
            html! { <ul class="rows found">{ row(context, view, &OnlineUser { name, address }) }</ul> }
        }
        Some(Found {
            name,
            address: None,
        }) => {
            html! { <p class="field-note">{ printable(&format!("{name} is not online.")).into_owned() }</p> }
        }
        None => html! {},
    };
    html! {
        <div aria-live="polite">
            if let Some(failure) = failed {
                <p class="field-note bad">{ printable(&failure.message).into_owned() }</p>
            }
            { found }
        </div>
    }
}

fn row(context: &Context, view: &View, user: &OnlineUser) -> Html {
    html! {
        <li key={user.name.to_string()} class="row-person">
            { person_name(&context.state, Some(user.name), Some(user.address), "") }
            <span class="row-end">
                { action(context, view, user) }
                { block_button(context, Target::Name(user.name), user.name.as_str()) }
            </span>
        </li>
    }
}

fn action(context: &Context, view: &View, user: &OnlineUser) -> Html {
    let OnlineUser { name, address } = *user;
    if view.blocks(Some(name), address).is_some() {
        return html! { { "blocked" } };
    }
    if view.is_member(address) {
        return html! { { "in chat" } };
    }
    if view
        .outgoing
        .iter()
        .any(|request| request.to.address == address)
    {
        return html! { { "asked…" } };
    }
    let onclick = {
        let (send, to) = (context.send.clone(), Target::Address(address));
        move |_| send.emit(Command::Request { to })
    };
    let label = printable(&format!("Ask {name} for a chat")).into_owned();
    html! {
        <button type="button" class="button small ask" {onclick} aria-label={label}
            disabled={!context.state.is_live()}>{ icon(Glyph::Ask) }{ "Ask" }</button>
    }
}
