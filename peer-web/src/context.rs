//! What every component can reach: the state of the page, the settings, and a way to send.

use std::rc::Rc;

use p2pchat_model::Command;
use yew::prelude::*;

use crate::browser::settings::SettingsHandle;
use crate::state::{Conversation, Page, State};

/// What every component can reach. It changes rarely: what changes with each message is in
/// [`use_conversation`].
#[derive(Clone)]
pub struct Context {
    /// The state, but for the conversation.
    pub state: Rc<Page>,
    /// What the user has set.
    pub settings: SettingsHandle,
    /// Changes the state.
    pub dispatch: UseReducerDispatcher<State>,
    /// Sends a command to the bridge.
    pub send: Callback<Command>,
    /// Connects to the bridge at once.
    pub retry: Callback<()>,
}

/// The state is another one whenever it has changed: it is not looked through.
impl PartialEq for Context {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.state, &other.state) && self.settings == other.settings
    }
}

/// The context of the page.
///
/// # Panics
/// Outside of [`App`](crate::App), which provides it.
#[hook]
pub fn use_app() -> Context {
    use_context::<Context>().expect("App provides the context")
}

/// The conversation. It changes with nearly every message, and each component that uses it
/// is rendered as often.
///
/// # Panics
/// Outside of [`App`](crate::App), which provides it.
#[hook]
pub fn use_conversation() -> Rc<Conversation> {
    use_context::<Rc<Conversation>>().expect("App provides the conversation")
}
