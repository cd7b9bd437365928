//! What happens when the program of the page breaks: it cannot go on, but must not stay on
//! the screen as if it did.

use std::panic::PanicHookInfo;

use gloo_events::EventListener;
use gloo_timers::callback::Interval;
use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::ErrorEvent;

use super::page::{self, document, window};
use super::storage;

/// When the page was loaded again by itself the last time, in milliseconds since 1970.
const RELOADED: &str = "p2pchat.reloaded";
/// How long after that it is not, in milliseconds: what broke it may break it each time. A
/// translator that moves the words of the page does.
const REST: u64 = 60_000;
/// The element of `index.html` that tells of it.
const WORDS: &str = "broken";

/// What translators of browsers put around each text, and this page never has.
const TRANSLATED: &str = "#page font";
/// How often the page looks for that, in milliseconds.
const LOOK_EVERY: u32 = 2_000;

/// From now on a panic, and whatever else ends the program, loads the page again: what was
/// typed is kept, and the bridge has the rest. If that was done a moment ago, words and a
/// button are shown instead.
pub fn watch() {
    // Yew sets a hook of its own over one that it does not know of.
    yew::set_custom_panic_hook(Box::new(on_panic));
    let listener = EventListener::new(&window(), "error", |event| {
        let error = event.dyn_ref::<ErrorEvent>().map(ErrorEvent::error);
        if error.is_some_and(|error| is_end(&error)) {
            recover();
        }
    });
    listener.forget();
    watch_for_translators();
}

/// A translator replaces the texts of the page by its own, which do not change any more: it
/// says "connected" for ever. That is told in its place.
fn watch_for_translators() {
    let look = Interval::new(LOOK_EVERY, || {
        if document()
            .query_selector(TRANSLATED)
            .is_ok_and(|found| found.is_some())
        {
            show();
        }
    });
    look.forget();
}

fn on_panic(panic: &PanicHookInfo<'_>) {
    // The place alone: the message may hold what people wrote.
    let place = panic.location().map(ToString::to_string);
    let place = place.unwrap_or_default();
    web_sys::console::error_1(&format!("p2pchat failed at {place}").into());
    recover();
}

/// Whether an error ends the program: a trap, such as a lack of memory.
fn is_end(error: &JsValue) -> bool {
    let name = Reflect::get(error, &"name".into());
    name.ok().and_then(|name| name.as_string()).as_deref() == Some("RuntimeError")
}

fn recover() {
    if may_reload() {
        page::reload();
    } else {
        show();
    }
}

fn may_reload() -> bool {
    let now = page::now().0;
    let last = storage::of_tab(RELOADED).and_then(|last| last.parse::<u64>().ok());
    if last.is_some_and(|last| now.saturating_sub(last) < REST) {
        return false;
    }
    let now = now.to_string();
    storage::keep_for_tab(RELOADED, &now);
    // Without storage it would be loaded again and again.
    storage::of_tab(RELOADED) == Some(now)
}

fn show() {
    let Some(words) = document().get_element_by_id(WORDS) else {
        return;
    };
    if !words.has_attribute("hidden") {
        return;
    }
    // Nothing of this program may be able to run any more: the button calls the browser's own.
    let location = window().location();
    if let (Ok(Some(button)), Ok(reload)) = (
        words.query_selector("button"),
        Reflect::get(&location, &"reload".into()),
    ) && let Ok(reload) = reload.dyn_into::<Function>()
    {
        // Without the event, which old browsers take for a flag.
        let reload = reload.bind0(&location);
        let _ = button.add_event_listener_with_callback("click", &reload);
    }
    let _ = words.remove_attribute("hidden");
}
