//! The rows of a conversation.

use p2pchat_model::{Level, Line, Message, NameCheck, printable};
use yew::prelude::*;

use crate::logic::clock::{LocalDay, Zone};
use crate::logic::rows::{Row, RowKind};

use super::avatar::Avatar;
use super::block_button::BlockButton;
use super::deliveries::{Deliveries, Tick};
use super::icon::{Glyph, Icon};
use super::looks_like::LooksLike;
use super::rich_text::RichText;

/// Draws a row.
pub fn row(row: &Row, lines: &[Line], zone: &Zone, today: LocalDay) -> Html {
    let key = row.key.to_string();
    match row.kind {
        RowKind::Day(day) => html! {
            <div key={key.clone()} data-key={key} class="day-row"><span>{ day.words(today) }</span></div>
        },
        RowKind::New => html! {
            <div key={key.clone()} data-key={key} class="new-row"><span>{ "New messages" }</span></div>
        },
        RowKind::Notice { index } => notice(key, &lines[index], zone),
        RowKind::Message { index, first, last } => match &lines[index] {
            Line::Message(said) => message(key, said, (first, last), zone),
            Line::Notice { .. } => html! {},
        },
    }
}

fn notice(key: String, line: &Line, zone: &Zone) -> Html {
    let Line::Notice { at, level, text } = line else {
        return html! {};
    };
    let warns = *level == Level::Warning;
    html! {
        <div key={key.clone()} data-key={key} class={classes!("notice-row", warns.then_some("warns"))}>
            if warns { <Icon glyph={Glyph::Warning} /> }
            <span>{ printable(text).into_owned() }</span>
            <time>{ zone.time(*at) }</time>
        </div>
    }
}

fn message(key: String, said: &Message, (first, last): (bool, bool), zone: &Zone) -> Html {
    let own = said.is_own();
    let class = classes!(
        "said",
        own.then_some("own"),
        first.then_some("first"),
        last.then_some("last"),
    );
    html! {
        <article key={key.clone()} data-key={key} {class}>
            { head(said, first) }
            <div class="bubble">
                <RichText text={said.text.clone()} />
                <span class="meta">
                    <time>{ zone.time(said.at) }</time>
                    if let Some(deliveries) = &said.deliveries { <Tick deliveries={deliveries.clone()} /> }
                </span>
            </div>
            if let Some(deliveries) = &said.deliveries { <Deliveries deliveries={deliveries.clone()} /> }
        </article>
    }
}

/// Who says it: seen where a group begins, heard everywhere.
fn head(said: &Message, first: bool) -> Html {
    let name = printable(said.from.name.as_str()).into_owned();
    if said.is_own() {
        return html! { <span class="unseen">{ "You:" }</span> };
    }
    if !first {
        return html! { <span class="unseen">{ name }{ ":" }</span> };
    }
    html! {
        <header class="said-head">
            <Avatar name={said.from.name.to_string()} />
            <b><bdi>{ name }</bdi></b>
            <LooksLike name={said.from.name} />
            { check(said) }
            <BlockButton who={said.from.to_block()} name={said.from.name.to_string()} />
        </header>
    }
}

/// Names in packets prove nothing: what the registry does not confirm has its address.
fn check(said: &Message) -> Html {
    let (class, words) = match said.from.check {
        NameCheck::Confirmed => return html! {},
        NameCheck::Unknown => ("tag", "name not confirmed"),
        NameCheck::Differs => ("tag bad", "not the name the registry knows"),
    };
    html! { <><span class="said-address">{ said.from.address.to_string() }</span><span {class}>{ words }</span></> }
}
