//! The settings: colours, notifications, sound, signing out.

use p2pchat_model::wording::{chat, label};
use p2pchat_model::{Command, ConversationId};
use yew::prelude::*;

use crate::browser::hooks::{toggle, use_popup};
use crate::context::use_app;
use crate::part;
use crate::state::{Action, Sheet};

use super::alert_switches::use_alert_switches;
use super::icon::{Glyph, icon};
use super::theme_choice::theme_choice;

/// The button that opens the settings, and the settings.
#[hook]
pub fn use_settings_menu() -> Html {
    let context = use_app();
    let node = use_node_ref();
    let open = use_popup(&node);
    let send = context.send.clone();
    let onaccount = {
        let (open, dispatch) = (open.setter(), context.dispatch.clone());
        move |_| {
            open.set(false);
            dispatch.dispatch(Action::Open(Some(Sheet::Account)));
        }
    };
    let onopenchat = {
        let (open, dispatch) = (open.setter(), context.dispatch.clone());
        move |_| {
            open.set(false);
            dispatch.dispatch(Action::Show(ConversationId::OPEN));
        }
    };
    let onlogout = move |_| send.emit(Command::Logout);
    html! {
        <div class="menu" ref={node}>
            <button type="button" class="icon-button" aria-expanded={open.to_string()} aria-controls="menu"
                aria-label="Settings" title="Settings" onclick={toggle(&open)}>{ icon(Glyph::Menu) }</button>
            if *open {
                <div id="menu" class="menu-panel" role="group" aria-label="Settings">
                    { theme_choice(&context.settings) }
                    { part!(use_alert_switches) }
                    <button type="button" class="menu-item" onclick={onaccount}>
                        { icon(Glyph::Locked) }{ label::ACCOUNT_AND_KEYS }
                    </button>
                    <button type="button" class="menu-item" onclick={onopenchat} title={chat::OPEN_CHAT_MEANS}>
                        { icon(Glyph::People) }{ chat::OPEN_CHAT }
                    </button>
                    <button type="button" class="menu-item" disabled={!context.state.is_live()} onclick={onlogout}>
                        { icon(Glyph::Leave) }{ label::SIGN_OUT }
                    </button>
                </div>
            }
        </div>
    }
}
