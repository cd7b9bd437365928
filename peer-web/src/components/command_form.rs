//! A form that sends one command.

use p2pchat_model::Command;
use p2pchat_model::wording::label;
use yew::prelude::*;

use crate::context::use_app;
use crate::logic::sentence::with_advice;

/// What a [`CommandForm`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The name of the command.
    pub name: &'static str,
    /// The command, if the fields give one.
    pub command: Option<Command>,
    /// The word on the button.
    pub submit: &'static str,
    /// What is told once it is carried out.
    pub done: &'static str,
    /// The fields.
    pub children: Html,
}

/// A form that sends one command, and tells what became of it.
#[component]
pub fn CommandForm(props: &Props) -> Html {
    let context = use_app();
    let state = &context.state;
    let (command, send) = (props.command.clone(), context.send.clone());
    let onsubmit = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some(command) = &command {
            send.emit(command.clone());
        }
    };
    let waits = state.waits_for(&[props.name]);
    let failure = state.failure(props.name).map(with_advice);
    let done = (state.done == Some(props.name)).then_some(props.done);
    html! {
        <form class="command-form" {onsubmit} novalidate=true>
            { props.children.clone() }
            <p class="form-error" role="alert">{ failure.unwrap_or_default() }</p>
            <p class="form-end">
                <span role="status">{ done }</span>
                <button type="submit" class="button" disabled={waits || props.command.is_none() || !state.is_live()}
                    aria-busy={waits.to_string()}>{ if waits { label::WAITING } else { props.submit } }</button>
            </p>
        </form>
    }
}
