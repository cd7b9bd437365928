//! The choice of a registry, before one is signed in.

use p2pchat_model::Command;
use p2pchat_model::wording::first;
use yew::prelude::*;

use crate::context::use_app;

use super::brand::brand;
use super::command_form::{Form, command_form};
use super::field::{Field, field, set};

/// Two forms: to go to a registry, and to start one here.
#[hook]
pub fn use_choose() -> Html {
    let context = use_app();
    let typed = use_state(String::new);
    let found = &context.state.found_registry;
    let value = if typed.is_empty() { found } else { &*typed };
    let registry = first::registry_in(value).to_owned();
    let command = (!registry.is_empty()).then_some(Command::UseRegistry { registry });
    html! {
        <div class="card sign-in">
            { brand() }
            <p class="lead">{ first::NEEDS_REGISTRY }</p>
            { command_form(&context, Form { name: "use_registry", command, submit: first::CONNECT, done: "", children: html! {
                { field(Field { id: "registry", label: first::REGISTRY, value: value.clone(), oninput: set(&typed),
                    hint: Some(first::HAS_ONE.into()), autocomplete: "off", ..Field::default() }) } } }) }
            { command_form(&context, Form { name: "start_registry", command: Some(Command::StartRegistry), submit: first::START_HERE, done: "", children: html! {
                <p>{ first::NO_ONE_HAS_ONE }</p> } }) }
        </div>
    }
}
