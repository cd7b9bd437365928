//! The switches for notifications and sound.

use yew::prelude::*;

use crate::browser::settings::{Settings, SettingsHandle};
use crate::browser::{attention, sound};
use crate::context::use_app;

use super::switch::switch;

/// The switches for notifications and sound.
#[hook]
pub fn use_alert_switches() -> Html {
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
            { switch("Notifications", hint, settings.notify, false, &onnotify) }
            { switch("Sound", "When you look elsewhere", settings.sound, false, &onsound) }
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
