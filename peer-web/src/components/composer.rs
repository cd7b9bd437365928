//! The message field.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use p2pchat_model::wording::{chat as words, label};
use p2pchat_model::{Command, ConversationId, Line, Post, PostState, Timestamp, printable};
use web_sys::{HtmlElement, HtmlTextAreaElement};
use yew::prelude::*;

use crate::browser::effect::{use_effect_on, use_stable};
use crate::browser::{
    element,
    hooks::{use_dropped_file, use_escape, use_leave, use_size},
    keys, page,
    storage::Drafts,
};
use crate::context::{Context, use_app};
use crate::logic::outgoing::{self, CannotSend};
use crate::part;
use crate::state::{About, Action};

use super::buttons::close_button;
use super::composer_note::composer_note;
use super::emoji::use_emoji_picker;
use super::icon::{Glyph, icon};

/// The id of the text field.
pub const ID: &str = page::COMPOSER;
/// How long typing pauses before the text is shared, in milliseconds.
const PAUSE: u32 = 500;
/// How long after the last key the user may still be typing, in milliseconds.
const TYPING: u64 = 3_000;
/// How long it takes at least until the others are told again that the user is typing, in
/// milliseconds.
const TELL_TYPING: u64 = 3_000;
/// The greatest height of the field, in CSS pixels.
const TALLEST: f64 = 200.0;

