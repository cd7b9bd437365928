//! The screen of a user who is signed in: conversations and people on one side, the chat on the
//! other.

use gloo_events::EventListener;
use p2pchat_model::wording::chat as words;
use p2pchat_model::{ChatKind, Command, ConversationId, Standing, Trust, printable};
use yew::prelude::*;

use crate::browser::effect::{use_effect_on, use_stable};
use crate::browser::hooks::{use_keys, use_return_focus};
use crate::browser::{page, storage};
use crate::context::{Context, use_app};
use crate::logic::chats::beside;
use crate::part;
use crate::state::{Action, Sheet, ViewHandle};

use super::answer::{self, use_answer};
use super::banner::banner;
use super::buttons::small_button;
use super::chat_head::{BACK, Side, chat_head};
use super::composer::{self, use_composer};
use super::conversation::use_conversation_pane;
use super::details::use_details;
use super::finder::use_finder;
use super::key_line::{self, use_key_line};
use super::people::use_people;
use super::requests::requests;
use super::sheet::use_sheets;
use super::undo_bar::undo_bar;

/// From which width on, in CSS pixels, the details are open at the start.
const ROOMY: f64 = 1440.0;
/// From which width on what is beside the chat has room of its own, as the style sheet has it.
const BESIDE: f64 = 1080.0;

/// What has the keys to itself, beside the message field.
const FIELDS: &str = "input, textarea, select, dialog, .menu-panel";

/// What the entry of the search ends with in the browser's history.
const FIND: &str = "find";

/// The conversation that was shown last, for the next time.
const SHOWN: &str = "p2pchat.shown";

/// The screen of a user who is signed in.
#[hook]
pub fn use_chat() -> Html {
    let context = use_app();
    let here = context.state.shown();
    let is_encrypted = here != ConversationId::OPEN;
    let opened = use_state_eq(|| {
        let side = (page::size().0 >= ROOMY).then_some(Side::Details);
        side.map(|side| (side, here))
    });
    // A page of its own belongs to the conversation over which it was opened.
    let side = opened.filter(|(_, of)| *of == here || !page::is_narrow());
    let side = side.map(|(side, _)| side);
    let side = side.filter(|side| *side == Side::Find || is_encrypted);
    let onback = use_route(&context, side, opened.setter());
    use_first_member(&context);
    use_return_focus(opened.is_some());

    let onside = {
        let opened = opened.setter();
        Callback::from(move |which| {
            let opens = side != Some(which);
            opened.set(opens.then_some((which, here)));
        })
    };
    let ongo = {
        let opened = opened.setter();
        Callback::from(move |()| opened.set(None))
    };
    // Where it is a page of its own, it is left as by the browser's Back.
    let onclose = {
        let ongo = ongo.clone();
        Callback::from(move |()| match side_of(&page::route()) {
            Some(_) if page::is_narrow() => page::go_back(),
            _ => ongo.emit(()),
        })
    };
    use_shortcuts(&context, &onside);
    let onskip = |event: MouseEvent| {
        // The link would replace the fragment of the page's address, which is the secret.
        event.prevent_default();
        page::focus(composer::ID);
    };
    let shown = here.to_string();
    let pane = if context.state.lists {
        "shows-people"
    } else {
        "shows-chat"
    };
    html! {
        <div class={classes!("chat", pane)}>
            <a class="skip" href={format!("#{}", composer::ID)} onclick={onskip}>{ "Skip to the message field" }</a>
            { banner(&context) }
            <main class="panes">
                <h1 class="unseen">{ "p2pchat" }</h1>
                { part!(use_people) }
                <section class="chat-pane" aria-label="Chat">
                    { chat_head(&context, onback, side, &onside) }
                    <div class="chat-body">
                        <div class="chat-main">
                            { part!(use_conversation_pane, (), shown) }
                            { requests(&context, false) }
                            { foot(&context, &shown) }
                        </div>
                        if side == Some(Side::Find) { { part!(use_finder, super::finder::Props { onclose: onclose.clone(), ongo }) } }
                        if side == Some(Side::Details) {
                            { part!(use_details, super::details::Props { onclose, over: page::size().0 < BESIDE }) }
                        }
                    </div>
                </section>
            </main>
            { undo_bar(&context) }
            { part!(use_sheets) }
        </div>
    }
}

