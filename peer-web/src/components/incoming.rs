//! Somebody asks for a chat.

use p2pchat_model::{Command, IncomingRequest, NameCheck, Speaker, Timestamp, printable};
use yew::prelude::*;

use crate::app::use_page;
use crate::browser::hooks::{use_keys, use_now};

use super::avatar::avatar;
use super::lookalike_tag::looks_like;

/// What an [`Incoming`] needs.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The request.
    pub request: IncomingRequest,
}

/// The request that waits, over everything else. It does not take the focus: somebody who
/// is typing would answer it by accident.
#[component]
pub fn Incoming(props: &Props) -> Html {
    let context = use_page();
    let now = use_now(500);
    let live = context.state.is_live();
    let request = &props.request;
    let answer = |answer: Answer| {
        let (send, from) = (context.send.clone(), request.from);
        Callback::from(move |_: MouseEvent| send.emit(reply(answer, from)))
    };
    let onkey = use_callback(
        (context.send.clone(), request.from),
        |event: KeyboardEvent, (send, from)| {
            if let (true, Some(answer)) = (event.alt_key(), shortcut(&event.code())) {
                event.prevent_default();
                send.emit(reply(answer, *from));
            }
        },
    );
    use_keys(onkey);
    let name = printable(request.from.name.as_str()).into_owned();
    html! {
        <div class="incoming" role="alertdialog" aria-modal="false" aria-labelledby="incoming-title"
            aria-describedby="incoming-words">
            <div class="incoming-top">
                { avatar(request.from.name.as_str()) }
                <div role="alert">
                    <h2 id="incoming-title"><bdi>{ name }</bdi>{ " asks for a chat" }</h2>
                    { looks_like(&context.state, request.from.name) }
                    <p id="incoming-words">{ words(request) }</p>
                </div>
            </div>
            { time_left(request, now) }
            <div class="incoming-buttons">
                <button type="button" class="button" onclick={answer(Answer::Reject)} disabled={!live}
                    aria-keyshortcuts="Alt+R">{ "Reject" }<kbd>{ "Alt R" }</kbd></button>
                <button type="button" class="button primary" onclick={answer(Answer::Accept)} disabled={!live}
                    aria-keyshortcuts="Alt+A">{ "Accept" }<kbd>{ "Alt A" }</kbd></button>
                <button type="button" class="button small quiet" onclick={answer(Answer::Block)} disabled={!live}
                    aria-keyshortcuts="Alt+B">{ "Block" }<kbd>{ "Alt B" }</kbd></button>
            </div>
        </div>
    }
}

/// What the keys for an answer are: by place, since a layout may make `å` of Alt and A.
fn shortcut(code: &str) -> Option<Answer> {
    match code {
        "KeyA" => Some(Answer::Accept),
        "KeyR" => Some(Answer::Reject),
        "KeyB" => Some(Answer::Block),
        _ => None,
    }
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    Accept,
    Reject,
    /// Which rejects it too.
    Block,
}

fn reply(answer: Answer, by: Speaker) -> Command {
    let from = by.address;
    match answer {
        Answer::Accept => Command::Accept { from },
        Answer::Reject => Command::Reject { from },
        Answer::Block => Command::Block { who: by.to_block() },
    }
}

/// How many names stand in a sentence; whoever asks can name a thousand.
const NAMED: usize = 8;

fn words(request: &IncomingRequest) -> String {
    let check = match request.from.check {
        NameCheck::Confirmed => "",
        NameCheck::Unknown => ", a name the registry does not confirm",
        NameCheck::Differs => ", which is not the name the registry knows there",
    };
    let named = request.members.iter().take(NAMED);
    let mut with: Vec<String> = named.map(ToString::to_string).collect();
    if let more @ 1.. = request.members.len().saturating_sub(NAMED) {
        with.push(format!("{more} more"));
    }
    let with = match with.as_slice() {
        [] => String::new(),
        [one] => format!(" {one} comes along."),
        [rest @ .., last] => format!(" {} and {last} come along.", rest.join(", ")),
    };
    printable(&format!("From {}{check}.{with}", request.from.address)).into_owned()
}

/// How long there is to answer. Not read aloud second by second.
fn time_left(request: &IncomingRequest, now: Timestamp) -> Html {
    let left = now.seconds_until(request.expires);
    let whole = request.at.seconds_until(request.expires).max(1);
    html! {
        <div class="time-left" role="timer" aria-live="off">
            <progress max={whole.to_string()} value={left.min(whole).to_string()} aria-label="Time left to answer"></progress>
            <span>{ left }{ "\u{a0}s left" }</span>
        </div>
    }
}
