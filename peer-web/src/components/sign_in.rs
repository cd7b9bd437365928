//! Signing in, and creating an account.

mod form;

use p2pchat_model::wording::{self, first, label};
use p2pchat_model::{Event, Line, Link, Notice, Problem, Security, View};
use yew::prelude::*;

use crate::browser::effect::use_effect_on;
use crate::browser::{hooks::toggle, page};
use crate::context::use_app;
use crate::logic::sentence::sentence;
use crate::part;
use crate::state::{Action, Page, Sheet};

use super::banner::banner;
use super::brand::brand;
use super::buttons::small_button;
use super::choose::use_choose;
use super::field::{Field, field, set};
use super::icon::{Glyph, icon};
use super::not_encrypted::not_encrypted;
use super::registry_state::registry_state;
use super::sheet::use_sheets;

pub(super) use form::is_waiting;
use form::{AGAIN, DISPLAY, Form, NAME, PASSWORD, is_refused};

/// Among how many lines that of the first contact with the registry is looked for.
const NEWEST: usize = 50;

/// The form to sign in, or to create an account.
#[hook]
pub fn use_sign_in() -> Html {
    let context = use_app();
    let state = &context.state;
    // Each value is a state of its own: password managers set both fields within one render.
    let new = use_state(|| false);
    let name = use_state(|| last_account(state));
    let password = use_state(String::new);
    let again = use_state(String::new);
    let display = use_state(String::new);
    let tried = use_state(|| false);
    let sent = use_state(String::new);
    let shown = use_state(|| false);
    let chooses = use_state(|| false);
    // The registry that was chosen has its own words from then on.
    let is_chosen = state.done == Some("use_registry") || state.done == Some("start_registry");
    use_effect_on(is_chosen, {
        let chooses = chooses.setter();
        move |is_chosen| {
            if *is_chosen {
                chooses.set(false);
            }
        }
    });
    let focused = if name.is_empty() { NAME } else { PASSWORD };
    let is_stopped = state
        .view
        .as_ref()
        .is_some_and(|view| view.get().is_stopped());
    use_effect_on(is_stopped, move |_| page::focus(focused));
    let security = state.view.as_ref().map(|view| view.get().security);
    let security = security.unwrap_or_default();
    let legacy = security == Security::NotEncrypted;
    use_effect_on(is_refused(state, Problem::PasswordNeeded), |is_needed| {
        if *is_needed {
            page::focus(PASSWORD);
        }
    });

    let form = Form {
        new: *new,
        name: (*name).clone(),
        password: (*password).clone(),
        again: (*again).clone(),
        display: (*display).clone(),
        legacy,
        tried: *tried,
        was_sent: *name == *sent,
    };
    let onsubmit = {
        let (command, tried, send) = (form.command(state), tried.setter(), context.send.clone());
        let (name, sent) = (name.clone(), sent.setter());
        move |event: SubmitEvent| {
            event.prevent_default();
            tried.set(true);
            match &command {
                Ok(command) => {
                    sent.set((*name).clone());
                    send.emit(command.clone());
                }
                Err(wrong) => page::focus(wrong),
            }
        }
    };
    let choose = {
        let (new, tried) = (new.setter(), tried.setter());
        Callback::from(move |which| {
            new.set(which);
            tried.set(false);
            page::focus(NAME);
        })
    };
    let onimport = {
        let dispatch = context.dispatch.clone();
        move |_: MouseEvent| dispatch.dispatch(Action::Open(Some(Sheet::Import)))
    };
    let new = *new;
    let errors = form.errors(state);
    let view = state.view.as_ref().map(|view| view.get());
    let is_needed = view
        .as_ref()
        .is_some_and(|view| view.link == Link::NoRegistry);
    if is_needed || *chooses {
        return html! {
            <div class="sign-in-page"><main class="centered">
                { part!(use_choose) }
                if !is_needed {
                    <button type="button" class="button quiet" onclick={toggle(&chooses)}>{ label::CANCEL }</button>
                }
            </main></div>
        };
    }
    if is_stopped {
        // The banner has the stop, and there is nothing to sign in to.
        return html! {
            <div class="sign-in-page">
                { banner(&context) }
                <main class="centered"><div class="card">{ brand() }{ registry_state(&context) }</div></main>
            </div>
        };
    }
    html! {
        <div class="sign-in-page">
            { banner(&context) }
            <main class="centered">
                <form class="card sign-in" {onsubmit} novalidate=true aria-labelledby="sign-in-title">
                    { brand() }
                    <h1 id="sign-in-title">{ if new { label::CREATE_ACCOUNT } else { label::SIGN_IN } }</h1>
                    <p class="lead">if legacy { { not_encrypted() } }{ security.lead() }</p>
                    { not_saved(state) }
                    { ended(state) }
                    { tabs(new, &choose) }
                    { field(Field { id: NAME, label: label::NAME, value: (*name).clone(), error: errors.name, hint: form.name_hint(), autocomplete: "username", oninput: set(&name), ..Field::default() }) }
                    { field(Field { id: PASSWORD, label: label::PASSWORD, value: (*password).clone(), error: errors.password, hint: form.password_hint(), autofocus: false, hidden: !*shown, autocomplete: if new { "new-password" } else { "current-password" }, oninput: set(&password), children: html! { <button type="button" class="icon-button" aria-pressed={shown.to_string()}
                            aria-label="Show the password" title="Show the password" onclick={toggle(&shown)}>{ icon(Glyph::Eye) }</button> } }) }
                    if new {
                        { field(Field { id: AGAIN, label: label::PASSWORD_AGAIN, value: (*again).clone(), error: errors.again, hidden: !*shown, autocomplete: "new-password", oninput: set(&again), ..Field::default() }) }
                    }
                    if new && !legacy {
                        { field(Field { id: DISPLAY, label: label::DISPLAY_NAME_OPTIONAL, value: (*display).clone(), error: errors.display, autocomplete: "name", oninput: set(&display), ..Field::default() }) }
                    }
                    if is_refused(state, Problem::WrongCredentials) && !new { { new_here(&choose) } }
                    <p class="form-error" role="alert">{ errors.form.unwrap_or_default() }</p>
                    { submit_button(state, new) }
                    { registry_state(&context) }
                    { first_contact(state) }
                    <button type="button" class="button quiet" onclick={toggle(&chooses)}>{ first::OTHER_REGISTRY }{ "…" }</button>
                    if !legacy {
                        <button type="button" class="button quiet import" onclick={onimport}>{ label::IMPORT_IDENTITY }{ "…" }</button>
                    }
                </form>
            </main>
            { part!(use_sheets) }
        </div>
    }
}

