//! Colours: few, and legible on a black background and on a white one, since a program cannot
//! know which it has.
//!
//! With 256 colours they are mid-tones of a luminance near 0.18, about 4.5:1 on both. A
//! terminal's own sixteen are not: yellow on white has 1.4:1. With only those, bold and reverse
//! do the work. With `NO_COLOR` set there is no colour at all.

use ratatui::style::{Color, Modifier, Style};

/// Styles for as many colours as a terminal has.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    colours: Colours,
}

/// How many colours may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// None: <https://no-color.org>.
    None,
    /// The terminal's own sixteen, whose looks nobody knows.
    Sixteen,
    /// Those and the 240 with a known look.
    Many,
}

const TEAL: Color = Color::Indexed(30);
const GREEN: Color = Color::Indexed(28);
const ORANGE: Color = Color::Indexed(130);
const RED: Color = Color::Indexed(161);
const GREY: Color = Color::Indexed(243);

/// Colours of names. Red and orange are reserved for errors and warnings.
const NAME_COLOURS: [Color; 6] = [
    Color::Indexed(63),
    Color::Indexed(163),
    Color::Indexed(28),
    Color::Indexed(31),
    Color::Indexed(98),
    Color::Indexed(64),
];

impl Theme {
    /// With as many colours as the environment says that the terminal has and the user wants.
    #[must_use]
    pub fn from_environment() -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let terminal = std::env::var("TERM").unwrap_or_default();
        let has_many = [
            "256",
            "direct",
            "kitty",
            "alacritty",
            "ghostty",
            "foot",
            "wezterm",
        ];
        let has_many = has_many.iter().any(|part| terminal.contains(part));
        Self::new(if is_set("NO_COLOR") {
            Colours::None
        } else if has_many || is_set("COLORTERM") {
            Colours::Many
        } else {
            Colours::Sixteen
        })
    }

    /// With these colours.
    #[must_use]
    pub fn new(colours: Colours) -> Self {
        Self { colours }
    }

    /// A colour, or where there are none that are legible, a modifier in its place.
    fn or(self, colour: Color, modifier: Modifier) -> Style {
        if self.colours == Colours::Many {
            Style::new().fg(colour)
        } else {
            Style::new().add_modifier(modifier)
        }
    }

    pub(super) fn accent(self) -> Style {
        self.or(TEAL, Modifier::empty())
    }

    pub(super) fn title(self) -> Style {
        self.accent().add_modifier(Modifier::BOLD)
    }

    /// Style of what matters less. Not the terminal's own dim text, which has 2:1 in places.
    pub(super) fn dim(self) -> Style {
        self.or(GREY, Modifier::empty())
    }

    /// Style of code in a text.
    pub(super) fn code(self) -> Style {
        self.or(TEAL, Modifier::ITALIC)
    }

    pub(super) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn good(self) -> Style {
        self.or(GREEN, Modifier::empty())
    }

    pub(super) fn warning(self) -> Style {
        self.or(ORANGE, Modifier::BOLD)
    }

    pub(super) fn error(self) -> Style {
        self.or(RED, Modifier::BOLD | Modifier::UNDERLINED)
    }

    /// Style of the row of a list that is chosen.
    pub(super) fn chosen(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Style that attracts attention.
    pub(super) fn badge(self) -> Style {
        self.title().add_modifier(Modifier::REVERSED)
    }

    /// Style of a warning that attracts attention.
    pub(super) fn alarm(self) -> Style {
        match self.colours {
            Colours::None => self.badge(),
            // Both are set, so that it is legible whatever the background.
            Colours::Sixteen => Style::new().fg(Color::Black).bg(Color::Yellow),
            Colours::Many => self
                .warning()
                .add_modifier(Modifier::BOLD | Modifier::REVERSED),
        }
    }

    /// Style of a name: the same for the same name on every screen.
    pub(super) fn name(self, name: &str) -> Style {
        // FNV-1a: stable from one run to the next, unlike the standard hasher.
        let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        let colour = NAME_COLOURS[hash as usize % NAME_COLOURS.len()];
        self.or(colour, Modifier::empty())
            .add_modifier(Modifier::BOLD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red, green and blue of one of the colours with a known look.
    fn rgb(colour: Color) -> [f64; 3] {
        let Color::Indexed(index @ 16..) = colour else {
            panic!("nobody knows how {colour:?} looks");
        };
        if index >= 232 {
            return [f64::from(8 + 10 * (index - 232)); 3];
        }
        let level = |step: u8| f64::from([0, 95, 135, 175, 215, 255_u8][usize::from(step)]);
        let cube = index - 16;
        [level(cube / 36), level(cube / 6 % 6), level(cube % 6)]
    }

    /// Relative luminance, as WCAG 2 defines it.
    fn luminance(colour: Color) -> f64 {
        let linear = rgb(colour).map(|part| {
            let part = part / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    /// All styles of a theme.
    fn styles(theme: Theme) -> Vec<Style> {
        let mut all = vec![
            theme.accent(),
            theme.title(),
            theme.dim(),
            theme.code(),
            theme.strong(),
            theme.good(),
            theme.warning(),
            theme.error(),
            theme.chosen(),
            theme.badge(),
            theme.alarm(),
        ];
        all.extend((0..100).map(|number| theme.name(&format!("user{number}"))));
        all
    }

    #[test]
    fn every_colour_is_legible_on_black_and_on_white() {
        let theme = Theme::new(Colours::Many);
        let mut seen = Vec::new();
        for style in styles(theme) {
            assert_eq!(style.bg, None, "{style:?}");
            let Some(colour) = style.fg else { continue };
            let luminance = luminance(colour);
            let (on_black, on_white) = ((luminance + 0.05) / 0.05, 1.05 / (luminance + 0.05));
            assert!(
                on_black >= 4.0 && on_white >= 4.0,
                "{colour:?}: {on_black}, {on_white}"
            );
            seen.push(colour);
        }
        for colour in NAME_COLOURS {
            assert!(seen.contains(&colour), "{colour:?} is not looked at");
        }
    }

    #[test]
    fn of_sixteen_colours_only_black_on_yellow_is_used() {
        for style in styles(Theme::new(Colours::Sixteen)) {
            let pair = (style.fg, style.bg);
            assert!(
                matches!(
                    pair,
                    (None, None) | (Some(Color::Black), Some(Color::Yellow))
                ),
                "{style:?}"
            );
        }
        for style in styles(Theme::new(Colours::None)) {
            assert_eq!((style.fg, style.bg), (None, None), "{style:?}");
        }
    }
}
