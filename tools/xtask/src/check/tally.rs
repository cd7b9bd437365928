//! Counts tests by what the test harness prints.

/// How many tests there were.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) ignored: u64,
    /// Tests that said themselves that they were skipped, and were not yet counted as passed.
    pub(super) skipped: u64,
}

impl Tally {
    /// Takes note of a line of output, of cargo's tests or of node's.
    pub(super) fn line(&mut self, line: &str) {
        // What only a test itself can find out: the harness takes it for passed.
        if line.starts_with("skipped: ") {
            self.skipped += 1;
        }
        self.cargo_line(line);
        self.node_line(line);
    }

    /// Only the one at the end of a test binary counts:
    /// `test result: ok. 9 passed; 0 failed; 0 ignored; …`.
    fn cargo_line(&mut self, line: &str) {
        // Not at the beginning of the line if a test left one of its own unfinished.
        let Some((_, result)) = line.split_once("test result: ") else {
            return;
        };
        for part in result.split(['.', ';']) {
            let mut words = part.split_whitespace();
            let (Some(number), Some(word)) = (words.next(), words.next()) else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match word {
                "passed" => {
                    let skipped = std::mem::take(&mut self.skipped).min(number);
                    self.passed += number - skipped;
                    self.ignored += skipped;
                }
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }

    /// A line of the sum at the end, `ℹ pass 12`. What was cancelled has not passed.
    fn node_line(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let (Some("ℹ"), Some(word), Some(number), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return;
        };
        let Ok(number) = number.parse::<u64>() else {
            return;
        };
        match word {
            "pass" => self.passed += number,
            "fail" | "cancelled" => self.failed += number,
            "skipped" | "todo" => self.ignored += number,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_binaries_add_up() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test a ... ok",
            "test b ... FAILED",
            "test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.18s",
            "noise without its newlinetest result: ok. 9 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 12.34s",
            "test result: \u{1b}[32mok\u{1b}[0m. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ] {
            tally.line(line);
        }
        let expected = Tally {
            passed: 12,
            failed: 1,
            ignored: 1,
            skipped: 0,
        };
        assert_eq!(tally, expected);
    }

    #[test]
    fn a_test_that_says_that_it_was_skipped_has_not_passed() {
        let mut tally = Tally::default();
        for line in [
            "running 2 tests",
            "test a ... ok",
            "skipped: network: there is none here",
            "test b ... ok",
            "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.18s",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.18s",
        ] {
            tally.line(line);
        }
        assert_eq!((tally.passed, tally.failed, tally.ignored), (4, 0, 2));
    }

    #[test]
    fn the_sum_of_node_is_read_too() {
        let mut tally = Tally::default();
        for line in [
            "✔ two browsers chat (812.5ms)",
            "ℹ tests 9",
            "ℹ suites 0",
            "ℹ pass 5",
            "ℹ fail 1",
            "ℹ cancelled 2",
            "ℹ skipped 1",
            "ℹ todo 0",
            "ℹ duration_ms 7140.8",
        ] {
            tally.line(line);
        }
        let expected = Tally {
            passed: 5,
            failed: 3,
            ignored: 1,
            skipped: 0,
        };
        assert_eq!(tally, expected);
    }
}
