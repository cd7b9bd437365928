//! The side with the people: oneself, the members of the chat, who is online.

use p2pchat_model::{Command, Link};
use yew::prelude::*;

use crate::app::{Context, use_page, use_talk};

use super::blocked_list::turned_away;
use super::brand::brand;
use super::chat::Pane;
use super::icon::{Glyph, icon};
use super::members::members;
use super::menu::Menu;
use super::online::Online;
use super::person_name::person_name;
use super::switch::switch;

/// What [`People`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Shows a pane, where there is room for one only.
    pub show: Callback<Pane>,
}

/// The side with the people.
#[component]
pub fn People(props: &Props) -> Html {
    let context = use_page();
    let state = &context.state;
    let Some(view) = &state.view else {
        return html! {};
    };
    let view = view.get();
    let onbusy = {
        let send = context.send.clone();
        Callback::from(move |on| send.emit(Command::Busy { on }))
    };
    let ontalk = {
        let show = props.show.clone();
        move |_| show.emit(Pane::Talk)
    };
    html! {
        <section class="people" aria-label="People">
            <header class="people-head">
                { brand() }
                <button type="button" class="button small only-narrow" onclick={ontalk}>
                    { "Chat" }<Unread />
                </button>
                <Menu />
            </header>
            <div class="people-scroll">
                { members(&context) }
                <Online />
                { turned_away(&context) }
            </div>
            <footer class="me">
                <div class="me-who">
                    { person_name(state, view.account, view.address, "you") }
                    { link(&view.link) }
                </div>
                { switch("Busy", if view.busy { "Requests are turned away" } else { "People can ask you" },
                    view.busy, !state.is_live(), onbusy) }
            </footer>
        </section>
    }
}

/// How many messages came while nobody looked.
#[component]
fn Unread() -> Html {
    match use_talk().reading.unread() {
        0 => html! {},
        unread => {
            html! { <span class="badge">{ unread }<span class="unseen">{ " new" }</span></span> }
        }
    }
}

fn link(link: &Link) -> Html {
    let (is, words, title) = match link {
        Link::Up => (
            "ok",
            "online",
            "The registry is connected: others find you.",
        ),
        Link::Connecting => ("wait", "connecting", "Connecting to the registry."),
        Link::Down { .. } => (
            "down",
            "offline",
            "The registry is out of reach: your chat goes on.",
        ),
    };
    html! {
        <span class="link-state" {title}>
            <span class="dot" data-is={is} aria-hidden="true"></span>{ words }
        </span>
    }
}

/// The button that asks who is online now.
pub fn refresh(context: &Context) -> Html {
    let waits = context.state.pending.people;
    let onclick = {
        let send = context.send.clone();
        move |_| send.emit(Command::Refresh)
    };
    html! {
        <button type="button" class="icon-button" data-is={waits.then_some("turning")} {onclick}
            disabled={!context.state.is_live()} aria-label="Refresh who is online" title="Refresh">
            { icon(Glyph::Refresh) }
        </button>
    }
}
