//! A text field.

use p2pchat_model::DisplayName;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::logic::sentence::sentence;

/// What a field is.
#[derive(Default)]
pub struct Field {
    /// The id of the input.
    pub id: &'static str,
    /// Its label.
    pub label: &'static str,
    /// Its value.
    pub value: String,
    /// What is wrong with the value.
    pub error: Option<AttrValue>,
    /// What is worth knowing, if nothing is wrong.
    pub hint: Option<AttrValue>,
    /// Whether it has the focus when its dialog opens.
    pub autofocus: bool,
    /// Whether the letters are hidden.
    pub hidden: bool,
    /// For the password manager of the browser.
    pub autocomplete: &'static str,
    /// Called with the new value.
    pub oninput: Callback<String>,
    /// What stands at the end of the field.
    pub children: Html,
}

/// A text field with its label, and a note below it.
pub fn field(field: Field) -> Html {
    let invalid = field.error.is_some();
    let note_id = format!("{}-note", field.id);
    let note = field.error.or(field.hint);
    let oninput = {
        let oninput = field.oninput;
        move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                oninput.emit(input.value());
            }
        }
    };
    html! {
        <div class={classes!("field", invalid.then_some("invalid"))}>
            <label for={field.id}>{ field.label }</label>
            <div class="field-box">
                <input id={field.id} name={field.id} value={field.value} {oninput}
                    type={if field.hidden { "password" } else { "text" }}
                    autocomplete={field.autocomplete} autocapitalize="none" spellcheck="false"
                    aria-invalid={invalid.to_string()} aria-describedby={note_id.clone()} autofocus={field.autofocus} />
                { field.children }
            </div>
            <p id={note_id} class="field-note" aria-live="polite">{ note.unwrap_or_default() }</p>
        </div>
    }
}

/// A field for what people call someone, or a group, and the name if it is one.
pub fn name_field(
    id: &'static str,
    label: &'static str,
    typed: &UseStateHandle<String>,
) -> (Html, Option<DisplayName>) {
    let name = DisplayName::new(typed.trim());
    let error = name.err().map(|error| sentence(&error.to_string()).into());
    let field = field(Field {
        id,
        label,
        value: (**typed).clone(),
        oninput: set(typed),
        error,
        autocomplete: "off",
        ..Field::default()
    });
    (field, name.ok())
}

/// Sets a value to what is typed.
pub fn set(value: &UseStateHandle<String>) -> Callback<String> {
    let value = value.setter();
    Callback::from(move |text| value.set(text))
}
