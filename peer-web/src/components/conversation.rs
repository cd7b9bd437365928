//! The conversation: of however many lines, only those in sight are in the page.

mod layout;
mod paging;

use std::rc::Rc;

use yew::prelude::*;

use crate::app::use_page;
use crate::browser::hooks::{use_now, use_size, use_watched};
use crate::browser::page;
use crate::logic::clock::Zone;
use crate::logic::rows::{Key, Row, rows};
use crate::logic::window::{Place, span, top_of};
use crate::state::Action;

use super::icon::{Glyph, Icon};
use super::message_row::row;

use layout::{Layout, Nodes};

/// How often the page looks whether a new day has begun, in milliseconds.
const DAY_CHECK: u32 = 30_000;

/// The conversation.
///
/// On each render: rows from lines, heights from what was measured, and from the place of
/// the user which rows are drawn. After it: measure what was drawn, and put the scroll
/// position where the place is. A scroll by the user moves the place.
#[component]
pub fn Conversation() -> Html {
    let context = use_page();
    let state = &context.state;
    let update = use_force_update();
    let zone = use_memo((), |()| Zone::new(page::zone_offset));
    let layout = use_mut_ref(Layout::default);
    let nodes = use_state(Nodes::default);
    let at_end = use_state_eq(|| true);
    let today = zone.day(use_now(DAY_CHECK));

    let rows: Rc<Vec<Row>> = use_memo(
        (state.view.clone(), state.reading.mark()),
        |(view, mark)| {
            view.as_ref()
                .map(|view| rows(&view.get().lines, *mark, &zone))
                .unwrap_or_default()
        },
    );
    let heights = match &state.view {
        Some(view) => layout.borrow_mut().heights(&rows, &view.get().lines),
        None => Vec::new(),
    };
    let place = layout.borrow_mut().place_in(&rows, &heights);
    let in_sight = layout.borrow().in_sight;
    let drawn = span(&heights, top_of(place, &rows, &heights, in_sight), in_sight);
    layout.borrow_mut().drawn = drawn;

    {
        let (layout, rows) = (layout.clone(), rows.clone());
        let (nodes, update) = (nodes.clone(), update.clone());
        use_effect(move || {
            let mut layout = layout.borrow_mut();
            if layout.settle(&nodes, &rows) {
                // Something is higher or lower than was assumed: draw with what is known now.
                update.force_update();
            }
        });
    }
    let onresize = {
        let update = update.clone();
        use_callback((), move |(), ()| update.force_update())
    };
    use_size(nodes.scroller.clone(), onresize);

    let watched = use_watched();
    {
        let dispatch = state.dispatcher();
        let looking = watched && *at_end;
        use_effect_with((looking, rows.len()), move |(looking, _)| {
            dispatch.dispatch(Action::Look(*looking));
        });
    }
    paging::use_paging(&context, &layout, &rows, drawn.above);
    paging::use_jump(&context, &layout, &rows, &at_end, &update);
    paging::use_own_words(state, &layout, &at_end, &update);

    let onscroll = {
        let (layout, rows, at_end) = (layout.clone(), rows.clone(), at_end.clone());
        let (nodes, update) = (nodes.clone(), update.clone());
        move |_| {
            let mut layout = layout.borrow_mut();
            let redraw = layout.scrolled(&nodes, &rows, &heights);
            at_end.set(layout.place == Place::End);
            if redraw {
                update.force_update();
            }
        }
    };
    let onlatest = {
        let at_end = at_end.clone();
        move |_| {
            layout.borrow_mut().place = Place::End;
            at_end.set(true);
            update.force_update();
        }
    };
    let unread = state.reading.unread();
    let more = state
        .view
        .as_ref()
        .is_some_and(|view| view.get().more_history);
    html! {
        <div class="conversation">
            <div class="scroller" ref={nodes.scroller.clone()} {onscroll} role="log" aria-live="off" aria-label="Conversation" tabindex="0">
                { top(more, state.pending.history.is_some(), !rows.iter().any(|row| matches!(row.key, Key::Message(_)))) }
                <div aria-hidden="true" ref={nodes.above.clone()}></div>
                <div class="lines" ref={nodes.list.clone()}>
                    { for state.view.iter().flat_map(|view| {
                        let view = view.get();
                        rows[drawn.first..drawn.end].iter().map(|drawn| row(drawn, &view.lines, &zone, today)).collect::<Vec<_>>()
                    }) }
                </div>
                <div aria-hidden="true" ref={nodes.below.clone()}></div>
                if !*at_end {
                    <div class="latest-place">
                        <button type="button" class="latest" onclick={onlatest}><Icon glyph={Glyph::Down} />{ latest(unread) }</button>
                    </div>
                }
            </div>
        </div>
    }
}

fn latest(unread: usize) -> String {
    match unread {
        0 => "Latest".to_owned(),
        1 => "1 new message".to_owned(),
        n => format!("{n} new messages"),
    }
}

/// What stands above the oldest line.
fn top(more: bool, waits: bool, empty: bool) -> Html {
    match (more, waits, empty) {
        (_, true, _) => html! { <p class="lines-top">{ "Reading what was said earlier…" }</p> },
        (true, false, _) => {
            html! { <p class="lines-top">{ "Scroll up for what was said earlier" }</p> }
        }
        (false, false, true) => html! {
            <div class="lines-empty">
                <h2>{ "It is quiet here" }</h2>
                <p>{ "Ask somebody on the left, or wait until somebody asks you. What is said is kept on this machine and nowhere else." }</p>
            </div>
        },
        (false, false, false) => html! { <p class="lines-top">{ "This is where it begins" }</p> },
    }
}
