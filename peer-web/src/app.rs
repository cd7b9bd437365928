//! The page: the bridge, the state, and which screen to show.

use std::rc::Rc;

use p2pchat_model::{Command, MessageId, printable, wording};
use yew::prelude::*;

use crate::bridge::{Connection, Frame, use_bridge};
use crate::browser::settings::{Settings, SettingsHandle};
use crate::browser::{attention, hooks::use_endpoint, page, storage, update};
use crate::components::{chat::Chat, connect::Connect, sign_in::SignIn};
use crate::context::Context;
use crate::logic::clock::Zone;
use crate::state::{Action, Conversation, Page, State};

/// The page.
#[component]
pub fn App() -> Html {
    let state = use_reducer(|| State::new(Zone::new(page::zone_offset)));
    let settings: SettingsHandle = use_reducer(Settings::kept);
    let endpoint = use_endpoint();

    let current = use_mut_ref(|| *settings);
    *current.borrow_mut() = *settings;
    let on_frame = {
        let dispatch = state.dispatcher();
        use_callback((), move |frame: Frame, ()| {
            if let Frame::Event(event) = &frame {
                attention::notify(event, *current.borrow());
            }
            let read = last_read(&frame);
            dispatch.dispatch(Action::Frame(frame, read));
        })
    };
    let on_connection = {
        let dispatch = state.dispatcher();
        let was_live = use_mut_ref(|| false);
        use_callback((), move |connection, ()| {
            if connection == Connection::Live && was_live.replace(true) {
                let dispatch = dispatch.clone();
                update::look(Callback::from(move |()| {
                    dispatch.dispatch(Action::Outdated);
                }));
            }
            dispatch.dispatch(Action::Connection(connection));
        })
    };
    let bridge = use_bridge(endpoint, on_frame, on_connection);
    let send = {
        let dispatch = state.dispatcher();
        let send = bridge.send.clone();
        use_callback((), move |command: Command, ()| {
            dispatch.dispatch(Action::Command(command.clone()));
            send.emit(command);
        })
    };
    use_effect_with(settings.theme, |theme| page::set_theme(*theme));
    use_keep_read(&state.conversation);
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
        (Connection::Refused(_), _) | (_, None) => html! { <Connect /> },
        (_, Some(None)) => html! { <SignIn /> },
        (_, Some(Some(name))) => html! { <Chat key={name.to_string()} /> },
    }
}

/// How far the user of a view had read, as this browser remembers it.
fn last_read(frame: &Frame) -> Option<MessageId> {
    let Frame::View(view) = frame else {
        return None;
    };
    storage::kept(&read_key(view.lines_of?.as_str()))?
        .parse()
        .ok()
        .map(MessageId)
}

fn read_key(account: &str) -> String {
    format!("p2pchat.read.{account}")
}

/// Remembers how far the user has read.
#[hook]
fn use_keep_read(conversation: &Conversation) {
    let account = conversation
        .view
        .as_ref()
        .and_then(|view| view.get().lines_of);
    use_effect_with((account, conversation.reading.read()), |(account, read)| {
        if let Some(account) = account
            && read.0 > 0
        {
            storage::keep(&read_key(account.as_str()), &read.0.to_string());
        }
    });
}

/// Keeps the title of the page up to date: what is new, and for which account.
#[hook]
fn use_title(state: &State) {
    let title = title(&state.page, state.conversation.reading.unread());
    use_effect_with(title, |title| page::set_title(title));
}

fn title(state: &Page, unread: usize) -> String {
    let Some(view) = state.view.as_ref().map(|view| view.get()) else {
        return "p2pchat".to_owned();
    };
    let Some(account) = view.account else {
        return "p2pchat".to_owned();
    };
    let news = match (&view.incoming, unread) {
        (Some(request), _) => format!("{} · ", wording::wants_to_chat(request.from.name)),
        (None, 0) => String::new(),
        (None, unread) => format!("({unread}) "),
    };
    printable(&format!("{news}{account} · p2pchat")).into_owned()
}
