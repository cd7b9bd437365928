//! Counts tests by what the test harness prints.

/// How many tests there were.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) ignored: u64,
}

impl Tally {
    /// Takes note of a line of output. Only the one at the end of a test binary counts:
    /// `test result: ok. 9 passed; 0 failed; 0 ignored; …`.
    pub(super) fn line(&mut self, line: &str) {
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
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
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
        };
        assert_eq!(tally, expected);
    }
}
