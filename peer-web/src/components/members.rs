//! Who is in the chat, and who is out of reach.

use p2pchat_model::wording::label;
use p2pchat_model::{NameCheck, Person, User};
use yew::prelude::*;

use crate::context::Context;
use crate::part;

use super::person_menu::{self, to_compare, use_person_menu};
use super::person_name::{about, person_name};
use super::roving::Rows;
use super::row_list::row_list;

/// The members. Nothing if there are none.
pub fn members(context: &Context) -> Html {
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let chat = view.chat();
    if chat.is_alone() {
        return html! {};
    }
    let all = view.get();
    // The name of a packet proves nothing.
    let user_of = |person: &Person| {
        let name = person.name.filter(|_| person.check == NameCheck::Confirmed);
        name.and_then(|name| all.user(name)).copied()
    };
    let user_of = &user_of;
    let row_of = |is_here| {
        move |person: &Person| Member {
            person: *person,
            is_here,
            user: user_of(person),
        }
    };
    let here = chat.members.iter().map(row_of(true));
    let everyone: Vec<Member> = here
        .chain(chat.out_of_reach.iter().map(row_of(false)))
        .collect();
    let key = |member: &Member| member.person.address.to_string();
    let rows = Rows::new(everyone, key, |member| member.person.to_string(), draw);
    html! {
        <section class="group" aria-labelledby="members-title">
            <header class="group-head">
                <h2 id="members-title">{ label::MEMBERS } <span class="count">{ chat.members.len() }</span></h2>
            </header>
            { row_list("members-title", rows) }
        </section>
    }
}

/// Someone in the chat.
#[derive(Clone, Copy, PartialEq)]
struct Member {
    person: Person,
    is_here: bool,
    user: Option<User>,
}

fn draw(
    Member {
        person,
        is_here,
        user,
    }: &Member,
) -> Html {
    let (person, user) = (*person, *user);
    let below = user.as_ref().map(about).unwrap_or_default();
    html! {
        <>
            { person_name(person.name, Some(person.address), None, below) }
            <span class="row-end">
                if !is_here { { label::OFFLINE } }
                { part!(use_person_menu, person_menu::Props { compares: user.and_then(to_compare), ..person_menu::Props::of(person.to_block(), person.to_string()) }) }
            </span>
        </>
    }
}
