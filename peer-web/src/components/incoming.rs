//! A chat request that waits for the user's answer.

use p2pchat_model::{Command, IncomingRequest, NameCheck, Speaker, printable};
use yew::prelude::*;

use crate::browser::hooks::use_keys;
use crate::context::use_app;

use super::avatar::Avatar;
use super::lookalike_tag::LookalikeTag;
use super::time_left::TimeLeft;

/// How many names stand in a sentence: a request can name a thousand.
const MOST_NAMES: usize = 8;

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
    let onkey = use_callback(
        (context.send.clone(), request.from),
        |event: KeyboardEvent, (send, from)| {
            if let (true, Some(answer)) = (event.alt_key(), Answer::of_key(&event.code())) {
                event.prevent_default();
                send.emit(answer.command(*from));
            }
        },
    );
    use_keys(onkey);
    let name = request.from.name;
    html! {
        <div class="incoming" role="alertdialog" aria-modal="false" aria-labelledby="incoming-title"
            aria-describedby="incoming-words">
            <div class="incoming-top">
                <Avatar name={name.to_string()} />
                <div role="alert">
                    <h2 id="incoming-title"><bdi>{ printable(name.as_str()).into_owned() }</bdi>{ " asks for a chat" }</h2>
                    <LookalikeTag {name} />
                    <p id="incoming-words">{ words(request) }</p>
                </div>
            </div>
            <TimeLeft from={request.at} until={request.expires} />
            <div class="incoming-buttons">
                <button type="button" class="button" onclick={answer(Answer::Reject)} {disabled}
                    aria-keyshortcuts="Alt+R">{ "Reject" }<kbd>{ "Alt R" }</kbd></button>
                <button type="button" class="button primary" onclick={answer(Answer::Accept)} {disabled}
                    aria-keyshortcuts="Alt+A">{ "Accept" }<kbd>{ "Alt A" }</kbd></button>
                <button type="button" class="button small quiet" onclick={answer(Answer::Block)} {disabled}
                    aria-keyshortcuts="Alt+B">{ "Block" }<kbd>{ "Alt B" }</kbd></button>
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
    /// The answer of a key together with Alt. By the key's place: a layout may make `å` of
    /// Alt and A.
    fn of_key(code: &str) -> Option<Self> {
        match code {
            "KeyA" => Some(Self::Accept),
            "KeyR" => Some(Self::Reject),
            "KeyB" => Some(Self::Block),
            _ => None,
        }
    }

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
    let check = match request.from.check {
        NameCheck::Confirmed => "",
        NameCheck::Unknown => ", a name the registry does not confirm",
        NameCheck::Differs => ", which is not the name the registry knows there",
    };
    let named = request.members.iter().take(MOST_NAMES);
    let mut with: Vec<String> = named.map(ToString::to_string).collect();
    if let more @ 1.. = request.members.len().saturating_sub(MOST_NAMES) {
        with.push(format!("{more} more"));
    }
    let with = match with.as_slice() {
        [] => String::new(),
        [one] => format!(" {one} comes along."),
        [rest @ .., last] => format!(" {} and {last} come along.", rest.join(", ")),
    };
    printable(&format!("From {}{check}.{with}", request.from.address)).into_owned()
}
