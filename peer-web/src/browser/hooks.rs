//! Hooks for what the browser does by itself: time, visibility, keys, sizes.

use std::cell::{Cell, RefCell};

use gloo_events::{EventListener, EventListenerOptions};
use gloo_timers::callback::{Interval, Timeout};
use p2pchat_model::Timestamp;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{DragEvent, Element, HtmlElement, ResizeObserver};
use yew::prelude::*;

use crate::browser::effect::{use_effect_on, use_stable};

use super::{keys, page};
use crate::bridge::Endpoint;

/// The time, updated every `every` milliseconds.
#[hook]
pub fn use_now(every: u32) -> Timestamp {
    let now = use_state(page::now);
    {
        let now = now.setter();
        use_effect_on(every, move |every| {
            let ticking = Interval::new(*every, move || now.set(page::now()));
            move || drop(ticking)
        });
    }
    *now
}

/// Whether this many milliseconds have passed since the component was there first.
#[hook]
pub fn use_after(wait: u32) -> bool {
    let passed = use_state_eq(|| false);
    {
        let passed = passed.setter();
        use_effect_on(wait, move |wait| {
            let timer = Timeout::new(*wait, move || passed.set(true));
            move || drop(timer)
        });
    }
    *passed
}

/// Whether the page is in sight and has the focus.
#[hook]
pub fn use_watched() -> bool {
    let watched = use_state_eq(page::is_watched);
    {
        let watched = watched.setter();
        use_effect_on((), move |()| {
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
        use_effect_on((), move |()| {
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
    use_effect_on(on, |on| {
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

/// Calls `on` when the user presses a key, or a button of the mouse, anywhere in the page.
#[hook]
pub fn use_input(on: Callback<()>) {
    let latest = use_mut_ref(|| on.clone());
    *latest.borrow_mut() = on;
    use_effect_on((), move |()| {
        let listeners = ["keydown", "pointerdown"].map(|kind| {
            let latest = latest.clone();
            EventListener::new(&page::window(), kind, move |_| {
                let on = latest.borrow().clone();
                on.emit(());
            })
        });
        move || drop(listeners)
    });
}

thread_local! {
    /// What Escape closes, the topmost last.
    static LAYERS: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
    static NEXT_LAYER: Cell<u32> = const { Cell::new(0) };
}

/// Calls `on` when Escape is pressed anywhere in the page, while `open` and unless something
/// was opened above it since: one Escape closes one thing.
#[hook]
pub fn use_escape(open: bool, on: Callback<()>) {
    let layer = use_memo((), |()| NEXT_LAYER.replace(NEXT_LAYER.get() + 1));
    let layer = *layer;
    use_effect_on(open, move |open| {
        if *open {
            LAYERS.with_borrow_mut(|layers| layers.push(layer));
        }
        move || LAYERS.with_borrow_mut(|layers| layers.retain(|known| *known != layer))
    });
    let onkey = use_callback(on, move |event: KeyboardEvent, on| {
        let is_topmost = LAYERS.with_borrow(|layers| layers.last() == Some(&layer));
        // What was above it may be closed by now, by this very key.
        if is_topmost
            && !event.default_prevented()
            && keys::pressed(&event).as_deref() == Some("Escape")
        {
            event.prevent_default();
            on.emit(());
        }
    });
    use_keys(onkey);
}

/// Calls `on` when the user presses a button of the mouse, or moves the focus, outside of an
/// element while `open`.
#[hook]
fn use_outside(open: bool, element: &NodeRef, on: Callback<()>) {
    use_effect_on((open, element.clone(), on), |(open, element, on)| {
        let listeners = open.then(|| {
            let (element, on) = (element.clone(), on.clone());
            let look = move |event: &web_sys::Event| {
                let target = event.target().and_then(|target| target.dyn_into().ok());
                let inside = element
                    .get()
                    .is_some_and(|own| own.contains(target.as_ref()));
                if !inside {
                    on.emit(());
                }
            };
            ["pointerdown", "focusin"]
                .map(|kind| EventListener::new(&page::document(), kind, look.clone()))
        });
        move || drop(listeners)
    });
}

/// Calls `on` when the keys of a menu, Shift F10 or the menu key, are pressed in an element.
#[hook]
pub fn use_menu_keys(element: impl FnOnce() -> Option<Element> + 'static, on: Callback<()>) {
    use_effect_on((), move |()| {
        let options = EventListenerOptions::enable_prevent_default();
        let listener = element().map(|element| {
            EventListener::new_with_options(&element, "keydown", options, move |event| {
                let press = event.unchecked_ref::<KeyboardEvent>();
                match keys::pressed(press).as_deref() {
                    Some("ContextMenu") => {}
                    Some("F10") if press.shift_key() => {}
                    _ => return,
                }
                event.prevent_default();
                event.stop_propagation();
                on.emit(());
            })
        });
        move || drop(listener)
    });
}

/// When something that was open is closed, gives the focus back to what had it before, unless
/// the user has moved it on: it would be lost with what is gone from the page.
#[hook]
pub fn use_return_focus(open: bool) {
    use_return_focus_to(open, |focused| focused);
}

/// The same for what is picked from a menu, which has closed since.
#[hook]
pub fn use_return_focus_to_menu(open: bool) {
    use_return_focus_to(open, menu_button);
}

#[hook]
fn use_return_focus_to(open: bool, opener_of: fn(HtmlElement) -> HtmlElement) {
    let opener = use_mut_ref(|| None::<HtmlElement>);
    let was_open = use_mut_ref(|| false);
    // While it is rendered and not after: then the focus may be inside of what was opened.
    if !was_open.replace(open) && open {
        *opener.borrow_mut() = page::focused().map(opener_of);
    }
    use_effect_on(open, move |open| {
        if !open
            && let Some(opener) = opener.take()
            && page::focused().is_none()
        {
            page::focus_again(&opener);
        }
    });
}

/// The button of the menu that an element is in, which goes when one of its items is picked;
/// else the element.
fn menu_button(element: HtmlElement) -> HtmlElement {
    let menu = element.closest(".menu").ok().flatten();
    let button = menu.and_then(|menu| menu.query_selector("button").ok()?);
    let button = button.and_then(|button| button.dyn_into().ok());
    button.unwrap_or(element)
}

/// When an element goes that has the focus inside, such as a request that is answered, the
/// focus goes to the pane that is shown.
#[hook]
pub fn use_focus_kept(element: &NodeRef) {
    let element = element.clone();
    use_effect_on((), move |()| {
        move || {
            let focused = page::focused();
            let inside = element
                .get()
                .is_some_and(|own| own.contains(focused.as_ref().map(AsRef::as_ref)));
            if let (true, Some(focused)) = (inside, focused) {
                // Once it is gone.
                Timeout::new(0, move || {
                    if page::focused().is_none() {
                        page::focus_again(&focused);
                    }
                })
                .forget();
            }
        }
    });
}

/// Whether something that a button opens is open. `element` holds the button and what it
/// opens; Escape closes it, and so does whatever the user does outside.
#[hook]
pub fn use_popup(element: &NodeRef) -> UseStateHandle<bool> {
    let open = use_state_eq(|| false);
    let close = {
        let open = open.setter();
        use_stable(move |()| open.set(false))
    };
    use_escape(*open, close.clone());
    use_outside(*open, element, close);
    use_return_focus(*open);
    open
}

/// What the button of a popup does: opens it, or closes it again.
#[must_use]
pub fn toggle(open: &UseStateHandle<bool>) -> Callback<MouseEvent> {
    let open = open.clone();
    Callback::from(move |_| open.set(!*open))
}

/// Calls `on` when the user drops a file. The browser would show it in place of the page.
#[hook]
pub fn use_dropped_file(on: Callback<()>) {
    use_effect_on(on, |on| {
        let listen = |kind: &'static str| {
            let on = on.clone();
            let options = EventListenerOptions::enable_prevent_default();
            EventListener::new_with_options(&page::window(), kind, options, move |event| {
                let data = event.unchecked_ref::<DragEvent>().data_transfer();
                if data.is_some_and(|data| data.types().includes(&"Files".into(), 0)) {
                    event.prevent_default();
                    if kind == "drop" {
                        on.emit(());
                    }
                }
            })
        };
        let listeners = ["dragover", "drop"].map(listen);
        move || drop(listeners)
    });
}

/// Calls `on` when the user leaves the page: closes it, loads it again, or goes elsewhere.
#[hook]
pub fn use_leave(on: Callback<()>) {
    let latest = use_mut_ref(|| on.clone());
    *latest.borrow_mut() = on;
    use_effect_on((), move |()| {
        let listener = EventListener::new(&page::window(), "pagehide", move |_| {
            latest.borrow().emit(());
        });
        move || drop(listener)
    });
}

/// Calls `on` whenever the size of an element changes, and once at first. A browser without
/// `ResizeObserver` tells only of the window's size.
#[hook]
pub fn use_size(element: NodeRef, on: Callback<()>) {
    use_effect_on((element, on), |(element, on)| {
        let changed = {
            let on = on.clone();
            Closure::<dyn FnMut()>::new(move || on.emit(()))
        };
        let observer = ResizeObserver::new(changed.as_ref().unchecked_ref()).ok();
        let mut listener = None;
        match (&observer, element.cast::<Element>()) {
            (Some(observer), Some(element)) => observer.observe(&element),
            _ => {
                on.emit(());
                let on = on.clone();
                let told = move |_: &web_sys::Event| on.emit(());
                listener = Some(EventListener::new(&page::window(), "resize", told));
            }
        }
        move || {
            if let Some(observer) = observer {
                observer.disconnect();
            }
            drop((listener, changed));
        }
    });
}
