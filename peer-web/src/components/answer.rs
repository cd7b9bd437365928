//! A request to be in an encrypted conversation, in the place of the message field.

use p2pchat_model::wording::{chat as words, label};
use p2pchat_model::{Chat, ChatKind, Command, ConversationId, Named, Target, printable};
use yew::prelude::*;

use crate::browser::hooks::{use_after, use_focus_kept};
use crate::context::use_app;

use super::avatar::avatar;
use super::incoming::ARM_AFTER;
use super::person_menu::block;
use super::row_menu::row_menu;

/// What an [`use_answer`] needs.
#[derive(PartialEq)]
pub struct Props {
    /// The conversation.
    pub conversation: ConversationId,
    /// What it is.
    pub chat: Chat,
    /// Who asks.
    pub by: Named,
}

/// The request with its answers. It waits as long as the user likes.
#[hook]
pub fn use_answer(props: &Props) -> Html {
    let context = use_app();
    let armed = use_after(ARM_AFTER);
    let node = use_node_ref();
    use_focus_kept(&node);
    let disabled = !armed || !context.state.is_live();
    let Props {
        conversation,
        chat,
        by,
    } = props;
    let conversation = *conversation;
    let answer = |class: &'static str, words: &'static str, command: Command| {
        let send = context.send.clone();
        let onclick = move |_: MouseEvent| send.emit(command.clone());
        html! { <button type="button" class={classes!("button", "small", class)} {onclick} {disabled}>{ words }</button> }
    };
    let accept = match chat.kind {
        ChatKind::Direct => label::ACCEPT,
        ChatKind::Group => label::JOIN,
    };
    let title = printable(&words::asks(*by, chat)).into_owned();
    let name = by.to_string();
    let items = by.name.map(|name| {
        let send = context.send.clone();
        let who = Target::Name(name);
        let onpick = Callback::from(move |()| {
            send.emit(Command::Decline { conversation });
            send.emit(Command::Block { who });
        });
        block(name.as_str(), onpick)
    });
    html! {
        <div class="requests answer" ref={node}>
            <div class="incoming" role="group" aria-label={title.clone()}>
                <div class="incoming-top">
                    { avatar(&name) }
                    <div class="request-words"><h2><bdi>{ title }</bdi></h2><p>{ words::sees(chat) }</p></div>
                    { row_menu(name, items.into_iter().collect(), disabled, true) }
                </div>
                <div class="incoming-buttons">
                    { answer("primary", accept, Command::Join { conversation }) }
                    { answer("", label::DECLINE, Command::Decline { conversation }) }
                </div>
            </div>
        </div>
    }
}
