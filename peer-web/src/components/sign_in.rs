//! Signing in, and making an account.

use p2pchat_model::{Command, Link, Password, Problem, Username, View, printable};
use yew::prelude::*;

use crate::app::use_page;
use crate::browser::{hooks::toggle, page};
use crate::state::Page;

use super::banner::banner;
use super::brand::brand;
use super::field::{Field, field};
use super::icon::{Glyph, icon};

const NAME: &str = "sign-in-name";
const PASSWORD: &str = "sign-in-password";

/// What is wrong, beside the field where it is.
#[derive(Default)]
struct Errors {
    name: Option<AttrValue>,
    password: Option<AttrValue>,
    form: Option<AttrValue>,
}

/// The form to sign in, or to make an account.
#[component]
pub fn SignIn() -> Html {
    let context = use_page();
    let state = &context.state;
    let new = use_state(|| false);
    let name = use_state(String::new);
    let password = use_state(String::new);
    let shown = use_state(|| false);
    let tried = use_state(|| false);
    use_effect_with((), |()| page::focus(NAME));

    let errors = errors(state, &name, &password, *new, *tried);
    let onsubmit = {
        let (name, password, new) = (name.clone(), password.clone(), *new);
        let (tried, send) = (tried.setter(), context.send.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            tried.set(true);
            match command(&name, &password, new) {
                Some(command) => send.emit(command),
                None => page::focus(if check_name(&name, new).is_some() {
                    NAME
                } else {
                    PASSWORD
                }),
            }
        }
    };
    let choose = |which: bool| {
        let (new, tried) = (new.setter(), tried.setter());
        move |_: MouseEvent| {
            new.set(which);
            tried.set(false);
            page::focus(NAME);
        }
    };
    let waits = state.pending.session;
    let ready = state.is_live() && !waits;
    html! {
        <div class="sign-in-page">
            { banner(&context) }
            <main class="gate">
                <form class="card sign-in" {onsubmit} novalidate=true aria-labelledby="sign-in-title">
                    { brand() }
                    <h1 id="sign-in-title">{ if *new { "Make an account" } else { "Sign in" } }</h1>
                    <p class="lead">{ "Your texts go straight to the people you chat with. Nobody stands in between." }</p>
                    { ended(state) }
                    <div class="tabs" role="group" aria-label="Account">
                        <button type="button" aria-pressed={(!*new).to_string()} onclick={choose(false)}>{ "I have an account" }</button>
                        <button type="button" aria-pressed={new.to_string()} onclick={choose(true)}>{ "I am new" }</button>
                    </div>
                    { name_field(&name, *new, errors.name) }
                    { password_field(&password, &shown, *new, errors.password) }
                    <p class="form-error" role="alert">{ errors.form.unwrap_or_default() }</p>
                    <button type="submit" class="button primary wide" disabled={!ready} aria-busy={waits.to_string()}>
                        { match (waits, *new) {
                            (true, _) => "One moment…",
                            (false, true) => "Make the account",
                            (false, false) => "Sign in",
                        } }
                    </button>
                    { place(state) }
                </form>
            </main>
        </div>
    }
}

fn name_field(name: &UseStateHandle<String>, new: bool, error: Option<AttrValue>) -> Html {
    field(Field {
        id: NAME,
        label: "Name",
        hint: name_hint(name, new),
        oninput: set(name),
        value: (**name).clone(),
        max: Username::MAX,
        error,
        autocomplete: "username",
        ..Field::default()
    })
}

/// `shown` is whether the letters are.
fn password_field(
    password: &UseStateHandle<String>,
    shown: &UseStateHandle<bool>,
    new: bool,
    error: Option<AttrValue>,
) -> Html {
    field(Field {
        id: PASSWORD,
        label: "Password",
        hint: password_hint(password, new),
        oninput: set(password),
        value: (**password).clone(),
        max: Password::MAX,
        error,
        hidden: !**shown,
        autocomplete: if new {
            "new-password"
        } else {
            "current-password"
        },
        end: html! {
            <button type="button" class="icon-button" aria-pressed={shown.to_string()}
                aria-label="Show the password" onclick={toggle(shown)}>{ icon(Glyph::Eye) }</button>
        },
    })
}

fn set(field: &UseStateHandle<String>) -> Callback<String> {
    let field = field.setter();
    Callback::from(move |text| field.set(text))
}

fn command(name: &str, password: &str, new: bool) -> Option<Command> {
    if check_name(name, new).is_some() {
        return None;
    }
    let (name, password) = (Username::new(name).ok()?, Password::new(password).ok()?);
    Some(match new {
        true => Command::Register { name, password },
        false => Command::Login { name, password },
    })
}

fn check_name(name: &str, new: bool) -> Option<String> {
    let checked = Username::new(name).and_then(|name| match new {
        true => name.check_new(),
        false => Ok(()),
    });
    checked.err().map(|error| error.to_string())
}

fn errors(state: &Page, name: &str, password: &str, new: bool, tried: bool) -> Errors {
    let mut errors = Errors::default();
    let command = if new { "register" } else { "login" };
    if let (Some(failure), false) = (state.failure(command), state.pending.session) {
        let message = Some(AttrValue::from(printable(&failure.message).into_owned()));
        match failure.problem {
            Problem::NameTaken | Problem::BadName => errors.name = message,
            Problem::BadPassword | Problem::WrongCredentials => errors.password = message,
            _ => errors.form = message,
        }
    }
    // Before the first try only what can no longer become right is told.
    if tried || name.len() > Username::MAX || (new && !name.is_empty()) {
        errors.name = check_name(name, new).map(AttrValue::from).or(errors.name);
    }
    if tried || password.len() > Password::MAX {
        let wrong = Password::new(password)
            .err()
            .map(|error| error.to_string().into());
        errors.password = wrong.or(errors.password);
    }
    errors
}

fn name_hint(name: &str, new: bool) -> Option<AttrValue> {
    let full = new && name.len() == Username::MAX;
    full.then(|| {
        "Programs of 2017 do not understand a name this long; one byte less and they do.".into()
    })
}

fn password_hint(password: &str, new: bool) -> Option<AttrValue> {
    let full = new && password.len() == Password::MAX;
    full.then(|| {
        "Programs of 2017 do not understand a password this long; one byte less and they do.".into()
    })
}

fn ended(state: &Page) -> Html {
    match state.ended {
        Some(problem) => html! {
            <p class="notice-box" role="status">{ format!("The registry ended your session: {}.", problem.words()) }</p>
        },
        None => html! {},
    }
}

/// Where we are, and whether the registry is there.
fn place(state: &Page) -> Html {
    let Some(view) = &state.view else {
        return html! {};
    };
    let view = view.get();
    let (is, words) = match &view.link {
        Link::Up => ("ok", "connected"),
        Link::Connecting => ("wait", "connecting…"),
        Link::Down { .. } => ("down", "out of reach"),
    };
    html! {
        <dl class="place">
            <div><dt>{ "Registry" }</dt><dd><span class="dot" data-is={is} aria-hidden="true"></span>
                { registry_name(&view) }{ " · " }{ words }</dd></div>
            if let Some(address) = view.address {
                <div><dt>{ "Your address" }</dt><dd>{ address.to_string() }</dd></div>
            }
        </dl>
    }
}

fn registry_name(view: &View) -> String {
    printable(&view.registry).into_owned()
}