/// The account that was signed in before, where it is likely to be the next: after the bridge
/// began again, say, and not after the user signed out.
fn last_account(state: &Page) -> String {
    let last = state.last_account;
    last.map(|name| name.to_string()).unwrap_or_default()
}

/// Two buttons: to sign in, or to create an account.
fn tabs(new: bool, onchoose: &Callback<bool>) -> Html {
    let tab = |which: bool, label: &'static str| {
        let onclick = onchoose.reform(move |_| which);
        html! { <button type="button" aria-pressed={(new == which).to_string()} {onclick}>{ label }</button> }
    };
    html! {
        <div class="tabs" role="group" aria-label="Account">
            { tab(false, label::SIGN_IN) }
            { tab(true, label::CREATE_ACCOUNT) }
        </div>
    }
}

fn submit_button(state: &Page, new: bool) -> Html {
    let waits = is_waiting(state);
    let words = if waits {
        label::WAITING
    } else if new {
        label::CREATE_ACCOUNT
    } else {
        label::SIGN_IN
    };
    html! {
        <button type="submit" class="button primary wide" disabled={waits || !state.is_live()}
            aria-busy={waits.to_string()}>{ words }</button>
    }
}

/// That the key of the registry was seen for the first time and is remembered, if it was: the
/// line that the conversation has too. Always one node, as one that comes and goes would move the
/// fields above it, and what is being typed would go into another one.
fn first_contact(state: &Page) -> Html {
    let words = state.view.as_ref().and_then(|view| pinned(&view.get()));
    match words {
        Some(words) => html! { <p class="first-contact" role="status">{ words }</p> },
        None => html! {},
    }
}

fn pinned(view: &View) -> Option<String> {
    let Security::Encrypted { fingerprint } = view.security else {
        return None;
    };
    let what = Notice::RegistryPinned { fingerprint };
    let is_it = |line: &&Line| {
        let at = line.at();
        View::notice(&Event::Notice { at, what }).as_ref() == Some(*line)
    };
    let mut newest = view.open().lines.iter().rev().take(NEWEST);
    match newest.find(is_it)? {
        Line::Notice { text, .. } => Some(sentence(text)),
        Line::Message(_) | Line::Post(_) => None,
    }
}

/// That the account will be bound to keys which end with the program.
fn not_saved(state: &Page) -> Html {
    let view = state.view.as_ref();
    match view.and_then(|view| wording::security::not_saved(&view.get())) {
        Some(words) => html! { <p class="notice-box" role="status">{ sentence(words) }</p> },
        None => html! {},
    }
}

fn new_here(onchoose: &Callback<bool>) -> Html {
    html! {
        <p class="new-here">{ label::NEW_HERE }
            { small_button(label::CREATE_ACCOUNT, onchoose.reform(|_| true), false) }
        </p>
    }
}

/// Why the registry ended the last session, if it did.
fn ended(state: &Page) -> Html {
    match state.ended {
        Some(problem) => html! {
            <p class="notice-box" role="status">{ sentence(&wording::line::signed_out(problem)) }</p>
        },
        None => html! {},
    }
}
