//! The registry has another key than the pinned one.

use p2pchat_model::wording::{label, security};
use p2pchat_model::{Command, Fingerprint, Link, printable};
use yew::prelude::*;

use crate::context::use_app;
use crate::logic::sentence::sentence;

use super::command_form::{Form, command_form};
use super::field::{Field, field, set};
use super::icon::{Glyph, icon};

/// A stop: both fingerprints, why they may differ, and a form that trusts the new key once its
/// fingerprint was typed as the operator of the registry has it. Nothing as long as the key is
/// the pinned one.
#[hook]
pub fn use_registry_changed() -> Html {
    let context = use_app();
    let typed = use_state(String::new);
    let view = context.state.view.as_ref().map(|view| view.get());
    let Some((view, &Link::KeyChanged { pinned, seen })) =
        view.as_ref().map(|view| (view, &view.link))
    else {
        return html! {};
    };
    let title = security::another_key(&view.registry);
    let confirmed = read(&typed);
    let is_whole = typed.trim().len() >= Fingerprint::LEN;
    let wrong = (is_whole && confirmed != Some(seen)).then_some(label::NOT_THE_NEW_KEY);
    let command = (confirmed == Some(seen)).then_some(Command::TrustRegistry { fingerprint: seen });
    html! {
        <section class="registry-changed" role="alert" aria-labelledby="registry-changed-title">
            <h2 id="registry-changed-title">{ icon(Glyph::Stop) }{ printable(&title).into_owned() }</h2>
            <p>{ security::OTHER_KEY_REASONS }</p>
            <dl class="codes">
                <div><dt>{ "Known" }</dt><dd><code>{ pinned.to_string() }</code></dd></div>
                <div><dt>{ "Seen now" }</dt><dd><code>{ seen.to_string() }</code></dd></div>
            </dl>
            { command_form(&context, Form { name: "trust_registry", command, submit: label::TRUST_NEW_KEY, done: "", children: html! { <>{ field(Field { id: "registry-fingerprint", label: "Fingerprint that its operator tells you", value: (*typed).clone(), oninput: set(&typed), error: wrong.map(|words| AttrValue::from(sentence(words))), autocomplete: "off", ..Field::default() }) }</> } }) }
        </section>
    }
}

/// A fingerprint as people write it; also at the end of a registry's name, as its operator may
/// tell that.
fn read(typed: &str) -> Option<Fingerprint> {
    let fingerprint = typed.rsplit('#').next().unwrap_or(typed);
    fingerprint.trim().parse().ok()
}
