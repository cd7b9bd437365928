//! Getting the attention of somebody who looks elsewhere.

use p2pchat_model::{Event, printable};
use wasm_bindgen::{JsValue, closure::Closure};
use web_sys::{Notification, NotificationOptions, NotificationPermission};
use yew::Callback;

use super::settings::Settings;
use super::{page, sound, storage};

/// The last message for which some tab of this browser made a sound.
const SOUNDED: &str = "p2pchat.sounded";

/// Shows a notification and makes a sound for an event that is worth it, if the page is not
/// being watched and the user wants that.
pub fn call(event: &Event, settings: Settings) {
    if page::is_watched() || !(settings.notify || settings.sound) {
        return;
    }
    let (title, body, tag, request) = match event {
        Event::Message(message) if !message.is_own() => {
            let tag = format!("message-{}", message.id.0);
            (message.from.to_string(), message.text.clone(), tag, false)
        }
        Event::RequestReceived(request) => {
            let title = format!("{} asks for a chat", request.from);
            let tag = format!("request-{}", request.at.0);
            (title, format!("from {}", request.from.address), tag, true)
        }
        _ => return,
    };
    if settings.sound && storage::kept(SOUNDED).as_deref() != Some(tag.as_str()) {
        // Several tabs hear of it; one sound is enough.
        storage::keep(SOUNDED, &tag);
        sound::play(request);
    }
    if settings.notify {
        notify(&printable(&title), &printable(&body), &tag);
    }
}

fn notify(title: &str, body: &str, tag: &str) {
    if Notification::permission() != NotificationPermission::Granted {
        return;
    }
    let options = NotificationOptions::new();
    options.set_body(body);
    // The same tag from several tabs is one notification.
    options.set_tag(tag);
    if let Ok(notification) = Notification::new_with_options(title, &options) {
        let clicked = Closure::once_into_js(|| {
            // Fails where the browser keeps windows from raising themselves.
            let _ = page::window().focus();
        });
        notification.set_onclick(Some(wasm_bindgen::JsCast::unchecked_ref(&clicked)));
    }
}

/// Asks the browser for the permission to notify; `then` hears whether it is there.
pub fn ask_permission(then: Callback<bool>) {
    match Notification::permission() {
        NotificationPermission::Granted => then.emit(true),
        NotificationPermission::Denied => then.emit(false),
        _ => {
            let answered = Closure::once_into_js(move |answer: JsValue| {
                then.emit(answer.as_string().as_deref() == Some("granted"));
            });
            // Fails in browsers without notifications: nothing changes then.
            let _ = Notification::request_permission_with_permission_callback(
                wasm_bindgen::JsCast::unchecked_ref(&answered),
            );
        }
    }
}
