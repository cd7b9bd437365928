//! Fields for passwords.

use p2pchat_model::Passphrase;
use p2pchat_model::wording::{self, label};
use yew::prelude::*;

use crate::logic::sentence::sentence;

use super::field::{Field, field, set};

/// The ids of the two fields for a new password, and the label of the first.
pub type NewPassword = (&'static str, &'static str, &'static str);

/// A field for a password that exists: what it holds, and the field.
#[hook]
pub fn use_password(id: &'static str, label: &'static str) -> (Option<Passphrase>, Html) {
    let value = use_state(String::new);
    let oninput = set(&value);
    let password = Passphrase::new(&value).ok();
    let field = html! {
        { field(Field { id, label, value: (*value).clone(), hidden: true, autocomplete: "current-password", oninput, ..Field::default() }) }
    };
    (password, field)
}

/// Two fields for a new password: what both hold, and the fields.
#[hook]
pub fn use_new_password(
    ids: NewPassword,
    hint: fn(&str) -> Option<String>,
) -> (Option<Passphrase>, Html) {
    let (id, again_id, label) = ids;
    let value = use_state(String::new);
    let again = use_state(String::new);
    let error = Passphrase::new(&value).err().filter(|_| !value.is_empty());
    let differs = *value != *again;
    let password = Passphrase::new(&value).ok().filter(|_| !differs);
    let differs = differs && again.len() >= value.len();
    let hint = wording::password::weak_password(&value, "")
        .map(str::to_owned)
        .or_else(|| hint(&value));
    let fields = html! {
        <>
            { field(Field { id, label, value: (*value).clone(), hidden: true, autocomplete: "new-password", oninput: set(&value), error: error.map(|error| AttrValue::from(sentence(&error.to_string()))), hint: hint.map(|hint| AttrValue::from(sentence(&hint))), ..Field::default() }) }
            { field(Field { id: again_id, label: label::PASSWORD_AGAIN, value: (*again).clone(), hidden: true, autocomplete: "new-password", oninput: set(&again), error: differs.then(|| AttrValue::from(sentence(label::PASSWORDS_DIFFER))), ..Field::default() }) }
        </>
    };
    (password, fields)
}
