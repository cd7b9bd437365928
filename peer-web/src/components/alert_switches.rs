//! The switches for notifications and sound.

use yew::prelude::*;

use crate::browser::settings::{Settings, SettingsHandle};
use crate::browser::{attention, sound};
use crate::context::use_app;

use super::switch::Switch;

/// The switches for notifications and sound.
#[component]
pub fn AlertSwitches() -> Html {
    let settings = use_app().settings;
    let denied = use_state(|| false);
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
    let hint = if *denied {
        "Your browser does not allow it for this page"
    } else {
        "When you look elsewhere"
    };
    html! {
        <>
            <Switch label="Notifications" {hint} on={settings.notify} onswitch={onnotify} />
            <Switch label="Sound" hint="When you look elsewhere" on={settings.sound} onswitch={onsound} />
        </>
    }
}

/// Switches notifications; the browser has to permit them first.
fn set_notify(settings: &SettingsHandle, denied: &UseStateSetter<bool>, on: bool) {
    let (settings, denied) = (settings.clone(), denied.clone());
    let set = move |notify| {
        settings.dispatch(Settings {
            notify,
            ..*settings
        });
    };
    if on {
        attention::ask_permission(Callback::from(move |granted: bool| {
            denied.set(!granted);
            set(granted);
        }));
    } else {
        set(false);
    }
}
