//! A few emoji, for keyboards that have none.

use yew::prelude::*;

use crate::browser::hooks::{toggle, use_popup};

use super::icon::{Glyph, icon};

/// The emoji, each with a word for those who cannot see it.
const EMOJI: [(&str, &str); 24] = [
    ("🙂", "smile"),
    ("😂", "laugh"),
    ("😉", "wink"),
    ("😍", "love"),
    ("🤔", "thinking"),
    ("😮", "surprise"),
    ("😢", "sad"),
    ("😴", "tired"),
    ("😎", "cool"),
    ("🙈", "embarrassed"),
    ("👍", "thumbs up"),
    ("👎", "thumbs down"),
    ("👋", "wave"),
    ("🙏", "please"),
    ("👏", "applause"),
    ("💪", "strong"),
    ("🎉", "celebrate"),
    ("❤️", "heart"),
    ("🔥", "fire"),
    ("✅", "done"),
    ("❌", "no"),
    ("☕", "coffee"),
    ("🍕", "pizza"),
    ("🚀", "rocket"),
];

/// What an [`use_emoji_picker`] needs.
#[derive(PartialEq)]
pub struct Props {
    /// Called with the emoji.
    pub onpick: Callback<&'static str>,
}

/// The button that opens the choice, and the choice.
#[hook]
pub fn use_emoji_picker(props: &Props) -> Html {
    let node = use_node_ref();
    let open = use_popup(&node);
    let choice = |(emoji, words): &(&'static str, &'static str)| {
        let (emoji, open, onpick) = (*emoji, open.setter(), props.onpick.clone());
        let onclick = move |_: MouseEvent| {
            open.set(false);
            onpick.emit(emoji);
        };
        html! { <button key={*words} type="button" aria-label={*words} title={*words} {onclick}>{ emoji }</button> }
    };
    html! {
        <div class="emoji" ref={node}>
            <button type="button" class="icon-button" aria-expanded={open.to_string()} aria-controls="emoji-panel"
                aria-label="Emoji" title="Emoji" onclick={toggle(&open)}>{ icon(Glyph::Smile) }</button>
            if *open {
                <div id="emoji-panel" class="emoji-panel" role="group" aria-label="Emoji">{ for EMOJI.iter().map(choice) }</div>
            }
        </div>
    }
}
