//! The conversation: of however many lines, only those in sight are in the page.

mod layout;
mod paging;

use std::cell::RefCell;
use std::rc::Rc;

use p2pchat_model::{Line, printable};
use yew::prelude::*;

use crate::app::{Context, use_page, use_talk};
use crate::browser::hooks::{use_now, use_size, use_watched};
use crate::logic::rows::Key;
use crate::logic::window::Place;
use crate::state::{Action, ViewRef};

use super::icon::{Glyph, icon};
use super::message_row::MessageRow;

use layout::{Layout, Nodes};

/// How often the page looks whether a new day has begun, in milliseconds.
const DAY_CHECK: u32 = 30_000;

/// The conversation.
///
/// On each render: from the place of the user, and the heights of the rows, which rows are
/// drawn. After it: measure what was drawn, and put the scroll position where the place is.
/// A scroll by the user moves the place.
#[component]
pub fn Conversation() -> Html {
    let context = use_page();
    let talk = use_talk();
    let Some(view) = talk.view.clone() else {
        return html! {};
    };
    let update = use_force_update();
    let layout = use_mut_ref(Layout::default);
    let nodes = use_state(Nodes::default);
    let at_end = use_state_eq(|| true);
    let today = view.rows().zone().day(use_now(DAY_CHECK));
    let drawn = layout.borrow_mut().draw(&view.rows());

    use_settle(&layout, &view, &nodes, &update);
    let onresize = {
        let update = update.clone();
        use_callback((), move |(), ()| update.force_update())
    };
    use_size(nodes.scroller.clone(), onresize);

    use_look(&context, &view, *at_end);
    paging::use_paging(&context, &talk, &layout, drawn.above);
    paging::use_jump(&context, &talk, &layout, &at_end, &update);
    paging::use_own_words(&view, &layout, &at_end, &update);

    let onscroll = {
        let (layout, view, at_end) = (layout.clone(), view.clone(), at_end.clone());
        let (nodes, update) = (nodes.clone(), update.clone());
        move |_| {
            let mut layout = layout.borrow_mut();
            let redraw = layout.scrolled(&nodes, &view.rows());
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
    let rows = view.rows();
    let empty = !rows
        .iter()
        .any(|row| matches!(row.shown.key, Key::Message(_)));
    html! {
        <div class="conversation">
            <div class="scroller" ref={nodes.scroller.clone()} {onscroll} role="log" aria-live="off" aria-label="Conversation" tabindex="0">
                { top(view.get().more_history, talk.waits, empty) }
                <div aria-hidden="true" ref={nodes.above.clone()}></div>
                <div class="lines" ref={nodes.list.clone()}>
                    { for rows[drawn.first..drawn.end].iter().map(|row| html! {
                        <MessageRow key={row.shown.key.to_string()} view={view.cell().clone()} shown={row.shown} {today} />
                    }) }
                </div>
                <div aria-hidden="true" ref={nodes.below.clone()}></div>
                if !*at_end {
                    <div class="latest-place">
                        <button type="button" class="latest" onclick={onlatest}>
                            { icon(Glyph::Down) }{ latest(talk.reading.unread()) }
                        </button>
                    </div>
                }
            </div>
            { live(talk.spoken.as_ref()) }
        </div>
    }
}

/// After each render: measures what was drawn, and scrolls to the place of the user.
#[hook]
fn use_settle(
    layout: &Rc<RefCell<Layout>>,
    view: &ViewRef,
    nodes: &Nodes,
    update: &UseForceUpdateHandle,
) {
    let (layout, view) = (layout.clone(), view.clone());
    let (nodes, update) = (nodes.clone(), update.clone());
    use_effect(move || {
        let mut layout = layout.borrow_mut();
        if layout.settle(&nodes, &view.get().lines, &mut view.rows_mut()) {
            // So much is higher or lower than was assumed that rows are missing.
            update.force_update();
        }
    });
}

/// Says whether the user sees the end, with each line more.
#[hook]
fn use_look(context: &Context, view: &ViewRef, at_end: bool) {
    let dispatch = context.dispatch.clone();
    let looking = use_watched() && at_end;
    use_effect_with((looking, view.get().lines.len()), move |(looking, _)| {
        dispatch.dispatch(Action::Look(*looking));
    });
}

fn latest(unread: usize) -> String {
    match unread {
        0 => "Latest".to_owned(),
        1 => "1 new message".to_owned(),
        n => format!("{n} new messages"),
    }
}

/// An invisible place where the newest line stands, for screen readers to say by
/// themselves. The conversation itself cannot be live: rows come and go there as one
/// scrolls.
fn live(spoken: Option<&Line>) -> Html {
    let words = match spoken {
        Some(Line::Message(message)) => format!("{}: {}", message.from, message.text),
        Some(Line::Notice { text, .. }) => text.clone(),
        None => String::new(),
    };
    html! { <div class="unseen" role="status" aria-live="polite">{ printable(&words).into_owned() }</div> }
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
