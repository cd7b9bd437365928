//! Who is blocked, and what was dropped.

use p2pchat_model::{Command, Dropped, Target, printable};
use yew::prelude::*;

use crate::app::Context;

/// Who is blocked, with the way back, and the counts of what was dropped. Nothing where there
/// is neither.
pub fn turned_away(context: &Context) -> Html {
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let view = view.get();
    html! {
        <>
            if !view.blocked.is_empty() {
                <section class="group" aria-labelledby="blocked-title">
                    <header class="group-head">
                        <h2 id="blocked-title">{ "Blocked" } <span class="count">{ view.blocked.len() }</span></h2>
                    </header>
                    <ul class="rows">{ for view.blocked.iter().map(|who| blocked(context, *who)) }</ul>
                </section>
            }
            if !view.dropped.is_empty() {
                <details class="group dropped">
                    <summary>{ "Turned away" }</summary>
                    <ul>{ for view.dropped.iter().map(dropped) }</ul>
                </details>
            }
        </>
    }
}

fn blocked(context: &Context, who: Target) -> Html {
    let onclick = {
        let send = context.send.clone();
        move |_| send.emit(Command::Unblock { who })
    };
    let name = printable(&who.to_string()).into_owned();
    html! {
        <li key={who.to_string()} class="row-person">
            <span class="person-name"><bdi>{ name.clone() }</bdi></span>
            <button type="button" class="button small" {onclick} disabled={!context.state.is_live()}
                aria-label={format!("Unblock {name}")}>{ "Unblock" }</button>
        </li>
    }
}

fn dropped(dropped: &Dropped) -> Html {
    html! { <li>{ printable(&dropped.tally()).into_owned() }</li> }
}
