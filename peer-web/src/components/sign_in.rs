//! Signing in, and creating an account.

mod form;

use p2pchat_model::Problem;
use p2pchat_model::wording::{self, label};
use yew::prelude::*;

use crate::browser::{hooks::toggle, page};
use crate::context::use_app;
use crate::logic::sentence::sentence;
use crate::state::Page;

use super::banner::Banner;
use super::brand::brand;
use super::field::Field;
use super::icon::{Glyph, icon};
use super::not_encrypted::not_encrypted;
use super::registry_state::RegistryState;

pub(super) use form::is_waiting;
use form::{AGAIN, Form, NAME, PASSWORD};

/// The form to sign in, or to create an account.
#[component]
pub fn SignIn() -> Html {
    let context = use_app();
    let state = &context.state;
    // Each value is a state of its own: password managers set both fields within one render.
    let new = use_state(|| false);
    let name = use_state(|| last_account(state));
    let password = use_state(String::new);
    let again = use_state(String::new);
    let tried = use_state(|| false);
    let shown = use_state(|| false);
    let first = if name.is_empty() { NAME } else { PASSWORD };
    use_effect_with((), move |()| page::focus(first));

    let form = Form {
        new: *new,
        name: (*name).clone(),
        password: (*password).clone(),
        again: (*again).clone(),
        tried: *tried,
    };
    let onsubmit = {
        let (command, tried, send) = (form.command(), tried.setter(), context.send.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            tried.set(true);
            match &command {
                Ok(command) => send.emit(command.clone()),
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
    let new = *new;
    let errors = form.errors(state);
    html! {
        <div class="sign-in-page">
            <Banner />
            <main class="centered">
                <form class="card sign-in" {onsubmit} novalidate=true aria-labelledby="sign-in-title">
                    { brand() }
                    <h1 id="sign-in-title">{ if new { label::CREATE_ACCOUNT } else { label::SIGN_IN } }</h1>
                    <p class="lead">{ not_encrypted() }{ label::LEAD }</p>
                    { ended(state) }
                    { tabs(new, &choose) }
                    <Field id={NAME} label={label::NAME} value={(*name).clone()}
                        error={errors.name} hint={form.name_hint()} autocomplete="username"
                        oninput={set(&name)} />
                    <Field id={PASSWORD} label={label::PASSWORD} value={(*password).clone()}
                        error={errors.password} hint={form.password_hint()} hidden={!*shown}
                        autocomplete={if new { "new-password" } else { "current-password" }}
                        oninput={set(&password)}>
                        <button type="button" class="icon-button" aria-pressed={shown.to_string()}
                            aria-label="Show the password" title="Show the password" onclick={toggle(&shown)}>{ icon(Glyph::Eye) }</button>
                    </Field>
                    if new {
                        <Field id={AGAIN} label={label::PASSWORD_AGAIN} value={(*again).clone()}
                            error={errors.again} hidden={!*shown} autocomplete="new-password"
                            oninput={set(&again)} />
                    }
                    if is_unknown(state) && !new { { new_here(&choose) } }
                    <p class="form-error" role="alert">{ errors.form.unwrap_or_default() }</p>
                    { submit_button(state, new) }
                    <RegistryState />
                </form>
            </main>
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

fn set(value: &UseStateHandle<String>) -> Callback<String> {
    let value = value.setter();
    Callback::from(move |text| value.set(text))
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

/// Whether the name may be that of a user who has no account yet.
fn is_unknown(state: &Page) -> bool {
    let failure = state.failure("login");
    failure.is_some_and(|failure| failure.code == Problem::WrongCredentials)
}

fn new_here(onchoose: &Callback<bool>) -> Html {
    html! {
        <p class="new-here">{ label::NEW_HERE }
            <button type="button" class="button small" onclick={onchoose.reform(|_| true)}>{ label::CREATE_ACCOUNT }</button>
        </p>
    }
}

/// Why the registry ended the last session, if it did.
fn ended(state: &Page) -> Html {
    match state.ended {
        Some(problem) => html! {
            <p class="notice-box" role="status">{ sentence(&wording::signed_out(problem)) }</p>
        },
        None => html! {},
    }
}
