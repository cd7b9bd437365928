//! A text field that knows how many bytes fit.

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
    /// How many bytes of UTF-8 fit.
    pub max: usize,
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

/// How few bytes are left when it is told, so that the limit is no surprise.
const FEW: usize = 2;

/// A text field. It counts bytes: letters beyond ASCII take several.
#[component]
pub fn Field(props: &Props) -> Html {
    let used = props.value.len();
    let over = used > props.max;
    let invalid = over || props.error.is_some();
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
            <div class="field-top">
                <label for={props.id}>{ props.label }</label>
                <span class={classes!("field-count", over.then_some("over"))}>{ left(used, props.max) }</span>
            </div>
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

fn left(used: usize, max: usize) -> String {
    match max.checked_sub(used) {
        Some(left) if left <= FEW => format!("{left} left"),
        Some(_) => String::new(),
        None => format!("{} too many", used - max),
    }
}
