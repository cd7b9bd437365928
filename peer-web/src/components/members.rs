//! Who is in the chat, and who is out of reach.

use std::rc::Rc;

use p2pchat_model::Person;
use p2pchat_model::wording::label;
use yew::prelude::*;

use crate::context::use_app;

use super::person_menu::PersonMenu;
use super::person_name::PersonName;
use super::roving::Item;
use super::row_list::RowList;

/// The members. Nothing if there are none.
#[component]
pub fn Members() -> Html {
    let context = use_app();
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let chat = view.chat();
    if chat.is_alone() {
        return html! {};
    }
    let row_of = |is_here| {
        move |person: &Person| Member {
            person: *person,
            is_here,
        }
    };
    let here = chat.members.iter().map(row_of(true));
    let rows: Rc<[Member]> = here
        .chain(chat.out_of_reach.iter().map(row_of(false)))
        .collect();
    let row = Callback::from(draw);
    html! {
        <section class="group" aria-labelledby="members-title">
            <header class="group-head">
                <h2 id="members-title">{ label::MEMBERS } <span class="count">{ chat.members.len() }</span></h2>
            </header>
            <RowList<Member> labelledby="members-title" items={rows} {row} />
        </section>
    }
}

/// Someone in the chat.
#[derive(Clone, Copy, PartialEq)]
struct Member {
    person: Person,
    is_here: bool,
}

impl Item for Member {
    fn name(&self) -> String {
        self.person.to_string()
    }

    fn key(&self) -> String {
        self.person.address.to_string()
    }
}

fn draw(Member { person, is_here }: Member) -> Html {
    html! {
        <>
            <PersonName name={person.name} address={person.address} />
            <span class="row-end">
                if !is_here { { label::OFFLINE } }
                <PersonMenu target={person.to_block()} name={person.to_string()} tab_stop=false />
            </span>
        </>
    }
}
