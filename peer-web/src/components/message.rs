//! A message of the conversation.

use p2pchat_model::wording::{chat as words, label};
use p2pchat_model::{
    Chat, Command, Conversation, Line, NameCheck, Person, Post, PostState, Quote, Reaction, View,
    printable,
};
use yew::prelude::*;

use crate::browser::{dates, page};
use crate::logic::links::ends_right_to_left;
use crate::logic::said::{Said, Who, said};
use crate::logic::sentence::capitalized;
use crate::part;
use crate::state::{About, Action, Sheet, State};

use super::avatar::avatar;
use super::buttons::small_button;
use super::delivery_list::delivery_list;
use super::delivery_mark::{delivery_mark, mark};
use super::icon::{Glyph, icon};
use super::lookalike_tag::use_lookalike_tag;
use super::person_menu::{self, use_person_menu};
use super::rich_text::rich_text;
use super::row_menu::{MenuItem, row_menu};

/// What people react with.
const REACTIONS: [&str; 6] = ["👍", "❤️", "😂", "🎉", "😮", "😢"];

/// What a message needs to act.
#[derive(Clone, PartialEq)]
pub struct Acts {
    /// Sends a command to the bridge.
    pub send: Callback<Command>,
    /// Changes the state.
    pub dispatch: UseReducerDispatcher<State>,
    /// Whether commands reach the bridge.
    pub is_live: bool,
}

/// How a message stands among the others.
#[derive(Clone, Copy)]
pub struct Stand {
    /// It begins its sender's group: the name is over it.
    pub first: bool,
    /// It ends the group.
    pub last: bool,
    /// The user was led to it.
    pub lit: bool,
}

/// A message with its sender, time and delivery status. What someone wrote who is blocked is
/// folded away.
pub fn message(
    acts: &Acts,
    view: &View,
    chat: &Conversation,
    line: &Line,
    Stand { first, last, lit }: Stand,
) -> Html {
    let Some(said) = said(line) else {
        return html! {};
    };
    let class = classes!(
        "message",
        said.own.then_some("own"),
        first.then_some("first"),
        last.then_some("last"),
        lit.then_some("lit"),
    );
    let (mark, below) = match line {
        Line::Message(message) => match &message.deliveries {
            Some(deliveries) => (
                delivery_mark(message.delivery(), deliveries),
                delivery_list(deliveries),
            ),
            None => Default::default(),
        },
        Line::Post(post) => match &chat.chat {
            Some(known) => (delivery(post, known), below(acts, view, post, known, last)),
            None => Default::default(),
        },
        Line::Notice { .. } => Default::default(),
    };
    let post = match line {
        Line::Post(post) => Some(post),
        _ => None,
    };
    let drawn = html! {
        <article {class}>
            { head(&said, first) }
            <div class="message-body">
                <div class="bubble">
                    { post.and_then(|post| post.reply.as_ref()).map(|reply| quote(acts, view, reply)) }
                    if post.is_none_or(|post| post.state == PostState::Shown) {
                        { rich_text(said.text, view.account.filter(|_| !said.own)) }
                    } else {
                        <em>{ said.text.to_owned() }</em>
                    }
                    <span class={classes!("meta", ends_right_to_left(said.text).then_some("at-left"))}>
                        if let Some(edited) = post.and_then(|post| post.edited) {
                            <span title={dates::time(edited)}>{ "(" }{ words::EDITED }{ ")" }</span>
                        }
                        <time>{ dates::time(said.at) }</time>
                        { mark }
                    </span>
                </div>
                if let Some(post) = post { { menu(acts, post, chat.chat.as_ref()) } }
            </div>
            { below }
        </article>
    };
    if post.is_some_and(|post| view.has_blocked(&post.from)) {
        return html! { <details class="folded"><summary>{ words::FOLDED }</summary>{ drawn }</details> };
    }
    drawn
}

