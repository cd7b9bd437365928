//! What the user has set for the page, kept for all tabs of this browser.

use std::rc::Rc;

use yew::prelude::*;

use super::storage;

/// Which colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// Those of the system.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// All of them, in the order of the switch.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// As it is kept, and as the style sheet knows it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// What the user has set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// Which colours.
    pub theme: Theme,
    /// Whether to show a notification when the page is hidden.
    pub notify: bool,
    /// Whether to make a sound when the page is hidden.
    pub sound: bool,
}

const THEME: &str = "p2pchat.theme";
const NOTIFY: &str = "p2pchat.notify";
const SOUND: &str = "p2pchat.sound";

impl Settings {
    /// What was kept. Nothing makes a sound or asks for a permission before it is wanted.
    #[must_use]
    pub fn kept() -> Self {
        let is_on = |key| storage::kept(key).as_deref() == Some("on");
        let theme = storage::kept(THEME);
        Self {
            theme: Theme::ALL
                .into_iter()
                .find(|known| theme.as_deref() == Some(known.name()))
                .unwrap_or_default(),
            notify: is_on(NOTIFY),
            sound: is_on(SOUND),
        }
    }

    fn keep(self) {
        let on = |on| if on { "on" } else { "" };
        storage::keep(THEME, self.theme.name());
        storage::keep(NOTIFY, on(self.notify));
        storage::keep(SOUND, on(self.sound));
    }
}

/// Sets something, and keeps it.
impl Reducible for Settings {
    type Action = Settings;

    fn reduce(self: Rc<Self>, action: Settings) -> Rc<Self> {
        action.keep();
        Rc::new(action)
    }
}

/// The settings, for every component.
pub type SettingsHandle = UseReducerHandle<Settings>;
