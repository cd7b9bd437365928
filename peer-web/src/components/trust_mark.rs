//! How well the key of a user is known.

use p2pchat_model::Trust;
use yew::prelude::*;

use super::icon::{Glyph, icon};

/// A mark and words for how well a key is known.
pub fn trust_mark(trust: Trust) -> Html {
    let (glyph, class) = match trust {
        Trust::Former | Trust::New => (Glyph::Locked, ""),
        Trust::Verified => (Glyph::Verified, "verified"),
        Trust::Changed => (Glyph::Warning, "warn"),
        Trust::ChangedAfterVerified => (Glyph::Stop, "bad"),
    };
    html! { <span class={classes!("mark", class)}>{ icon(glyph) }{ trust.words() }</span> }
}
