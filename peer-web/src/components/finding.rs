//! A message that a search found.

use p2pchat_model::wording::label;
use p2pchat_model::{Line, printable};
use yew::prelude::*;

use crate::browser::{dates, page};
use crate::logic::clock::{LocalDay, Zone};
use crate::logic::said::said;
use crate::logic::sentence::capitalized;
use crate::state::{Action, State};

/// A message that a search found. A click scrolls to it.
pub fn finding(
    dispatch: &UseReducerDispatcher<State>,
    line: &Line,
    today: LocalDay,
    onclose: &Callback<()>,
) -> Html {
    let Some(said) = said(line) else {
        return html! {};
    };
    let day = Zone::new(page::zone_offset).day(said.at);
    let when = format!("{}, {}", dates::day(day, today), dates::time(said.at));
    let from = if said.own {
        capitalized(label::YOU)
    } else {
        printable(&said.who.name()).into_owned()
    };
    let onclick = {
        let (dispatch, onclose, id) = (dispatch.clone(), onclose.clone(), said.id);
        move |_| {
            dispatch.dispatch(Action::Jump(id));
            // Where there is room for only one pane, the message would be behind the search.
            if page::is_narrow() {
                onclose.emit(());
            }
        }
    };
    html! {
        <button type="button" class="finding" {onclick}>
            <span class="finding-top"><b><bdi>{ from }</bdi></b><time>{ when }</time></span>
            <span class="finding-text">{ printable(said.text).into_owned() }</span>
        </button>
    }
}
