//! A chat request that waits for the user's answer.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{Command, IncomingRequest, Person, View, printable};
use yew::prelude::*;

use crate::browser::hooks::{use_after, use_focus_kept};
use crate::context::use_app;
use crate::part;

use super::avatar::avatar;
use super::buttons::small_button;
use super::countdown::use_countdown;
use super::lookalike_tag::use_lookalike_tag;
use super::person_menu::block;
use super::row_menu::row_menu;

/// How long the buttons do nothing at first, in milliseconds: a click that was begun before
/// they were there was meant for something else.
pub(super) const ARM_AFTER: u32 = 600;

/// What an [`use_incoming`] needs.
#[derive(PartialEq)]
pub struct Props {
    /// The request.
    pub request: IncomingRequest,
}

/// The request as a card. It does not take the focus, and no key answers it: a user who is
/// typing would answer it by accident.
#[hook]
pub fn use_incoming(props: &Props) -> Html {
    let context = use_app();
    let armed = use_after(ARM_AFTER);
    let node = use_node_ref();
    use_focus_kept(&node);
    let disabled = !armed || !context.state.is_live();
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let view = view.get();
    let request = &props.request;
    let (conversation, from) = (request.conversation, request.from.address);
    let name = request.from.title();
    let answer = |commands: Vec<Command>| {
        let send = context.send.clone();
        Callback::from(move |_: MouseEvent| {
            for command in &commands {
                send.emit(command.clone());
            }
        })
    };
    let joins = wording::who_meets(request, &view).is_some();
    let title = printable(&wording::asks(name, request, &view)).into_owned();
    let accept = if joins {
        wording::let_in(name)
    } else if request.members.is_empty() {
        label::ACCEPT.to_owned()
    } else {
        label::JOIN.to_owned()
    };
    html! {
        <div class="incoming" role="group" ref={node} aria-label={title.clone()}>
            <div class="incoming-top">
                { avatar(name) }
                <div class="request-words">
                    <h2><bdi>{ title }</bdi></h2>
                    if let Some(name) = request.from.name { { part!(use_lookalike_tag, super::lookalike_tag::Props { name }) } }
                    { for words(request, &view).into_iter().map(|words| html! { <p>{ words }</p> }) }
                </div>
                { part!(use_countdown, super::countdown::Props { until: request.expires }) }
                { row_menu(name.to_owned(), vec![block_item(&context.send, request.from)], disabled, true) }
            </div>
            <div class="incoming-buttons">
                <button type="button" class="button small primary" onclick={answer(vec![Command::Accept { conversation, from }])} {disabled}>
                    { printable(&accept).into_owned() }</button>
                { small_button(label::DECLINE, answer(vec![Command::Reject { conversation, from }]), disabled) }
                if joins {
                    <button type="button" class="button small" onclick={answer(vec![Command::Leave { conversation }, Command::Accept { conversation, from }])} {disabled}>
                        { printable(&wording::leave_the_others(name)).into_owned() }</button>
                }
            </div>
        </div>
    }
}

/// Blocks the requester, which rejects the request too.
fn block_item(send: &Callback<Command>, from: Person) -> super::row_menu::MenuItem {
    let (send, who) = (send.clone(), from.to_block());
    let onpick = Callback::from(move |()| send.emit(Command::Block { who }));
    block(from.title(), onpick)
}

/// What the user should know before the answer. An address only where the name may be
/// another's.
fn words(request: &IncomingRequest, view: &View) -> Vec<String> {
    let from = request.from;
    let warning = from.check.warning();
    let warning = warning.map(|warning| format!("{}: {warning}", from.address));
    let words = warning.into_iter().chain(wording::who_meets(request, view));
    // These begin with an address or a name.
    words
        .map(|words| format!("{}.", printable(&words)))
        .collect()
}
