//! A row of the conversation.

use p2pchat_model::wording::label;
use p2pchat_model::{Level, Line, printable};
use yew::prelude::*;

use crate::browser::dates;
use crate::logic::clock::LocalDay;
use crate::logic::rows::{RowKind, Shown};
use crate::state::SharedView;

use super::icon::{Glyph, icon};
use super::message::{Acts, Stand, message};

/// What a [`use_message_row`] needs. As long as it is equal, the row is not rendered again.
#[derive(PartialEq)]
pub struct Props {
    /// The view with the row's line.
    pub view: SharedView,
    /// Which row.
    pub shown: Shown,
    /// Today, for the names of days.
    pub today: LocalDay,
    /// Whether the user was led to it.
    pub lit: bool,
    /// For what can be done with a message.
    pub acts: Acts,
}

/// A row: a message, a notice, a day, or where the new messages begin.
#[hook]
pub fn use_message_row(props: &Props) -> Html {
    let chat = props.view.shown();
    let line = |index: usize| chat.lines.get(index);
    match props.shown.kind {
        RowKind::Day(day) => html! {
            <div class="day-row"><span>{ dates::day(day, props.today) }</span></div>
        },
        RowKind::New => html! { <div class="new-row"><span>{ label::NEW }</span></div> },
        RowKind::Message { index, first, last } => match line(index) {
            Some(line) => {
                let lit = props.lit;
                let stand = Stand { first, last, lit };
                message(&props.acts, &props.view.get(), &chat, line, stand)
            }
            // Its line is gone, and so the row will be.
            None => html! {},
        },
        RowKind::Notice { index } => line(index).map(notice).unwrap_or_default(),
    }
}

fn notice(line: &Line) -> Html {
    let Line::Notice { at, level, text } = line else {
        return html! {};
    };
    let warns = *level == Level::Warning;
    html! {
        <div class={classes!("notice-row", warns.then_some("warning"))}>
            if warns { { icon(Glyph::Warning) } }
            <span>{ printable(text).into_owned() }</span>
            <time>{ dates::time(*at) }</time>
        </div>
    }
}
