//! To compare codes with a user.

use p2pchat_model::wording::label;
use p2pchat_model::{Command, Username, printable};
use yew::prelude::*;

use crate::browser::effect::use_effect_on;
use crate::context::{Context, use_app};
use crate::logic::sentence::{capitalized, failed};
use crate::state::KnownCode;

use super::trust_mark::trust_mark;

/// What [`use_codes`] need.
#[derive(PartialEq)]
pub struct Props {
    /// The user.
    pub name: Username,
}

/// The code of the user and that of another, and what they say about it.
#[hook]
pub fn use_codes(props: &Props) -> Html {
    let context = use_app();
    let name = props.name;
    let differ = use_state_eq(|| false);
    {
        let send = context.send.clone();
        use_effect_on(name, move |name| send.emit(Command::Code { name: *name }));
    }
    let state = &context.state;
    let own = state.view.as_ref().and_then(|view| view.get().identity);
    let own = own.and_then(|identity| identity.code);
    let shown = |code: Option<String>| code.unwrap_or_else(|| label::WAITING.to_owned());
    let theirs = state.code.filter(|known| known.name == name);
    let owner = printable(name.as_str()).into_owned();
    let ondiffer = {
        let differ = differ.setter();
        move |_: MouseEvent| differ.set(true)
    };
    html! {
        <>
            <p>{ label::COMPARE_CODES_HOW }</p>
            <dl class="codes">
                <div><dt>{ "Your code" }</dt><dd><code>{ shown(own.map(|code| code.to_string())) }</code></dd></div>
                <div><dt><span><bdi>{ owner }</bdi>{ "’s code" }</span>{ theirs.map(|known| trust_mark(known.trust)) }</dt>
                    <dd><code>{ shown(theirs.map(|known| known.code.to_string())) }</code></dd></div>
            </dl>
            <p class="form-error" role="alert">
                { state.failure("code").or(state.failure("trust")).map(failed) }
                if *differ { { label::DO_NOT_TRUST } }
            </p>
            if let Some(known) = theirs {
                <div class="question-buttons">
                    { answers(&context, known) }
                    <button type="button" class="button danger" onclick={ondiffer}>{ label::THEY_DO_NOT_MATCH }</button>
                </div>
            }
        </>
    }
}

fn answers(context: &Context, known: KnownCode) -> Html {
    let KnownCode { name, code, trust } = known;
    let button = |words: &'static str, verified: bool| {
        let class = verified.then_some("primary");
        let send = context.send.clone();
        let onclick = move |_: MouseEvent| {
            send.emit(Command::Trust {
                name,
                code,
                verified,
            });
        };
        html! {
            <button type="button" class={classes!("button", class)} {onclick} disabled={!context.state.is_live()}>{ capitalized(words) }</button>
        }
    };
    let buttons = trust.answers().iter();
    buttons
        .map(|&(words, verified)| button(words, verified))
        .collect()
}
