//! The screen of a user who is signed in: people on one side, the chat on the other.

use yew::prelude::*;

use crate::browser::{hooks::use_return_focus, page};
use crate::context::use_app;

use super::banner::Banner;
use super::chat_head::ChatHead;
use super::composer::{self, Composer};
use super::conversation::Conversation;
use super::finder::Finder;
use super::pane::Pane;
use super::people::People;
use super::requests::Requests;
use super::sheet::Sheets;
use super::undo_bar::UndoBar;

/// The screen of a user who is signed in.
#[component]
pub fn Chat() -> Html {
    let context = use_app();
    let view = context.state.view.as_ref().map(|view| view.chat());
    let members = view.as_ref().map_or(0, |chat| chat.members.len());
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
            <Banner />
            <main class="panes">
                <h1 class="unseen">{ "p2pchat" }</h1>
                <People onpane={onpane.clone()} />
                <section class="chat-pane" aria-label="Chat">
                    <ChatHead {onpane} finding={*finding} onfind={onfind.clone()} />
                    <div class="chat-body">
                        <div class="chat-main">
                            <Conversation />
                            <Requests />
                            <Composer />
                        </div>
                        if *finding { <Finder onclose={onfind} /> }
                    </div>
                </section>
            </main>
            <UndoBar />
            <Sheets />
        </div>
    }
}

/// The pane that is shown: the chat, once the first member is there. The focus goes with it,
/// where it would be lost with the pane before.
#[hook]
fn use_pane(members: usize) -> UseStateHandle<Pane> {
    let pane = use_state_eq(|| {
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
    let shown = use_mut_ref(|| *pane);
    use_effect_with(*pane, move |pane| {
        if shown.replace(*pane) != *pane && page::is_narrow() && !page::has_focus_in_sight() {
            page::focus(pane.other().button());
        }
    });
    pane
}
