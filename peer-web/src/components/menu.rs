//! The menu: colours, notifications, sound, logging out.

use p2pchat_model::Command;
use yew::prelude::*;

use crate::app::use_page;
use crate::browser::hooks::{toggle, use_popup};
use crate::browser::settings::{Settings, SettingsHandle, Theme};
use crate::browser::{attention, sound};

use super::icon::{Glyph, icon};
use super::switch::switch;

/// The button that opens the menu, and the menu.
#[component]
pub fn Menu() -> Html {
    let context = use_page();
    let settings = &context.settings;
    let denied = use_state(|| false);
    let open = use_popup();
    let onlogout = {
        let send = context.send.clone();
        move |_| send.emit(Command::Logout)
    };
    html! {
        <div class="menu">
            <button type="button" class="icon-button" aria-expanded={open.to_string()} aria-controls="menu"
                aria-label="Settings" title="Settings" onclick={toggle(&open)}>{ icon(Glyph::Menu) }</button>
            if *open {
                <div id="menu" class="menu-panel" role="group" aria-label="Settings">
                    { themes(settings) }
                    { calls(settings, &denied) }
                    <button type="button" class="menu-item" disabled={!context.state.is_live()} onclick={onlogout}>
                        { icon(Glyph::Leave) }{ "Log out" }
                    </button>
                </div>
            }
        </div>
    }
}

fn themes(settings: &SettingsHandle) -> Html {
    let button = |theme: Theme| {
        let words = match theme {
            Theme::System => "Auto",
            Theme::Light => "Light",
            Theme::Dark => "Dark",
        };
        let onclick = {
            let settings = settings.clone();
            move |_: MouseEvent| settings.dispatch(Settings { theme, ..*settings })
        };
        html! { <button type="button" aria-pressed={(settings.theme == theme).to_string()} {onclick}>{ words }</button> }
    };
    html! {
        <div class="tabs" role="group" aria-label="Colours">{ for Theme::ALL.into_iter().map(button) }</div>
    }
}

/// The switches for notifications and sound; `denied` is whether the browser does not let
/// us notify.
fn calls(settings: &SettingsHandle, denied: &UseStateHandle<bool>) -> Html {
    let onnotify = {
        let (settings, denied) = (settings.clone(), denied.setter());
        Callback::from(move |on| set_notify(&settings, &denied, on))
    };
    let onsound = {
        let settings = settings.clone();
        Callback::from(move |on| {
            if on {
                sound::play(false);
            }
            settings.dispatch(Settings {
                sound: on,
                ..*settings
            });
        })
    };
    let hint = match **denied {
        true => "Your browser does not allow it for this page",
        false => "When you look elsewhere",
    };
    html! {
        <>
            { switch("Notifications", hint, settings.notify, false, onnotify) }
            { switch("Sound", "When you look elsewhere", settings.sound, false, onsound) }
        </>
    }
}

fn set_notify(settings: &SettingsHandle, denied: &UseStateSetter<bool>, on: bool) {
    if !on {
        settings.dispatch(Settings {
            notify: false,
            ..**settings
        });
        return;
    }
    let (settings, denied) = (settings.clone(), denied.clone());
    attention::ask_permission(Callback::from(move |granted: bool| {
        denied.set(!granted);
        settings.dispatch(Settings {
            notify: granted,
            ..*settings
        });
    }));
}
