//! To begin a conversation, or to ask more people into a group.

use p2pchat_model::wording::{chat as words, first, label};
use p2pchat_model::{Command, ConversationId, DisplayName, User, Username, lowercase, printable};
use yew::prelude::*;

use crate::browser::{keys, page};
use crate::context::use_app;

use super::command_form::{Form, command_form};
use super::field::{Field, field, name_field, set};
use super::icon::{Glyph, icon};
use super::invitation::invitation;
use super::person_name::{about, person_name};
use super::switch::switch;

/// The id of the field.
const TO: &str = "new-to";
/// So many people are offered at once.
const MOST: usize = 50;

/// What a [`use_new_chat`] needs.
#[derive(PartialEq)]
pub struct Props {
    /// The group that more people are asked into.
    pub add: Option<ConversationId>,
}

/// The form: who is to be in it, and the name of a group.
#[hook]
pub fn use_new_chat(props: &Props) -> Html {
    let context = use_app();
    let chosen = use_state(Vec::<Username>::new);
    let typed = use_state(String::new);
    let name = use_state(String::new);
    let sees_all = use_state_eq(|| false);
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let toggle = {
        let (chosen, typed) = (chosen.clone(), typed.setter());
        Callback::from(move |name: Username| {
            let mut next = (*chosen).clone();
            match next.iter().position(|known| *known == name) {
                Some(at) => drop(next.remove(at)),
                None => next.push(name),
            }
            chosen.set(next);
            typed.set(String::new());
            page::focus(TO);
        })
    };
    let (name_field, name) = name_field("new-name", words::GROUP_NAME, &name);
    let (command, submit) = order(props.add, &chosen, *sees_all, name);
    let command_name = command.as_ref().map_or("", Command::name);
    let wanted = lowercase(typed.trim());
    let view = view.get();
    let matches = |user: &&User| {
        lowercase(user.title()).contains(&wanted)
            || lowercase(user.display_name.as_str()).contains(&wanted)
    };
    let offered: Vec<&User> = view.others().filter(matches).take(MOST).collect();
    // Someone who is not online is meant by the whole name, else the first who is offered.
    let whole = Username::new(typed.trim()).ok();
    let is_offered = |name: &Username| offered.iter().any(|user| user.name == *name);
    let absent = whole.filter(|name| !is_offered(name));
    let first = offered.iter().find(|user| !user.legacy);
    let first = first.filter(|_| !wanted.is_empty()).map(|user| user.name);
    let meant = whole.filter(is_offered).or(first).or(absent);
    let onkeydown = {
        let toggle = toggle.clone();
        Callback::from(move |event: KeyboardEvent| {
            if keys::pressed(&event).as_deref() == Some("Enter")
                && let Some(name) = meant
            {
                event.prevent_default();
                toggle.emit(name);
            }
        })
    };
    let onsees = {
        let sees_all = sees_all.setter();
        Callback::from(move |on| sees_all.set(on))
    };
    html! {
        { command_form(&context, Form { name: command_name, command, submit, done: "", children: html! { <><div onkeydown={onkeydown}>
                { field(Field { id: TO, label: words::TO, autofocus: true, value: (*typed).clone(), oninput: set(&typed), autocomplete: "off", ..Field::default() }) }
            </div>
            if !chosen.is_empty() { <p class="chips">{ for chosen.iter().map(|name| chip(*name, &toggle)) }</p> }
            <ul class="picks" role="list">
                { for offered.into_iter().map(|user| {
                    let below = if user.legacy {
                        html! { <span>{ printable(&words::has_older_program(user.name)).into_owned() }</span> }
                    } else {
                        about(user)
                    };
                    pick(user.name, user.legacy, below, &chosen, &toggle)
                }) }
                { absent.map(|name| pick(name, false, html! { label::OFFLINE }, &chosen, &toggle)) }
            </ul>
            if props.add.is_some() {
                { switch(words::SEES_ALL, "", *sees_all, false, &onsees) }
            } else if chosen.len() > 1 {
                { name_field }
            } else if let Some(text) = first::invitation(&view) {
                <p>{ first::NOT_HERE }</p>
                { invitation(text) }
            }</> } }) }
    }
}

/// What the form asks for, if that is known, and the word on its button.
fn order(
    add: Option<ConversationId>,
    chosen: &[Username],
    sees_all: bool,
    name: Option<DisplayName>,
) -> (Option<Command>, &'static str) {
    let members = chosen.to_vec();
    match (add, chosen) {
        (Some(_), []) => (None, words::ADD),
        (None, []) => (None, words::START),
        (Some(conversation), _) => {
            let add = Command::Add {
                conversation,
                members,
                sees_all,
            };
            (Some(add), words::ADD)
        }
        (None, [with]) => (Some(Command::Chat { with: *with }), words::START),
        (None, _) => {
            let group = name.map(|name| Command::Group { name, members });
            (group, words::CREATE_GROUP)
        }
    }
}

/// Someone who is chosen; a click takes them out again.
fn chip(name: Username, toggle: &Callback<Username>) -> Html {
    let words = printable(name.as_str()).into_owned();
    let onclick = toggle.reform(move |_: MouseEvent| name);
    html! {
        <button key={words.clone()} type="button" class="button small" {onclick} aria-label={format!("Remove {words}")}>
            <bdi>{ words }</bdi>{ icon(Glyph::Close) }
        </button>
    }
}

fn pick(
    name: Username,
    off: bool,
    below: Html,
    chosen: &[Username],
    toggle: &Callback<Username>,
) -> Html {
    let onchange = toggle.reform(move |_: Event| name);
    html! {
        <li key={name.to_string()}>
            <label class={classes!("row-person", off.then_some("off"))}>
                { person_name(Some(name), None, None, below) }
                <input type="checkbox" checked={chosen.contains(&name)} {onchange} disabled={off} />
            </label>
        </li>
    }
}
