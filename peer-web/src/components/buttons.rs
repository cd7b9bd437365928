//! The buttons that stand in many places.

use yew::prelude::*;

use super::icon::{Glyph, icon};

/// A small one with words on it.
pub fn small_button(words: &'static str, onclick: Callback<MouseEvent>, disabled: bool) -> Html {
    html! { <button type="button" class="button small" {onclick} {disabled}>{ words }</button> }
}

/// One that closes what it stands in; `words` say what that is.
pub fn close_button(words: &'static str, onclick: Callback<MouseEvent>) -> Html {
    html! { <button type="button" class="icon-button" {onclick} aria-label={words} title={words}>{ icon(Glyph::Close) }</button> }
}