/// The sender: shown where a group begins, read by screen readers everywhere.
fn head(said: &Said<'_>, first: bool) -> Html {
    let title = said.who.name();
    let name = printable(&title).into_owned();
    if said.own {
        return html! { <span class="unseen">{ capitalized(label::YOU) }{ ":" }</span> };
    }
    if !first {
        return html! { <span class="unseen">{ name }{ ":" }</span> };
    }
    let (known, more) = match said.who {
        Who::Person(from) => (
            from.name,
            html! { <>{ check(from) }{ part!(use_person_menu, person_menu::Props { tab_stop: true, ..person_menu::Props::of(from.to_block(), title.clone()) }) }</> },
        ),
        Who::Named(from) => (from.name, html! {}),
    };
    html! {
        <header class="message-head">
            { avatar(&title) }
            <b><bdi>{ name }</bdi></b>
            if let Some(name) = known { { part!(use_lookalike_tag, super::lookalike_tag::Props { name }) } }
            { more }
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

/// The message that it replies to. A click leads there.
fn quote(acts: &Acts, view: &View, reply: &Quote) -> Html {
    let text = if view.has_blocked(&reply.from) {
        words::FOLDED
    } else if reply.text.is_empty() {
        words::NOT_KEPT
    } else {
        &reply.text
    };
    let onclick = {
        let (dispatch, id) = (acts.dispatch.clone(), reply.id);
        move |_: MouseEvent| dispatch.dispatch(Action::Jump(id))
    };
    html! {
        <button type="button" class="quote" {onclick}>
            <b><bdi>{ printable(&reply.from.to_string()).into_owned() }</bdi></b>
            <span>{ printable(text).into_owned() }</span>
        </button>
    }
}

/// Whether it has arrived.
fn delivery(post: &Post, chat: &Chat) -> Html {
    let Some(words) = words::delivery(post, chat) else {
        return html! {};
    };
    let (glyph, class) = match words.as_str() {
        words::READ => (Glyph::Read, ""),
        words::DELIVERED => (Glyph::Sent, ""),
        _ if words::not_sent(post, chat).is_some() => (Glyph::Warning, "failed"),
        _ => (Glyph::Sending, ""),
    };
    mark(glyph, class, printable(&words).into_owned())
}

/// How people have reacted, and who has not got it yet: said once, below a run of messages.
fn below(acts: &Acts, view: &View, post: &Post, chat: &Chat, last: bool) -> Html {
    let is_told = last && post.state == PostState::Shown;
    let held = words::not_sent(post, chat).filter(|_| is_told);
    // That the other one has declined is said once, below the field.
    let is_told = is_told && held.is_none() && chat.declined().is_none();
    let absent = words::absent(post, chat, view);
    let waiting = words::waiting_for(absent.into_iter(), chat).filter(|_| is_told);
    html! {
        <>
            if !post.reactions.is_empty() {
                <div class="reactions">{ for post.reactions.iter().map(|one| reaction(acts, post, one)) }</div>
            }
            if let Some(words) = waiting { <p class="deliveries">{ printable(&words).into_owned() }</p> }
            { held.map(|words| held_back(acts, chat, &words)) }
        </>
    }
}

/// That it was not sent, since its reader has another key.
fn held_back(acts: &Acts, chat: &Chat, words: &str) -> Html {
    let name = chat.members.first().and_then(|member| member.who.name);
    let review = name.map(|name| {
        let dispatch = acts.dispatch.clone();
        let sheet = Some(Sheet::Codes(name));
        let onclick = Callback::from(move |_| dispatch.dispatch(Action::Open(sheet)));
        small_button("Review", onclick, false)
    });
    html! { <p class="deliveries failed">{ icon(Glyph::Warning) }<span>{ printable(words).into_owned() }</span>{ review }</p> }
}

fn reaction(acts: &Acts, post: &Post, one: &Reaction) -> Html {
    let is_own = one.by.iter().any(|who| who.you);
    let emoji = if is_own {
        String::new()
    } else {
        one.emoji.clone()
    };
    let onclick = acts.sends(react(post, emoji));
    let names = words::names(one.by.iter().copied());
    let (emoji, names) = (printable(&one.emoji), printable(&names).into_owned());
    html! {
        <button type="button" key={emoji.to_string()} class="reaction" aria-pressed={is_own.to_string()} title={names.clone()}
            onclick={onclick.reform(|_| ())} disabled={!acts.is_live}>
            { emoji.clone() }{ " " }{ one.by.len() }<span class="unseen">{ ": " }{ names }</span>
        </button>
    }
}

fn react(post: &Post, emoji: String) -> Command {
    let (conversation, message) = (post.conversation, post.id);
    Command::React {
        conversation,
        message,
        emoji,
    }
}

/// What can be done with it.
fn menu(acts: &Acts, post: &Post, chat: Option<&Chat>) -> Html {
    if post.state != PostState::Shown {
        return html! {};
    }
    let about = |about| {
        let dispatch = acts.dispatch.clone();
        Callback::from(move |()| {
            dispatch.dispatch(Action::About(Some(about)));
            page::focus(page::COMPOSER);
        })
    };
    let emoji = REACTIONS
        .map(|emoji| MenuItem::new(emoji, acts.sends(react(post, emoji.to_owned()))).small());
    let copy = {
        let text = post.text.clone();
        Callback::from(move |()| page::copy(&text))
    };
    let mut items = Vec::from(emoji);
    items.push(MenuItem::new(words::REPLY, about(About::Reply(post.id))));
    items.push(MenuItem::new(words::COPY, copy));
    if post.is_own() {
        let (conversation, message) = (post.conversation, post.id);
        let delete = acts.sends(Command::Delete {
            conversation,
            message,
        });
        items.push(MenuItem::new(words::EDIT, about(About::Edit(post.id))));
        items.push(if post.is_delivered_to_any() {
            MenuItem::new(words::DELETE_ASK, delete).asks(words::DELETE_QUESTION, "Delete")
        } else {
            MenuItem::new(words::CALL_BACK, delete)
        });
    }
    let reached = chat.map(|chat| words::reached(post, chat));
    let reached: Vec<String> = (reached.into_iter().flatten())
        .map(|(who, state)| format!("{who}: {state}"))
        .collect();
    if !reached.is_empty() {
        items.push(MenuItem::new(words::INFO, Callback::noop()).tells(reached.join("\n")));
    }
    let about = format!("{}, {}", post.from, dates::time(post.at));
    row_menu(about, items, !acts.is_live, true)
}

impl Acts {
    fn sends(&self, command: Command) -> Callback<()> {
        let send = self.send.clone();
        Callback::from(move |()| send.emit(command.clone()))
    }
}
