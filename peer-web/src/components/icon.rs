//! The icons: strokes on a grid of 24, drawn in the colour of the text around them.

use yew::prelude::*;

/// Which icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyph {
    /// A magnifying glass.
    Search,
    /// Two arrows in a circle.
    Refresh,
    /// A paper plane.
    Send,
    /// A cross.
    Close,
    /// A door with an arrow.
    Leave,
    /// An arrow to the left.
    Back,
    /// An arrow down.
    Down,
    /// Three lines.
    Menu,
    /// A tick.
    Sent,
    /// A clock.
    Sending,
    /// A broken circle: sent, not confirmed.
    Unconfirmed,
    /// A triangle.
    Warning,
    /// A speech bubble with a plus.
    Ask,
    /// Two people.
    People,
    /// A smile.
    Smile,
    /// An eye.
    Eye,
    /// Three dots.
    More,
    /// An open lock.
    Unlocked,
    /// A closed lock.
    Locked,
    /// A shield with a tick.
    Verified,
    /// An octagon with an exclamation mark.
    Stop,
    /// A circle with a tick.
    Available,
    /// A circle with a bar.
    Busy,
    /// A moon.
    Away,
    /// An envelope.
    Request,
    /// A plus.
    Plus,
    /// A pin.
    Pin,
    /// A circle with an i.
    Info,
    /// An arrow back to an earlier message.
    Reply,
    /// A pencil.
    Edit,
    /// Two ticks.
    Read,
}

impl Glyph {
    fn path(self) -> &'static str {
        match self {
            Self::Search => "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM20 20l-4.8-4.8",
            Self::Refresh => {
                "M20 5v5h-5M4 19v-5h5M5.5 9.5A7 7 0 0 1 18 7.5l2 2.5M18.5 14.5A7 7 0 0 1 6 16.5L4 14"
            }
            Self::Send => "M12 19V5M5.5 11.5 12 5l6.5 6.5",
            Self::Close => "M6 6l12 12M18 6 6 18",
            Self::Leave => "M14 4h4a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1h-4M10 8l-4 4 4 4M6 12h9",
            Self::Back => "M14.5 6 8.5 12l6 6",
            Self::Down => "M12 5v14M6 13l6 6 6-6",
            Self::Menu => "M4 7h16M4 12h16M4 17h16",
            Self::Sent => "M5 12.5 10 17 19 7",
            Self::Sending => "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM12 8v4.5l3 2",
            Self::Unconfirmed => {
                "M7 12.5 11 16 17 8.5M12 3.5a8.5 8.5 0 0 1 4 1M19.5 8a8.5 8.5 0 0 1 1 4M19.5 16.5a8.5 8.5 0 0 1-3 3M12 20.5a8.5 8.5 0 0 1-4-1M4.5 16a8.5 8.5 0 0 1-1-4M4.5 7.5a8.5 8.5 0 0 1 3-3"
            }
            Self::Warning => "M12 4 21 19.5H3L12 4ZM12 10v4.5M12 17.2v.1",
            Self::Ask => "M4 5h16v11h-9l-4.5 4v-4H4V5ZM12 8v5M9.5 10.5h5",
            Self::People => {
                "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 19.5a6.5 6.5 0 0 1 13 0M16 4.8a3.5 3.5 0 0 1 0 6.400M18 13.8a6.5 6.5 0 0 1 3.5 5.700"
            }
            Self::Smile => {
                "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM8.5 14a4 4 0 0 0 7 0M9 9.5v.1M15 9.5v.1"
            }
            Self::More => "M5.5 12h.01M12 12h.01M18.5 12h.01",
            Self::Unlocked => "M6 11h12v9H6v-9ZM9 11V7.5a3.5 3.5 0 0 1 6.8-1.2",
            Self::Locked => "M6 11h12v9H6v-9ZM8.5 11V7.5a3.5 3.5 0 0 1 7 0V11",
            Self::Verified => {
                "M12 3.5 19 6v6c0 4.5-3 7-7 8.5-4-1.5-7-4-7-8.5V6l7-2.5ZM8.8 12l2.4 2.4 4.2-4.8"
            }
            Self::Stop => "M8.5 3.5h7l5 5v7l-5 5h-7l-5-5v-7l5-5ZM12 8v5M12 16v.1",
            Self::Available => "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM8.5 12.3l2.5 2.5L15.8 9.7",
            Self::Busy => "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM8 12h8",
            Self::Away => "M19.5 14.5A8 8 0 1 1 10 4.5a6.5 6.5 0 0 0 9.5 10Z",
            Self::Request => "M3.5 6h17v12.5h-17V6ZM4 6.5l8 6.5 8-6.5",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Pin => "M9 4h6l-1 6 3 3H7l3-3-1-6ZM12 13v7",
            Self::Info => "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM12 11v5M12 8v.1",
            Self::Reply => "M9 6 4 11l5 5M4 11h10a6 6 0 0 1 6 6v1",
            Self::Edit => "M4 20l1-4L16.500 4.500l3 3L8 19l-4 1Z",
            Self::Read => "M2.5 12.5 7 17l8-9M11 16l1 1 9.500-10",
            Self::Eye => {
                "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z"
            }
        }
    }
}

/// An icon. Screen readers skip it: the words are beside it, or on its button.
pub fn icon(glyph: Glyph) -> Html {
    html! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d={glyph.path()} />
        </svg>
    }
}