/// The message field, or what stands in its place.
fn foot(context: &Context, key: &str) -> Html {
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let (conversation, shown) = (view.id(), view.chat());
    let composer = part!(use_composer, (), key);
    let Some(chat) = &shown.chat else {
        return composer;
    };
    match chat.standing {
        Standing::Asked(by) => {
            let props = answer::Props {
                conversation,
                chat: chat.clone(),
                by,
            };
            return part!(use_answer, props, conversation);
        }
        Standing::Out => return html! { <p class="composer composer-out">{ words::OUT }</p> },
        Standing::In => {}
    }
    let told = |member| Some((member, words::key_changed(member, chat)?));
    let changed = chat.members.iter().filter_map(told);
    let Some((member, words)) = changed.max_by_key(|(member, _)| member.trust) else {
        return composer;
    };
    let is_direct = chat.kind == ChatKind::Direct;
    if is_direct && member.is_former() {
        return moved_on(context, view, &words);
    }
    let was_verified = member.trust == Some(Trust::ChangedAfterVerified);
    let props = key_line::Props {
        who: member.who,
        words,
        accepts: is_direct.then_some(conversation),
        was_verified,
    };
    html! {
        <>
            { part!(use_key_line, props, conversation) }
            if !(is_direct && was_verified) { { composer } }
        </>
    }
}

/// In place of the message field where the user goes on with the other one in another chat.
fn moved_on(context: &Context, view: &ViewHandle, said: &str) -> Html {
    let (id, all) = (view.id(), view.get());
    let later = all.later_chat(&view.chat()).map(|later| later.id);
    let context_of = context.clone();
    let onclick = Callback::from(move |_| match later {
        Some(later) => context_of.dispatch.dispatch(Action::Show(later)),
        // Going on was interrupted.
        None => context_of.send.emit(Command::AcceptKey {
            conversation: id,
            although_verified: false,
        }),
    });
    let opens = small_button(words::NEW_CHAT_OPENS, onclick, !context.state.is_live());
    html! { <p class="composer composer-out">{ printable(said).into_owned() }{ " " }{ opens }</p> }
}

/// The open chat is shown once its first member is there, with the focus in the message field;
/// but not while the user writes in another one.
#[hook]
fn use_first_member(context: &Context) {
    let view = context.state.view.as_ref();
    let members = view.map_or(0, |view| view.get().open().members.len());
    let dispatch = context.dispatch.clone();
    let before = use_mut_ref(|| 0);
    let is_open = context.state.shown() == ConversationId::OPEN;
    use_effect_on(members, move |&members| {
        let may_show = is_open || !writes();
        if before.replace(members) == 0 && members > 0 && may_show {
            dispatch.dispatch(Action::Show(ConversationId::OPEN));
            page::focus(composer::ID);
        }
    });
}

/// Whether the message field has the focus.
fn writes() -> bool {
    page::focused().is_some_and(|one| one.id() == composer::ID)
}

/// The keys that do something wherever the focus is.
#[hook]
fn use_shortcuts(context: &Context, onside: &Callback<Side>) {
    let latest = use_mut_ref(|| (context.clone(), onside.clone()));
    *latest.borrow_mut() = (context.clone(), onside.clone());
    let onkey = use_stable(move |event: KeyboardEvent| {
        let (context, onside) = latest.borrow().clone();
        let (show, key) = (|action| context.dispatch.dispatch(action), event.key());
        match key.as_str() {
            "ArrowUp" | "ArrowDown" if event.alt_key() => {
                let view = context.state.view.as_ref();
                let goes_down = key == "ArrowDown";
                let next = view
                    .and_then(|view| beside(&view.get(), view.id(), goes_down, event.shift_key()));
                if let Some(id) = next {
                    show(Action::Show(id));
                }
            }
            "k" if is_command(&event) && page::is_narrow() => show(Action::List),
            "k" if is_command(&event) => page::focus(page::PEOPLE_SEARCH),
            "f" if is_command(&event) => onside.emit(Side::Find),
            "." if is_command(&event) => onside.emit(Side::Details),
            // With Shift, where the keyboard needs it for a slash.
            "/" if event.ctrl_key() || event.meta_key() => show(Action::Open(Some(Sheet::Keys))),
            "F6" if !page::is_narrow() => page::focus(if writes() {
                page::PEOPLE_SEARCH
            } else {
                composer::ID
            }),
            // What is typed goes into the message field, which gets this key too.
            _ if is_typed(&event, &key) => return page::focus(composer::ID),
            _ => return,
        }
        event.prevent_default();
    });
    use_keys(onkey);
}

