//! Hooks for what the browser does by itself: time, visibility, keys, sizes.

use gloo_events::{EventListener, EventListenerOptions};
use gloo_timers::callback::Interval;
use p2pchat_model::Timestamp;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::ResizeObserver;
use yew::prelude::*;

use super::{keys, page};
use crate::bridge::Endpoint;

/// The time, updated every `every` milliseconds.
#[hook]
pub fn use_now(every: u32) -> Timestamp {
    let now = use_state(page::now);
    {
        let now = now.setter();
        use_effect_with(every, move |every| {
            let ticking = Interval::new(*every, move || now.set(page::now()));
            move || drop(ticking)
        });
    }
    *now
}

/// Whether the page is in sight and has the focus.
#[hook]
pub fn use_watched() -> bool {
    let watched = use_state_eq(page::is_watched);
    {
        let watched = watched.setter();
        use_effect_with((), move |()| {
            let look = move |_: &web_sys::Event| watched.set(page::is_watched());
            let listeners = [
                EventListener::new(&page::document(), "visibilitychange", look.clone()),
                EventListener::new(&page::window(), "focus", look.clone()),
                EventListener::new(&page::window(), "blur", look),
            ];
            move || drop(listeners)
        });
    }
    *watched
}

/// The bridge of this page. It changes when the user pastes another address: then only the
/// fragment changes, and the page is not loaded again.
#[hook]
pub fn use_endpoint() -> Option<Endpoint> {
    let endpoint = use_state_eq(page::endpoint);
    {
        let endpoint = endpoint.setter();
        use_effect_with((), move |()| {
            let listener = EventListener::new(&page::window(), "hashchange", move |_| {
                endpoint.set(page::endpoint());
            });
            move || drop(listener)
        });
    }
    (*endpoint).clone()
}

/// Calls `on` for each key pressed anywhere in the page, but for those of an input method.
#[hook]
pub fn use_keys(on: Callback<KeyboardEvent>) {
    use_effect_with(on, |on| {
        let on = on.clone();
        let options = EventListenerOptions::enable_prevent_default();
        let listener =
            EventListener::new_with_options(&page::window(), "keydown", options, move |event| {
                let event = event.unchecked_ref::<KeyboardEvent>();
                if keys::pressed(event).is_some() {
                    on.emit(event.clone());
                }
            });
        move || drop(listener)
    });
}

/// Calls `on` when Escape is pressed anywhere in the page.
#[hook]
pub fn use_escape(on: Callback<()>) {
    let onkey = use_callback(on, |event: KeyboardEvent, on| {
        if keys::pressed(&event).as_deref() == Some("Escape") {
            on.emit(());
        }
    });
    use_keys(onkey);
}

/// Whether something that a button opens is open; Escape closes it.
#[hook]
pub fn use_popup() -> UseStateHandle<bool> {
    let open = use_state(|| false);
    let close = {
        let open = open.setter();
        use_callback((), move |(), ()| open.set(false))
    };
    use_escape(close);
    open
}

/// What the button of a popup does: opens it, or closes it again.
#[must_use]
pub fn toggle(open: &UseStateHandle<bool>) -> Callback<MouseEvent> {
    let open = open.clone();
    Callback::from(move |_| open.set(!*open))
}

/// Calls `on` when the user leaves the page: closes it, loads it again, or goes elsewhere.
#[hook]
pub fn use_leave(on: Callback<()>) {
    let latest = use_mut_ref(|| on.clone());
    *latest.borrow_mut() = on;
    use_effect_with((), move |()| {
        let listener = EventListener::new(&page::window(), "pagehide", move |_| {
            latest.borrow().emit(());
        });
        move || drop(listener)
    });
}

/// Calls `on` whenever the size of an element changes, and once at first.
#[hook]
pub fn use_size(element: NodeRef, on: Callback<()>) {
    use_effect_with((element, on), |(element, on)| {
        let on = on.clone();
        let changed = Closure::<dyn FnMut()>::new(move || on.emit(()));
        let observer = ResizeObserver::new(changed.as_ref().unchecked_ref()).ok();
        if let (Some(observer), Some(element)) = (&observer, element.cast::<web_sys::Element>()) {
            observer.observe(&element);
        }
        move || {
            if let Some(observer) = observer {
                observer.disconnect();
            }
            drop(changed);
        }
    });
}
