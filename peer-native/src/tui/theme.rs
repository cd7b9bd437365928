//! Colours: few, from the terminal's own sixteen, so that they fit its background. With
//! `NO_COLOR` set, bold and underlined text replaces them.

use ratatui::style::{Color, Modifier, Style};

/// Styles with or without colours.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    colours: bool,
}

/// Colours of names. Red and yellow are reserved for errors and warnings.
const NAME_COLOURS: [Color; 6] = [
    Color::Blue,
    Color::Magenta,
    Color::Green,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightGreen,
];

impl Theme {
    /// With colours, unless the user asks for none (<https://no-color.org>).
    #[must_use]
    pub fn from_environment() -> Self {
        let none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { colours: !none }
    }

    /// With or without colours.
    #[must_use]
    pub fn new(colours: bool) -> Self {
        Self { colours }
    }

    /// A colour, or where there are none, a modifier in its place.
    fn or(self, colour: Color, modifier: Modifier) -> Style {
        if self.colours {
            Style::new().fg(colour)
        } else {
            Style::new().add_modifier(modifier)
        }
    }

    fn coloured(self, colour: Color) -> Style {
        self.or(colour, Modifier::empty())
    }

    pub(super) fn accent(self) -> Style {
        self.coloured(Color::Cyan)
    }

    pub(super) fn title(self) -> Style {
        self.accent().add_modifier(Modifier::BOLD)
    }

    pub(super) fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn good(self) -> Style {
        self.coloured(Color::Green)
    }

    pub(super) fn warning(self) -> Style {
        self.or(Color::Yellow, Modifier::BOLD)
    }

    pub(super) fn error(self) -> Style {
        self.or(Color::Red, Modifier::BOLD | Modifier::UNDERLINED)
    }

    /// Style that attracts attention.
    pub(super) fn badge(self) -> Style {
        self.accent()
            .add_modifier(Modifier::BOLD | Modifier::REVERSED)
    }

    /// Style of a name: the same for the same name on every screen.
    pub(super) fn name(self, name: &str) -> Style {
        // FNV-1a: stable from one run to the next, unlike the standard hasher.
        let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        let colour = NAME_COLOURS[hash as usize % NAME_COLOURS.len()];
        self.coloured(colour).add_modifier(Modifier::BOLD)
    }
}
