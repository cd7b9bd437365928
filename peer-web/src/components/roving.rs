//! A list that is one Tab stop: arrows and letters lead from row to row.

use std::ops::Deref;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Element, EventTarget};
use yew::prelude::*;

use crate::browser::{element, keys, page};
use crate::logic::roving::{Letters, target};

/// The rows of a list, which say where they are in it.
const ROWS: &str = "li[aria-posinset]";
/// What takes the focus in a row: not what a menu of it shows.
const BUTTONS: &str = "button:enabled:not(.menu-panel *)";

/// What a list has rows for.
pub trait List {
    /// How many there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What tells a row from the others, whatever changes in it.
    fn key(&self, at: usize) -> String;

    /// What letters find a row by.
    fn name(&self, at: usize) -> String;

    /// Draws a row.
    fn row(&self, at: usize) -> Html;
}

/// A list of any kind: what draws it exists once.
#[derive(Clone)]
pub struct Rows(Rc<dyn List>);

/// Equal only to itself.
impl PartialEq for Rows {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for Rows {
    type Target = dyn List;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

struct Items<T, F> {
    items: Vec<T>,
    key: fn(&T) -> String,
    name: fn(&T) -> String,
    row: F,
}

impl<T, F: Fn(&T) -> Html> List for Items<T, F> {
    fn len(&self) -> usize {
        self.items.len()
    }

    fn key(&self, at: usize) -> String {
        (self.key)(&self.items[at])
    }

    fn name(&self, at: usize) -> String {
        (self.name)(&self.items[at])
    }

    fn row(&self, at: usize) -> Html {
        (self.row)(&self.items[at])
    }
}

impl Rows {
    /// The rows of these items, each with a key, and a name that letters find it by.
    pub fn new<T: 'static>(
        items: Vec<T>,
        key: fn(&T) -> String,
        name: fn(&T) -> String,
        row: impl Fn(&T) -> Html + 'static,
    ) -> Self {
        Self(Rc::new(Items {
            items,
            key,
            name,
            row,
        }))
    }
}

/// The state of a list that is one Tab stop. Each row is an `li` with `aria-posinset`, and its
/// buttons take the focus: the first one by arrows up and down, the others by left and right.
pub struct Roving {
    /// The list.
    pub list: NodeRef,
    /// The row that Tab leads to. It has to be in the page.
    pub active: usize,
    /// For the list.
    pub onkeydown: Callback<KeyboardEvent>,
    /// For the list.
    pub onfocusin: Callback<FocusEvent>,
}

/// A list with one Tab stop.
#[hook]
pub fn use_roving(rows: &Rows) -> Roving {
    let list = use_node_ref();
    let kept = use_state_eq(|| None::<String>);
    let last = use_mut_ref(|| 0);
    let to_focus = use_mut_ref(|| false);
    let letters = use_mut_ref(Letters::default);
    // By what it is, not by where: others come and go before it.
    let before = *last.borrow();
    let is_kept = |at: &usize| *at < rows.len() && kept.as_ref() == Some(&rows.key(*at));
    // Mostly it is where it was.
    let known = kept.as_ref().and_then(|_| {
        let mut all = [before].into_iter().chain(0..rows.len());
        all.find(is_kept)
    });
    let active = known.unwrap_or_else(|| before.min(rows.len().saturating_sub(1)));
    *last.borrow_mut() = active;
    {
        let (list, to_focus) = (list.clone(), to_focus.clone());
        use_effect(move || {
            if let Some(list) = list.cast::<Element>() {
                set_tab_stop(&list, active);
                if to_focus.replace(false) {
                    focus_row(&list, active);
                }
            }
        });
    }
    let onkeydown = {
        let (list, rows, kept) = (list.clone(), rows.clone(), kept.setter());
        Callback::from(move |event: KeyboardEvent| {
            let (Some(key), Some(list)) = (keys::pressed(&event), list.cast::<Element>()) else {
                return;
            };
            let modified = event.ctrl_key() || event.alt_key() || event.meta_key();
            let Some((row, at)) = row_of(event.target()).filter(|_| !modified) else {
                return;
            };
            if let "ArrowLeft" | "ArrowRight" = key.as_str() {
                event.prevent_default();
                move_in_row(&row, key == "ArrowRight");
                return;
            }
            let to = target(&key, at, rows.len(), page_of(&list, &row)).or_else(|| {
                let names: Vec<String> = (0..rows.len()).map(|at| rows.name(at)).collect();
                letters
                    .borrow_mut()
                    .find(&key, event.time_stamp(), &names, at)
            });
            if let Some(to) = to {
                event.prevent_default();
                if to == at {
                    focus_row(&list, at);
                } else {
                    to_focus.replace(true);
                    kept.set(Some(rows.key(to)));
                }
            }
        })
    };
    let onfocusin = {
        let (rows, kept) = (rows.clone(), kept.setter());
        Callback::from(move |event: FocusEvent| {
            if let Some((_, at)) = row_of(event.target()) {
                kept.set((at < rows.len()).then(|| rows.key(at)));
            }
        })
    };
    Roving {
        list,
        active,
        onkeydown,
        onfocusin,
    }
}

/// The row that something is in, and where it is in the list. `None` for a menu of the row.
fn row_of(target: Option<EventTarget>) -> Option<(Element, usize)> {
    let target: Element = target?.dyn_into().ok()?;
    if target.closest(".menu-panel").ok()?.is_some() {
        return None;
    }
    let row = target.closest(ROWS).ok()??;
    let position: usize = row.get_attribute("aria-posinset")?.parse().ok()?;
    Some((row, position.checked_sub(1)?))
}

fn row_at(list: &Element, at: usize) -> Option<Element> {
    let wanted = format!("li[aria-posinset=\"{}\"]", at + 1);
    list.query_selector(&wanted).ok()?
}

fn buttons(within: &Element) -> Vec<Element> {
    element::all(within, BUTTONS)
}

/// Leaves one button of the list for Tab: the first one of a row.
fn set_tab_stop(list: &Element, active: usize) {
    let active = row_at(list, active).and_then(|row| buttons(&row).into_iter().next());
    element::set_tab_stop(&buttons(list), active.as_ref());
}

fn focus_row(list: &Element, at: usize) {
    let buttons = row_at(list, at).map(|row| buttons(&row));
    if let Some(first) = buttons.unwrap_or_default().first() {
        element::focus(first);
    }
}

fn move_in_row(row: &Element, forward: bool) {
    let buttons = buttons(row);
    let focused = page::focused();
    let focused = focused.as_ref().map(AsRef::<Element>::as_ref);
    let Some(at) = buttons.iter().position(|button| Some(button) == focused) else {
        return;
    };
    let to = if forward {
        at + 1
    } else {
        at.saturating_sub(1)
    };
    if let Some(button) = buttons.get(to) {
        element::focus(button);
    }
}

/// How many rows of the list are in sight.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few dozen"
)]
fn page_of(list: &Element, row: &Element) -> usize {
    let (_, height) = page::size();
    let list = list.get_bounding_client_rect();
    let seen = list.bottom().min(height) - list.top().max(0.0);
    (seen / row.get_bounding_client_rect().height().max(1.0)) as usize
}
