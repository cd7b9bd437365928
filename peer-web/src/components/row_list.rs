//! A list of rows of one height: of however many, only those in sight are in the page.

use std::rc::Rc;

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

use crate::browser::effect::{use_effect_on, use_stable};
use crate::browser::{element, hooks::use_size};
use crate::context::use_app;
use crate::part;

use super::roving::{Roving, Rows, use_roving};

/// What the list is scrolled by.
const SCROLLER: &str = ".people-scroll";
/// How high a row is before one was measured, in CSS pixels.
const ROW: f64 = 36.0;
/// How many rows are drawn beyond those in sight, and in how large steps.
const STEP: usize = 12;

#[derive(PartialEq)]
struct Props {
    labelledby: &'static str,
    rows: Rows,
}

/// A list: the id of its heading, and what has a row, in order.
pub fn row_list(labelledby: &'static str, rows: Rows) -> Html {
    part!(use_row_list, Props { labelledby, rows })
}

/// The list. It is one Tab stop.
#[hook]
fn use_row_list(props: &Props) -> Html {
    // What can be done in a row depends on the state, and what Tab leads to with it.
    let _ = use_app();
    let Props {
        labelledby,
        rows: all,
    } = props;
    let roving = use_roving(all);
    let drawn = use_drawn(&roving, all.len());
    let Roving {
        list,
        onkeydown,
        onfocusin,
        ..
    } = roving;
    let mut next = 0;
    let mut rows = Vec::with_capacity(drawn.len() + 3);
    for at in drawn {
        if at > next {
            rows.push(gap(next));
        }
        next = at + 1;
        let size = all.len().to_string();
        rows.push(html! {
            <li key={all.key(at)} class="row-person" aria-posinset={next.to_string()} aria-setsize={size}>{ all.row(at) }</li>
        });
    }
    if next < all.len() {
        rows.push(gap(next));
    }
    html! {
        <ul class="rows" role="list" aria-labelledby={*labelledby} ref={list} {onkeydown} {onfocusin}>{ for rows }</ul>
    }
}

/// Stands for the rows from this one on that are not drawn.
fn gap(from: usize) -> Html {
    html! { <li key={format!("gap {from}")} class="gap" aria-hidden="true"></li> }
}

/// Which rows to draw: those in sight, some around them, and the one that Tab leads to.
#[hook]
fn use_drawn(roving: &Roving, count: usize) -> Vec<usize> {
    let window = use_state_eq(|| (0, 3 * STEP));
    let (first, end) = *window;
    let end = end.min(count);
    let mut drawn: Vec<usize> = (first.min(end)..end).collect();
    if roving.active < count && !drawn.contains(&roving.active) {
        let at = drawn.partition_point(|at| *at < roving.active);
        drawn.insert(at, roving.active);
    }
    let look = {
        let (list, window, drawn) = (roving.list.clone(), window.setter(), drawn.clone());
        move || {
            if let Some(list) = list.cast::<Element>() {
                window.set(measure(&list, &drawn, count));
            }
        }
    };
    let latest = use_mut_ref(|| None::<Rc<dyn Fn()>>);
    *latest.borrow_mut() = Some(Rc::new(look.clone()));
    let look_again = use_stable(move |()| {
        let look = latest.borrow().clone();
        if let Some(look) = look {
            look();
        }
    });
    use_effect(look);
    use_size(roving.list.clone(), look_again.clone());
    use_effect_on(roving.list.clone(), move |list| {
        let list = list.cast::<Element>();
        let scroller = list.and_then(|list| list.closest(SCROLLER).ok()?);
        let listener = scroller
            .map(|scroller| EventListener::new(&scroller, "scroll", move |_| look_again.emit(())));
        move || drop(listener)
    });
    drawn
}

/// Gives the gaps their heights. Returns the rows from which to which are to be drawn.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a list has far fewer than 2^32 rows"
)]
fn measure(list: &Element, drawn: &[usize], count: usize) -> (usize, usize) {
    let row = list.query_selector("li[aria-posinset]").ok().flatten();
    let height = row.map(|row| row.get_bounding_client_rect().height());
    let height = height.filter(|height| *height > 0.0).unwrap_or(ROW);
    let ends = drawn.iter().copied().chain([count]);
    let starts = [0].into_iter().chain(drawn.iter().map(|at| at + 1));
    let missing = ends
        .zip(starts)
        .map(|(end, start)| end.saturating_sub(start));
    if let Ok(gaps) = list.query_selector_all(".gap") {
        for (nth, rows) in missing.filter(|rows| *rows > 0).enumerate() {
            let gap = gaps.item(u32::try_from(nth).unwrap_or(u32::MAX));
            if let Some(gap) = gap.and_then(|gap| gap.dyn_into::<HtmlElement>().ok()) {
                element::set_px(&gap, "height", rows as f64 * height);
            }
        }
    }
    let Some(scroller) = list.closest(SCROLLER).ok().flatten() else {
        return (0, count);
    };
    let scroller = scroller.get_bounding_client_rect();
    let top = (scroller.top() - list.get_bounding_client_rect().top()) / height;
    let first = (top.max(0.0) as usize).saturating_sub(STEP) / STEP * STEP;
    let end = ((top + scroller.height() / height).max(0.0) as usize / STEP + 2) * STEP;
    (first, end)
}
