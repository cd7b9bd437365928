//! The message field.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use p2pchat_model::wording::label;
use p2pchat_model::{Command, Timestamp};
use web_sys::{HtmlElement, HtmlTextAreaElement};
use yew::prelude::*;

use crate::browser::{
    element,
    hooks::{use_dropped_file, use_leave},
    keys, page,
    storage::Drafts,
};
use crate::context::{Context, use_app};
use crate::logic::outgoing::{self, CannotSend};
use crate::state::{Action, State};

use super::composer_note::ComposerNote;
use super::emoji::EmojiPicker;
use super::icon::{Glyph, icon};

/// The id of the text field.
pub const ID: &str = page::COMPOSER;
/// How long typing pauses before the text is shared, in milliseconds.
const PAUSE: u32 = 500;
/// How long after the last key the user may still be typing, in milliseconds.
const TYPING: u64 = 3_000;
/// The greatest height of the field, in CSS pixels.
const TALLEST: f64 = 200.0;

/// The text field and what belongs to it. What cannot be sent stays there, and a line below
/// says why.
#[component]
pub fn Composer() -> Html {
    let context = use_app();
    let (text, set) = use_draft(&context);
    let node = use_node_ref();
    use_restore(&context, &text, &set);
    let shared = use_shared_draft(&context, &text, &set);
    use_grow(&node, &text);
    // The text that the user tried to send last: it is said why it is still here.
    let tried = use_state_eq(|| None::<String>);

    let alone = is_alone(&context);
    let command = outgoing::command(&text, context.state.is_live(), alone);
    let dropped = use_state_eq(|| None::<String>);
    {
        let (dropped, text) = (dropped.setter(), text.clone());
        use_dropped_file(Callback::from(move |()| dropped.set(Some((*text).clone()))));
    }
    let is_file = dropped.as_ref() == Some(&*text);
    let problem = command.as_ref().err().copied();
    let submit = {
        let (send, set, tried) = (context.send.clone(), set.clone(), tried.setter());
        let (text, shared) = (text.clone(), shared.clone());
        Callback::from(move |()| {
            match &command {
                Ok(command) => {
                    send.emit(command.clone());
                    set.emit(String::new());
                    shared.tell("");
                }
                Err(_) => tried.set(Some((*text).clone())),
            }
            page::focus(ID);
        })
    };
    let onkeydown = submit_on_enter(&submit);
    let onpick = insert_emoji(&node, &set);
    let oninput = {
        let shared = shared.clone();
        move |event: InputEvent| {
            if let Some(field) = event.target_dyn_into::<HtmlTextAreaElement>() {
                shared.typed_at.set(page::now());
                set.emit(field.value());
            }
        }
    };
    let onblur = {
        let text = text.clone();
        move |_: FocusEvent| shared.tell(&text)
    };
    let onsubmit = move |event: SubmitEvent| {
        event.prevent_default();
        submit.emit(());
    };
    let placeholder = if alone {
        label::NO_CHAT
    } else {
        "Write a message"
    };
    let tried = is_file || tried.as_ref() == Some(&*text);
    let shown = if is_file {
        Some(CannotSend::File)
    } else {
        problem
    };
    html! {
        <form class="composer" {onsubmit}>
            <div class="composer-box">
                <EmojiPicker {onpick} />
                <textarea id={ID} ref={node} rows="1" value={(*text).clone()} {placeholder} {oninput} {onkeydown} {onblur}
                    aria-label="Message" aria-describedby="composer-note" autocomplete="off" dir="auto" />
                <button type="submit" class="send" disabled={problem == Some(CannotSend::Empty)}
                    aria-label="Send" title="Send">{ icon(Glyph::Send) }</button>
            </div>
            <ComposerNote text={(*text).clone()} problem={shown} {tried} />
        </form>
    }
}

fn is_alone(context: &Context) -> bool {
    let view = context.state.view.as_ref();
    view.is_none_or(|view| view.chat().is_alone())
}

fn submit_on_enter(submit: &Callback<()>) -> Callback<KeyboardEvent> {
    let submit = submit.clone();
    Callback::from(move |event: KeyboardEvent| {
        if keys::pressed(&event).as_deref() == Some("Enter") && !event.shift_key() {
            event.prevent_default();
            submit.emit(());
        }
    })
}

