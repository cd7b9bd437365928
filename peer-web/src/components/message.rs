//! A message of the conversation.

use p2pchat_model::wording::label;
use p2pchat_model::{Message as Content, NameCheck, Person, printable};
use yew::prelude::*;

use crate::browser::dates;
use crate::logic::links::ends_right_to_left;
use crate::logic::sentence::capitalized;

use super::avatar::Avatar;
use super::delivery_list::DeliveryList;
use super::delivery_mark::DeliveryMark;
use super::lookalike_tag::LookalikeTag;
use super::person_menu::PersonMenu;
use super::rich_text::RichText;

/// What a [`Message`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The message.
    pub message: Content,
    /// Whether it is the first of its sender's group: the name stands over it.
    pub first: bool,
    /// Whether it is the last of its sender's group.
    pub last: bool,
}

/// A message with its sender, time and delivery status.
#[component]
pub fn Message(props: &Props) -> Html {
    let message = &props.message;
    let class = classes!(
        "message",
        message.is_own().then_some("own"),
        props.first.then_some("first"),
        props.last.then_some("last"),
    );
    let deliveries = message.deliveries.as_ref();
    html! {
        <article {class}>
            { head(message, props.first) }
            <div class="bubble">
                <RichText text={message.text.clone()} />
                <span class={classes!("meta", ends_right_to_left(&message.text).then_some("at-left"))}>
                    <time>{ dates::time(message.at) }</time>
                    if let Some(deliveries) = deliveries { <DeliveryMark state={message.delivery()} deliveries={deliveries.clone()} /> }
                </span>
            </div>
            if let Some(deliveries) = deliveries { <DeliveryList deliveries={deliveries.clone()} /> }
        </article>
    }
}

/// The sender: shown where a group begins, read by screen readers everywhere.
fn head(message: &Content, first: bool) -> Html {
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
            <Avatar name={from.title().to_owned()} />
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
