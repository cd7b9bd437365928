//! Which key of a key press is meant for the page.

use web_sys::KeyboardEvent;

/// The key code of a key press that an input method has taken.
const TAKEN: u32 = 229;

/// The key that was pressed; `None` if it belongs to an input method, which composes a word of
/// several key presses (in Japanese, say): Enter ends the word there and Escape cancels it.
/// Safari reports the end of the composition before the key press, which then has only the
/// key code to tell.
///
/// Every handler of `keydown` in this crate asks this.
#[must_use]
pub fn pressed(event: &KeyboardEvent) -> Option<String> {
    let taken = event.is_composing() || event.key_code() == TAKEN;
    (!taken).then(|| event.key())
}
