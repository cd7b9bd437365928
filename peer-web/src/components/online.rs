//! Who is online: to look through, to search, and to write to.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{Standing, User, View, lowercase, printable};
use yew::prelude::*;

use crate::context::use_app;
use crate::logic::chats::{direct_with, meant};
use crate::logic::sentence::sentence;

use super::online_row::online_row;
use super::refresh_button::refresh_button;
use super::roving::Rows;
use super::row_list::row_list;

/// How many people are shown before all are asked for.
const SOME: usize = 12;

/// Who is online and has no chat with the user; all others too, once they are asked for. Of all,
/// those that were typed.
#[hook]
pub fn use_online(typed: &AttrValue) -> Html {
    let context = use_app();
    let shows_all = use_state_eq(|| false);
    let Some(view) = &context.state.view else {
        return html! {};
    };
    let view = view.get();
    let wanted = lowercase(typed);
    let all = *shows_all || !wanted.is_empty();
    let matches = |user: &&User| {
        lowercase(user.title()).contains(&wanted)
            || lowercase(user.display_name.as_str()).contains(&wanted)
            || user.address.to_string().starts_with(&wanted)
    };
    let count = view.others().count();
    let known = if all { Vec::new() } else { in_chats(&view) };
    let fresh = |user: &&User| !known.contains(&user.name);
    let most = if all { usize::MAX } else { SOME };
    let users = view.others().filter(matches).filter(fresh).take(most);
    let users: Vec<User> = users.copied().collect();
    let found = users.len();
    let is_part = !*shows_all && found < count;
    // They stand in the list of chats.
    let chats = meant(&view, typed).len();
    let rows = {
        let context = context.clone();
        let name = |user: &User| user.title().to_owned();
        Rows::new(users, name, name, move |user| {
            online_row(&context, *user, false)
        })
    };
    let onall = {
        let shows_all = shows_all.setter();
        move |_: MouseEvent| shows_all.set(true)
    };
    html! {
        <section class="group" aria-labelledby="online-title">
            <header class="group-head">
                <h2 id="online-title">{ label::ONLINE } <span class="count">{ count }</span></h2>
                { refresh_button(&context) }
            </header>
            if found > 0 { { row_list("online-title", rows) } }
            if is_part && wanted.is_empty() {
                <button type="button" class="button small quiet" onclick={onall}>{ wording::chat::SHOW_ALL }</button>
            } else {
                { rest(found + chats, count == 0, typed) }
            }
        </section>
    }
}

/// Those who have a chat of two with the user, which the user is in or asked.
fn in_chats(view: &View) -> Vec<p2pchat_model::Username> {
    let chats = view
        .conversations
        .iter()
        .filter_map(|one| one.chat.as_ref());
    let live = chats.filter(|chat| chat.standing != Standing::Out);
    live.filter_map(direct_with).collect()
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
