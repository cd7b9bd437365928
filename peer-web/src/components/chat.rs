//! The screen of a user who is signed in: people on one side, the chat on the other.

use yew::prelude::*;

use crate::browser::{hooks::use_return_focus, page};
use crate::context::use_app;

use super::banner::Banner;
use super::chat_head::ChatHead;
use super::composer::{self, Composer};
use super::conversation::Conversation;
use super::finder::Finder;
use super::incoming::Incoming;
use super::pane::Pane;
use super::people::People;

/// The screen of a user who is signed in.
#[component]
pub fn Chat() -> Html {
    let context = use_app();
    let view = context.state.view.as_ref().map(|view| view.get());
    let members = view.as_ref().map_or(0, |view| view.members.len());
    let incoming = view.as_ref().and_then(|view| view.incoming.clone());
    let pane = use_pane(members);
    let finding = use_state(|| false);
    use_return_focus(*finding);

    let onpane = {
        let pane = pane.setter();
        Callback::from(move |which| pane.set(which))
    };
    let onfind = {
        let finding = finding.clone();
        Callback::from(move |()| finding.set(!*finding))
    };
    let onskip = |event: MouseEvent| {
        // The link would replace the fragment of the page's address, which is the secret.
        event.prevent_default();
        page::focus(composer::ID);
    };
    html! {
        <div class={classes!("chat", pane.class())}>
            <a class="skip" href={format!("#{}", composer::ID)} onclick={onskip}>{ "Skip to the message field" }</a>
            if let Some(request) = &incoming {
                <Incoming key={request.from.address.to_string()} request={request.clone()} />
            }
            <Banner />
            <main class="panes">
                <h1 class="unseen">{ "p2pchat" }</h1>
                <People onpane={onpane.clone()} />
                <section class="chat-pane" aria-label="Chat">
                    <ChatHead {onpane} finding={*finding} onfind={onfind.clone()} />
                    <div class="chat-body">
                        <div class="chat-main">
                            <Conversation />
                            <Composer />
                        </div>
                        if *finding { <Finder onclose={onfind} /> }
                    </div>
                </section>
            </main>
        </div>
    }
}

/// The pane that is shown: the chat, once the first member is there.
#[hook]
fn use_pane(members: usize) -> UseStateHandle<Pane> {
    let pane = use_state(|| {
        if members == 0 {
            Pane::People
        } else {
            Pane::Chat
        }
    });
    let setter = pane.setter();
    let before = use_mut_ref(|| 0);
    use_effect_with(members, move |&members| {
        if before.replace(members) == 0 && members > 0 {
            setter.set(Pane::Chat);
            page::focus(composer::ID);
        }
    });
    pane
}
