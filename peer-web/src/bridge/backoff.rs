//! What to do when the connection to the bridge has closed.

/// The close codes of the bridge.
pub mod close {
    /// The secret is missing or wrong.
    pub const WRONG_SECRET: u16 = 4001;
    /// The bridge speaks another version.
    pub const OTHER_VERSION: u16 = 4002;
    /// The page was too slow and missed events: connect again and get the view.
    pub const LAGGED: u16 = 4003;
    /// The page sent too many frames that the bridge does not understand.
    pub const MALFORMED: u16 = 4007;
    /// A frame of the page was not a text, or no frame at all.
    pub const NOT_TEXT: [u16; 2] = [1002, 1003];
    /// A frame of the page was too long.
    pub const TOO_BIG: u16 = 1009;
}

/// The wait before the first attempt, in milliseconds; it doubles with each failure in a row.
const FIRST_WAIT: f64 = 400.0;
/// The longest wait, in milliseconds.
const LONGEST_WAIT: f64 = 15_000.0;

/// Why the page does not connect again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The address of the page holds no secret.
    NoSecret,
    /// The bridge does not know the secret.
    WrongSecret,
    /// The bridge speaks another version.
    OtherVersion,
}

/// Why the page has no connection to the bridge, and tries again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The bridge has stopped, or does not answer.
    Stopped,
    /// The page was too slow and missed events.
    Slow,
    /// A frame of the page was too long.
    TooBig,
    /// The bridge does not understand the page.
    Misunderstood,
}

impl Loss {
    /// The reason for this close code.
    #[must_use]
    pub fn of(code: u16) -> Self {
        match code {
            close::LAGGED => Self::Slow,
            close::TOO_BIG => Self::TooBig,
            close::MALFORMED => Self::Misunderstood,
            code if close::NOT_TEXT.contains(&code) => Self::Misunderstood,
            _ => Self::Stopped,
        }
    }
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Next {
    /// Connect again after this many milliseconds.
    Retry(f64),
    /// Do not connect again.
    Stop(Refusal),
}

/// What to do after a close with `code`, when `failures` attempts in a row did not get as far
/// as the view. `jitter` is between 0 and 1 and spreads the attempts of several tabs.
#[must_use]
pub fn next(code: u16, failures: u32, jitter: f64) -> Next {
    match code {
        close::WRONG_SECRET => Next::Stop(Refusal::WrongSecret),
        close::OTHER_VERSION => Next::Stop(Refusal::OtherVersion),
        close::LAGGED if failures == 0 => Next::Retry(0.0),
        _ => {
            let doubled = FIRST_WAIT * f64::from(1_u32 << failures.min(10));
            Next::Retry(doubled.min(LONGEST_WAIT) * (0.8 + 0.4 * jitter))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(code: u16, failures: u32) -> f64 {
        match next(code, failures, 0.5) {
            Next::Retry(wait) => wait,
            Next::Stop(refusal) => panic!("{refusal:?}"),
        }
    }

    #[test]
    fn waits_double_up_to_a_limit() {
        assert!((wait(1006, 0) - 400.0).abs() < 0.001);
        assert!((wait(1006, 1) - 800.0).abs() < 0.001);
        assert!((wait(1006, 9) - LONGEST_WAIT).abs() < 0.001);
        assert!((wait(1006, u32::MAX) - LONGEST_WAIT).abs() < 0.001);
    }

    #[test]
    fn a_slow_page_connects_again_at_once_but_not_in_a_loop() {
        assert!(wait(close::LAGGED, 0) < 0.001);
        assert!(wait(close::LAGGED, 1) > 100.0);
    }

    #[test]
    fn each_close_code_has_its_reason() {
        assert_eq!(Loss::of(1006), Loss::Stopped);
        assert_eq!(Loss::of(1001), Loss::Stopped);
        assert_eq!(Loss::of(4003), Loss::Slow);
        assert_eq!(Loss::of(1009), Loss::TooBig);
        assert_eq!(Loss::of(4007), Loss::Misunderstood);
        assert_eq!(Loss::of(1003), Loss::Misunderstood);
    }

    #[test]
    fn a_refusal_is_not_tried_again() {
        assert_eq!(next(4001, 0, 0.5), Next::Stop(Refusal::WrongSecret));
        assert_eq!(next(4002, 3, 0.5), Next::Stop(Refusal::OtherVersion));
    }
}
