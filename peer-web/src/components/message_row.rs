//! The rows of a conversation.

use p2pchat_model::{Level, Line, Message, NameCheck, printable};
use yew::prelude::*;

use crate::app::{Context, use_page};
use crate::logic::clock::{LocalDay, Zone};
use crate::logic::rows::{RowKind, Shown};
use crate::state::ViewCell;

use super::avatar::avatar;
use super::block_button::block_button;
use super::deliveries;
use super::icon::{Glyph, icon};
use super::lookalike_tag::looks_like;
use super::rich_text::rich_text;

/// What a [`MessageRow`] needs. As long as it is the same, the row is not drawn again.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Where its line is.
    pub view: ViewCell,
    /// Which row.
    pub shown: Shown,
    /// Today, for the names of days.
    pub today: LocalDay,
}

/// A row: what was said, a notice, a day, or where the new messages begin.
#[component]
pub fn MessageRow(props: &Props) -> Html {
    let context = use_page();
    let (view, rows) = (props.view.get(), props.view.rows());
    let line = props.shown.kind.line().map(|index| view.lines.get(index));
    match (props.shown.kind, line) {
        (RowKind::Day(day), _) => {
            html! { <div class="day-row"><span>{ day.words(props.today) }</span></div> }
        }
        (RowKind::New, _) => html! { <div class="new-row"><span>{ "New messages" }</span></div> },
        (RowKind::Message { first, last, .. }, Some(Some(Line::Message(said)))) => {
            message(&context, said, (first, last), rows.zone())
        }
        (_, Some(Some(line))) => notice(line, rows.zone()),
        // Its line went away, and so will the row.
        (_, _) => html! {},
    }
}

fn notice(line: &Line, zone: &Zone) -> Html {
    let Line::Notice { at, level, text } = line else {
        return html! {};
    };
    let warns = *level == Level::Warning;
    html! {
        <div class="notice-row" data-is={warns.then_some("warning")}>
            if warns { { icon(Glyph::Warning) } }
            <span>{ printable(text).into_owned() }</span>
            <time>{ zone.time(*at) }</time>
        </div>
    }
}

fn message(context: &Context, said: &Message, (first, last): (bool, bool), zone: &Zone) -> Html {
    let own = said.is_own();
    let when = |so, word| if so { word } else { "" };
    let is = [when(own, "own "), when(first, "first "), when(last, "last")].concat();
    html! {
        <article class="said" data-is={is}>
            { head(context, said, first) }
            <div class="bubble">
                { rich_text(&said.text) }
                <span class="meta">
                    <time>{ zone.time(said.at) }</time>
                    if let Some(deliveries) = &said.deliveries { { deliveries::tick(deliveries) } }
                </span>
            </div>
            if let Some(deliveries) = &said.deliveries { { deliveries::list(deliveries) } }
        </article>
    }
}

/// Who says it: seen where a group begins, heard everywhere.
fn head(context: &Context, said: &Message, first: bool) -> Html {
    let name = printable(said.from.name.as_str()).into_owned();
    if said.is_own() {
        return html! { <span class="unseen">{ "You:" }</span> };
    }
    if !first {
        return html! { <span class="unseen">{ name }{ ":" }</span> };
    }
    html! {
        <header class="said-head">
            { avatar(said.from.name.as_str()) }
            <b><bdi>{ name }</bdi></b>
            { looks_like(&context.state, said.from.name) }
            { check(said) }
            { block_button(context, said.from.to_block(), said.from.name.as_str()) }
        </header>
    }
}

/// Names in packets prove nothing: what the registry does not confirm has its address.
fn check(said: &Message) -> Html {
    let (is, words) = match said.from.check {
        NameCheck::Confirmed => return html! {},
        NameCheck::Unknown => (None, "name not confirmed"),
        NameCheck::Differs => (Some("bad"), "not the name the registry knows"),
    };
    html! { <><span class="said-address">{ said.from.address.to_string() }</span><span class="tag" data-is={is}>{ words }</span></> }
}
