//! Who is online: to look through, to search, and to ask for a chat.

use std::rc::Rc;

use p2pchat_model::wording::label;
use p2pchat_model::{User, lowercase, printable};
use yew::prelude::*;

use crate::context::use_app;
use crate::logic::sentence::sentence;

use super::online_row::OnlineRow;
use super::people_search::PeopleSearch;
use super::refresh_button::RefreshButton;
use super::roving::Item;
use super::row_list::RowList;
use super::search_answer::SearchAnswer;

/// Who is online.
#[component]
pub fn Online() -> Html {
    let context = use_app();
    let typed = use_state(String::new);
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let view = view.get();
    let wanted = lowercase(typed.trim());
    let matches = |user: &&User| {
        lowercase(user.title()).contains(&wanted) || user.address.to_string().starts_with(&wanted)
    };
    let all = view.others().count();
    let matching: Rc<[User]> = view.others().filter(matches).copied().collect();
    let found = matching.len();
    let row = Callback::from(|user| html! { <OnlineRow {user} /> });
    let ontyped = {
        let typed = typed.setter();
        Callback::from(move |text| typed.set(text))
    };
    html! {
        <section class="group" aria-labelledby="online-title">
            <header class="group-head">
                <h2 id="online-title">{ label::ONLINE } <span class="count">{ all }</span></h2>
                <RefreshButton />
            </header>
            <PeopleSearch typed={(*typed).clone()} {ontyped} />
            <SearchAnswer />
            if found > 0 { <RowList<User> labelledby="online-title" items={matching} {row} /> }
            { rest(found, all == 0, typed.trim()) }
        </section>
    }
}

/// What stands below the list for what was typed.
fn rest(matching: usize, no_one_else: bool, typed: &str) -> Html {
    let words = match matching {
        0 if no_one_else && typed.is_empty() => {
            let nobody = sentence(label::NO_ONE_ONLINE);
            format!("{nobody} You can also ask an address, such as 192.168.1.20.")
        }
        0 => format!(
            "No “{}” here. Press Enter to look up the exact name.",
            printable(typed)
        ),
        _ => return html! {},
    };
    html! { <p class="empty">{ words }</p> }
}

impl Item for User {
    fn name(&self) -> String {
        self.title().to_owned()
    }
}