/// The text field and what belongs to it. What cannot be sent stays there, and a line below
/// says why.
#[hook]
pub fn use_composer() -> Html {
    let context = use_app();
    let conversation = context.state.shown();
    let about = context.state.about;
    let (text, set) = use_draft(&context);
    let node = use_node_ref();
    use_about(&context, &text, &set);
    use_restore(&context, &text, &set);
    let shared = use_shared_draft(&context, &text, &set);
    use_grow(&node, &text);
    // The text that the user tried to send last: it is said why it is still here.
    let tried = use_state_eq(|| None::<String>);

    let alone = is_alone(&context);
    let opens = context.state.opens();
    let command = outgoing::command(conversation, &text, context.state.is_live(), alone);
    let command = command.map(|command| with_about(command, about));
    let dropped = use_state_eq(|| None::<String>);
    {
        let (dropped, text) = (dropped.setter(), text.clone());
        use_dropped_file(Callback::from(move |()| dropped.set(Some((*text).clone()))));
    }
    let is_file = dropped.as_ref() == Some(&*text);
    // To send a change that is none would mark the message as edited.
    let is_same = matches!(about, Some(About::Edit(id))
        if post_of(&context, |post| post.id == id && post.text == *text).is_some());
    let problem = command.as_ref().err().copied();
    let submit = {
        let (send, set, tried) = (context.send.clone(), set.clone(), tried.setter());
        let (text, shared, dispatch) = (text.clone(), shared.clone(), context.dispatch.clone());
        Callback::from(move |()| {
            match &command {
                Ok(command) => {
                    if !is_same {
                        send.emit(command.clone());
                    }
                    set.emit(String::new());
                    shared.tell("");
                    if about.is_some() {
                        dispatch.dispatch(Action::About(None));
                    }
                }
                Err(_) => tried.set(Some((*text).clone())),
            }
            page::focus(ID);
        })
    };
    let onkeydown = on_key(&context, &submit, text.is_empty());
    let onpick = insert_emoji(&node, &set);
    let oninput = {
        let (shared, send) = (shared.clone(), context.send.clone());
        move |event: InputEvent| {
            if let Some(field) = event.target_dyn_into::<HtmlTextAreaElement>() {
                shared.typed_at.set(page::now());
                if conversation != ConversationId::OPEN {
                    shared.tell_typing(&send, conversation);
                }
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
    let placeholder = if opens {
        label::WAITING
    } else if alone {
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
            { about.map(|about| about_bar(&context, about)) }
            // What is written while another conversation is opened is not for this one.
            <fieldset class="composer-box" disabled={opens}>
                { part!(use_emoji_picker, super::emoji::Props { onpick }) }
                <textarea id={ID} ref={node} rows="1" value={(*text).clone()} {placeholder} {oninput} {onkeydown} {onblur}
                    aria-label="Message" title="Enter sends, Shift Enter begins a new line" aria-describedby="composer-note" autocomplete="off" dir="auto" />
                <button type="submit" class="send" disabled={problem == Some(CannotSend::Empty)}
                    aria-label="Send" title="Send">{ icon(Glyph::Send) }</button>
            </fieldset>
            { composer_note(&context, &text, shown, tried) }
        </form>
    }
}

fn is_alone(context: &Context) -> bool {
    let view = context.state.view.as_ref();
    view.is_none_or(|view| {
        let chat = view.chat();
        chat.chat.is_none() && chat.is_alone()
    })
}

/// The command as a reply, or as a change of an earlier message.
fn with_about(command: Command, about: Option<About>) -> Command {
    let Command::Say {
        conversation, text, ..
    } = command
    else {
        return command;
    };
    match about {
        Some(About::Edit(message)) => Command::Edit {
            conversation,
            message,
            text,
        },
        about => {
            let reply_to = match about {
                Some(About::Reply(message)) => Some(message),
                _ => None,
            };
            Command::Say {
                conversation,
                text,
                reply_to,
            }
        }
    }
}

/// What the message is about, and a button to write one that is not.
fn about_bar(context: &Context, about: About) -> Html {
    let (About::Reply(id) | About::Edit(id)) = about;
    let shown = post_of(context, |post| post.id == id);
    let shown = shown.map(|post| (post.from.to_string(), words::text(&post).to_owned()));
    let (from, text) = shown.unwrap_or_default();
    let (glyph, from) = match about {
        About::Reply(_) => (Glyph::Reply, format!("{}: {from}", words::REPLY)),
        About::Edit(_) => (Glyph::Edit, words::EDITING.to_owned()),
    };
    let onclick = {
        let dispatch = context.dispatch.clone();
        Callback::from(move |_| {
            dispatch.dispatch(Action::About(None));
            page::focus(ID);
        })
    };
    html! {
        <div class="about">
            { icon(glyph) }
            <span class="about-words"><b>{ printable(&from).into_owned() }</b>{ " " }{ printable(&text).into_owned() }</span>
            { close_button(label::CANCEL, onclick) }
        </div>
    }
}

/// The newest message of the conversation that is so.
fn post_of(context: &Context, wanted: impl Fn(&Post) -> bool) -> Option<Rc<Post>> {
    let view = context.state.view.as_ref()?;
    let chat = view.shown();
    chat.lines.iter().rev().find_map(|line| match line {
        Line::Post(post) if wanted(post) => Some(Rc::new((**post).clone())),
        _ => None,
    })
}

/// While an earlier message is changed, the field has its text, and then again what was begun.
#[hook]
fn use_about(context: &Context, text: &UseStateHandle<String>, set: &Callback<String>) {
    let before = use_mut_ref(|| None::<String>);
    let about = context.state.about;
    {
        let dispatch = context.dispatch.clone();
        let cancel = use_stable(move |()| dispatch.dispatch(Action::About(None)));
        use_escape(about.is_some(), cancel);
    }
    let (context, text, set) = (context.clone(), text.clone(), set.clone());
    use_effect_on(about, move |about| {
        if let Some(About::Edit(id)) = *about {
            if let Some(post) = post_of(&context, |post| post.id == id) {
                let begun = before.take().unwrap_or_else(|| (*text).clone());
                before.replace(Some(begun));
                set.emit(post.text.clone());
            }
        } else if let Some(begun) = before.take() {
            set.emit(begun);
        }
    });
}

/// Enter sends. In an empty field, the key up leads back to the last message, to change it.
fn on_key(context: &Context, submit: &Callback<()>, is_empty: bool) -> Callback<KeyboardEvent> {
    let (context, submit) = (context.clone(), submit.clone());
    Callback::from(
        move |event: KeyboardEvent| match keys::pressed(&event).as_deref() {
            Some("Enter") if !event.shift_key() => {
                event.prevent_default();
                submit.emit(());
            }
            Some("ArrowUp") if is_empty => {
                let is_it = |post: &Post| post.is_own() && post.state == PostState::Shown;
                context.dispatch.dispatch(Action::Latest);
                if let Some(post) = post_of(&context, is_it) {
                    event.prevent_default();
                    let about = Some(About::Edit(post.id));
                    context.dispatch.dispatch(Action::About(about));
                }
            }
            _ => {}
        },
    )
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
    let shown = context.state.shown();
    let is_edit = matches!(context.state.about, Some(About::Edit(_)));
    let drafts = use_memo((), |()| {
        let account = view.as_ref().and_then(|view| view.get().account);
        let account = account.map(|name| name.to_string()).unwrap_or_default();
        Drafts::of(&account, shown)
    });
    let says_again = context.state.says_again;
    let text = use_state(|| {
        let taken = view
            .as_ref()
            .map(|view| drafts.take(&view.get(), says_again));
        taken.unwrap_or_default()
    });
    {
        let drafts = drafts.clone();
        use_leave(Callback::from(move |()| drafts.leave()));
    }
    let setter = text.setter();
    let set = Callback::from(move |new: String| {
        if !is_edit {
            drafts.keep(&new);
        }
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
    /// When the others were told that the user is typing.
    told_at: Rc<Cell<Timestamp>>,
    /// The conversation.
    conversation: ConversationId,
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
            let (conversation, text) = (self.conversation, text.to_owned());
            send.emit(Command::Draft { conversation, text });
        }
    }

    /// Tells the others in the conversation that the user is typing, now and then.
    fn tell_typing(&self, send: &Callback<Command>, conversation: ConversationId) {
        let now = page::now();
        if now.0.saturating_sub(self.told_at.get().0) >= TELL_TYPING {
            self.told_at.set(now);
            send.emit(Command::Typing { conversation });
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
    let is_edit = matches!(context.state.about, Some(About::Edit(_)));
    let shared = SharedDraft {
        known: use_mut_ref(|| draft.text.to_string()),
        typed_at: use_memo((), |()| Cell::new(Timestamp(0))),
        told_at: use_memo((), |()| Cell::new(Timestamp(0))),
        conversation: context.state.shown(),
        send: (is_live && !is_edit).then(|| context.send.clone()),
    };
    {
        let (shared, text, set) = (shared.clone(), text.clone(), set.clone());
        use_effect_on(draft.clone(), move |draft| {
            if shared.take(&draft.text, &text) {
                set.emit(draft.text.to_string());
            }
        });
    }
    {
        let shared = shared.clone();
        let deps = ((**text).clone(), is_live, draft.nth);
        use_effect_on(deps, move |(text, ..)| {
            let text = text.clone();
            let timer = Timeout::new(PAUSE, move || shared.tell(&text));
            move || drop(timer)
        });
    }
    use_tell_at_end(&shared, text);
    shared
}

/// Shares what is typed when another conversation is shown.
#[hook]
fn use_tell_at_end(shared: &SharedDraft, text: &str) {
    let latest = use_mut_ref(|| None);
    *latest.borrow_mut() = Some((shared.clone(), text.to_owned()));
    use_effect_on((), move |()| {
        move || {
            if let Some((shared, text)) = latest.take() {
                shared.tell(&text);
            }
        }
    });
}

/// Brings a text back that was not sent, before what was begun meanwhile.
#[hook]
fn use_restore(context: &Context, text: &UseStateHandle<String>, set: &Callback<String>) {
    let (text, set) = (text.clone(), set.clone());
    let dispatch = context.dispatch.clone();
    use_effect_on(context.state.unsent.clone(), move |unsent| {
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

/// Lets the field grow with its text, and with its lines where it has another width.
#[hook]
fn use_grow(node: &NodeRef, text: &str) {
    let grow = {
        let node = node.clone();
        use_stable(move |()| {
            if let Some(field) = node.cast::<HtmlElement>() {
                element::unset(&field, "height");
                let wanted = f64::from(field.scroll_height());
                // Nothing is known of one that is not shown.
                if wanted > 0.0 {
                    element::set_px(&field, "height", wanted.min(TALLEST));
                }
            }
        })
    };
    use_size(node.clone(), grow.clone());
    use_effect_on(text.to_owned(), move |_| grow.emit(()));
}
