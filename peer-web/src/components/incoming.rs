//! A chat request that waits for the user's answer.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{Command, IncomingRequest, Speaker, printable};
use yew::prelude::*;

use crate::context::use_app;

use super::avatar::Avatar;
use super::lookalike_tag::LookalikeTag;
use super::time_left::TimeLeft;

/// What an [`Incoming`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The request.
    pub request: IncomingRequest,
}

/// The request, over everything else. It does not take the focus: a user who is typing would
/// answer it by accident.
#[component]
pub fn Incoming(props: &Props) -> Html {
    let context = use_app();
    let disabled = !context.state.is_live();
    let request = &props.request;
    let answer = |answer: Answer| {
        let (send, from) = (context.send.clone(), request.from);
        Callback::from(move |_: MouseEvent| send.emit(answer.command(from)))
    };
    let name = request.from.name;
    html! {
        <div class="incoming" role="alertdialog" aria-modal="false" aria-labelledby="incoming-title"
            aria-describedby="incoming-words">
            <div class="incoming-top">
                <Avatar name={name.to_string()} />
                <div role="alert">
                    <h2 id="incoming-title"><bdi>{ printable(&wording::wants_to_chat(name)).into_owned() }</bdi></h2>
                    <LookalikeTag {name} />
                    <p id="incoming-words">{ words(request) }</p>
                </div>
            </div>
            <TimeLeft from={request.at} until={request.expires} />
            <div class="incoming-buttons">
                <button type="button" class="button" onclick={answer(Answer::Reject)} {disabled}>{ label::REJECT }</button>
                <button type="button" class="button primary" onclick={answer(Answer::Accept)} {disabled}>{ label::ACCEPT }</button>
                <button type="button" class="button small quiet" onclick={answer(Answer::Block)} {disabled}>{ label::BLOCK }</button>
            </div>
        </div>
    }
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    Accept,
    Reject,
    /// Which rejects the request too.
    Block,
}

impl Answer {
    fn command(self, requester: Speaker) -> Command {
        let from = requester.address;
        match self {
            Self::Accept => Command::Accept { from },
            Self::Reject => Command::Reject { from },
            Self::Block => Command::Block {
                who: requester.to_block(),
            },
        }
    }
}

fn words(request: &IncomingRequest) -> String {
    let check = request.from.check.warning();
    let check = check.map(|warning| format!(", {warning}"));
    let company = wording::company(request).map(|company| format!(" {company}."));
    let words = format!(
        "From {}{}.{}",
        request.from.address,
        check.unwrap_or_default(),
        company.unwrap_or_default()
    );
    printable(&words).into_owned()
}
