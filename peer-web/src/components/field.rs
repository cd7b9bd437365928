//! A text field that knows how many bytes fit.

use web_sys::HtmlInputElement;
use yew::prelude::*;

/// What a [`Field`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The id of the input.
    pub id: AttrValue,
    /// What is asked for.
    pub label: AttrValue,
    /// What is in it.
    pub value: AttrValue,
    /// How many bytes of UTF-8 fit.
    pub max: usize,
    /// What is wrong with it.
    #[prop_or_default]
    pub error: Option<AttrValue>,
    /// What is worth knowing, if nothing is wrong.
    #[prop_or_default]
    pub hint: Option<AttrValue>,
    /// Whether the letters are hidden.
    #[prop_or_default]
    pub hidden: bool,
    /// For the browser's own memory.
    #[prop_or("off".into())]
    pub autocomplete: AttrValue,
    /// Called with what it should hold.
    pub oninput: Callback<String>,
    /// What stands at the end of the field.
    #[prop_or_default]
    pub children: Html,
}

/// A text field. The bytes are counted while one types, because letters beyond ASCII take
/// several and the limit would come as a surprise.
#[component]
pub fn Field(props: &Props) -> Html {
    let used = props.value.len();
    let over = used > props.max;
    let note_id = format!("{}-note", props.id);
    let oninput = {
        let oninput = props.oninput.clone();
        move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                oninput.emit(input.value());
            }
        }
    };
    let note = props.error.clone().or_else(|| props.hint.clone());
    let bad = over || props.error.is_some();
    html! {
        <div class={classes!("field", bad.then_some("field-bad"))}>
            <div class="field-top">
                <label for={props.id.clone()}>{ &props.label }</label>
                <span class={classes!("field-count", over.then_some("over"))}>
                    { format!("{used} of {} bytes", props.max) }
                </span>
            </div>
            <div class="field-box">
                <input id={props.id.clone()} value={props.value.clone()} {oninput}
                    type={if props.hidden { "password" } else { "text" }}
                    autocomplete={props.autocomplete.clone()} autocapitalize="none" spellcheck="false"
                    aria-invalid={bad.to_string()} aria-describedby={note_id.clone()} />
                { props.children.clone() }
            </div>
            <p id={note_id} class="field-note" aria-live="polite">{ note.unwrap_or_default() }</p>
        </div>
    }
}