fn insert_emoji(node: &NodeRef, set: &Callback<String>) -> Callback<&'static str> {
    let (node, set) = (node.clone(), set.clone());
    Callback::from(move |emoji: &'static str| {
        if let Some(field) = node.cast::<HtmlTextAreaElement>() {
            set.emit(element::insert(&field, emoji));
        }
        page::focus(ID);
    })
}

/// The text in the field, which this tab keeps for the account until the peer has it, and what
/// sets it. A tab that is closed before leaves it to the next one.
#[hook]
fn use_draft(context: &Context) -> (UseStateHandle<String>, Callback<String>) {
    let view = context.state.view.clone();
    let drafts = use_memo((), |()| {
        let account = view.as_ref().and_then(|view| view.get().account);
        Drafts::of(&account.map(|name| name.to_string()).unwrap_or_default())
    });
    let says_again = context.state.says_again;
    let text = use_state(|| {
        let taken = view
            .as_ref()
            .map(|view| drafts.take(&view.chat(), says_again));
        taken.unwrap_or_default()
    });
    {
        let drafts = drafts.clone();
        use_leave(Callback::from(move |()| drafts.leave()));
    }
    let setter = text.setter();
    let set = Callback::from(move |new: String| {
        drafts.keep(&new);
        setter.set(new);
    });
    (text, set)
}

/// What the field shares with the other front ends.
#[derive(Clone)]
struct SharedDraft {
    /// The draft that all have, as far as this field knows.
    known: Rc<RefCell<String>>,
    /// When the user typed last.
    typed_at: Rc<Cell<Timestamp>>,
    /// `None` without a connection.
    send: Option<Callback<Command>>,
}

impl SharedDraft {
    /// Tells the others what is in the field, unless they know.
    fn tell(&self, text: &str) {
        if let Some(send) = &self.send
            && *self.known.borrow() != text
        {
            text.clone_into(&mut self.known.borrow_mut());
            let (conversation, text) = (State::SHOWN, text.to_owned());
            send.emit(Command::Draft { conversation, text });
        }
    }

    /// The others have another draft. Returns whether the field takes it: it holds the one
    /// before, and the user is not typing.
    fn take(&self, draft: &str, text: &str) -> bool {
        let before = self.known.replace(draft.to_owned());
        let is_typing = page::now().0.saturating_sub(self.typed_at.get().0) < TYPING;
        before == text && before != draft && !is_typing
    }
}

/// Shares what is typed with the other front ends once typing pauses, and takes what is typed
/// there.
#[hook]
fn use_shared_draft(
    context: &Context,
    text: &UseStateHandle<String>,
    set: &Callback<String>,
) -> SharedDraft {
    let draft = context.state.draft.clone();
    let is_live = context.state.is_live();
    let shared = SharedDraft {
        known: use_mut_ref(|| draft.text.to_string()),
        typed_at: (*use_memo((), |()| Rc::new(Cell::new(Timestamp(0))))).clone(),
        send: is_live.then(|| context.send.clone()),
    };
    {
        let (shared, text, set) = (shared.clone(), text.clone(), set.clone());
        use_effect_with(draft.clone(), move |draft| {
            if shared.take(&draft.text, &text) {
                set.emit(draft.text.to_string());
            }
        });
    }
    {
        let shared = shared.clone();
        let deps = ((**text).clone(), is_live, draft.nth);
        use_effect_with(deps, move |(text, ..)| {
            let text = text.clone();
            let timer = Timeout::new(PAUSE, move || shared.tell(&text));
            move || drop(timer)
        });
    }
    shared
}

/// Brings a text back that was not sent, before what was begun meanwhile.
#[hook]
fn use_restore(context: &Context, text: &UseStateHandle<String>, set: &Callback<String>) {
    let (text, set) = (text.clone(), set.clone());
    let dispatch = context.dispatch.clone();
    use_effect_with(context.state.unsent.clone(), move |unsent| {
        if let Some(unsent) = unsent {
            if text.is_empty() {
                set.emit(unsent.to_string());
            } else {
                set.emit(format!("{unsent}\n{}", *text));
            }
            dispatch.dispatch(Action::Restored);
        }
    });
}

/// Lets the field grow with its text.
#[hook]
fn use_grow(node: &NodeRef, text: &str) {
    let node = node.clone();
    use_effect_with(text.to_owned(), move |_| {
        if let Some(field) = node.cast::<HtmlElement>() {
            element::unset(&field, "height");
            let wanted = f64::from(field.scroll_height());
            element::set_px(&field, "height", wanted.min(TALLEST));
        }
    });
}