/// Whether a letter is typed that no list, field or dialog takes.
fn is_typed(event: &KeyboardEvent, key: &str) -> bool {
    let is_letter = key != " " && key.chars().nth(1).is_none();
    let is_for_other = event.default_prevented()
        || event.ctrl_key()
        || event.meta_key()
        || event.alt_key()
        || page::focused().is_some_and(|one| one.closest(FIELDS) != Ok(None));
    is_letter && !is_for_other
}

/// Whether a key is pressed with the key for commands of this system, and no other.
fn is_command(event: &KeyboardEvent) -> bool {
    (event.ctrl_key() != event.meta_key()) && !event.alt_key() && !event.shift_key()
}

/// What is open beside which conversation.
type Opened = Option<(Side, ConversationId)>;

/// What is open beside a conversation at this entry of the browser's history. Only where it is a page
/// of its own is there one.
fn side_of(route: &str) -> Option<Side> {
    let (_, side) = route.split_once('/')?;
    Some(if side == FIND {
        Side::Find
    } else {
        Side::Details
    })
}

/// The conversation of an entry of the browser's history.
fn shown_at(route: &str) -> Option<ConversationId> {
    route.split('/').next()?.parse().ok()
}

/// Keeps what is shown in the history of the browser, so that its Back works; what leads back to
/// the list.
#[hook]
fn use_route(
    context: &Context,
    side: Option<Side>,
    open: UseStateSetter<Opened>,
) -> Callback<MouseEvent> {
    let state = &context.state;
    let (lists, has_chosen) = (state.lists, state.has_chosen);
    let shown = state.shown();
    let here = match side {
        _ if !page::is_narrow() => shown.to_string(),
        _ if lists => String::new(),
        None => shown.to_string(),
        Some(Side::Find) => format!("{shown}/{FIND}"),
        Some(Side::Details) => format!("{shown}/"),
    };
    let dispatch = context.dispatch.clone();
    let goes_back = use_mut_ref(|| false);
    let is_first = use_mut_ref(|| true);
    {
        let (goes_back, is_first) = (goes_back.clone(), is_first.clone());
        let dispatch = dispatch.clone();
        use_effect_on((here, state.awaited), move |(here, awaited)| {
            let before = page::route();
            let first = is_first.replace(false);
            if let (true, Some(id)) = (first, shown_at(&before)) {
                page::set_route(&id.to_string(), true);
                dispatch.dispatch(Action::Show(id));
                return;
            }
            if let (true, Ok(id)) = (first, storage::kept(SHOWN).unwrap_or_default().parse()) {
                dispatch.dispatch(Action::Resume(id));
            }
            if before != *here {
                let replaces = first || !has_chosen;
                if side_of(here).is_none() {
                    goes_back.replace(before.is_empty() && !replaces);
                }
                page::set_route(here, replaces);
            }
            if let Some(id) = shown_at(here).filter(|_| !first && awaited.is_none()) {
                storage::keep(SHOWN, &id.to_string());
            }
        });
    }
    {
        let dispatch = dispatch.clone();
        use_effect_on((), move |()| {
            let listener = EventListener::new(&page::window(), "popstate", move |_| {
                let route = page::route();
                let shown = shown_at(&route);
                if page::is_narrow() {
                    open.set(side_of(&route).zip(shown));
                }
                dispatch.dispatch(shown.map_or(Action::List, Action::Show));
            });
            move || drop(listener)
        });
    }
    use_focus_follows(state.shown(), lists);
    Callback::from(move |_| {
        if goes_back.replace(false) {
            page::go_back();
        } else {
            dispatch.dispatch(Action::List);
        }
    })
}

/// Moves the focus to what is shown now: to the message field, where no keyboard comes up for it.
#[hook]
fn use_focus_follows(shown: ConversationId, lists: bool) {
    let is_first = use_mut_ref(|| true);
    use_effect_on((shown, lists), move |(_, lists)| {
        if is_first.replace(false) {
            return;
        }
        if !page::is_narrow() {
            page::focus(composer::ID);
        } else if !page::has_focus_in_sight() {
            page::focus(if *lists { page::SHOWN_CHAT } else { BACK });
        }
    });
}
