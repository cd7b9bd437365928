//! The conversation: of however many lines, only those in sight are in the page.

mod layout;
mod paging;
mod scroll;

use gloo_timers::callback::Timeout;
use p2pchat_model::wording::{self, first};
use p2pchat_model::{ConversationId, MessageId, View, printable};
use yew::prelude::*;

use crate::browser::effect::use_effect_on;
use crate::browser::hooks::{use_now, use_watched};
use crate::browser::page;
use crate::browser::storage::Drafts;
use crate::context::{Context, use_app, use_conversation};
use crate::logic::rows::{Key, Row};
use crate::part;
use crate::state::{self, Action, ViewHandle};

use super::announcer::announcer;
use super::conversation_top::{conversation_top, earlier_chat};
use super::latest_button::latest_button;
use super::message::Acts;
use super::message_row::{self, use_message_row};

use scroll::{use_scroll, use_settle};

/// How long the message is lit that the user was led to, in milliseconds.
const LIT: u32 = 2_000;

/// How often the page looks whether a new day has begun, in milliseconds.
const DAY_CHECK: u32 = 30_000;

/// The conversation.
///
/// Each render draws rows by the place of the user and the heights of the rows. After it, the
/// rows are measured, and the scroll position is set to the place. A scroll by the user moves
/// the place.
#[hook]
pub fn use_conversation_pane() -> Html {
    let context = use_app();
    let conversation = use_conversation();
    let Some(view) = conversation.view.clone() else {
        return html! {};
    };
    let scroll = use_scroll(context.dispatch.clone(), conversation.jump.is_some());
    let today = view.rows().zone().day(use_now(DAY_CHECK));
    let drawn = scroll.layout.borrow_mut().draw(&view.rows());

    use_settle(&scroll, &view);
    use_look(
        &context,
        &view,
        *scroll.at_end && conversation.jump.is_none(),
    );
    use_keep_unsaid(&conversation);
    use_unlit(&context, conversation.lit);
    paging::use_paging(&context, &conversation, &scroll, drawn);
    paging::use_jump(&context, &conversation, &scroll);
    paging::use_own_messages(&view, &scroll);

    let onscroll = scroll.onscroll(&view);
    let onkeydown = scroll.onkeydown(&view);
    let (onwheel, onpointerdown) = (scroll.ontouch(), scroll.ontouch());
    let onlatest = {
        let scroll = scroll.clone();
        Callback::from(move |()| scroll.go_to_end())
    };
    let acts = Acts {
        send: context.send.clone(),
        dispatch: context.dispatch.clone(),
        is_live: context.state.is_live(),
    };
    let typing = view.chat().chat.as_ref().and_then(wording::chat::typing);
    let draw = |row: &Row| {
        let props = message_row::Props {
            view: view.shared().clone(),
            shown: row.shown,
            today,
            lit: conversation
                .lit
                .is_some_and(|id| row.shown.key == Key::Message(id)),
            acts: acts.clone(),
        };
        part!(use_message_row, props, row.shown.key.to_string())
    };
    let nodes = &*scroll.nodes;
    let known = view.get();
    let shown = view.shown();
    let earlier = known.earlier_chat(&shown).filter(|_| !shown.more_history);
    let earlier = earlier.map(|earlier| earlier.id);
    let rows = view.rows();
    let is_message = |key| matches!(key, Key::Message(_));
    let empty = !rows.iter().any(|row| is_message(row.shown.key));
    html! {
        <div class="conversation">
            <div class="scroller" ref={nodes.scroller.clone()} {onscroll} {onkeydown} {onwheel} {onpointerdown}
                role="log" aria-live="off" aria-label="Conversation" tabindex="0">
                { earlier_chat(earlier, &context.dispatch) }
                { conversation_top(view.shown().more_history, conversation.awaits_history(), empty, invitation(&view.get())) }
                <div aria-hidden="true" ref={nodes.above.clone()}></div>
                <div class="lines" ref={nodes.list.clone()}>
                    { for rows[drawn.first..drawn.end].iter().map(draw) }
                </div>
                <div aria-hidden="true" ref={nodes.below.clone()}></div>
                if !*scroll.at_end { { latest_button(conversation.reading.unread(), &onlatest) } }
            </div>
            // Always there, so that nothing moves.
            <p class="typing">{ typing.map(|words| printable(&words).into_owned()) }</p>
            { announcer(conversation.spoken.as_ref()) }
        </div>
    }
}

/// What to send to others, where there is no chat yet.
fn invitation(view: &View) -> Option<String> {
    let is_only = view.conversations.len() == 1 && view.open().is_alone();
    is_only.then(|| first::invitation(view)).flatten()
}

/// Keeps what is not acknowledged yet, in case the tab is closed or loaded again before it is.
#[hook]
fn use_keep_unsaid(conversation: &state::Conversation) {
    let view = conversation.view.as_ref();
    let account = view.and_then(|view| view.get().account);
    let drafts = move |id| account.map(|account| Drafts::of(account.as_str(), id));
    use_effect_on((account, conversation.unsaid()), move |(_, unsaid)| {
        if let Some(drafts) = drafts(ConversationId::OPEN) {
            drafts.keep_unsaid(unsaid);
        }
    });
    use_effect_on(conversation.kept_draft.clone(), move |kept| {
        if let Some((id, text)) = kept
            && let Some(drafts) = drafts(*id)
        {
            drafts.forget(text);
        }
    });
}

/// Lets the message that the user was led to look like the others after a moment.
#[hook]
fn use_unlit(context: &Context, lit: Option<MessageId>) {
    let dispatch = context.dispatch.clone();
    use_effect_on(lit, move |lit| {
        let unlit = move || dispatch.dispatch(Action::Unlit);
        let timer = lit.map(|_| Timeout::new(LIT, unlit));
        move || drop(timer)
    });
}

/// Records with each new line whether the user sees the end.
#[hook]
fn use_look(context: &Context, view: &ViewHandle, at_end: bool) {
    let dispatch = context.dispatch.clone();
    let is_behind = context.state.lists && page::is_narrow();
    let looking = use_watched() && at_end && !is_behind;
    use_effect_on((looking, view.chat().lines.len()), move |(looking, _)| {
        dispatch.dispatch(Action::Look(*looking));
    });
}
