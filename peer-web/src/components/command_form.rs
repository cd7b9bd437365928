//! A form that sends one command.

use p2pchat_model::Command;
use p2pchat_model::wording::label;
use yew::prelude::*;

use crate::context::Context;
use crate::logic::sentence::with_advice;

/// What a form needs.
pub struct Form {
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
pub fn command_form(context: &Context, form: Form) -> Html {
    let state = &context.state;
    let Form {
        name,
        command,
        submit,
        done,
        children,
    } = form;
    let (is_ready, send) = (command.is_some(), context.send.clone());
    let onsubmit = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some(command) = &command {
            send.emit(command.clone());
        }
    };
    let waits = state.waits_for(&[name]);
    let failure = state.failure(name).map(with_advice);
    let done = (state.done == Some(name)).then_some(done);
    html! {
        <form class="command-form" {onsubmit} novalidate=true>
            { children }
            <p class="form-error" role="alert">{ failure.unwrap_or_default() }</p>
            <p class="form-end">
                <span role="status">{ done }</span>
                <button type="submit" class="button" disabled={waits || !is_ready || !state.is_live()}
                    aria-busy={waits.to_string()}>{ if waits { label::WAITING } else { submit } }</button>
            </p>
        </form>
    }
}
