//! Notifications and sounds, for a user who looks elsewhere.

use p2pchat_model::wording::{self, names};
use p2pchat_model::{
    Alerts, Chat, ChatKind, Event, Line, Post, Standing, View, mentions, printable,
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Notification, NotificationOptions, NotificationPermission};
use yew::Callback;

use super::settings::Settings;
use super::{page, sound, storage};
use crate::logic::sentence::capitalized;

/// The last message for which a tab of this browser made a sound.
const SOUNDED: &str = "p2pchat.sounded";

/// Shows a notification and plays a sound for a message or a request, if the page is out of
/// sight and the user wants that.
pub fn notify(event: &Event, view: Option<&View>, settings: Settings) {
    if page::is_watched() || !(settings.notify || settings.sound) {
        return;
    }
    let (title, body, tag, request) = match event {
        Event::Message(message) if !message.is_own() => {
            let tag = format!("message-{}", message.id);
            (message.from.to_string(), message.text.clone(), tag, false)
        }
        Event::Post(post) if !post.is_own() => {
            let one = view.and_then(|view| view.conversation(post.conversation));
            let chat = one.and_then(|one| one.chat.as_ref());
            if !chat.is_some_and(|chat| alerts(post, chat, view)) {
                return;
            }
            let title = match chat {
                Some(chat) if chat.kind == ChatKind::Group => {
                    format!("{}: {}", wording::chat::chat_title(chat), post.from)
                }
                _ => post.from.to_string(),
            };
            let tag = format!("message-{}", post.id);
            (title, wording::chat::text(post).to_owned(), tag, false)
        }
        Event::Chat { conversation, chat } => {
            let before = view.and_then(|view| view.conversation(*conversation));
            let before = before.and_then(|one| one.chat.as_ref());
            let Standing::Asked(by) = chat.standing else {
                return;
            };
            if before.is_some_and(|before| before.standing == chat.standing) {
                return;
            }
            let tag = format!("request-{conversation}");
            (wording::chat::asks(by, chat), String::new(), tag, true)
        }
        Event::RequestReceived(request) => {
            let title = wording::wants_to_chat(request.from);
            let tag = format!("request-{}", request.at.0);
            let company = names(&request.members);
            let body = if company.is_empty() {
                String::new()
            } else {
                format!("with {company}")
            };
            (title, body, tag, true)
        }
        Event::RequestMissed { at, .. } => {
            let Some(Line::Notice { text, .. }) = View::notice(event) else {
                return;
            };
            let tag = format!("missed-{}", at.0);
            (capitalized(&text), String::new(), tag, true)
        }
        _ => return,
    };
    if settings.sound && storage::kept(SOUNDED).as_deref() != Some(tag.as_str()) {
        // Each tab gets the event; one sound is enough.
        storage::keep(SOUNDED, &tag);
        sound::play(request);
    }
    if settings.notify && permission() == NotificationPermission::Granted {
        show(&printable(&title), &printable(&body), &tag);
    }
}

/// Whether the user is alerted of a message.
fn alerts(post: &Post, chat: &Chat, view: Option<&View>) -> bool {
    let account = view.and_then(|view| view.account);
    match chat.alerts {
        _ if view.is_some_and(|view| view.has_blocked(&post.from)) => false,
        Alerts::All => true,
        Alerts::Mentions => {
            account.is_some_and(|account| mentions(&post.text, account).next().is_some())
        }
        Alerts::Nothing => false,
    }
}

/// Whether the browser lets the page notify. Some have no notifications at all: Safari on iOS
/// outside of installed pages, and views inside of other programs.
fn permission() -> NotificationPermission {
    let exists = js_sys::Reflect::has(&page::window(), &"Notification".into());
    if exists == Ok(true) {
        Notification::permission()
    } else {
        NotificationPermission::Denied
    }
}

fn show(title: &str, body: &str, tag: &str) {
    let options = NotificationOptions::new();
    options.set_body(body);
    // The same tag from several tabs is one notification.
    options.set_tag(tag);
    // Fails in Chrome on Android, which wants a service worker for it.
    if let Ok(notification) = Notification::new_with_options(title, &options) {
        let clicked = Closure::once_into_js(|| {
            // Fails where the browser does not let windows raise themselves.
            let _ = page::window().focus();
        });
        notification.set_onclick(Some(clicked.unchecked_ref()));
    }
}

/// Asks the browser for the permission to notify; `then` gets whether it is granted.
pub fn ask_permission(then: Callback<bool>) {
    match permission() {
        NotificationPermission::Granted => then.emit(true),
        NotificationPermission::Denied => then.emit(false),
        _ => {
            let answered = Closure::once_into_js(move |answer: JsValue| {
                then.emit(answer.as_string().as_deref() == Some("granted"));
            });
            // Fails where the page may not ask: nothing changes then.
            let _ =
                Notification::request_permission_with_permission_callback(answered.unchecked_ref());
        }
    }
}
