//! The choice of colours.

use yew::prelude::*;

use crate::browser::settings::{Settings, SettingsHandle, Theme};

/// A button for each theme.
pub fn theme_choice(settings: &SettingsHandle) -> Html {
    let button = |theme: Theme| {
        let words = match theme {
            Theme::System => "Auto",
            Theme::Light => "Light",
            Theme::Dark => "Dark",
        };
        let pressed = settings.theme == theme;
        let settings = settings.clone();
        let onclick = move |_: MouseEvent| settings.dispatch(Settings { theme, ..*settings });
        html! { <button key={words} type="button" aria-pressed={pressed.to_string()} {onclick}>{ words }</button> }
    };
    html! {
        <div class="tabs" role="group" aria-label="Colours">{ for Theme::ALL.into_iter().map(button) }</div>
    }
}
