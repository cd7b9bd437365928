//! Where a key leads in a list that is one Tab stop.

use p2pchat_model::lowercase;

/// How long the letters of a name may be apart, in milliseconds.
const WORD_GAP: f64 = 1_000.0;

/// Where an arrow and its like lead from the row `at`, of `count`, when `page` rows are in
/// sight. `None` for other keys.
#[must_use]
pub fn target(key: &str, at: usize, count: usize, page: usize) -> Option<usize> {
    let last = count.checked_sub(1)?;
    let to = match key {
        "ArrowDown" => at + 1,
        "ArrowUp" => at.saturating_sub(1),
        "Home" => 0,
        "End" => last,
        "PageDown" => at + page.max(1),
        "PageUp" => at.saturating_sub(page.max(1)),
        _ => return None,
    };
    Some(to.min(last))
}

/// The letters that were typed to find a name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Letters {
    typed: String,
    last: f64,
}

impl Letters {
    /// The next row from `at` on whose name begins with what was typed, this key included.
    /// `now` is in milliseconds. `None` if there is none, and for keys that are no letters.
    pub fn find(&mut self, key: &str, now: f64, names: &[String], at: usize) -> Option<usize> {
        let is_letter = key.chars().count() == 1 && key != " ";
        if !is_letter {
            return None;
        }
        if now - self.last > WORD_GAP {
            self.typed.clear();
        }
        self.last = now;
        self.typed.push_str(&lowercase(key));
        // One letter leads on to the next such name; more of them may still mean this one.
        let from = if self.typed.chars().count() == 1 {
            at + 1
        } else {
            at
        };
        let begins = |index: &usize| lowercase(&names[*index]).starts_with(&self.typed);
        (0..names.len())
            .map(|step| (from + step) % names.len())
            .find(begins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lead_through_the_list_and_stop_at_its_ends() {
        for (key, at, to) in [
            ("ArrowDown", 3, Some(4)),
            ("ArrowDown", 9, Some(9)),
            ("ArrowUp", 3, Some(2)),
            ("ArrowUp", 0, Some(0)),
            ("Home", 7, Some(0)),
            ("End", 7, Some(9)),
            ("PageDown", 3, Some(7)),
            ("PageDown", 8, Some(9)),
            ("PageUp", 3, Some(0)),
            ("a", 3, None),
            ("Tab", 3, None),
        ] {
            assert_eq!(target(key, at, 10, 4), to, "{key} from {at}");
        }
        assert_eq!(target("ArrowDown", 0, 0, 4), None);
    }

    #[test]
    fn letters_lead_to_the_next_name_that_begins_with_them() {
        let names = ["anna", "Bert", "bea", "Çelik"].map(str::to_owned);
        let mut letters = Letters::default();
        assert_eq!(letters.find("b", 0.0, &names, 0), Some(1));
        assert_eq!(letters.find("e", 100.0, &names, 1), Some(1));
        assert_eq!(letters.find("a", 200.0, &names, 1), Some(2));
        assert_eq!(letters.find("B", 5_000.0, &names, 2), Some(1));
        assert_eq!(letters.find("ç", 9_000.0, &names, 1), Some(3));
        assert_eq!(letters.find("x", 19_000.0, &names, 1), None);
        assert_eq!(letters.find("Enter", 29_000.0, &names, 1), None);
        assert_eq!(letters.find(" ", 39_000.0, &names, 1), None);
        assert_eq!(letters.find("a", 49_000.0, &[], 0), None);
    }
}
