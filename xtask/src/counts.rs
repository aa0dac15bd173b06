//! What a leg's own words say: how many tests passed, failed or were left out, and what the failures were.
//!
//! Reads the closing lines of cargo's test harness and of Node's test runner, nothing else.

/// Results of a leg.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
    /// Ignored, skipped or marked as to be done: never counted as passed.
    pub left_out: u64,
}

impl Counts {
    /// Tests that ran.
    pub fn ran(self) -> u64 {
        self.passed + self.failed
    }

    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.left_out += other.left_out;
    }
}

/// Adds up every `test result: ok. 3 passed; 0 failed; 1 ignored; …` of a log.
pub fn of_cargo(log: &str) -> Counts {
    let mut total = Counts::default();
    for line in log.lines() {
        let Some((_, result)) = line.split_once("test result: ") else { continue };
        for part in result.split([';', '.']) {
            let mut words = part.split_ascii_whitespace();
            let Some(number) = words.next().and_then(|word| word.parse::<u64>().ok()) else { continue };
            match words.next() {
                Some("passed") => total.passed += number,
                Some("failed") => total.failed += number,
                Some("ignored") => total.left_out += number,
                _ => {}
            }
        }
    }
    total
}

/// Adds up the closing figures of Node's test runner (`ℹ pass 3`, or `# pass 3` in its other form).
pub fn of_node(log: &str) -> Counts {
    let mut total = Counts::default();
    for line in log.lines() {
        let Some(figure) = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# ")) else { continue };
        let Some((word, number)) = figure.split_once(' ') else { continue };
        let Ok(number) = number.trim().parse::<u64>() else { continue };
        match word {
            "pass" => total.passed += number,
            "fail" | "cancelled" => total.failed += number,
            "skipped" | "todo" => total.left_out += number,
            _ => {}
        }
    }
    total
}

/// How many lines of a failure are shown; the log has the rest.
const SHOWN: usize = 160;
/// Lines shown of a leg whose words we do not know.
const TAIL: usize = 40;

/// The part of a log that tells why a leg failed.
pub fn reasons(log: &str) -> Vec<&str> {
    let mut shown: Vec<&str> = Vec::new();
    let mut inside = false;
    for line in log.lines() {
        let starts = line == "failures:"
            || line.starts_with("✖ failing tests")
            || line.starts_with("error: ")
            || line.starts_with("error[");
        let ends = line.starts_with("test result:")
            || line.starts_with("     Running ")
            || line.trim_start().starts_with("Compiling ")
            || line.starts_with("warning:");
        inside = starts || (inside && !ends);
        if inside && shown.len() < SHOWN {
            shown.push(line);
        }
    }
    if shown.is_empty() {
        let lines: Vec<&str> = log.lines().collect();
        shown = lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default().to_vec();
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{Counts, of_cargo, of_node, reasons};

    const CARGO: &str = "\
running 2 tests
test a ... ok
test b ... FAILED

failures:

---- b stdout ----
assertion failed

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

     Running unittests src/lib.rs
test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 7 filtered out; finished in 1.50s
";

    #[test]
    fn every_closing_line_of_cargo_is_added() {
        assert_eq!(of_cargo(CARGO), Counts { passed: 13, failed: 1, left_out: 3 });
    }

    #[test]
    fn the_closing_figures_of_node_are_read_in_both_forms() {
        let spec =
            "✔ opens (3ms)\nℹ tests 5\nℹ pass 3\nℹ fail 1\nℹ cancelled 0\nℹ skipped 1\nℹ duration_ms 9.5\n";
        assert_eq!(of_node(spec), Counts { passed: 3, failed: 1, left_out: 1 });
        assert_eq!(of_node("# pass 2\n# fail 0\n"), Counts { passed: 2, failed: 0, left_out: 0 });
    }

    #[test]
    fn a_failure_is_shown_without_what_went_well() {
        let shown = reasons(CARGO).join("\n");
        assert!(shown.contains("assertion failed"));
        assert!(!shown.contains("12 passed"));
    }

    #[test]
    fn words_we_do_not_know_are_shown_from_their_end() {
        assert_eq!(reasons("one\ntwo"), ["one", "two"]);
    }
}
