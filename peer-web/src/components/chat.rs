//! The screen of somebody who is signed in: people on one side, the chat on the other.

use yew::prelude::*;

use crate::app::use_page;
use crate::browser::page;

use super::banner::banner;
use super::chat_head::talk_head;
use super::composer::{self, Composer};
use super::conversation::Conversation;
use super::finder::Finder;
use super::incoming::Incoming;
use super::people::People;

/// Which of the two panes is seen where there is room for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pane {
    /// The people.
    People,
    /// The chat.
    Talk,
}

/// The screen of somebody who is signed in.
#[component]
pub fn Chat() -> Html {
    let context = use_page();
    let Some(view) = context.state.view.clone() else {
        return html! {};
    };
    let members = view.get().members.len();
    let pane = use_state(|| {
        if members == 0 {
            Pane::People
        } else {
            Pane::Talk
        }
    });
    let finding = use_state(|| false);

    {
        let pane = pane.setter();
        let before = use_mut_ref(|| 0);
        use_effect_with(members, move |&members| {
            // Somebody came into an empty chat: that is where one wants to be.
            if *before.borrow() == 0 && members > 0 {
                pane.set(Pane::Talk);
                page::focus(composer::ID);
            }
            *before.borrow_mut() = members;
        });
    }
    let show = {
        let pane = pane.setter();
        Callback::from(move |which| pane.set(which))
    };
    let onfind = {
        let finding = finding.clone();
        Callback::from(move |()| finding.set(!*finding))
    };
    let shown = match *pane {
        Pane::People => "people",
        Pane::Talk => "talk",
    };
    html! {
        <div class="chat" data-pane={shown}>
            <a class="skip" href={format!("#{}", composer::ID)} onclick={|event: MouseEvent| {
                // The fragment of this page is the secret, which must stay.
                event.prevent_default();
                page::focus(composer::ID);
            }}>{ "Skip to the message field" }</a>
            if let Some(request) = &view.get().incoming {
                <Incoming key={request.from.address.to_string()} request={request.clone()} />
            }
            { banner(&context) }
            <main class="panes">
                <h1 class="unseen">{ "p2pchat" }</h1>
                <People show={show.clone()} />
                <section class="talk" aria-label="Chat">
                    { talk_head(&view.get(), show, *finding, onfind.clone()) }
                    <div class="talk-body">
                        <div class="talk-main">
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
