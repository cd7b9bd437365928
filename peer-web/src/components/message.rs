//! A message of the conversation.

use p2pchat_model::wording::label;
use p2pchat_model::{Message, NameCheck, Person, printable};
use yew::prelude::*;

use crate::browser::dates;
use crate::logic::links::ends_right_to_left;
use crate::logic::sentence::capitalized;

use super::avatar::avatar;
use super::delivery_list::DeliveryList;
use super::delivery_mark::delivery_mark;
use super::lookalike_tag::LookalikeTag;
use super::person_menu::PersonMenu;
use super::rich_text::RichText;

/// A message with its sender, time and delivery status: the `first` of its sender's group has
/// the name over it, the `last` ends the group.
pub fn message(message: &Message, first: bool, last: bool) -> Html {
    let class = classes!(
        "message",
        message.is_own().then_some("own"),
        first.then_some("first"),
        last.then_some("last"),
    );
    let deliveries = message.deliveries.as_ref();
    html! {
        <article {class}>
            { head(message, first) }
            <div class="bubble">
                <RichText text={message.text.clone()} />
                <span class={classes!("meta", ends_right_to_left(&message.text).then_some("at-left"))}>
                    <time>{ dates::time(message.at) }</time>
                    if let Some(deliveries) = deliveries { { delivery_mark(message.delivery(), deliveries) } }
                </span>
            </div>
            if let Some(deliveries) = deliveries { <DeliveryList deliveries={deliveries.clone()} /> }
        </article>
    }
}

/// The sender: shown where a group begins, read by screen readers everywhere.
fn head(message: &Message, first: bool) -> Html {
    let from = &message.from;
    let name = printable(from.title()).into_owned();
    if message.is_own() {
        return html! { <span class="unseen">{ capitalized(label::YOU) }{ ":" }</span> };
    }
    if !first {
        return html! { <span class="unseen">{ name }{ ":" }</span> };
    }
    html! {
        <header class="message-head">
            { avatar(from.title()) }
            <b><bdi>{ name }</bdi></b>
            if let Some(name) = from.name { <LookalikeTag {name} /> }
            { check(from) }
            <PersonMenu target={from.to_block()} name={from.title().to_owned()} />
        </header>
    }
}

/// The address of a sender whose name the registry does not confirm: a name in a packet
/// proves nothing.
fn check(from: &Person) -> Html {
    let Some(words) = from.check.warning() else {
        return html! {};
    };
    let class = (from.check == NameCheck::Differs).then_some("bad");
    html! {
        <>
            <span class="message-address">{ from.address.to_string() }</span>
            <span class={classes!("tag", class)}>{ words }</span>
        </>
    }
}
