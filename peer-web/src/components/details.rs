//! What else there is to an encrypted conversation: who is in it, and what can be set.

use p2pchat_model::wording::{chat as words, label};
use p2pchat_model::{
    Chat, ChatKind, Command, ConversationId, DisplayName, Member, Standing, Trust, printable,
};
use yew::prelude::*;

use crate::browser::hooks::use_escape;
use crate::context::{Context, use_app};
use crate::logic::sentence::capitalized;
use crate::part;
use crate::state::{Action, Sheet};

use super::buttons::{close_button, small_button};
use super::chats::{ALERTS, compare};
use super::command_form::{Form, command_form};
use super::field::name_field;
use super::icon::{Glyph, icon};
use super::person_name::person_name;
use super::roving::Rows;
use super::row_list::row_list;
use super::row_menu::{MenuItem, row_menu};
use super::switch::switch;
use super::trust_mark::trust_mark;

/// What [`use_details`] need.
#[derive(PartialEq)]
pub struct Props {
    /// Closes them.
    pub onclose: Callback<()>,
    /// Whether they lie over the chat, where Escape closes them.
    pub over: bool,
}

/// The details of the conversation that is shown.
#[hook]
pub fn use_details(props: &Props) -> Html {
    let context = use_app();
    use_escape(props.over, props.onclose.clone());
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let (id, conversation) = (view.id(), view.chat());
    let Some(chat) = &conversation.chat else {
        return html! {};
    };
    let rows = {
        let (context, owner) = (context.clone(), chat.owner && chat.standing == Standing::In);
        let name = |member: &Member| member.who.to_string();
        let draw = move |one: &Member| member(&context, id, owner, one);
        let key = |member: &Member| member.who.key.to_string();
        Rows::new(chat.members.clone(), key, name, draw)
    };
    let is_group = chat.kind == ChatKind::Group && chat.standing == Standing::In;
    let onadd = {
        let dispatch = context.dispatch.clone();
        move |_: MouseEvent| dispatch.dispatch(Action::Open(Some(Sheet::Add(id))))
    };
    html! {
        <section class="finder details" aria-label={words::DETAILS}>
            <header class="group-head">
                <h2>{ words::DETAILS }</h2>
                { close_button("Close the details", props.onclose.reform(|_| ())) }
            </header>
            <div class="people-scroll">
                <header class="group-head">
                    <h2 id="details-members">{ words::MEMBERS } <span class="count">{ words::members(chat) }</span></h2>
                    if is_group { <button type="button" class="button small quiet" onclick={onadd}>{ icon(Glyph::Plus) }{ words::ADD }</button> }
                </header>
                if let Some(account) = view.get().account.filter(|_| chat.standing == Standing::In) {
                    <div class="row-person">{ person_name(Some(account), None, chat.owner.then_some(words::OWNER), html! { { capitalized(label::YOU) } }) }</div>
                }
                { row_list("details-members", rows) }
                if is_group && chat.owner { <details class="part"><summary>{ words::RENAME }</summary>{ part!(use_rename_form, RenameProps { id, name: chat.name }, id) }</details> }
                { settings(&context, id, chat) }
            </div>
        </section>
    }
}

fn settings(context: &Context, conversation: ConversationId, chat: &Chat) -> Html {
    let disabled = !context.state.is_live();
    let sends = |command: Command| {
        let send = context.send.clone();
        Callback::from(move |_: MouseEvent| send.emit(command.clone()))
    };
    let alert = |of: p2pchat_model::Alerts| {
        let onclick = sends(Command::Alert { conversation, of });
        let pressed = (of == chat.alerts).to_string();
        html! { <button type="button" aria-pressed={pressed} {onclick} {disabled}>{ of.words() }</button> }
    };
    let sets = |label, hint: &'static str, on, command: fn(ConversationId, bool) -> Command| {
        let send = context.send.clone();
        let onswitch = Callback::from(move |on| send.emit(command(conversation, on)));
        switch(label, hint, on, disabled, &onswitch)
    };
    let is_owner = chat.owner && chat.members.iter().any(|member| member.owner);
    html! {
        <>
            <p class="field-note">{ words::ALERTS }</p>
            <div class="tabs" role="group" aria-label={words::ALERTS}>{ for ALERTS.into_iter().map(alert) }</div>
            { sets(words::PIN, "", chat.pinned, |conversation, on| Command::Pin { conversation, on }) }
            { sets(words::ARCHIVE, "", chat.archived, |conversation, on| Command::Archive { conversation, on }) }
            if is_owner {
                { small_button(words::RESIGN, sends(Command::Resign { conversation }), disabled) }
            }
        </>
    }
}

/// A row of the members; `owner` is whether the user is one.
fn member(context: &Context, conversation: ConversationId, owner: bool, member: &Member) -> Html {
    let Member { who, .. } = *member;
    let sends = |command: Command| {
        let send = context.send.clone();
        Callback::from(move |()| send.emit(command.clone()))
    };
    let name = printable(&who.to_string()).into_owned();
    let mut items = Vec::new();
    if let Some(with) = who.name {
        items.push(MenuItem::new("Message", sends(Command::Chat { with })));
        items.push(compare(context, with));
    }
    if owner {
        let who = who.key;
        if !member.owner && !member.asked {
            let command = Command::MakeOwner { conversation, who };
            items.push(MenuItem::new(words::MAKE_OWNER, sends(command)));
        }
        let remove = MenuItem::new(
            words::REMOVE_ASK,
            sends(Command::Remove { conversation, who }),
        );
        items.push(remove.asks(words::remove_question(member), "Remove"));
    }
    let view = context.state.view.as_ref().map(|view| view.get());
    let is_here = view.is_some_and(|view| view.online_as(member).is_some());
    // Of others it is said whether they have answered, which there is no room for more beside.
    let in_it = !member.asked && !member.declined;
    let below = html! {
        <>
            if member.asked { { words::ASKED } }
            if member.declined { { label::DECLINED } }
            { member.trust.filter(|trust| in_it || *trust != Trust::New).map(trust_mark) }
            if !is_here { { label::OFFLINE } }
        </>
    };
    html! {
        <>
            { person_name(who.name, None, member.owner.then_some(words::OWNER), below) }
            { row_menu(name, items, !context.state.is_live(), false) }
        </>
    }
}

#[derive(PartialEq)]
struct RenameProps {
    id: ConversationId,
    name: DisplayName,
}

#[hook]
fn use_rename_form(props: &RenameProps) -> Html {
    let context = use_app();
    let typed = use_state(|| props.name.as_str().to_owned());
    let (children, name) = name_field("group-name", words::GROUP_NAME, &typed);
    let conversation = props.id;
    let command = name.filter(|name| *name != props.name);
    let command = command.map(|name| Command::Rename { conversation, name });
    html! {
        { command_form(&context, Form { name: "rename", command, submit: words::RENAME, done: "", children }) }
    }
}
