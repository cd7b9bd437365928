//! The page: the bridge, the state, and which screen to show.

use std::rc::Rc;

use gloo_timers::callback::Timeout;
use p2pchat_model::{Call, Command, Timestamp, Update, printable, wording};
use yew::prelude::*;

use crate::bridge::{Connection, use_bridge};
use crate::browser::effect::{use_effect_on, use_stable};
use crate::browser::hooks::{use_endpoint, use_input, use_leave};
use crate::browser::settings::{Settings, SettingsHandle};
use crate::browser::{attention, page, update};
use crate::components::{chat::use_chat, connect::connect, sign_in::use_sign_in};
use crate::context::Context;
use crate::logic::chats::counted;
use crate::logic::clock::Zone;
use crate::logic::said::said;
use crate::part;
use crate::state::{Action, Conversation, Page, State, ViewHandle};

/// How long after a message is read the others are told, in milliseconds.
const READ_AFTER: u32 = 500;

/// How often the others are told that the user is there, in seconds.
const ACTIVE_EVERY: u64 = 60;

/// The page.
#[component]
pub fn App() -> Html {
    let state = use_reducer(|| State::new(Zone::new(page::zone_offset)));
    let settings: SettingsHandle = use_reducer(Settings::kept);
    let endpoint = use_endpoint();

    let current = use_mut_ref(|| *settings);
    *current.borrow_mut() = *settings;
    let latest = use_mut_ref(|| None);
    latest.borrow_mut().clone_from(&state.page.view);
    let on_update = {
        let dispatch = state.dispatcher();
        use_stable(move |update: Update| {
            let view = latest.borrow().clone();
            let view = view.as_ref().map(|view: &ViewHandle| view.get());
            attention::notify(&update.event, view.as_deref(), *current.borrow());
            drop(view);
            dispatch.dispatch(Action::Update(update));
        })
    };
    let on_connection = {
        let dispatch = state.dispatcher();
        let was_live = use_mut_ref(|| false);
        use_stable(move |connection| {
            if connection == Connection::Live && was_live.replace(true) {
                let dispatch = dispatch.clone();
                update::look(Callback::from(move |()| {
                    dispatch.dispatch(Action::Outdated);
                }));
            }
            dispatch.dispatch(Action::Connection(connection));
        })
    };
    let bridge = use_bridge(endpoint, on_update, on_connection);
    let send = {
        let dispatch = state.dispatcher();
        let send = bridge.send.clone();
        let last_id = use_mut_ref(|| 0);
        use_stable(move |command: Command| {
            let id = *last_id.borrow() + 1;
            *last_id.borrow_mut() = id;
            dispatch.dispatch(Action::Command(id, command.clone()));
            send.emit(Call::with_id(id, command));
        })
    };
    use_effect_on(settings.theme, |theme| page::set_theme(*theme));
    use_say_again(&state, &bridge.send);
    use_tell_read(&state, &send);
    use_tell_active(&state, &send);
    use_title(&state);

    let context = Context {
        state: state.page.clone(),
        settings,
        dispatch: state.dispatcher(),
        send,
        retry: bridge.retry,
    };
    let screen = screen(&context);
    html! {
        <ContextProvider<Context> {context}>
            <ContextProvider<Rc<Conversation>> context={state.conversation.clone()}>
                { screen }
            </ContextProvider<Rc<Conversation>>>
        </ContextProvider<Context>>
    }
}

fn screen(context: &Context) -> Html {
    let state = &context.state;
    let account = state.view.as_ref().map(|view| view.get().account);
    match (state.connection, account) {
        (Connection::Refused(_), _) | (_, None) => connect(context),
        (_, Some(None)) => part!(use_sign_in),
        (_, Some(Some(name))) => part!(use_chat, (), name),
    }
}

/// Sends the texts without an answer again, once the user is signed in over another connection
/// or has missed events: their answers may be lost. A text that the peer has is not sent twice.
#[hook]
fn use_say_again(state: &State, send: &Callback<Call>) {
    let account = state.account();
    let (send, conversation) = (send.clone(), state.conversation.clone());
    let deps = (state.page.is_live(), state.page.views, account);
    use_effect_on(deps, move |(is_live, _, account)| {
        if *is_live && account.is_some() {
            for asked in conversation.unanswered() {
                send.emit(asked.call());
            }
        }
    });
}

/// Tells how far the user has read of what others wrote: soon, and not for each message.
#[hook]
fn use_tell_read(state: &State, send: &Callback<Command>) {
    let reading = &state.conversation.reading;
    let shown = state.conversation.view.as_ref();
    let known = shown.and_then(|view| view.chat().read);
    let ready = state.page.is_live() && state.account().is_some() && reading.looking();
    let read = shown.and_then(|view| {
        let chat = view.chat();
        let mut messages = chat.lines.iter().rev().filter_map(said);
        let theirs = messages
            .find(|one| !one.own && one.id <= reading.read())?
            .id;
        (ready && Some(theirs) > known).then(|| (theirs, view.id()))
    });

    let latest = use_mut_ref(|| None);
    *latest.borrow_mut() = read;
    let tell = {
        let send = send.clone();
        Callback::from(move |()| {
            if let Some((message, conversation)) = latest.take() {
                send.emit(Command::Read {
                    conversation,
                    message,
                });
            }
        })
    };
    use_leave(tell.clone());
    let is_due = use_mut_ref(|| false);
    use_effect_on(read, move |read| {
        if read.is_some() && !is_due.replace(true) {
            let later = Timeout::new(READ_AFTER, move || {
                is_due.replace(false);
                tell.emit(());
            });
            later.forget();
        }
    });
}

/// Tells that the user is there, at most once a minute: without a sign of them they are shown
/// as away.
#[hook]
fn use_tell_active(state: &State, send: &Callback<Command>) {
    let is_signed_in = state.page.is_live() && state.account().is_some();
    let told = use_mut_ref(|| Timestamp(0));
    let send = send.clone();
    use_input(Callback::from(move |()| {
        let now = page::now();
        if is_signed_in && told.borrow().seconds_until(now) >= ACTIVE_EVERY {
            told.replace(now);
            send.emit(Command::Active);
        }
    }));
}

/// Keeps the title of the page up to date: what is new, and for which account.
#[hook]
fn use_title(state: &State) {
    let unread = |view: &ViewHandle| {
        let here = state.conversation.reading.unread();
        let of = |one: &p2pchat_model::Conversation| {
            let is_here = one.id == view.id();
            counted(one, if is_here { here } else { one.unread() })
        };
        view.get().conversations.iter().map(of).sum()
    };
    let unread = state.conversation.view.as_ref().map_or(0, unread);
    let title = title(&state.page, unread);
    use_effect_on(title, |title| page::set_title(title));
}

fn title(state: &Page, unread: usize) -> String {
    let Some(view) = state.view.as_ref().map(|view| view.get()) else {
        return "p2pchat".to_owned();
    };
    let Some(account) = view.account else {
        return "p2pchat".to_owned();
    };
    let news = match (&view.incoming, unread) {
        (Some(request), _) => format!("{} · ", wording::wants_to_chat(request.from.title())),
        (None, 0) => String::new(),
        (None, unread) => format!("({unread}) "),
    };
    printable(&format!("{news}{account} · p2pchat")).into_owned()
}
