//! A text field.

use web_sys::HtmlInputElement;
use yew::prelude::*;

/// What a [`Field`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The id of the input.
    pub id: &'static str,
    /// Its label.
    pub label: &'static str,
    /// Its value.
    pub value: String,
    /// What is wrong with the value.
    #[prop_or_default]
    pub error: Option<AttrValue>,
    /// What is worth knowing, if nothing is wrong.
    #[prop_or_default]
    pub hint: Option<AttrValue>,
    /// Whether the letters are hidden.
    #[prop_or_default]
    pub hidden: bool,
    /// For the password manager of the browser.
    #[prop_or_default]
    pub autocomplete: &'static str,
    /// Called with the new value.
    #[prop_or_default]
    pub oninput: Callback<String>,
    /// What stands at the end of the field.
    #[prop_or_default]
    pub children: Html,
}

/// A text field with its label, and a note below it.
#[component]
pub fn Field(props: &Props) -> Html {
    let invalid = props.error.is_some();
    let note_id = format!("{}-note", props.id);
    let note = props.error.clone().or(props.hint.clone());
    let oninput = {
        let oninput = props.oninput.clone();
        move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                oninput.emit(input.value());
            }
        }
    };
    html! {
        <div class={classes!("field", invalid.then_some("invalid"))}>
            <label for={props.id}>{ props.label }</label>
            <div class="field-box">
                <input id={props.id} name={props.id} value={props.value.clone()} {oninput}
                    type={if props.hidden { "password" } else { "text" }}
                    autocomplete={props.autocomplete} autocapitalize="none" spellcheck="false"
                    aria-invalid={invalid.to_string()} aria-describedby={note_id.clone()} />
                { props.children.clone() }
            </div>
            <p id={note_id} class="field-note" aria-live="polite">{ note.unwrap_or_default() }</p>
        </div>
    }
}
