//! A text field that knows how many bytes fit.

use web_sys::HtmlInputElement;
use yew::prelude::*;

/// What a [`field`] needs.
#[derive(Default)]
pub struct Field {
    /// The id of the input.
    pub id: &'static str,
    /// What is asked for.
    pub label: &'static str,
    /// What is in it.
    pub value: String,
    /// How many bytes of UTF-8 fit.
    pub max: usize,
    /// What is wrong with it.
    pub error: Option<AttrValue>,
    /// What is worth knowing, if nothing is wrong.
    pub hint: Option<AttrValue>,
    /// Whether the letters are hidden.
    pub hidden: bool,
    /// For the browser's own memory.
    pub autocomplete: &'static str,
    /// Called with what it should hold.
    pub oninput: Callback<String>,
    /// What stands at the end of the field.
    pub end: Html,
}

/// A text field. The bytes are counted while one types, because letters beyond ASCII take
/// several and the limit would come as a surprise.
pub fn field(field: Field) -> Html {
    let used = field.value.len();
    let over = used > field.max;
    let note_id = format!("{}-note", field.id);
    let oninput = move |event: InputEvent| {
        if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
            field.oninput.emit(input.value());
        }
    };
    let bad = over || field.error.is_some();
    let note = field.error.or(field.hint);
    html! {
        <div class="field" data-is={bad.then_some("bad")}>
            <div class="field-top">
                <label for={field.id}>{ field.label }</label>
                <span class="field-count" data-is={over.then_some("over")}>
                    { format!("{used} of {} bytes", field.max) }
                </span>
            </div>
            <div class="field-box">
                <input id={field.id} value={field.value} {oninput}
                    type={if field.hidden { "password" } else { "text" }}
                    autocomplete={field.autocomplete} autocapitalize="none" spellcheck="false"
                    aria-invalid={bad.to_string()} aria-describedby={note_id.clone()} />
                { field.end }
            </div>
            <p id={note_id} class="field-note" aria-live="polite">{ note.unwrap_or_default() }</p>
        </div>
    }
}
