//! The two panes of the screen.

/// Which of the two panes is shown where there is room for only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pane {
    /// The people.
    People,
    /// The chat.
    Chat,
}

impl Pane {
    /// The class by which the style sheet knows it.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::People => "shows-people",
            Self::Chat => "shows-chat",
        }
    }

    /// The pane that is not shown then.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::People => Self::Chat,
            Self::Chat => Self::People,
        }
    }

    /// The id of the button that shows it.
    #[must_use]
    pub fn button(self) -> &'static str {
        match self {
            Self::People => "show-people",
            Self::Chat => "show-chat",
        }
    }
}
