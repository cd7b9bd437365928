//! Signing in again, while the chat goes on.

use p2pchat_model::wording::label;
use p2pchat_model::{Command, Passphrase, Username, printable};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::context::use_app;
use crate::logic::sentence::{failed, sentence};

use super::icon::{Glyph, icon};
use super::sign_in::is_waiting;

const INPUT: &str = "again-password";

/// What a [`use_sign_in_again`] needs.
#[derive(PartialEq)]
pub struct Props {
    /// The account.
    pub name: Username,
}

/// Asks for the password of the account that is signed in: another program of the user had it,
/// and has ended. A line at the top, so that the chat stays in sight.
#[hook]
pub fn use_sign_in_again(props: &Props) -> Html {
    let context = use_app();
    let state = &context.state;
    let name = props.name;
    let password = use_state(String::new);
    let wrong = use_state(|| None::<String>);
    let oninput = {
        let password = password.setter();
        move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                password.set(input.value());
            }
        }
    };
    let onsubmit = {
        let (password, wrong, send) = (password.clone(), wrong.setter(), context.send.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            match Passphrase::new(&password) {
                Ok(password) => {
                    wrong.set(None);
                    send.emit(Command::login(name, password));
                }
                Err(error) => wrong.set(Some(sentence(&error.to_string()))),
            }
        }
    };
    let waits = is_waiting(state);
    let wrong = (*wrong)
        .clone()
        .or_else(|| state.failure("login").map(failed));
    html! {
        <form class="banner warn" {onsubmit} novalidate=true aria-label={label::SIGN_IN}>
            { icon(Glyph::Warning) }
            <span class="banner-words"><b>{ label::PASSWORD_NEEDED }</b>{ " " }{ label::WITHOUT_PASSWORD }
                <span class="sign-in-wrong" role="alert">{ wrong.unwrap_or_default() }</span>
            </span>
            <span class="sign-in-again">
                <label for={INPUT}>{ format!("{} of {}", label::PASSWORD, printable(name.as_str())) }</label>
                <input class="unseen" name="username" autocomplete="username" value={name.to_string()} readonly=true tabindex="-1" aria-hidden="true" />
                <span class="field-box"><input id={INPUT} type="password" value={(*password).clone()} {oninput} autocomplete="current-password" /></span>
                <button type="submit" class="button small primary" disabled={waits || !state.is_live()} aria-busy={waits.to_string()}>
                    { if waits { label::WAITING } else { label::SIGN_IN } }</button>
            </span>
        </form>
    }
}
