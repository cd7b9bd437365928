//! The title of the page: what is new, and whose page it is.

use p2pchat_model::printable;
use yew::prelude::*;

use crate::app::{use_page, use_talk};
use crate::browser::page;
use crate::state::Page;

/// Keeps the title of the page up to date. Shows nothing.
#[component]
pub fn Title() -> Html {
    let context = use_page();
    let unread = use_talk().reading.unread();
    use_effect_with(words(&context.state, unread), |title| {
        page::set_title(title);
    });
    html! {}
}

fn words(state: &Page, unread: usize) -> String {
    let Some(view) = &state.view else {
        return "p2pchat".to_owned();
    };
    let view = view.get();
    let Some(account) = view.account else {
        return "p2pchat".to_owned();
    };
    let news = match (&view.incoming, unread) {
        (Some(request), _) => format!("{} asks for a chat · ", request.from.name),
        (None, 0) => String::new(),
        (None, unread) => format!("({unread}) "),
    };
    printable(&format!("{news}{account} · p2pchat")).into_owned()
}
