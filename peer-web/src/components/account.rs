//! The account and its keys: what else can be set.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{Command, DisplayName, Identity, KnownRegistry, printable};
use yew::prelude::*;

use crate::browser::effect::use_effect_on;
use crate::browser::page;
use crate::context::{Context, use_app};
use crate::part;

use super::command_form::{Form, command_form};
use super::field::name_field;
use super::import_form::use_import_form;
use super::password_fields::{use_new_password, use_password};
use super::switch::switch;

/// The account and its keys.
#[hook]
pub fn use_account() -> Html {
    let context = use_app();
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let view = view.get();
    let onlegacy = {
        let send = context.send.clone();
        Callback::from(move |on| send.emit(Command::LegacyLogin { on }))
    };
    let part = |title: &'static str, content: Html| {
        html! { <details class="part"><summary>{ title }</summary><div class="part-body">{ content }</div></details> }
    };
    html! {
        <>
            { part!(use_display_name_form, DisplayNameProps { now: view.display_name }) }
            { switch(label::LEGACY_LOGIN, label::LEGACY_LOGIN_MEANS, view.legacy_login, !context.state.is_live(), &onlegacy) }
            { part(label::CHANGE_PASSWORD, part!(use_password_form)) }
            if let Some(identity) = view.identity { { part(label::IDENTITY, keys(&identity)) } }
            { part("Export identity", part!(use_export_form)) }
            { part(label::IMPORT_IDENTITY, html! { <><p>{ label::IMPORT_IDENTITY_MEANS }</p>{ part!(use_import_form) }</> }) }
            { part(label::KNOWN_REGISTRIES, part!(use_registries)) }
        </>
    }
}

fn keys(identity: &Identity) -> Html {
    let row = |words: &'static str, value: String| {
        html! { <div><dt>{ words }</dt><dd><code>{ value }</code></dd></div> }
    };
    let code = identity.code.map(|code| row("Your code", code.to_string()));
    html! {
        <dl class="codes">
            { code }
            { row("You, on every computer", identity.person.to_string()) }
            { row("This computer", identity.device.to_string()) }
        </dl>
    }
}

#[derive(PartialEq)]
struct DisplayNameProps {
    now: DisplayName,
}

#[hook]
fn use_display_name_form(props: &DisplayNameProps) -> Html {
    let context = use_app();
    let name = use_state(|| props.now.as_str().to_owned());
    let (children, checked) = name_field("display-name", label::DISPLAY_NAME, &name);
    let command = checked.map(|display_name| Command::DisplayName { display_name });
    html! {
        { command_form(&context, Form { name: "display_name", command, submit: "Save", done: "Others see it now.", children }) }
    }
}

#[hook]
fn use_password_form() -> Html {
    let context = use_app();
    let (old, old_field) = use_password("old-password", "Password now");
    let ids = ("new-password", "new-password-again", "New password");
    let (new, fields) = use_new_password(ids, |new| wording::password::long_password(new.len()));
    let command = old
        .zip(new)
        .map(|(old, new)| Command::ChangePassword { old, new });
    html! {
        { command_form(&context, Form { name: "change_password", command, submit: label::CHANGE_PASSWORD, done: "Your password is changed.", children: html! { <>{ old_field }{ fields }</> } }) }
    }
}

/// Gives the key of the user under a password of its own, as a file to save.
#[hook]
fn use_export_form() -> Html {
    let context = use_app();
    let exported = context.state.exported.clone();
    let ids = (
        "export-password",
        "export-password-again",
        "Password for the file",
    );
    let (password, fields) = use_new_password(ids, |_| None);
    let command = password.map(|password| Command::ExportIdentity { password });
    html! {
        <>
            <p>{ "Anyone with the file and its password can sign in as you." }</p>
            { command_form(&context, Form { name: "export_identity", command, submit: "Export", done: "", children: html! { <>{ fields }</> } }) }
            if let Some(exported) = exported {
                <a class="button" href={page::text_file(&exported)} download="p2pchat-identity.txt">{ "Save the file" }</a>
            }
        </>
    }
}

/// The registries that are pinned.
#[hook]
fn use_registries() -> Html {
    let context = use_app();
    let state = &context.state;
    {
        let send = context.send.clone();
        // At first, and again without the one that was forgotten.
        use_effect_on(state.done == Some("forget_registry"), move |_| {
            send.emit(Command::Registries);
        });
    }
    let row = |known: &KnownRegistry| registry(&context, known);
    html! { <ul class="registries">{ for state.registries.iter().map(row) }</ul> }
}

fn registry(context: &Context, known: &KnownRegistry) -> Html {
    let KnownRegistry {
        registry,
        fingerprint,
        since,
        ..
    } = known;
    let onclick = {
        let (send, registry) = (context.send.clone(), registry.clone());
        move |_: MouseEvent| {
            let registry = registry.clone();
            send.emit(Command::ForgetRegistry { registry });
        }
    };
    let name = printable(registry).into_owned();
    html! {
        <li key={registry.clone()}>
            <span class="request-words"><b>{ &name }</b>{ " since " }{ since }<br /><code>{ fingerprint.to_string() }</code></span>
            <button type="button" class="button small" {onclick} disabled={!context.state.is_live()}
                aria-label={format!("{} {name}", label::FORGET)}>{ label::FORGET }</button>
        </li>
    }
}
