//! To bring the key of the user from another computer.

use p2pchat_model::Command;
use p2pchat_model::wording::label;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::browser::file;
use crate::context::use_app;

use super::command_form::{Form, command_form};
use super::field::{Field, field, set};
use super::password_fields::use_password;

/// A file or a text, and the password that it was exported with.
#[hook]
pub fn use_import_form() -> Html {
    let context = use_app();
    let text = use_state(String::new);
    let (password, password_field) = use_password("import-password", "Password of the file");
    let onfile = {
        let onread = set(&text);
        move |event: Event| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                file::read(&input, onread.clone());
            }
        }
    };
    let identity = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let command = identity
        .zip(password)
        .map(|(identity, password)| Command::ImportIdentity { identity, password });
    html! {
        { command_form(&context, Form { name: "import_identity", command, submit: label::IMPORT_IDENTITY, done: "This computer signs in as you now: sign in with your name.", children: html! { <><div class="field">
                <label for="import-file">{ "Exported file" }</label>
                <input id="import-file" type="file" onchange={onfile} />
            </div>
            { field(Field { id: "import-text", label: "or its text", value: (*text).clone(), oninput: set(&text), autocomplete: "off", ..Field::default() }) }
            { password_field }</> } }) }
    }
}
